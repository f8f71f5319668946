"""The OpenAI Responses wire: `POST {base}/responses`. Pure: values in, values out.

An answer is a list of items, each of which is announced, comes in deltas and is given whole when it is done. What
servers really send is in the samples of tests/golden.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice

from tui.backends.errors import explain
from tui.backends.spec import BackendSpec, Reply
from tui.backends.sse import Parser
from tui.backends.wires.reading import as_amount, as_count, as_list, as_object, as_text, cut_off, not_a_reply, parse
from tui.backends.wires.responses_encode import REASONING, encode
from tui.backends.wires.surrogates import mend, mend_all, split_open
from tui.backends.wires.tool_calls import ToolCalls, new_id
from tui.core.codec import dumps
from tui.core.events import Delta, ReasoningDelta, TextDelta, ToolCallDelta
from tui.core.messages import Block, Json, Message, Reasoning, Text
from tui.core.usage import Usage

__all__ = ["HEADERS", "KEY_HEADER", "PATH", "Decoder", "Parser", "encode", "explain"]

PATH = "/responses"
KEY_HEADER = "Authorization"
HEADERS: dict[str, str] = {}

_CALL, _MESSAGE = "function_call", "message"
_SUMMARY = "response.reasoning_summary_text.delta"
_DELTAS = {
    "response.output_text.delta": _MESSAGE,
    "response.refusal.delta": _MESSAGE,
    "response.reasoning_text.delta": REASONING,
    _SUMMARY: REASONING,
    "response.function_call_arguments.delta": _CALL,
}
"""The events that bring a piece of an item, and which type of item that is."""
_ENDS = ("completed", "incomplete", "failed", "cancelled")
_REASONS = {"max_output_tokens": "length", "max_tokens": "length"}
"""Why an answer is incomplete, in our words."""
_OWN_KEYS = ("type", "id", "call_id", "name", "arguments", "status")


class _Item:
    """An item of the answer that is being written."""

    def __init__(self, type: str, id: str, index: int | None, position: int) -> None:
        self.type, self.id, self.index = type, id, index
        self.position = position
        """Of a call: which one it is, counted from 0."""
        self.name = ""
        self.shown: list[str] = []
        """The pieces that a reader has been given."""
        self.half = ""
        """Of a character that was cut in two."""
        self.source = ""
        """The event that brings this item's reasoning: some servers send the same as a summary, too."""
        self.whole: Json | None = None
        """All of it, once it is done."""


