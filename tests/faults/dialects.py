"""The four wires as servers speak them: the answer "Hello" in the parts at which a stream can break."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Dialect:
    """A wire's answer in four parts: up to the text `Hel`, the text `lo`, what tells the end of it, the end mark."""

    wire: str
    path: str
    """Where requests arrive."""
    base: str
    """What the base URL has behind its host."""
    begin: tuple[Json, ...]
    more: tuple[Json, ...]
    finish: tuple[Json, ...]
    end: tuple[Json, ...] | bytes
    whole: Json
    """The same in one piece, from a server that does not stream."""
    ends_with_finish: bool = False
    """`finish` is enough, for some servers never send the end mark."""

    def events(self, *parts: str, text: str = "lo") -> bytes:
        """The bytes of `begin`, `more`, `finish`, `end`, all of them without a word; with `text` in place of `lo`."""
        return b"".join(self._part(part, text) for part in parts or ("begin", "more", "finish", "end"))

    def _part(self, part: str, text: str) -> bytes:
        fields = getattr(self, part)
        if isinstance(fields, bytes):
            return fields
        told = _replaced(_replaced(fields, "lo", text), "Hello", f"Hel{text}")
        return b"".join(map(self.event, told))

    def event(self, fields: Any) -> bytes:
        """An event, or a line; a string is its data as it stands."""
        text = fields if isinstance(fields, str) else json.dumps(fields)
        if self.wire == "ollama":
            return text.encode() + b"\n"
        name = f"event: {fields['type']}\n" if isinstance(fields, dict) and "type" in fields else ""
        return f"{name}data: {text}\n\n".encode()


def _replaced(value: Any, old: Any, new: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, old, new) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(inner, old, new) for inner in value]
    return new if value == old else value


def _chunk(delta: Json, finish: str | None = None) -> Json:
    return {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


CHAT = Dialect(
    "chat-completions",
    "/v1/chat/completions",
    "/v1",
    begin=(_chunk({"role": "assistant", "content": ""}), _chunk({"content": "Hel"})),
    more=(_chunk({"content": "lo"}),),
    finish=(
        _chunk({}, "stop"),
        {"id": "x", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}},
    ),
    end=b"data: [DONE]\n\n",
    whole={
        "id": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2},
    },
    ends_with_finish=True,
)

_MESSAGE: Json = {"id": "m", "type": "message", "role": "assistant", "model": "scripted", "content": []}
MESSAGES = Dialect(
    "messages",
    "/v1/messages",
    "",
    begin=(
        {"type": "message_start", "message": _MESSAGE | {"usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    ),
    more=({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},),
    finish=(
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    ),
    end=({"type": "message_stop"},),
    whole=_MESSAGE
    | {
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 2},
    },
)

_ITEM: Json = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
_PART = [{"type": "output_text", "text": "Hello", "annotations": []}]
_RESPONSE: Json = {"id": "r", "object": "response", "status": "completed", "error": None}
_COUNTED = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
_TEXT_DELTA: Json = {
    "type": "response.output_text.delta",
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
}
RESPONSES = Dialect(
    "responses",
    "/v1/responses",
    "/v1",
    begin=(
        {"type": "response.created", "response": {"id": "r", "status": "in_progress", "error": None, "output": []}},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": _ITEM | {"status": "in_progress", "content": []},
        },
        _TEXT_DELTA | {"delta": "Hel"},
    ),
    more=(_TEXT_DELTA | {"delta": "lo"},),
    finish=({"type": "response.output_item.done", "output_index": 0, "item": _ITEM | {"content": _PART}},),
    end=(
        {
            "type": "response.completed",
            "response": _RESPONSE | {"output": [_ITEM | {"content": _PART}], "usage": _COUNTED},
        },
    ),
    whole=_RESPONSE | {"output": [_ITEM | {"content": _PART}], "usage": _COUNTED},
)


def _line(content: str, done: bool = False, **fields: Any) -> Json:
    return {"model": "scripted", "message": {"role": "assistant", "content": content}, "done": done} | fields


_DONE = {"done_reason": "stop", "prompt_eval_count": 9, "eval_count": 2}
OLLAMA = Dialect(
    "ollama",
    "/api/chat",
    "",
    begin=(_line("Hel"),),
    more=(_line("lo"),),
    finish=(),
    end=(_line("", True, **_DONE),),
    whole=_line("Hello", True, **_DONE),
)

DIALECTS = (CHAT, MESSAGES, RESPONSES, OLLAMA)
