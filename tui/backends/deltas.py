"""The deltas of an answer, in as few pieces as its reads of the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tui.core.errors import BackendError
from tui.core.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta


def deltas_of(decoder: Any, events: Iterable[str]) -> Iterator[Delta]:
    """What a wire's decoder makes of events."""
    for data in events:
        if decoder.is_done:  # what follows the end mark is not of this answer
            return
        yield from decoder.feed(data)


def joined(deltas: Iterable[Delta]) -> Iterator[Delta]:
    """The same text in fewer pieces: what came in one read is one delta, so a fast server costs readers less."""
    pieces: list[TextDelta | ReasoningDelta] = []
    try:
        for delta in deltas:
            if pieces and delta.type != pieces[0].type:
                yield _whole(pieces)
                pieces = []
            if isinstance(delta, ToolCallDelta):
                yield delta
            else:
                pieces.append(delta)
    except BackendError:  # what came before the error came
        if pieces:
            yield _whole(pieces)
        raise
    if pieces:
        yield _whole(pieces)


def _whole(pieces: list[TextDelta | ReasoningDelta]) -> Delta:
    return pieces[0] if len(pieces) == 1 else type(pieces[0])("".join([piece.text for piece in pieces]))
