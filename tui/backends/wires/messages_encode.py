"""A request as the body of Anthropic Messages.

Newer Claude models bind a thinking block to all that came before it: system, tools and messages. So everything here
only appends: an earlier message becomes the same blocks however many follow it, and what changes from turn to turn
belongs into the user's message. Where the system prompt or the tools did change (another mode, a compacted beginning),
the old blocks no longer fit; the server leaves them out if it is told to by `block_binding` in `thinking`, as in the
preset, and refuses the request otherwise: then `rules.replay_reasoning` `none` sends none, which is always taken.
Sources: PROTOCOLS 1.2 and 3; what else strict servers refuse stands where it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.bodies import merged, without
from tui.backends.wires.conversation import Conversation, Writing
from tui.backends.wires.replay import GO_ON, CallIds, fill_text, image_note, legal_name
from tui.backends.wires.tool_schema import parameters_for
from tui.core.messages import Block, Image, Json, Message, Reasoning, Text, ToolCall, ToolResult

THINKING = "thinking"
REDACTED = "redacted_thinking"
REFUSAL = "refusal"
"""The key of the block that marks an answer as refused; the wire itself has no such block."""
MAX_OUTPUT = 32_000
"""Tokens that are asked for where no limit is known: the wire demands one, and thinking counts in it."""


def encode(request: Request, spec: BackendSpec, writing: Writing | None = None) -> Json:
    """The body that asks `request`. The same request gives the same body, so that prefix caches work.

    `writing` has what was encoded for the requests before this one.
    """
    rules, writing = spec.rules, writing or Writing()
    body: Json = {"model": spec.model} if spec.model else {}
    body |= {"max_tokens": spec.max_output or _assumed_output(spec), "stream": True}
    system = request.system
    if request.schema is not None:
        if rules.response_format == "json_schema":
            body["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
        else:
            words = "Answer with one JSON object and nothing else. It must fit this JSON schema:"
            system = f"{system}\n\n{words}\n{json.dumps(request.schema)}".strip()
    if system.strip() and rules.system_role != "user":
        body["system"] = system
        system = ""
    if request.tools:
        body["tools"] = writing.tools(_tools, request.tools, rules)
        if choice := _tool_choice(request, spec):
            body["tool_choice"] = choice
    entries = writing.entries(_Turns, request.messages, spec)
    if system.strip():
        entries[0] = {"role": "user", "content": [_text(system), *entries[0]["content"]]}
    body["messages"] = entries
    if rules.cache_marks:
        _mark(body)
    body = merged(body, rules.thinking.get(spec.thinking or "", {}), spec.body, request.body)
    return without(body, rules.unknown_fields)


def _assumed_output(spec: BackendSpec) -> int:
    """Never more than the model can, nor than half of a small window: what cannot fit beside the prompt is refused."""
    half = spec.context_window // 2 if spec.context_window else None
    return min(limit for limit in (MAX_OUTPUT, spec.output_limit, half) if limit)


def _tools(tools: tuple[ToolSpec, ...], rules: Rules) -> list[Json]:
    """In their order, so that the prefix stays the same; of two with one name the first: a pair is refused."""
    entries: dict[str, Json] = {}
    for tool in tools:
        schema = parameters_for(tool.parameters, rules.tool_schema)
        entries.setdefault(tool.name, {"name": tool.name, "description": tool.description, "input_schema": schema})
    return list(entries.values())


def _tool_choice(request: Request, spec: BackendSpec) -> Json | None:
    if request.tool_choice != "required":
        return {"type": request.tool_choice} if request.tool_choice else None
    switch = spec.rules.thinking.get(spec.thinking or "", {}).get("thinking") or {}
    # Not every `off` is one: in place of it some models of Claude think less, and refuse this all the same.
    is_off = spec.thinking == "off" and switch.get("type", "disabled") == "disabled"
    return {"type": "any"} if spec.rules.tool_choice_while_thinking or is_off else None


def _mark(body: Json) -> None:
    """Say what is worth caching: three of the four marks that are allowed.

    One ends the system prompt (or the tools, which come before it): other sessions share that. The last user message
    writes the cache for the next request; the one before it is where the last request wrote, and is marked again so
    that it is found: the server looks back 20 blocks only, and a step with many calls and results is longer.
    """
    mark = {"type": "ephemeral"}
    if "system" in body:
        body["system"] = [{"type": "text", "text": body["system"], "cache_control": mark}]
    elif "tools" in body:
        *before, last = body["tools"]
        body["tools"] = [*before, last | {"cache_control": mark}]
    entries = body["messages"]
    for place in [place for place, entry in enumerate(entries) if entry["role"] == "user"][-2:]:
        *before, last = entries[place]["content"]  # text, an image or a result, and none of them empty
        entries[place] = {"role": "user", "content": [*before, last | {"cache_control": mark}]}


class _Turns(Conversation):
    """Turns of user and assistant, the user first and last."""

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._is_paused = False
        """The last entry is an answer that is to be gone on with, not to be replied to."""
        self._ids = CallIds()
        self._used: dict[str, int] = {}
        """How often each id of a call was wanted so far."""
        self._sent_as: dict[str, str] = {}
        """The ids of the last assistant message's calls, as they are sent."""

    def add(self, messages: Iterable[Message]) -> None:
        super().add(self._without_refused(messages))

    def end(self) -> None:
        super().end()
        self._go_on()

    def _write(self, message: Message) -> None:
        if message.role == "assistant":
            self._add_answer(message)
        else:
            self._put("user", list(self._said(message)))

    def _go_on(self) -> None:
        if not self.entries or (self.entries[-1]["role"] == "assistant" and not self._is_paused):
            self._put("user", [_text(GO_ON)])

    def _put(self, role: str, blocks: list[Json]) -> None:
        """Neighbours of one role are one entry, with results first: nothing may stand between them and the calls."""
        if not blocks:
            return
        if self.entries and self.entries[-1]["role"] == role:
            blocks = [*self.entries.pop()["content"], *blocks]
        if role == "user":
            blocks.sort(key=lambda block: block["type"] != "tool_result")
        self.entries.append({"role": role, "content": blocks})
        self._is_paused = False

    def _said(self, message: Message) -> Iterator[Json]:
        """What the user, a tool or the program said."""
        for block in message.blocks:
            if isinstance(block, Text):
                if block.text.strip():
                    yield _text(block.text)
            elif isinstance(block, Image):
                yield self._image(block)
            elif isinstance(block, ToolResult):
                yield from self._result(block)

    def _result(self, result: ToolResult) -> Iterator[Json]:
        content: Any = result.content if result.content.strip() else "(empty)"
        follow: list[Json] = []
        if result.images:
            pictures = [self._image(image) for image in result.images]
            if self._rules.images_in_results or self._rules.images is False:
                content = [_text(content), *pictures]
            else:
                content, follow = f"{content}\n[its images follow]", pictures
        id = self._sent_as.get(result.call_id, result.call_id)
        block: Json = {"type": "tool_result", "tool_use_id": id, "content": content}
        yield block | {"is_error": True} if result.is_error else block
        yield from follow

    def _image(self, image: Image) -> Json:
        if self._rules.images is False:
            return _text(image_note(image))
        return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}

    def _add_answer(self, message: Message) -> None:
        is_own = self._is_own(message)
        blocks = self._answer(message, is_own)
        if not blocks:
            return
        # Where the last request had to end with a word of the user, it stays: what was thought since is bound to it.
        self._go_on()
        self._put("assistant", blocks)
        last = message.blocks[-1]
        self._is_paused = is_own and _is_kept_whole(last)

    def _without_refused(self, messages: Iterable[Message]) -> list[Message]:
        """Leave out what this server refused, answer and question: the vendor says that else it refuses all after."""
        kept: list[Message] = []
        for message in messages:
            if not (self._is_own(message) and any(_is_refusal(block) for block in message.blocks)):
                kept.append(message)
                continue
            while kept and kept[-1].role == "user":
                kept.pop()
        return kept

    def _answer(self, message: Message, is_own: bool) -> list[Json]:
        """The model's blocks in their order, but the calls last, and thinking never as the very last."""
        rules = self._rules
        fills = bool(message.tool_calls) and rules.reasoning_required
        self._sent_as = {}
        said: list[Json] = []
        calls: list[Json] = []
        for block in message.blocks:
            if isinstance(block, ToolCall):
                calls.append(self._call(block, is_own))
            elif isinstance(block, Reasoning) and is_own:
                said += self._reasoning(block, message)
            elif isinstance(block, Text) and block.text.strip():
                said.append(_text(block.text) | (block.extra or {} if is_own else {}))
            elif isinstance(block, Reasoning) and rules.foreign_reasoning == "text" and not fills:
                said += [_text(block.text)] if block.text.strip() else []
        while said and not calls and said[-1]["type"] in (THINKING, REDACTED):
            said.pop()  # as of a stream that was cut: `The final block in an assistant message cannot be thinking`
        if fills and not any(block["type"] in (THINKING, REDACTED) for block in said):
            said.insert(0, {"type": THINKING, "thinking": fill_text(message, rules.reasoning_fill), "signature": ""})
        return said + calls

    def _reasoning(self, block: Reasoning, message: Message) -> list[Json]:
        """A block that this server made, as it came. Thinking without text is kept: the signature is the content."""
        if _is_kept_whole(block):
            return [block.data or {}]
        works = bool(message.tool_calls) or any(_is_kept_whole(other) for other in message.blocks)
        if self._rules.replay_reasoning == "none" or (self._rules.replay_reasoning == "tool_calls" and not works):
            return []
        if block.key == REDACTED:
            return [block.data] if block.data else []
        if not block.signature and not (self._rules.unsigned_thinking and block.text):
            return []
        sent = {"type": THINKING, "thinking": block.text, "signature": block.signature or ""}
        return [sent | (block.data or {})]

    def _call(self, call: ToolCall, is_own: bool) -> Json:
        """`tool_use` ids must be unique in a request; some servers count them anew in each answer."""
        wanted = id = self._ids.of_call(call.id, is_own)
        while id in self._used:
            self._used[wanted] += 1
            id = f"{wanted}_{self._used[wanted]}"
        self._used[id] = 1
        self._sent_as[call.id] = id
        block = {"type": "tool_use", "id": id, "name": legal_name(call.name), "input": call.arguments}
        return block | (call.extra or {}) if is_own else block


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _is_refusal(block: Block) -> bool:
    return isinstance(block, Reasoning) and block.key == REFUSAL


def _is_kept_whole(block: Block) -> bool:
    """A block of a kind that we do not know (a tool that the server runs itself): it is only kept, to go back."""
    if not isinstance(block, Reasoning) or block.key in (THINKING, REDACTED, REFUSAL):
        return False
    return block.data is not None and "type" in block.data
