"""Tool calls for models whose server knows no tools: the answer must fit a JSON schema, so it cannot but be a call.

What is wrong with a call all the same is told to the model, in the validator's words, as the call's result. A small
model is helped further: see `small`.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from msgspec import structs

from tui.agent.strategies.base import SMALL_WINDOW_TOKENS, UNREAD_CALL, UNREAD_NAME, Item
from tui.agent.strategies.loose_json import NotJson, mended
from tui.agent.strategies.mending import fit, tool_of
from tui.agent.strategies.plain import as_plain_messages, call_text, cut_to, first_sentence, question
from tui.agent.strategies.quoting import Heard, heard
from tui.agent.strategies.shapes import calls_in
from tui.agent.strategies.small import KNOWN, LOOKING, asked, from_the_request, lines_of_result, meant, quote
from tui.agent.strategies.spotting import spot, told
from tui.backends.backend import Backend
from tui.backends.spec import Reply, Request, ToolSpec
from tui.core.codec import dumps
from tui.core.events import CUT, Notice, Repaired, TextDelta, ToolCallDelta
from tui.core.messages import Block, Json, Message, Text, ToolCall, ToolResult, user

_UNKNOWN_WINDOW_TOKENS = 16384
"""What is assumed where nobody says how large the window is."""
_TRIES = 2
"""Calls that a small model may make in a turn while none of them succeeds."""
_MOST_CALLS = 40
_STRING_LIMIT, _SMALL_STRING_LIMIT, _LONG_STRING_LIMIT, _LIST_LIMIT = 1000, 120, 4000, 20
_LONG_STRINGS = ("content", "old", "new", "text", "patch")
_COMMANDS = ("command", "code", "script", "query", "prompt")
"""As long as the texts, but for a small model: it is to copy them from the request."""
_NOT_BY_CHANCE: Json = {"temperature": 0, "repeat_penalty": 1.0}
"""A small model chooses best so, and without being told not to repeat the request's own words."""
_TOOL = re.compile(r"""["'](?:tool|name)["']\s*:\s*["']([\w.:/-]{1,100})["']""")
_ANSWER = ToolSpec(
    "answer",
    "Say something to the user.",
    {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)


class Constrained:
    """A step is one request: either it can only be answered by a call, or it asks for the answer in plain words."""

    async def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]:
        window = backend.spec.context_window or _UNKNOWN_WINDOW_TOKENS
        is_small = window <= SMALL_WINDOW_TOKENS
        tools = offered(request, is_small)
        spoken = map(_without_context, request.messages) if is_small else request.messages
        messages, left_out = cut_to(window, as_plain_messages(spoken, window), backend.spec.max_output)
        if left_out:
            yield Notice(f"The model's window is full: the oldest {left_out} messages were left out of this request.")
        if tools:
            asking = self._a_call(backend, request, tools, messages, window)
        else:
            asking = self._words(backend, request, messages, is_small)
        async with aclosing(asking) as items:
            async for item in items:
                yield item

    async def _a_call(
        self, backend: Backend, request: Request, tools: Sequence[ToolSpec], messages: Sequence[Message], window: int
    ) -> AsyncGenerator[Item, None]:
        is_small = window <= SMALL_WINDOW_TOKENS
        schema = {"anyOf": [_schema(tool, request, window) for tool in tools]}
        constrained = Request(
            _instructions(tools),
            (*_examples(tools), *messages),
            schema=schema,
            body=_NOT_BY_CHANCE if is_small else {},
        )
        async with aclosing(backend.ask(constrained)) as answer:
            async for item in answer:
                if isinstance(item, Reply):
                    reply, repair = await asyncio.to_thread(_as_call, item, tools, is_small, heard(request))
                    if reply.message.text:
                        yield TextDelta(reply.message.text)
                    if repair:
                        yield repair
                    yield reply
                else:
                    yield ToolCallDelta(0, "", item.text) if isinstance(item, TextDelta) else item

    async def _words(
        self, backend: Backend, request: Request, messages: tuple[Message, ...], is_small: bool
    ) -> AsyncGenerator[Item, None]:
        """The answer in plain words; that of a small model, after a result, is a line of it."""
        schema: Json | None = None
        if request.tools and len(messages) > 1 and request.messages[-1].role == "tool":
            messages = (*messages[:-1], question(asked(request), messages[-1].text))
            if is_small and (lines := lines_of_result(request)):
                schema = quote(lines)
        body = _NOT_BY_CHANCE if schema else {}
        async with aclosing(backend.ask(Request(request.system, messages, schema=schema, body=body))) as answer:
            async for item in answer:
                if schema and isinstance(item, Reply):
                    item = _as_quote(item)
                    yield TextDelta(item.message.text)
                if not (schema and isinstance(item, TextDelta)):
                    yield item


def offered(request: Request, is_small: bool) -> tuple[ToolSpec, ...]:
    """The tools that the next step may call; none when it is to answer in plain words.

    A small model calls what the request named, once, then talks; another may also call `answer`.
    """
    if not request.tools:
        return ()
    last = max(i for i, message in enumerate(request.messages) if message.role == "user")
    calls = [call for message in request.messages[last:] for call in message.tool_calls]
    results = [
        block for message in request.messages[last:] for block in message.blocks if isinstance(block, ToolResult)
    ]
    has_succeeded = any(not result.is_error for result in results)
    if len(calls) >= _MOST_CALLS or (is_small and (has_succeeded or len(calls) >= _TRIES)):
        return ()
    return meant(request.messages[last].words, request.tools) if is_small else (*request.tools, _ANSWER)


def _without_context(message: Message) -> Message:
    """A small model takes the date, and what else the program adds, for what it was asked about."""
    return replace(message, blocks=tuple(block for block in message.blocks if block.type != "context"))


