"""Tool calls for servers that know neither tools nor schemas: the tools are described in words, and a call is a fence
of JSON at the end of an answer. An answer without one is the answer.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from msgspec import structs

from tui.agent.strategies.base import TEXT_CALL, Item
from tui.agent.strategies.loose_json import NotJson, mended
from tui.agent.strategies.mending import fit, tool_of
from tui.agent.strategies.native import mended_answer
from tui.agent.strategies.plain import as_plain_messages, call_text, cut_to, fenced, first_sentence
from tui.agent.strategies.shapes import calls_in
from tui.backends.backend import Backend
from tui.backends.spec import Reply, Request, ToolSpec
from tui.core.codec import dumps
from tui.core.events import CUT, Notice, Repaired
from tui.core.messages import Block, Json, Text, ToolCall

_UNKNOWN_WINDOW_TOKENS = 16384
"""What is assumed where nobody says how large the window is."""
_REPAIRS = 3
"""So many wrong calls in a row are told to the model; then it is to answer in words."""
_ATTEMPT = re.compile(
    r"(?P<fence>```(?:json)?[ \t]*\n)?\s*(?P<call>\{\s*[\"“']?tool[\"”']?\s*:\s*[\"“']?(?P<name>[\w.:/-]{1,100}).*?)"
    r"(?:\n?```)?\s*\Z",
    re.DOTALL,
)
_FENCE = re.compile(r"^```(?:json)?[ \t]*\n(.*?)\n```[ \t]*$", re.DOTALL | re.MULTILINE)
_RULES = """\
You can use tools. To use one, end your answer with one block like those below and say nothing after it. \
The result comes in the next message. When you need no tool, answer without a block."""


class InWords:
    """A step is one request without tools. Its fence of JSON becomes the call, results are the user's words."""

    async def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Item, None]:
        window = backend.spec.context_window or _UNKNOWN_WINDOW_TOKENS
        plain = as_plain_messages(request.messages, window, is_fenced=True)
        messages, left_out = cut_to(window, plain, backend.spec.max_output)
        if left_out:
            yield Notice(f"The model's window is full: the oldest {left_out} messages were left out of this request.")
        tools = request.tools
        if tools and wrong_calls(request) >= _REPAIRS:
            yield Notice(f"The model made {_REPAIRS} wrong tool calls in a row: it is asked to answer in words.")
            last = replace(messages[-1], blocks=(Text(f"{messages[-1].text}\n\nAnswer now in words, without a tool."),))
            messages, tools = (*messages[:-1], last), ()
        asked = structs.replace(request, system=_system(request), messages=messages, tools=())
        async with aclosing(mended_answer(backend, asked, structs.replace(request, tools=tools))) as items:
            async for item in items:
                if isinstance(item, Repaired) and _is_as_asked(item):
                    continue
                yield with_attempt(item, tools) if isinstance(item, Reply) else item


def _is_as_asked(repair: Repaired) -> bool:
    """Whether a call that was found in the text is written there just as it is to be: nothing was mended."""
    written = []
    try:
        for fence in _FENCE.findall(repair.before):
            written += calls_in(json.loads(fence))
    except ValueError:
        return False
    as_written = [f"{call.name} {dumps(call.arguments)}" for call in written]
    return bool(written) and "\n".join(as_written) == repair.after and not _FENCE.sub("", repair.before).strip()


def wrong_calls(request: Request) -> int:
    """How many replies in a row, up to the last, had a call that could not be run as it was."""
    count = 0
    for message in reversed(request.messages):
        if message.role == "user":
            break
        if calls := message.tool_calls:
            if not all(_is_wrong(call, request.tools) for call in calls):
                break
            count += 1
    return count


def _is_wrong(call: ToolCall, tools: Sequence[ToolSpec]) -> bool:
    tool = next((tool for tool in tools if tool.name == call.name), None)
    return tool is None or call.raw is not None or fit(tool, call.arguments) is None


def with_attempt(reply: Reply, tools: Sequence[ToolSpec]) -> Reply:
    """The reply with what was to be a call at its end as one, so that what is wrong with it is told to the model."""
    text = reply.message.text
    if not tools or reply.message.tool_calls or not (attempt := _ATTEMPT.search(text)):
        return reply
    if not attempt["fence"] and text[: attempt.start("call")].strip():
        return reply  # JSON in the middle of a sentence
    tool = tool_of(attempt["name"], tools)
    arguments, raw = _arguments(attempt["call"])
    if tool and raw is None and fit(tool, arguments) is not None:
        return reply  # a good call that was not meant as one: it is quoted, or an example
    call = ToolCall(f"{TEXT_CALL}{uuid.uuid4().hex[:12]}", tool.name if tool else attempt["name"], arguments, raw)
    before = text[: attempt.start()].rstrip()
    others: list[Block] = [block for block in reply.message.blocks if not isinstance(block, Text)]
    said: list[Block] = [Text(before)] if before else []
    message = replace(reply.message, blocks=(*others, *said, call))
    return structs.replace(reply, message=message, finish_reason=_reason(reply))


def _reason(reply: Reply) -> str:
    """A call that was cut at the limit is not run, whatever it looks like."""
    return reply.finish_reason if reply.finish_reason in CUT else "tool_calls"


def _arguments(call: str) -> tuple[Json, str | None]:
    try:
        value = mended(call)
    except NotJson:
        return {}, call
    if not isinstance(value, dict):
        return {}, call
    return {name: item for name, item in value.items() if name != "tool"}, None


def _system(request: Request) -> str:
    """The system prompt; with tools, what they are and how they are called. The same at each step of a turn."""
    if not request.tools:
        return request.system
    tools = "\n".join(_described(tool) for tool in request.tools)
    examples = "\n\n".join(_example(tool) for tool in _two(request.tools))
    return f"{request.system}\n\n{_RULES}\n\nThe tools (? = may be left out):\n{tools}\n\n{examples}".strip()


def _described(tool: ToolSpec) -> str:
    required = tool.parameters.get("required", [])
    parameters = ", ".join(
        f"{name}{'' if name in required else '?'}: {_kind(rules)}"
        for name, rules in tool.parameters.get("properties", {}).items()
    )
    return f"- {tool.name}({parameters}): {first_sentence(tool)}"


def _kind(rules: Json) -> str:
    if rules.get("type") in ("array", "object") or "enum" in rules:
        return json.dumps({key: value for key, value in rules.items() if key != "description"})
    return str(rules.get("type", "any"))


def _two(tools: Sequence[ToolSpec]) -> list[ToolSpec]:
    """Those that the examples are of: the first, and one with another set of parameters."""
    first = tools[0]
    other = next((t for t in tools if len(t.parameters.get("required", [])) > 1 and t is not first), None)
    return [first, *([other] if other else [])]


_SAMPLES = {"path": "notes.txt", "content": "good day", "old": "red", "new": "blue", "pattern": "red", "command": "ls"}


def _example(tool: ToolSpec) -> str:
    properties = tool.parameters.get("properties", {})
    values = {name: _sample(name, properties.get(name, {})) for name in tool.parameters.get("required", [])}
    return f"Example:\n{fenced(call_text(tool.name, values))}"


def _sample(name: str, rules: Json) -> object:
    if "enum" in rules:
        return rules["enum"][0]
    samples = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return samples.get(str(rules.get("type")), _SAMPLES.get(name, "..."))
