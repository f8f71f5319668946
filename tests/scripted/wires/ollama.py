"""A reply on Ollama's own wire: a JSON object a line, calls whole, the last line with the counts."""

from __future__ import annotations

from collections.abc import Iterator

from tests.scripted.asked import Asked, counted, is_reasoning
from tests.scripted.elements import Delta, Element, Interleaved, Json, ToolCall, Words
from tests.scripted.reply import Reply, encode
from tests.scripted.wires.messages import arguments_of

CREATED = "2026-11-25T10:00:00.000000Z"


class Rendering:
    content_type = "application/x-ndjson"
    half = b'{"model":"scripted","message":{"role":'

    def __init__(self, reply: Reply, asked: Asked) -> None:
        self.reply, self.asked, self.voice = reply, asked, asked.voice
        self.said: dict[str, list[str]] = {"content": []}
        self.calls: list[Json] = []
        self.counted = counted(reply.usage, list(reply.elements), asked)

    def _line(self, message: Json, **fields: object) -> bytes:
        line = {"model": self.asked.model, "created_at": CREATED, "message": message, "done": False} | fields
        return (encode(line) + self.reply.line_end).encode()

    def of(self, element: Element) -> Iterator[bytes]:
        if isinstance(element, Words):
            thinking = is_reasoning(element)
            if thinking and not self.voice.thinks(self.asked):
                return
            key = "thinking" if thinking else "content"
            for piece in element.pieces:
                self.said.setdefault(key, []).append(piece)
                yield self._line({"role": "assistant", "content": ""} | {key: piece})
        elif isinstance(element, ToolCall | Interleaved):
            for call in element.calls if isinstance(element, Interleaved) else (element,):
                self.calls.append(self._call(call, len(self.calls)))
                yield self._line({"role": "assistant", "content": "", "tool_calls": self.calls[-1:]})
        elif isinstance(element, Delta):
            yield (encode(element.fields) + self.reply.line_end).encode()

    def _call(self, call: ToolCall, position: int) -> Json:
        function = {"index": position, "name": call.name, "arguments": arguments_of(call)}
        if call.index == "none":
            del function["index"]
        id = {} if call.ids == "none" else {"id": call.id or self.voice.call_id(self.asked, position)}
        return id | {"function": function}

    def _message(self) -> Json:
        said = {key: "".join(pieces) for key, pieces in self.said.items()}
        return {"role": "assistant"} | said | ({"tool_calls": self.calls} if self.calls else {})

    def last(self) -> Iterator[bytes]:
        self.voice.gave(self.asked, [self._message()])
        if self.reply.finish is not None and self.reply.done:
            yield self._line({"role": "assistant", "content": ""}, **self._end())

    def _end(self) -> Json:
        reason = "stop" if self.reply.finish == "tool_calls" else self.reply.finish
        counts = {"prompt_eval_count": self.counted.prompt, "eval_count": self.counted.completion}
        durations = dict.fromkeys(("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"), 1)
        return {"done": True, "done_reason": reason} | durations | counts

    def whole(self) -> Json:
        for element in self.reply.elements:
            if isinstance(element, Words | ToolCall | Interleaved):
                list(self.of(element))
        list(self.last())
        line = {"model": self.asked.model, "created_at": CREATED, "message": self._message()}
        return line | self._end()
