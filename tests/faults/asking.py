"""Asking a broken server through the real door, and what is true of each fault whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.backends.asking import ask
from tests.faults.dialects import Dialect
from tests.faults.raw_server import RawServer
from tui.backends.backend import joined
from tui.backends.spec import BackendSpec, Reply, Timeouts
from tui.core.errors import BackendError, MimoError
from tui.core.events import TextDelta

KEY = "sk-not-for-anyone-else-0123456789"
SHORT_S = 0.15
"""A time limit that is to be exceeded."""
LONG_S = 60.0
"""One that is not."""


@dataclass(frozen=True)
class Outcome:
    """How asking ended: an answer's text, or the kind of the error and what had come before it."""

    kind: str | None
    text: str
    error: BackendError | None = None
    pieces: tuple[Any, ...] = ()


def spec_of(dialect: Dialect, server: RawServer, limit: str = "", **changes: Any) -> BackendSpec:
    """`limit`: the time limit that is short."""
    limits = {"first_byte": LONG_S, "idle": LONG_S} | ({limit: SHORT_S} if limit else {})
    options: Any = {"retries": 0, "local": True, "credential": {"env": "LAB_KEY"}, "timeouts": Timeouts(**limits)}
    return BackendSpec("lab", "", dialect.wire, server.root + dialect.base, "scripted", **(options | changes))


async def outcome_of(spec: BackendSpec) -> Outcome:
    """Ask, and look that whatever came is fit for a person: no key in it, words that say who and what."""
    came = await ask(spec)
    *before, last = came
    text = "".join(delta.text for delta in joined(piece for piece in before if isinstance(piece, TextDelta)))  # type: ignore[union-attr]
    assert KEY not in repr(came)
    if isinstance(last, Reply):
        assert last.message.text == text
        return Outcome(None, text, pieces=tuple(came))
    assert isinstance(last, MimoError), last
    assert isinstance(last, BackendError), last
    assert last.message.startswith("lab: ") and len(last.message) < 3000 and "Traceback" not in last.message
    assert last.hint and "bytearray" not in last.message
    assert KEY not in last.message + last.hint + last.raw
    return Outcome(last.kind, text, last, tuple(came))