def _instructions(tools: Sequence[ToolSpec]) -> str:
    lines = [f"{tool.name}({', '.join(_parameters(tool, is_small=True))}): {first_sentence(tool)}" for tool in tools]
    return "You choose one tool for what the user wants and answer in JSON.\n" + "\n".join(lines)


def _parameters(tool: ToolSpec, is_small: bool) -> list[str]:
    """The parameters that a model is asked for: a small one only for those it must give, where to look and what for."""
    names = list(tool.parameters.get("properties", {}))
    required = tool.parameters.get("required", [])
    looked = ("path", "pattern") if tool.name in LOOKING else ()
    return [name for name in names if not is_small or name in required or name in looked]


def _examples(tools: Sequence[ToolSpec]) -> list[Message]:
    """Up to two examples; of few tools rather those that are not offered by chance."""
    known = [(tool.name, *KNOWN[tool.name][1:]) for tool in tools if tool.name in KNOWN]
    chosen = [known[0], known[-1]] if len(known) > 1 else known
    return [
        message
        for name, request, arguments in chosen
        for message in (user(request), Message("assistant", (Text(call_text(name, arguments)),)))
    ]


def _schema(tool: ToolSpec, request: Request, window: int) -> Json:
    """The schema of a call of this tool: its own parameters with bounds. A small model gives only what is required."""
    is_small = window <= SMALL_WINDOW_TOKENS
    rules: Json = tool.parameters.get("properties", {})
    properties = {name: _bounded(name, rules[name], is_small) for name in _parameters(tool, is_small)}
    if is_small:
        properties |= from_the_request(tool, request, properties)
    return {
        "type": "object",
        "properties": {"tool": {"const": tool.name}, **properties},
        "required": ["tool", *(properties if is_small else tool.parameters.get("required", []))],
        "additionalProperties": False,
    }


def _bounded(name: str, rules: Json, is_small: bool) -> Json:
    """The rules of a parameter, without words and with a limit on what can be endless, inside of lists, too."""
    bounded = {key: value for key, value in rules.items() if key not in ("description", "title", "default")}
    if bounded.get("type") == "string" and "enum" not in bounded:
        limit = _SMALL_STRING_LIMIT if is_small else _STRING_LIMIT
        if name in _LONG_STRINGS or (name in _COMMANDS and not is_small):
            limit = _LONG_STRING_LIMIT
        bounded = {"minLength": 1 if name not in ("new", "content") else 0, "maxLength": limit} | bounded
    if bounded.get("type") == "array":
        bounded = {"maxItems": _LIST_LIMIT} | bounded
        if isinstance(bounded.get("items"), dict):
            bounded["items"] = _bounded(name, bounded["items"], is_small)
    if isinstance(bounded.get("properties"), dict):
        bounded["properties"] = {key: _bounded(key, value, is_small) for key, value in bounded["properties"].items()}
    return bounded


def _as_call(
    reply: Reply, tools: Sequence[ToolSpec], is_small: bool, texts: Sequence[Heard]
) -> tuple[Reply, Repaired | None]:
    """The reply with its JSON as what it means: a tool call, or the text of an answer; and what was mended in it."""
    text = reply.message.text
    others: list[Block] = [block for block in reply.message.blocks if not isinstance(block, Text)]
    is_cut = reply.finish_reason in CUT
    reason = reply.finish_reason if is_cut else "tool_calls"
    try:
        (written,) = calls_in(mended(text))
    except (NotJson, ValueError):
        if not is_cut and (spotted := spot(text, tools, heard=texts)):  # it takes schemas and does not keep to them
            said: list[Block] = [Text(spotted.before)] if spotted.before else []
            told_of = Repaired("a call that the model wrote in another form", spotted.written, told(spotted.calls))
            return _with(reply, [*others, *said, *spotted.calls], reason), told_of
        if not is_small and "{" not in text:
            return reply, None
        return _with(reply, [*others, _unread(text, tools)], reason), None
    arguments = written.arguments if isinstance(written.arguments, dict) else {}
    if written.name == _ANSWER.name:
        return _with(reply, [*others, Text(str(arguments.get("text", "")))], "stop"), None
    tool = tool_of(written.name, tools)
    fitted = fit(tool, arguments) if tool else None
    call = ToolCall(_new_id(), tool.name if tool else written.name, arguments if fitted is None else fitted)
    is_mended = (call.name, call.arguments) != (written.name, arguments) and not is_cut
    repair = Repaired(f"the arguments of {call.name}", text, f"{call.name} {dumps(call.arguments)}")
    return _with(reply, [*others, call], reason), repair if is_mended else None


def _unread(text: str, tools: Sequence[ToolSpec]) -> ToolCall:
    """A call that is no JSON, under the name of its tool if that can be read."""
    named = _TOOL.search(text)
    tool = tool_of(named[1], tools, may_be_misspelt=False) if named else None
    return ToolCall(f"{UNREAD_CALL}{uuid.uuid4().hex[:12]}", tool.name if tool else UNREAD_NAME, {}, raw=text)


def _as_quote(reply: Reply) -> Reply:
    """The reply with the line that it chose as its text; as it is when it chose none."""
    try:
        chosen = mended(reply.message.text)
    except NotJson:
        return reply
    if not isinstance(chosen, dict) or not isinstance(chosen.get("answer"), str):
        return reply
    others: list[Block] = [block for block in reply.message.blocks if not isinstance(block, Text)]
    return _with(reply, [*others, Text(chosen["answer"])], reply.finish_reason)


def _with(reply: Reply, blocks: Sequence[Block], finish_reason: str) -> Reply:
    return structs.replace(reply, message=replace(reply.message, blocks=tuple(blocks)), finish_reason=finish_reason)


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex[:12]}"
