"""When a conversation comes near the end of the model's window, and how it is made shorter then.

Old results of tools are folded first. Where that is not enough the model is asked for a summary in a fixed form, and
the conversation goes on with that and its newest part. What comes of it is `core.compaction`'s.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from tui.agent.answering import Answering
from tui.agent.digest import digest
from tui.agent.strategies import Native
from tui.agent.strategies.base import SMALL_WINDOW_TOKENS
from tui.agent.strategies.plain import as_plain_messages
from tui.backends.backend import Piece
from tui.backends.spec import BackendSpec, Reply, Request, ToolSpec
from tui.core.codec import dumps
from tui.core.compaction import FOLDED_CHARACTERS, compact, earlier_summary, is_long
from tui.core.errors import BackendError
from tui.core.events import Compacted, Event, Notice, Retrying, StepFinished
from tui.core.messages import Context, Image, Message, Reasoning, Text, ToolCall, ToolResult
from tui.core.usage import Usage, cost_of

SHARE = 0.8
"""Of the window: where it is made shorter, unless the settings say otherwise."""
_ENOUGH = 0.55
"""Of the window: folding alone has to come below it, else it would be due again a few steps later."""
_TAIL = 0.25
"""Of the window: how much of the newest part is kept as it is."""
_UNFOLDED_RESULTS = 2
"""The messages of results that are never folded by the first way: the model is still at work with them."""
_CHARACTERS_A_TOKEN = 3.3
_IMAGE_TOKENS = 1500
_RESERVED_TOKENS = 8192
"""For the answer, where the backend does not limit it; never more than a quarter of the window."""

_MOST_FORCED = 2
"""Times that a server may say in a row that it is too long."""

_MOST_OF_THE_FORM = 3
"""Of its four headings so many make a summary."""

_INSTRUCTION = """\
[The conversation is near the end of what you can read. Write a summary of it, so that you can go on with it alone. \
Call no tools. Use exactly this form, in at most 600 words:]
## Task
What the user wants, with every condition they gave.
## Decisions
What was decided and found out, and why.
## Files
Each file that matters, with its path, and what was changed in it or is to be changed.
## Open points
What is still to do, in order; what is being done right now."""


class Compactor:
    """Looks after the window of one turn. Estimates are by characters, corrected by what the server counted."""

    def __init__(self, share: float = SHARE) -> None:
        self._share = share
        self._per_token = _CHARACTERS_A_TOKEN
        self._counted: tuple[int, int] | None = None  # messages, and the tokens that the server counted for them
        self._last_size = 0  # messages that were left when it was last made shorter
        self._forced = 0  # times in a row
        self._fixed = 0  # characters of what goes along with each request
        self._measured: tuple[str, Sequence[ToolSpec]] = ("", ())  # the system prompt and the tools that these are of
        self._is_told = False  # that the window has hardly any room
        self.is_wanted = False
        """The user wants it shorter before the next request, whatever room there is."""

    def count(self, request: Request, step: StepFinished) -> None:
        """Take in what the server counted for a request and its reply."""
        usage = step.usage
        if usage.input_tokens and usage.output_tokens is not None:
            self._counted = (len(request.messages) + 1, usage.input_tokens + usage.output_tokens)
        if step.finish_reason != "window_full":
            self._forced = 0

    async def make_room(
        self, answering: Answering, request: Request, *, is_forced: bool = False
    ) -> AsyncIterator[Event]:
        """Events of making the messages of the next request shorter, `Compacted` among them; none when there is room.

        `is_forced`: the server has said that it is too long, whatever was thought of its window.
        """
        messages = request.messages
        self._measure(request)
        spec = answering.backend.spec
        if (spec.context_window or 0) in range(1, SMALL_WINDOW_TOKENS + 1) and not isinstance(
            answering.strategy, Native
        ):
            return  # that strategy sends what fits, and a small model's summary is worth nothing
        size = self._tokens(messages)
        window = spec.context_window or (size if is_forced or self.is_wanted else 0)
        is_asked_for = is_forced or self.is_wanted
        if self.is_wanted:
            self.is_wanted, window = False, min(window, size)
        elif is_forced:
            self._forced += 1
            if self._forced > _MOST_FORCED:
                return
            window = min(window, size)
        elif not window or size <= room(spec, self._share) or len(messages) - self._last_size < 2:
            return
        self._correct(messages)
        if words := self._about_the_room(spec):
            yield Notice(words)
        if not is_asked_for and self._fixed_tokens >= room(spec, self._share):
            return  # whatever is left out, it stays too long
        async for event in self._shorter(answering, request, size, window, is_forced):
            if isinstance(event, Compacted):
                self._counted, self._last_size = None, len(compact(messages, event))
            yield event

    def fold(self, answering: Answering, request: Request) -> Compacted | None:
        """Old results of tools and their images left out, for a request of too many bytes; None when there are none."""
        messages = request.messages
        self._measure(request)
        if not (folded := _foldable(messages, has_images=True)):
            return None
        event = Compacted(folded, "", len(messages), self._tokens(messages), 0, cost=0.0)
        self._correct(messages)
        self._counted = None
        return _told(event, self._tokens(compact(messages, event)), answering.backend.spec)

    def _about_the_room(self, spec: BackendSpec) -> str:
        """A word, once, on a window that what goes along with each request mostly fills."""
        window, fixed = spec.context_window, self._fixed_tokens
        if self._is_told or not window or fixed <= window * _ENOUGH:
            return ""
        self._is_told = True
        words = f"beside the system prompt and the tools, which take about {fixed:,}"
        if fixed >= room(spec, self._share):
            return f"The window of {window:,} tokens has no room {words}: choose a model with a larger one."
        return f"The window of {window:,} tokens has little room {words}: the conversation is made shorter often."

    async def _shorter(
        self, answering: Answering, request: Request, before: int, window: int, is_forced: bool
    ) -> AsyncIterator[Event]:
        spec, messages = answering.backend.spec, request.messages
        folded = _foldable(messages)
        event = Compacted(folded, "", len(messages), before, 0, cost=0.0)
        after = self._fixed_tokens + self._estimate(compact(messages, event))
        if folded and after <= window * _ENOUGH:
            yield _told(event, after, spec)
            return
        tail_tokens = max(0, int(min(window * _TAIL, (window - self._fixed_tokens) / 2)))
        kept = self._tail(messages, tail_tokens)
        tail = messages[len(messages) - kept :]
        too_long = tuple(_too_long(tail, int(tail_tokens * self._per_token)))
        began, reply, failure = time.time(), None, ""
        if (spec.context_window or window) > SMALL_WINDOW_TOKENS:
            yield Notice("Summarising the conversation ...")
            whole = self._fitting(messages, folded, window) if is_forced else messages
            try:
                async with aclosing(_summary(answering, whole, request.tools)) as answer:
                    async for piece in answer:
                        if isinstance(piece, Retrying | Notice):
                            yield piece
                        elif isinstance(piece, Reply):
                            reply = piece
            except BackendError as error:
                failure = error.told
        summary = _usable(reply.message) if reply else ""
        if failure or (reply and not summary):
            why = failure or "The model did not keep to the form."
            goes_on = "the last one and what was done since" if earlier_summary(messages) else "a list of what was done"
            yield Notice(f"No summary could be had: {why} It goes on with {goes_on}.")
        usage, cost = (reply.usage, cost_of(reply.usage, spec.price)) if reply else (Usage(), 0.0)
        total_s = round(time.time() - began, 3)
        event = Compacted(too_long, summary or digest(messages), kept, before, 0, usage, cost, total_s)
        yield _told(event, self._fixed_tokens + self._estimate(compact(messages, event)), spec)

    def _tokens(self, messages: Sequence[Message]) -> int:
        """About how many tokens the next request has, from what the server counted last."""
        if self._counted is None or self._counted[0] > len(messages):
            return self._fixed_tokens + self._estimate(messages)
        known, tokens = self._counted
        return tokens + self._estimate(messages[known:])

    def _measure(self, request: Request) -> None:
        system, tools = self._measured
        if request.tools is not tools or request.system != system:
            self._measured, self._fixed = (request.system, request.tools), _fixed_characters(request)

    @property
    def _fixed_tokens(self) -> int:
        """About how many tokens of each request are the system prompt and the tools."""
        return int(self._fixed / self._per_token)

    def _estimate(self, messages: Sequence[Message]) -> int:
        return int(sum(map(_characters, messages)) / self._per_token)

    def _correct(self, messages: Sequence[Message]) -> None:
        """How many characters this model takes for a token, from what its server counted."""
        if self._counted is not None:
            known, tokens = self._counted
            measured = (self._fixed + sum(map(_characters, messages[:known]))) / tokens
            self._per_token = min(max(measured, 1.0), 6.0)

    def _tail(self, messages: Sequence[Message], room: int) -> int:
        """How many messages at the end are kept: as many as fit, never a result without its call, at least a step."""
        kept, size = 0, 0
        for position in range(len(messages) - 1, -1, -1):
            size += self._estimate(messages[position : position + 1])
            if size > room and kept:
                break
            if messages[position].role != "tool":
                kept = len(messages) - position
        return kept

    def _fitting(self, messages: Sequence[Message], folded: tuple[str, ...], window: int) -> Sequence[Message]:
        """What of a conversation that is too long can be sent to be summarised: folded, the oldest left out."""
        shorter = compact(messages, Compacted(folded, "", len(messages), 0, 0))
        kept = self._tail(shorter, int(max(window * _ENOUGH - self._fixed_tokens, (window - self._fixed_tokens) / 2)))
        left_out = f"{earlier_summary(shorter)}\n(What came next is left out here.)".strip()
        return compact(shorter, Compacted((), left_out, kept, 0, 0))


def cut_result(result: str, spec: BackendSpec) -> str:
    """A tool's result with its middle left out where it would fill more than a quarter of the model's window."""
    limit = int((spec.context_window or 0) * _TAIL * _CHARACTERS_A_TOKEN)
    if not limit or len(result) <= limit:
        return result
    head, tail = limit * 2 // 3, limit // 3
    left_out = len(result) - head - tail
    marker = f"\n[... {left_out:,} characters left out, which your window has no room for: ask for a part ...]\n"
    return result[:head] + marker + result[len(result) - tail :]


def room(spec: BackendSpec, share: float) -> int:
    """Tokens that a request may have before it is made shorter; the rest of the window is for the answer."""
    window = spec.context_window or 0
    reserved = min(spec.max_output or _RESERVED_TOKENS, window // 4)
    return min(int(window * share), window - reserved)


def _summary(
    answering: Answering, messages: Sequence[Message], tools: Sequence[ToolSpec]
) -> AsyncGenerator[Piece, None]:
    """Ask for a summary. The tools go along: so the server has read all but the end before."""
    if not isinstance(answering.strategy, Native):
        window = answering.backend.spec.context_window or SMALL_WINDOW_TOKENS
        messages, tools = as_plain_messages(messages, window), ()
    asked = (*messages, Message("user", (Context(_INSTRUCTION),)))
    return answering.backend.ask(Request(answering.system, asked, tuple(tools)))


def _usable(message: Message) -> str:
    """The summary that a model wrote; empty when it did something else instead of keeping to the form."""
    text = message.text.strip()
    kept = sum(heading in text.lower() for heading in ("task", "decisions", "files", "open points"))
    return text if kept >= _MOST_OF_THE_FORM else ""


def _told(event: Compacted, after: int, spec: BackendSpec) -> Compacted:
    """With what comes of it: the size, and what it costs to read that anew instead of from the server's cache."""
    price = spec.price
    cached = None if price is None else price.cached if price.cached is not None else price.input
    anew = None if price is None or cached is None else after * (price.input - cached) / 1e6
    return replace(event, after_tokens=after, anew=anew)


