"""A reply on OpenAI Responses: output items, each event with its number in the sequence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, zip_longest
from typing import Any

from tests.scripted.asked import Asked, Counted, counted, is_reasoning
from tests.scripted.elements import Delta, Element, Interleaved, Json, ToolCall, Words, cut
from tests.scripted.reply import Reply, encode

REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Rendering:
    """The events of one reply. An item stays open while elements of its kind follow."""

    content_type = "text/event-stream; charset=utf-8"
    half = b"event: response.output_text.delta\ndata:"

    def __init__(self, reply: Reply, asked: Asked) -> None:
        self.reply, self.asked, self.voice = reply, asked, asked.voice
        self.output: list[Json] = []
        self.usage = usage_fields(counted(reply.usage, list(reply.elements), asked))
        self._numbers = count()
        self._said: list[str] = []
        """The pieces of the open item."""
        self._is_open = self._is_begun = False
        self._calls = 0

    def _event(self, type: str, **fields: Any) -> bytes:
        end = self.reply.line_end
        payload = {"type": type, "sequence_number": next(self._numbers)} | fields
        return f"event: {type}{end}data: {encode(payload)}{end}{end}".encode()

    def _begin(self) -> Iterator[bytes]:
        if not self._is_begun:
            self._is_begun = True
            started = whole(self.asked, [], "in_progress", None)
            yield self._event("response.created", response=started)
            yield self._event("response.in_progress", response=started)

    def of(self, element: Element) -> Iterator[bytes]:
        yield from self._begin()
        if isinstance(element, Words):
            yield from self._words(element)
        elif isinstance(element, ToolCall | Interleaved):
            yield from self._close()
            yield from self._tools(element.calls if isinstance(element, Interleaved) else (element,))
        elif isinstance(element, Delta):
            fields = element.fields or {}
            yield self._event(fields.get("type", "unknown"), **{k: v for k, v in fields.items() if k != "type"})

    def _words(self, words: Words) -> Iterator[bytes]:
        thinking = is_reasoning(words)
        if thinking and not self.voice.thinks(self.asked):
            return
        kind = "reasoning" if thinking else "message"
        if not self._is_open or self.output[-1]["type"] != kind:
            yield from self._close()
            yield from self._open(kind)
        for piece in words.pieces:
            self._said.append(piece)
            yield self._event(self._delta_name(kind), **self._place(), delta=piece)

    def _open(self, kind: str) -> Iterator[bytes]:
        self._is_open, self._said, number = True, [], f"{self.asked.number}_{len(self.output)}"
        if kind == "message":
            item: Json = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": []}
            item["status"] = "in_progress"
        else:
            item = {"type": "reasoning", "id": f"rs_{number}", "summary": []}
        self.output.append(item)
        yield self._event("response.output_item.added", output_index=len(self.output) - 1, item=dict(item))
        name = "reasoning_summary_part" if self._is_summary() else "content_part"
        yield self._event(f"response.{name}.added", **self._place(), part=self._part())

    def _is_summary(self) -> bool:
        return self.output[-1]["type"] == "reasoning" and self.voice.encrypt(self.asked, "") is not None

    def _place(self) -> Json:
        item = self.output[-1]
        within = "summary_index" if self._is_summary() else "content_index"
        return {"item_id": item["id"], "output_index": len(self.output) - 1, within: 0}

    def _delta_name(self, kind: str, end: str = "delta") -> str:
        if kind == "message":
            return f"response.output_text.{end}"
        return f"response.reasoning_{'summary_' if self._is_summary() else ''}text.{end}"

    def _part(self) -> Json:
        if self.output[-1]["type"] == "message":
            return {"type": "output_text", "text": "".join(self._said), "annotations": []}
        return {"type": "summary_text" if self._is_summary() else "reasoning_text", "text": "".join(self._said)}

    def _close(self) -> Iterator[bytes]:
        if not self._is_open:
            return
        item = self.output[-1]
        yield self._event(self._delta_name(item["type"], "done"), **self._place(), text="".join(self._said))
        name = "reasoning_summary_part" if self._is_summary() else "content_part"
        yield self._event(f"response.{name}.done", **self._place(), part=self._part())
        if item["type"] == "message":
            item |= {"content": [self._part()], "status": "completed"}
        elif self._is_summary():
            item |= {
                "summary": [self._part()],
                "encrypted_content": self.voice.encrypt(self.asked, "".join(self._said)),
            }
        else:
            item["content"] = [self._part()]
        self._is_open = False
        yield self._event("response.output_item.done", output_index=len(self.output) - 1, item=item)

    def _tools(self, calls: tuple[ToolCall, ...]) -> Iterator[bytes]:
        first = len(self.output)
        for call in calls:
            call_id = call.id or self.voice.call_id(self.asked, self._calls)
            item = {"type": "function_call", "id": f"fc_{self.asked.number}_{self._calls}", "call_id": call_id}
            item |= {"name": call.name, "arguments": "", "status": "in_progress"}
            self._calls += 1
            self.output.append(item)
            yield self._event("response.output_item.added", output_index=len(self.output) - 1, item=dict(item))
        places = [{"item_id": self.output[first + i]["id"], "output_index": first + i} for i in range(len(calls))]
        for round in zip_longest(*(cut(call.arguments, call.pieces) for call in calls)):
            for place, piece in zip(places, round, strict=True):
                if piece is not None:
                    yield self._event("response.function_call_arguments.delta", **place, delta=piece)
        for place, call in zip(places, calls, strict=True):
            item = self.output[place["output_index"]]
            item |= {"arguments": call.arguments, "status": "completed"}
            yield self._event("response.function_call_arguments.done", **place, arguments=call.arguments)
            yield self._event("response.output_item.done", output_index=place["output_index"], item=item)

    def last(self) -> Iterator[bytes]:
        yield from self._begin()
        yield from self._close()
        self.voice.gave(self.asked, self.output)
        if self.reply.finish is not None and self.reply.done:
            response = self._whole()
            yield self._event(f"response.{response['status']}", response=response)

    def _whole(self) -> Json:
        finish = self.reply.finish
        status = "incomplete" if finish in REASONS else "failed" if finish == "failed" else "completed"
        response = whole(self.asked, self.output, status, self.usage)
        if finish in REASONS:
            response["incomplete_details"] = {"reason": REASONS[str(finish)]}
        elif finish == "failed":
            response["error"] = {"code": "server_error", "message": "The server had an error."}
        return response

    def whole(self) -> Json:
        for element in self.reply.elements:
            if isinstance(element, Words | ToolCall | Interleaved):
                list(self.of(element))
        list(self.last())
        return self._whole()


def usage_fields(counted: Counted) -> Json:
    return {
        "input_tokens": counted.prompt,
        "input_tokens_details": {"cached_tokens": counted.cached or 0},
        "output_tokens": counted.completion,
        "output_tokens_details": {"reasoning_tokens": counted.reasoning or 0},
        "total_tokens": counted.prompt + counted.completion,
    }


def whole(asked: Asked, output: list[Json], status: str, usage: Json | None) -> Json:
    return {
        "id": f"resp_{asked.number}",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": asked.model,
        "output": output,
        "usage": usage,
    }
