"""Every recorded answer becomes what stands beside it, wherever the network cut it."""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.backends.spec import BackendSpec
from tui.core.codec import to_json

GOLDEN = Path(__file__).parents[2] / "golden"
SAMPLES = {
    f"{path.parent.name}/{path.stem}": path.read_bytes()
    for path in sorted(GOLDEN.glob("*/*"))
    if path.suffix in (".sse", ".ndjson")
}
"""By wire and name."""


def decoded(name: str, pieces: Iterable[bytes]) -> dict[str, Any]:
    """What the wire that `name` begins with makes of a body that comes in these pieces."""
    module = name.partition("/")[0]
    wire = importlib.import_module(f"tui.backends.wires.{module}")
    spec = BackendSpec("lab", "", module.replace("_", "-"), "http://lab/v1", "m")
    numbers = itertools.count()
    makes_ids = "make_id" in inspect.signature(wire.Decoder).parameters
    own_ids = {"make_id": lambda: f"made_{next(numbers)}"} if makes_ids else {}
    parser, decoder = wire.Parser(), wire.Decoder(spec, **own_ids)
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
    return json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_recorded_answer_becomes_what_stands_beside_it(name: str) -> None:
    assert decoded(name, [SAMPLES[name]]) == expected(name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_byte_at_a_time_makes_no_difference(name: str) -> None:
    assert decoded(name, (SAMPLES[name][i : i + 1] for i in range(len(SAMPLES[name])))) == expected(name)


@given(name=st.sampled_from(sorted(SAMPLES)), data=st.data())
@settings(deadline=None, max_examples=200)
def test_cuts_anywhere_make_no_difference(name: str, data: st.DataObject) -> None:
    body = SAMPLES[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=30)))
    bounds = [0, *cuts, len(body)]
    assert decoded(name, (body[a:b] for a, b in itertools.pairwise(bounds))) == expected(name)