class Decoder:
    """Puts one answer together from its events: feed it the data of each, then `finish`."""

    def __init__(self, spec: BackendSpec, make_id: Callable[[], str] = new_id) -> None:
        self._spec = spec
        self._make_id = make_id
        self.is_done = False
        """The end mark came."""
        self._items: list[_Item] = []
        self._call_count = 0
        self._refused = False
        self._end: Json = {}
        """The response as the last event has it."""

    def feed(self, data: str) -> list[Delta]:
        """What an event adds. Raises BackendError for one that says that the server failed, or is not JSON."""
        if data.strip() == "[DONE]" or self.is_done:
            return []  # some gateways send it behind the end, and it is none by itself
        event = self._parse(data)
        type = as_text(event.get("type"))
        if kind := _DELTAS.get(type):
            return list(self._piece(type, kind, event))
        if type in ("response.output_item.added", "response.output_item.done"):
            return list(self._item(event, is_done=type.endswith(".done")))
        if type == "response.reasoning_summary_part.added":
            return list(self._next_part(event))
        if not type:
            return list(self._ended(event))
        if type.removeprefix("response.") in _ENDS:
            return list(self._ended(as_object(event.get("response")) | {"status": type.removeprefix("response.")}))
        return []

    def finish(self) -> Reply:
        """The whole answer. Raises BackendError when no end came: it is cut then, however complete it looks."""
        if not self.is_done:
            raise cut_off(self._spec)
        message = Message("assistant", tuple(self._blocks()), self._spec.origin)
        reason = "tool_calls" if message.tool_calls else "content_filter" if self._refused else "stop"
        if self._end.get("status") == "incomplete":
            why = as_text(as_object(self._end.get("incomplete_details")).get("reason")) or "incomplete"
            reason = _REASONS.get(why, why)
        usage, limit = _usage(as_object(self._end.get("usage"))), self._spec.max_output
        if reason in ("stop", "tool_calls") and limit and (usage.output_tokens or 0) >= limit:
            reason = "length"  # llama.cpp says nothing of it
        return Reply(message, usage, reason)

    def _parse(self, data: str) -> Json:
        """The event's object. Raises BackendError for one that says that the server failed, or is none of ours."""
        event = parse(data)
        if not isinstance(event, dict | list):
            raise not_a_reply(data, self._spec)
        if not isinstance(event, dict):
            raise explain(200, {}, data, self._spec)
        type = event.get("type")
        is_typed = isinstance(type, str)
        if type in ("error", "response.error") or (event.get("error") and not str(type).startswith("response.")):
            raise explain(200, {}, data, self._spec)
        if isinstance(event.get("output"), list):
            return {name: value for name, value in event.items() if name != "type"}  # all of it in one piece
        if not is_typed and {"message", "detail", "code"} & event.keys():
            raise explain(200, {}, data, self._spec)
        if event and not is_typed:
            raise not_a_reply(data, self._spec)
        return {"type": "unknown"} | event

    # Items and their pieces

    def _find(self, event: Json, type: str, id: str, begins: bool = False) -> _Item:
        """The item that an event speaks of, a new one if it is none of those before: by its place, else by its id.

        llama.cpp gives no places, some gateways a new id with each event: then it is one of its type that is open.
        """
        index = event.get("output_index")
        index = index if isinstance(index, int) else None
        fitting = [item for item in self._items if index is None or item.index in (None, index)]
        found = next((item for item in fitting if index is not None and item.index == index), None)
        found = found or next((item for item in fitting if id and item.id == id), None)
        if found is None and not begins:
            found = next((item for item in fitting if item.whole is None and item.type == type), None)
        if found is None:
            found = _Item(type, id, index, self._call_count)
            self._call_count += type == _CALL
            self._items.append(found)
        return found

    def _item(self, event: Json, *, is_done: bool) -> Iterator[Delta]:
        """An item begins or is complete. What was not shown of it by then is shown."""
        whole = as_object(event.get("item"))
        if not (type := as_text(whole.get("type"))):
            return
        item = self._find(event, type, as_text(whole.get("id")), begins=not is_done)
        if item.whole is not None:
            return
        if type == _CALL != item.type:
            item.position = self._call_count
            self._call_count += 1
        item.type = type
        if type == _CALL and not item.name and (name := mend(as_text(whole.get("name")))):
            item.name = name
            yield ToolCallDelta(item.position, name, "")
        if is_done:
            item.whole = whole
            shown, text = "".join(item.shown), mend(_text_of(whole, item.source))
            item.half = ""
            if text.startswith(shown):
                yield from self._say(item, text[len(shown) :])
            self._refused = self._refused or any(
                as_object(part).get("type") == "refusal" for part in as_list(whole.get("content"))
            )

    def _piece(self, source: str, type: str, event: Json) -> Iterator[Delta]:
        """A piece of an item; once it is complete, and under a second name, nothing is added to it."""
        item = self._find(event, type, as_text(event.get("item_id")))
        item.source = item.source or source
        self._refused = self._refused or source == "response.refusal.delta"
        if item.whole is None and item.type == type and (item.source == source or type != REASONING):
            yield from self._say(item, as_text(event.get("delta")))

    def _next_part(self, event: Json) -> Iterator[Delta]:
        """Parts of a summary are paragraphs."""
        item = self._find(event, REASONING, as_text(event.get("item_id")))
        if item.shown and item.whole is None and item.source == _SUMMARY:
            yield from self._say(item, "\n\n")

    def _say(self, item: _Item, text: str) -> Iterator[Delta]:
        """A piece as a delta, with characters that were cut in two made whole."""
        if item.half or not text.isascii():
            text, item.half = split_open(item.half + text)
            text = mend(text)
        if not text:
            return
        item.shown.append(text)
        if item.type == _CALL:
            yield ToolCallDelta(item.position, item.name, text)
        else:
            yield ReasoningDelta(text) if item.type == REASONING else TextDelta(text)

    def _ended(self, response: Json) -> Iterator[Delta]:
        """The last event, or an answer in one piece. What it has of items that were not given before is taken from it.

        Raises BackendError when it says that the server failed.
        """
        status = response.get("status", "completed")
        if response.get("error") or status in ("failed", "cancelled"):
            error = response.get("error") or {"message": f"it broke off: {status}"}
            raise explain(200, {}, dumps({"error": error}), self._spec)
        if status not in _ENDS:
            raise cut_off(self._spec)
        for index, whole in enumerate(as_list(response.get("output"))):
            id = as_text(as_object(whole).get("id"))
            is_known = any(item.index == index or (id and item.id == id) for item in self._items if item.whole)
            if not is_known and len([item for item in self._items if item.whole]) <= index:
                yield from self._item({"output_index": index, "item": whole}, is_done=True)
        for item in self._items:
            if item.half:
                item.half = ""
                yield from self._say(item, "\ufffd")
        self._end, self.is_done = response, True

    def _blocks(self) -> Iterator[Block]:
        calls = ToolCalls(self._make_id)
        for item in self._items:
            if item.type == _CALL:
                calls.add(_fragment(item))
        finished = iter(calls.finish())
        for item in self._items:
            whole = mend_all(item.whole) if item.whole is not None else None
            text = (mend(_text_of(whole, item.source)) if whole else "") or "".join(item.shown)
            if item.type == _CALL:
                yield from islice(finished, 1)  # none for one of which nothing came
            elif item.type == _MESSAGE:
                phase = (whole or {}).get("phase")
                if text:
                    yield Text(text, {"phase": phase} if phase else None)
            elif item.type == REASONING:
                if text or whole:
                    yield Reasoning(text, REASONING, data=whole)
            elif whole:
                yield Reasoning("", item.type, data=whole)