def _foldable(messages: Sequence[Message], *, has_images: bool = False) -> tuple[str, ...]:
    """Ids of the calls whose results are long and lie back; with `has_images` also of those that have some."""
    old = [message for message in messages if message.role == "tool"][:-_UNFOLDED_RESULTS]
    results = [block for message in old for block in message.blocks if isinstance(block, ToolResult)]
    pictured = [block.call_id for block in results if has_images and block.images]
    return tuple(dict.fromkeys([*_long_results(old, 2 * FOLDED_CHARACTERS), *pictured]))


def _too_long(tail: Sequence[Message], limit: int) -> list[str]:
    """Of what is kept, the results that would fill the room by themselves."""
    return _long_results(tail, limit)


def _long_results(messages: Sequence[Message], limit: int) -> list[str]:
    return [
        block.call_id
        for message in messages
        for block in message.blocks
        if isinstance(block, ToolResult) and is_long(block.content) and len(block.content) > limit
    ]


def _fixed_characters(request: Request) -> int:
    """About how much of the window the system prompt and the tools take."""
    tools = sum(len(tool.name) + len(tool.description) + len(dumps(tool.parameters)) for tool in request.tools)
    return len(request.system) + tools


def _characters(message: Message) -> int:
    """About how much of the window a message takes."""
    size = 0
    for block in message.blocks:
        match block:
            case Text(text=text) | Reasoning(text=text):
                size += len(text)
            case ToolCall(arguments=arguments, raw=raw):
                size += len(raw or dumps(arguments)) + 40
            case ToolResult(content=content, images=images):
                size += len(content) + int(len(images) * _IMAGE_TOKENS * _CHARACTERS_A_TOKEN)
            case Image():
                size += int(_IMAGE_TOKENS * _CHARACTERS_A_TOKEN)
    return size + 20
