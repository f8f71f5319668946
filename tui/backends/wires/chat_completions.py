"""The Chat Completions wire: `POST {base}/chat/completions`. Pure: values in, values out.

What servers really send, and the public reports of it, is in the samples of tests/golden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tui.backends.errors import explain
from tui.backends.spec import BackendSpec, Reply
from tui.backends.sse import Parser
from tui.backends.wires.chat_encode import encode
from tui.backends.wires.chat_messages import IN_PARTS
from tui.backends.wires.reading import as_amount, as_count, as_list, as_object, cut_off, not_a_reply, parse
from tui.backends.wires.runs import TEXT, Runs
from tui.backends.wires.think_tags import OPEN, ThinkTags, closed_only
from tui.backends.wires.tool_calls import ToolCalls, new_id
from tui.core.codec import dumps
from tui.core.errors import BackendError
from tui.core.events import Delta
from tui.core.messages import Block, Json, Message, Reasoning, Text
from tui.core.usage import Usage

__all__ = ["HEADERS", "KEY_HEADER", "PATH", "Decoder", "Parser", "encode", "explain"]

PATH = "/chat/completions"
KEY_HEADER = "Authorization"
HEADERS: dict[str, str] = {}

_REASONING_KEYS = ("reasoning_content", "reasoning", "reasoning_text")
_FINISH_REASONS = {
    "function_call": "tool_calls",
    "eos": "stop",
    "sensitive": "content_filter",
    "max_tokens": "length",
    "model_context_window_exceeded": "window_full",
}
_FAILED = ("error", "insufficient_system_resource", "network_error")
"""Finish reasons that say that the server broke off."""


class Decoder:
    """Puts one answer together from its events: feed it the data of each, then `finish`."""

    def __init__(self, spec: BackendSpec, make_id: Callable[[], str] = new_id) -> None:
        self._spec = spec
        self.is_done = False
        """The end mark came."""
        self._finish_reason: str | None = None
        self._refused = False
        self._runs = Runs()
        self._details: list[Json] = []
        self._tags = ThinkTags()
        self._calls = ToolCalls(make_id)
        self._usage: Json = {}
        self._timings: Json = {}

    @property
    def is_whole(self) -> bool:
        """All of the answer came, though not the end mark, which some servers never send."""
        return self._finish_reason is not None

    def feed(self, data: str) -> list[Delta]:
        """What an event adds. Raises BackendError for one that says that the server failed, or is not JSON."""
        if data.strip() == "[DONE]":
            self.is_done = True
            return list(self._rest())
        chunk = self._parse(data)
        self._timings = as_object(chunk.get("timings")) or self._timings
        usage = chunk.get("usage") or as_object(chunk.get("x_groq")).get("usage")
        choice = as_object(next(iter(as_list(chunk.get("choices"))), None))
        self._usage = as_object(usage or choice.get("usage")) or self._usage
        if choice.get("error"):
            raise self._failed(choice)
        if choice.get("index"):
            return []  # another answer beside the first: nobody asked for it
        whole = as_object(choice.get("message"))
        deltas = list(self._delta(as_object(choice.get("delta")) or whole, is_whole=bool(whole)))
        if reason := choice.get("finish_reason"):
            self._finish_reason = str(reason)
            deltas += self._rest()
        return deltas

    def finish(self) -> Reply:
        """The whole answer. Raises BackendError when no end came: it is cut then, however complete it looks."""
        if self._finish_reason is None and not self.is_done:
            raise cut_off(self._spec)
        if self._finish_reason in _FAILED:
            raise explain(200, {}, f'{{"error":{{"message":"it broke off: {self._finish_reason}"}}}}', self._spec)
        calls = self._calls.finish()
        reason = _FINISH_REASONS.get(self._finish_reason or "stop", self._finish_reason or "stop")
        if self._refused and reason == "stop":
            reason = "content_filter"
        if calls and reason == "stop":
            reason = "tool_calls"
        message = Message("assistant", (*self._blocks(), *calls), self._spec.origin)
        return Reply(message, _usage(self._usage, self._timings), reason)

    def _parse(self, data: str) -> Json:
        """The event's object. Raises BackendError for one that says that the server failed, or is no object."""
        chunk = parse(data)
        if isinstance(chunk, dict) and not chunk.get("error"):
            if "choices" in chunk or "usage" in chunk or not ({"message", "detail", "code"} & chunk.keys()):
                return chunk
        elif not isinstance(chunk, dict | list):
            raise not_a_reply(data, self._spec)
        raise explain(200, {}, data, self._spec)

    def _failed(self, choice: Json) -> BackendError:
        return explain(200, {}, dumps({"error": choice["error"]}), self._spec)

    def _delta(self, delta: Json, is_whole: bool) -> Iterator[Delta]:
        content = delta.get("content")
        for key in _REASONING_KEYS:
            if (thought := delta.get(key)) and isinstance(thought, str):
                yield from self._runs.say(key, thought)
                break  # some servers send the same under two keys
        else:
            if details := delta.get("reasoning_details"):
                yield from self._runs.say("reasoning", _text_of(details))
        self._add_details(delta.get("reasoning_details"))
        if isinstance(content, str):
            yield from self._text(content)
        elif content:
            for part in as_list(content):
                yield from self._part(as_object(part))
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._refused = True
            yield from self._runs.say(TEXT, refusal)
        calls = as_list(delta.get("tool_calls"))
        if old := delta.get("function_call"):
            calls = [*calls, {"index": 0, "function": old}]
        for position, fragment in enumerate(calls):
            if isinstance(fragment, dict):
                if is_whole and fragment.get("index") is None:
                    fragment = fragment | {"index": position}
                if told := self._calls.add(fragment):
                    yield told

    def _part(self, part: Json) -> Iterator[Delta]:
        """A part of a list in place of a string (Mistral)."""
        if (thought := part.get("thinking")) is not None:
            yield from self._runs.say(IN_PARTS, thought if isinstance(thought, str) else _text_of(thought))
        elif isinstance(text := part.get("text"), str):
            yield from self._text(text)

    def _text(self, text: str) -> Iterator[Delta]:
        if self._tags.is_over:
            yield from self._runs.say(TEXT, text)
            return
        for is_reasoning, piece in self._tags.feed(text):
            yield from self._runs.say(self._tags.tag if is_reasoning else TEXT, piece)

    def _rest(self) -> Iterator[Delta]:
        """What was held back for what might follow, at the end."""
        if not self._tags.is_over:
            for is_reasoning, piece in self._tags.finish():
                yield from self._runs.say(self._tags.tag if is_reasoning else TEXT, piece)
        yield from self._runs.rest()

    def _add_details(self, details: Any) -> None:
        """OpenRouter's structured reasoning comes in pieces by index, and goes back whole and unaltered."""
        for new in as_list(details):
            if not isinstance(new, dict):
                continue
            place = (new.get("index"), new.get("type"))
            old = next((item for item in self._details if (item.get("index"), item.get("type")) == place), None)
            if old is None or new.get("index") is None:
                self._details.append(dict(new))
                continue
            for key, value in new.items():
                if key in ("text", "summary") and isinstance(value, str) and isinstance(old.get(key), str):
                    old[key] += value
                elif value is not None:
                    old[key] = value

    def _blocks(self) -> list[Block]:
        blocks = self._runs.blocks()
        if blocks and isinstance(first := blocks[0], Text) and (parts := closed_only(first.text)):
            blocks[:1] = [Reasoning(parts[0], OPEN), Text(parts[1])]
        if self._details:
            data = {"reasoning_details": self._details}
            place = next((i for i, block in enumerate(blocks) if isinstance(block, Reasoning)), None)
            if place is None:
                return [Reasoning("", "reasoning", data=data), *blocks]
            thought = blocks[place]
            assert isinstance(thought, Reasoning)
            blocks[place] = Reasoning(thought.text, thought.key, data=data)
        return blocks


def _usage(usage: Json, timings: Json) -> Usage:
    """The server's count, in any of the vendors' shapes; llama.cpp tells cached tokens in `timings`."""
    prompt, completion = (
        as_object(usage.get("prompt_tokens_details")),
        as_object(usage.get("completion_tokens_details")),
    )
    cached = (
        prompt.get("cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        usage.get("cached_tokens"),
        timings.get("cache_n"),
    )
    return Usage(
        input_tokens=as_count(usage.get("prompt_tokens")),
        output_tokens=as_count(usage.get("completion_tokens")),
        cached_tokens=next((as_count(value) for value in cached if value is not None), None),
        reasoning_tokens=as_count(completion.get("reasoning_tokens")),
        cost=as_amount(usage.get("cost")),
    )


def _text_of(parts: Any) -> str:
    """The words in a list of structured pieces."""
    words = (as_object(part).get("text") or as_object(part).get("summary") for part in as_list(parts))
    return "".join(word for word in words if isinstance(word, str))