def _fragment(item: _Item) -> Json:
    """A call as the pieces of Chat Completions are, which are put together in one place."""
    whole = item.whole or {}
    extra = {name: value for name, value in whole.items() if name not in _OWN_KEYS}
    arguments = whole.get("arguments") or "".join(item.shown)
    function = {"name": whole.get("name") or item.name, "arguments": arguments}
    return extra | {"index": item.position, "id": whole.get("call_id") or whole.get("id"), "function": function}


def _text_of(item: Json, source: str) -> str:
    """The words of an item, or the arguments of a call; of reasoning, what `source` brought pieces of."""
    if item.get("type") == _CALL:
        arguments = item.get("arguments")
        return arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    parts = [as_object(part) for part in as_list(item.get("content"))]
    text = "".join(as_text(part.get("text")) or as_text(part.get("refusal")) for part in parts)
    if item.get("type") != REASONING:
        return text
    summary = "\n\n".join(as_text(as_object(part).get("text")) for part in as_list(item.get("summary")))
    return (summary or text) if source == _SUMMARY else (text or summary)


def _usage(usage: Json) -> Usage:
    read, made = as_object(usage.get("input_tokens_details")), as_object(usage.get("output_tokens_details"))
    return Usage(
        input_tokens=as_count(usage.get("input_tokens")),
        output_tokens=as_count(usage.get("output_tokens")),
        cached_tokens=as_count(read.get("cached_tokens")),
        reasoning_tokens=as_count(made.get("reasoning_tokens")),
        cost=as_amount(usage.get("cost")),
    )
