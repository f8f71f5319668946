"""What every test may use: a home of its own, so that nothing of the real one is read or written, and model servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scripted import ScriptedServer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; the program's config, data, state and cache folders are inside it."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    for name, folder in {
        "CONFIG": ".config",
        "DATA": ".local/share",
        "STATE": ".local/state",
        "CACHE": ".cache",
    }.items():
        monkeypatch.setenv(f"XDG_{name}_HOME", str(path / folder))
    return path


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted model servers: `server = scripted(["Hello", fault(429)], key="secret")`.

    The test fails at its end if replies were left over or missing, unless the server was started with
    `may_complain=True`.
    """
    servers: list[tuple[ScriptedServer, bool]] = []

    def start(*arguments: object, may_complain: bool = False, **options: object) -> ScriptedServer:
        server = ScriptedServer(*arguments, **options).start()  # type: ignore[arg-type]
        servers.append((server, may_complain))
        return server

    yield start
    complaints = []
    for server, may_complain in servers:
        server.stop()
        if not may_complain and server.complaints():
            complaints.append(f"{server}: {'; '.join(server.complaints())}")
    assert not complaints, "\n".join(complaints)
