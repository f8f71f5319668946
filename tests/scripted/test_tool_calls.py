"""Tool calls and usage leave the server in every shape that servers are known to use."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.scripted import FRAGMENTATIONS, NO_USAGE, Reply, ScriptedServer, interleaved, tool_call, usage
from tests.scripted.test_server import ask, payloads

Start = Callable[..., ScriptedServer]


def fragments(body: str) -> list[dict[str, Any]]:
    deltas = [event["choices"][0]["delta"] for event in payloads(body)[:-1] if event["choices"]]
    return [fragment for delta in deltas for fragment in delta.get("tool_calls") or []]


def functions(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part["function"] for part in parts if "function" in part]


@pytest.mark.parametrize("way", FRAGMENTATIONS)
def test_every_fragmentation_holds_the_whole_call(scripted: Start, way: str) -> None:
    body = ask(scripted([Reply(tool_call("read_file", {"path": "a b"}, **FRAGMENTATIONS[way]))])).text
    parts = fragments(body)
    names = [function["name"] for function in functions(parts) if function.get("name")]
    assert "".join(names) == "read_file" or set(names) == {"read_file"}
    arguments = [function["arguments"] for function in functions(parts) if "arguments" in function]
    if way == "arguments as an object":
        assert arguments == [{"path": "a b"}]
    else:
        whole = '{"path": "a b"}'
        assert "".join(arguments) == (whole * 2 if way == "whole arguments again at the end" else whole)
    assert payloads(body)[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_ways_differ_where_they_say_so(scripted: Start) -> None:
    def sent(way: str) -> list[dict[str, Any]]:
        return fragments(ask(scripted([Reply(tool_call("ls", {"path": "a"}, **FRAGMENTATIONS[way]))])).text)

    assert all("index" not in part for part in sent("no index"))
    assert {part["id"] for part in sent("id in each fragment")} == {"call_1_0"}
    assert [part["id"] for part in sent("empty ids later")] == ["call_1_0", "", "", ""]
    assert [part["id"] for part in sent("null ids later")] == ["call_1_0", None, None, None]
    assert not any("id" in part for part in sent("no id at all"))
    assert len(sent("whole")) == 1 and len(sent("a character at a time")) > 10
    assert sent("a fragment with extra content only")[-1].keys() == {"index", "extra_content"}
    assert sent("null for what is not there")[1]["type"] is None


def test_parallel_calls_have_places_and_ids_of_their_own(scripted: Start) -> None:
    calls = [tool_call("ls", {"path": path}) for path in "ab"]
    server = scripted([Reply(*calls), Reply(interleaved(*calls)), Reply(*calls, stream=False)])
    in_turn, mixed = (fragments(ask(server).text) for _ in range(2))
    assert [part["index"] for part in in_turn] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [part["index"] for part in mixed] == [0, 1, 0, 1, 0, 1, 0, 1]
    assert [part["id"] for part in mixed[:2]] == ["call_2_0", "call_2_1"]
    message = ask(server).json()["choices"][0]["message"]
    assert [json.loads(call["function"]["arguments"])["path"] for call in message["tool_calls"]] == ["a", "b"]


def test_arguments_that_are_no_json_are_sent_as_written(scripted: Start) -> None:
    (part,) = fragments(ask(scripted([Reply(tool_call("ls", '{"path": ', pieces=1))])).text)
    assert part["function"]["arguments"] == '{"path": '


def test_usage_is_counted_and_sent_if_the_request_asks_for_it(scripted: Start) -> None:
    server = scripted(["one two", "one two", Reply("a", usage=NO_USAGE)])
    asking: dict[str, Any] = {"stream_options": {"include_usage": True}}
    asked, not_asked, none = ask(server, **asking), ask(server), ask(server, **asking)
    last = payloads(asked.text)[-2]
    assert last["choices"] == [] and last["usage"]["completion_tokens"] == 2
    assert "usage" not in not_asked.text and "total_tokens" not in none.text


@pytest.mark.parametrize(
    ("sent", "place", "expected"),
    [
        (usage(9, 4, cached=3, reasoning=2), "last", {"prompt_tokens_details": {"cached_tokens": 3}}),
        (usage(9, 4, reasoning=2), "last", {"completion_tokens_details": {"reasoning_tokens": 2}}),
        (usage(9, 4, cost=0.5), "last", {"cost": 0.5}),
        (
            usage(9, 4, cached=3, style="deepseek"),
            "last",
            {"prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 6},
        ),
        (usage(9, 4, style="null_details"), "last", {"prompt_tokens_details": None}),
        (usage(9, 4, place="finish"), "finish", {"total_tokens": 13}),
        (usage(9, 4, cached=3, style="kimi"), "choice", {"cached_tokens": 3}),
        (usage(9, 4, style="groq"), "x_groq", {"total_tokens": 13}),
    ],
)
def test_usage_comes_where_and_how_a_vendor_says_it(
    scripted: Start, sent: Any, place: str, expected: dict[str, Any]
) -> None:
    last = payloads(ask(scripted([Reply("a", usage=sent)])).text)[-2]
    holder = {"choice": lambda: last["choices"][0], "x_groq": lambda: last["x_groq"]}.get(place, lambda: last)()
    assert expected.items() <= holder["usage"].items()
    assert (last["choices"] == []) == (place in ("last", "x_groq"))


def test_usage_can_grow_in_every_chunk(scripted: Start) -> None:
    events = payloads(ask(scripted([Reply("a b c", usage=usage(9, 3, place="every"))])).text)[:-1]
    assert [event["usage"]["completion_tokens"] for event in events] == [1, 2, 3, 3, 3]
