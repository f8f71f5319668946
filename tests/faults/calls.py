"""Tool calls as servers break them, on each wire, and what of them is a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.dialects import CHAT, MESSAGES, OLLAMA, RESPONSES, Dialect

A, B = {"path": "a"}, {"path": "b"}


@dataclass(frozen=True)
class Case:
    """Events of an answer, and its calls: the name, and the arguments, as text where they are no object."""

    name: str
    dialect: Dialect
    events: tuple[Any, ...]
    calls: tuple[tuple[str, Any], ...]

    @property
    def body(self) -> bytes:
        done = b"data: [DONE]\n\n" if self.dialect is CHAT else b""
        return b"".join(map(self.dialect.event, self.events)) + done


def _chat(name: str, calls: tuple[tuple[str, Any], ...], *fragments: Any, finish: str = "tool_calls") -> Case:
    """`fragments`: each the `tool_calls` of a chunk."""
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": entry}, "finish_reason": None}]} for entry in fragments]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    return Case(name, CHAT, (*chunks, end), calls)


def _part(index: Any, id: Any, name: Any, arguments: Any) -> list[Any]:
    fields = {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}
    return [{key: value for key, value in fields.items() if value is not None}]


def _claude(name: str, calls: tuple[tuple[str, Any], ...], *blocks: tuple[Any, Any, list[str]]) -> Case:
    """`blocks`: index, the block as it begins, and the pieces of its arguments."""
    events: list[Any] = [{"type": "message_start", "message": {"usage": {"input_tokens": 1}}}]
    for index, block, pieces in blocks:
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        for piece in pieces:
            delta = {"type": "input_json_delta", "partial_json": piece}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}})
    return Case(name, MESSAGES, (*events, {"type": "message_stop"}), calls)


def _use(id: Any, input: Any = None, name: str = "ls") -> Any:
    return {"type": "tool_use", "id": id, "name": name, "input": {} if input is None else input}


def _items(name: str, calls: tuple[tuple[str, Any], ...], *items: Any) -> Case:
    done = [
        {"type": "response.output_item.done", "output_index": place, "item": {"type": "function_call", **item}}
        for place, item in enumerate(items)
    ]
    return Case(name, RESPONSES, (*done, {"type": "response.completed", "response": {"status": "completed"}}), calls)


def _ollama(name: str, calls: tuple[tuple[str, Any], ...], *entries: Any) -> Case:
    lines = [{"message": {"role": "assistant", "content": "", "tool_calls": entry}, "done": False} for entry in entries]
    return Case(name, OLLAMA, (*lines, {"message": {"content": ""}, "done": True, "done_reason": "stop"}), calls)


_BOTH = (("ls", A), ("ls", B))
_TEXT_A, _TEXT_B = '{"path": "a"}', '{"path": "b"}'
CALLS = [
    _chat("no index", _BOTH, _part(None, "1", "ls", _TEXT_A), _part(None, "2", "ls", _TEXT_B)),
    _chat("no index and no id", _BOTH, _part(None, None, "ls", _TEXT_A), _part(None, None, "ls", _TEXT_B)),
    _chat("no id", _BOTH, _part(0, None, "ls", _TEXT_A), _part(1, None, "ls", _TEXT_B)),
    _chat("the same id twice", _BOTH, _part(0, "1", "ls", _TEXT_A), _part(1, "1", "ls", _TEXT_B)),
    _chat("each at index 0", _BOTH, _part(0, "1", "ls", _TEXT_A), _part(0, "2", "ls", _TEXT_B)),
    _chat(
        "interleaved",
        _BOTH,
        _part(0, "1", "ls", '{"pa'),
        _part(1, "2", "ls", '{"path": '),
        _part(0, None, None, 'th": "a"}'),
        _part(1, None, None, '"b"}'),
    ),
    _chat("an index that is text", (("ls", A),), _part("0", "1", "ls", _TEXT_A)),
    _chat("an index of many digits", (("ls", A),), _part(10**30, "1", "ls", _TEXT_A)),
    _chat("an index below zero", (("ls", A),), _part(-1, "1", "ls", _TEXT_A)),
    _chat("an id that is a number", (("ls", A),), _part(0, 7, "ls", _TEXT_A)),
    _chat("a name that is a number", (("", A),), _part(0, "1", 7, _TEXT_A)),
    _chat("a name in two parts", (("list", A),), _part(0, "1", "li", ""), _part(0, None, "st", _TEXT_A)),
    _chat("arguments that are no JSON", (("ls", "path: a"),), _part(0, "1", "ls", "path: a")),
    _chat("arguments that are cut", (("ls", '{"path'),), _part(0, "1", "ls", '{"path')),
    _chat("arguments that are a list", (("ls", "[1]"),), _part(0, "1", "ls", "[1]")),
    _chat("arguments that are a number", (("ls", "7"),), _part(0, "1", "ls", "7")),
    _chat("arguments that are null in text", (("ls", "null"),), _part(0, "1", "ls", "null")),
    _chat("no arguments", (("ls", {}),), _part(0, "1", "ls", None)),
    _chat("empty arguments", (("ls", {}),), _part(0, "1", "ls", "")),
    _chat("arguments as an object", (("ls", A),), _part(0, "1", "ls", A)),
    _chat("the same arguments again", (("ls", A),), _part(0, "1", "ls", _TEXT_A), _part(0, "1", "ls", _TEXT_A)),
    _chat("a number that is none", (("ls", '{"a": NaN}'),), _part(0, "1", "ls", '{"a": NaN}')),
    _chat("a key twice", (("ls", B),), _part(0, "1", "ls", '{"path": "a", "path": "b"}')),
    _chat("a finish reason that forgets them", (("ls", A),), _part(0, "1", "ls", _TEXT_A), finish="stop"),
    _chat("no function", (("ls", A),), _part(0, "1", "ls", _TEXT_A), [{"index": 0, "function": None}]),
    _chat("entries that are none", (("ls", A),), [None, 7, "x", []], {"a": 1}, "x", _part(0, "1", "ls", _TEXT_A)),
    _claude("whole at the start", (("ls", A),), (0, _use("1", A), [])),
    _claude("arguments that are no JSON", (("ls", "path: a"),), (0, _use("1"), ["path", ": a"])),
    _claude("arguments that are a list", (("ls", "[1]"),), (0, _use("1"), ["[1]"])),
    _claude("arguments that are cut", (("ls", '{"path'),), (0, _use("1"), ['{"path'])),
    _claude("no arguments", (("ls", {}),), (0, _use("1"), ["", ""])),
    _claude("no id", (("ls", A),), (0, _use(None, A), [])),
    _claude("the same id twice", _BOTH, (0, _use("1"), [_TEXT_A]), (1, _use("1"), [_TEXT_B])),
    _claude("all at index 0", _BOTH, (0, _use("1"), [_TEXT_A]), (0, _use("2"), [_TEXT_B])),
    _claude("no index", _BOTH, (None, _use("1"), [_TEXT_A]), (None, _use("2"), [_TEXT_B])),
    _items("no arguments", (("ls", {}),), {"call_id": "1", "name": "ls"}),
    _items("arguments that are no JSON", (("ls", "path: a"),), {"call_id": "1", "name": "ls", "arguments": "path: a"}),
    _items("arguments that are a list", (("ls", "[1]"),), {"call_id": "1", "name": "ls", "arguments": "[1]"}),
    _items("arguments as an object", (("ls", A),), {"call_id": "1", "name": "ls", "arguments": A}),
    _items("no id at all", (("ls", A),), {"name": "ls", "arguments": _TEXT_A}),
    _items(
        "the same id twice",
        _BOTH,
        {"call_id": "1", "name": "ls", "arguments": _TEXT_A},
        {"call_id": "1", "name": "ls", "arguments": _TEXT_B},
    ),
    _ollama(
        "two in a line",
        _BOTH,
        [{"function": {"name": "ls", "arguments": A}}, {"function": {"name": "ls", "arguments": B}}],
    ),
    _ollama(
        "two lines",
        _BOTH,
        [{"function": {"name": "ls", "arguments": A}}],
        [{"function": {"name": "ls", "arguments": B}}],
    ),
    _ollama("arguments as text", (("ls", A),), [{"function": {"name": "ls", "arguments": _TEXT_A}}]),
    _ollama("arguments that are no JSON", (("ls", "path: a"),), [{"function": {"name": "ls", "arguments": "path: a"}}]),
    _ollama("arguments that are a list", (("ls", "[1]"),), [{"function": {"name": "ls", "arguments": [1]}}]),
    _ollama("no arguments", (("ls", {}),), [{"function": {"name": "ls"}}]),
    _ollama(
        "entries that are none",
        (("ls", A),),
        [None, 7, {"function": None}],
        {"a": 1},
        [{"function": {"name": "ls", "arguments": A}}],
    ),
]
