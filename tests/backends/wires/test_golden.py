"""Every recorded answer becomes what stands beside it, wherever the network cut it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends.spec import BackendSpec
from tui.backends.sse import Parser
from tui.backends.wires.chat_completions import Decoder
from tui.core.codec import to_json

FOLDER = Path(__file__).parents[2] / "golden" / "chat_completions"
SAMPLES = {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.sse"))}
SPEC = BackendSpec("lab", "", "chat-completions", "http://lab/v1", "m")


def decoded(pieces: Iterable[bytes]) -> dict[str, Any]:
    numbers = itertools.count()
    parser, decoder = Parser(), Decoder(SPEC, make_id=lambda: f"made_{next(numbers)}")
    events = [event for piece in pieces for event in parser.feed(piece)] + parser.close()
    deltas = [to_json(delta) for event in events for delta in decoder.feed(event)]
    reply = decoder.finish()
    return {
        "deltas": [[delta.pop("type").removesuffix("_delta"), *delta.values()] for delta in deltas],
        "blocks": [known(to_json(block)) for block in reply.message.blocks],
        "usage": known(to_json(reply.usage)),
        "finish_reason": reply.finish_reason,
    }


def known(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def expected(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_recorded_answer_becomes_what_stands_beside_it(name: str) -> None:
    assert decoded([SAMPLES[name]]) == expected(name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_byte_at_a_time_makes_no_difference(name: str) -> None:
    assert decoded(SAMPLES[name][i : i + 1] for i in range(len(SAMPLES[name]))) == expected(name)


@given(name=st.sampled_from(sorted(SAMPLES)), data=st.data())
@settings(deadline=None, max_examples=150)
def test_cuts_anywhere_make_no_difference(name: str, data: st.DataObject) -> None:
    body = SAMPLES[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=30)))
    bounds = [0, *cuts, len(body)]
    assert decoded(body[a:b] for a, b in itertools.pairwise(bounds)) == expected(name)
