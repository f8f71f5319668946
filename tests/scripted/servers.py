"""The servers of one test: started as it wishes, stopped and asked for complaints at its end."""

from __future__ import annotations

from typing import Any

from tests.scripted.server import ScriptedServer


class Servers:
    def __init__(self) -> None:
        self._started: list[tuple[ScriptedServer, bool]] = []

    def start(self, *arguments: Any, may_complain: bool = False, **options: Any) -> ScriptedServer:
        """A started `ScriptedServer`. Unless it `may_complain`, replies that are left over or missing fail the test."""
        server = ScriptedServer(*arguments, **options).start()
        self._started.append((server, may_complain))
        return server

    def stop(self) -> None:
        """Stop all; AssertionError if any that must not complain does."""
        for server, _ in self._started:
            server.stop()
        heard = [f"{server}: {'; '.join(server.complaints())}" for server, may in self._started if not may]
        complaints = [line for line in heard if not line.endswith(": ")]
        assert not complaints, "\n".join(complaints)
