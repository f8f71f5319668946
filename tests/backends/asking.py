"""What tests of backends share: specs of scripted servers, and asking them."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from msgspec import structs

from tests.scripted import ScriptedServer
from tui.backends.backend import Backend
from tui.backends.spec import BackendSpec, Reply, Request
from tui.core.errors import MimoError
from tui.core.events import ReplyReceived
from tui.core.messages import user

HELLO = Request("", (user("Hello"),))


def spec_for(server: ScriptedServer | str, **changes: Any) -> BackendSpec:
    base_url = server if isinstance(server, str) else server.base_url
    spec = BackendSpec("lab", "", "chat-completions", base_url, "scripted", credential="none", local=True)
    return structs.replace(spec, **changes)


class Waits:
    """In place of sleeping: remembers for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def ask(spec: BackendSpec, request: Request = HELLO, *, waits: Waits | None = None) -> list[Any]:
    """Everything that came but the raw reply; an error is the last of it."""
    backend = Backend(spec, sleep=waits or Waits())
    came: list[Any] = []
    try:
        async with aclosing(backend.ask(request)) as answer:
            async for piece in answer:
                if not isinstance(piece, ReplyReceived):
                    came.append(piece)
    except MimoError as error:
        came.append(error)
    finally:
        await backend.aclose()
    return came


async def reply_of(spec: BackendSpec, request: Request = HELLO) -> Reply:
    reply = (await ask(spec, request))[-1]
    assert isinstance(reply, Reply), reply
    return reply


async def error_of(spec: BackendSpec, request: Request = HELLO) -> Any:
    error = (await ask(spec, request))[-1]
    assert isinstance(error, MimoError), error
    return error
