"""Tool calls for models whose server knows no tools: the answer must fit a JSON schema, so it cannot but be a call.

A small model is helped further. Words that the request shares with a tool choose which tools it may call at all, its
strings are bounded, the files it may look at are those it has seen named, and after a result it answers in plain words.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from tui.agent.strategies.plain import PATH, as_plain_messages, call_text, cut_to, question
from tui.backends.backend import Backend, Piece
from tui.backends.spec import Reply, Request, ToolSpec
from tui.core.events import Notice, TextDelta, ToolCallDelta
from tui.core.messages import Block, Json, Message, Text, ToolCall, ToolResult, user

SMALL_WINDOW_TOKENS = 4096
"""A model with no more than this is taken for a small one."""
_UNKNOWN_WINDOW_TOKENS = 16384
"""What is assumed where nobody says how large the window is."""
_TRIES = 2
"""Calls that a small model may make in a turn while none of them succeeds."""
_MOST_CALLS = 40
_STRING_LIMIT, _LONG_STRING_LIMIT, _PLACES_LIMIT = 120, 4000, 40
_LONG_STRINGS = ("content", "old", "new", "text")
_QUOTED = ("pattern", "command", "old")
"""Parameters whose value mostly stands in the request itself."""
_RUN_WORDS, _RUNS_LIMIT = 8, 120
_LOOKING = ("read_file", "list_files", "search_files")
"""Tools whose path must be there already."""

# What people say when they mean a tool, and an example of it.
_KNOWN: dict[str, tuple[str, str, Json]] = {
    "list_files": (
        "list folder folders directory files structure",
        "What is in the folder docs?",
        {"path": "docs"},
    ),
    "read_file": (
        "read show open cat say says contents print display",
        "Show me the file config.toml",
        {"path": "config.toml"},
    ),
    "search_files": (
        "search find grep look where used uses mentions",
        "Find the word error",
        {"pattern": "error", "path": "."},
    ),
    "edit_file": (
        "edit change replace fix modify rename",
        "In a.txt change red to blue",
        {"path": "a.txt", "old": "red", "new": "blue"},
    ),
    "write_file": (
        "write create make save new",
        "Make a file b.txt with good day",
        {"path": "b.txt", "content": "good day"},
    ),
    "run_command": ("run execute command shell test tests build install", "Run make", {"command": "make"}),
    "answer": ("", "Good morning", {"text": "Good morning! How can I help you?"}),
}
_ANSWER = ToolSpec(
    "answer",
    "Say something to the user.",
    {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)


class Constrained:
    """A step is one request: either it can only be answered by a call, or it asks for the answer in plain words."""

    async def ask(self, backend: Backend, request: Request) -> AsyncGenerator[Piece | Notice, None]:
        window = backend.spec.context_window or _UNKNOWN_WINDOW_TOKENS
        tools = offered(request, is_small=window <= SMALL_WINDOW_TOKENS)
        messages, left_out = cut_to(window, as_plain_messages(request.messages, window), backend.spec.max_output)
        if left_out:
            yield Notice(f"The model's window is full: the oldest {left_out} messages were left out of this request.")
        if not tools:
            if request.tools and len(messages) > 1 and request.messages[-1].role == "tool":
                messages = (*messages[:-1], question(_asked(request), messages[-1].text))
            async for item in backend.ask(Request(request.system, messages)):
                yield item
            return
        schema = {"anyOf": [_schema(tool, request, window) for tool in tools]}
        # A small model chooses best without chance, and without being told not to repeat the request's own words.
        body: Json = {"temperature": 0, "repeat_penalty": 1.0} if window <= SMALL_WINDOW_TOKENS else {}
        asked = (*_examples(tools), *messages)
        async for item in backend.ask(Request(_instructions(tools), asked, schema=schema, body=body)):
            if isinstance(item, Reply):
                reply = _as_call(item)
                if reply.message.text:
                    yield TextDelta(reply.message.text)
                yield reply
            else:
                yield ToolCallDelta(0, "", item.text) if isinstance(item, TextDelta) else item


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
    known = [tool for tool in request.tools if tool.name in _KNOWN]
    return meant(request.messages[last].text, known) if is_small else (*request.tools, _ANSWER)


def meant(text: str, tools: Sequence[ToolSpec]) -> tuple[ToolSpec, ...]:
    """The tools that a request shares most words with; one that only names a file is about reading it. May be none."""
    said = _words(text)
    shared = {tool.name: len(said & _words(f"{tool.name} {_KNOWN.get(tool.name, ('',))[0]}")) for tool in tools}
    most = max(shared.values(), default=0)
    if not most:
        return tuple(tool for tool in tools if tool.name == "read_file" and PATH.search(text))
    return tuple(tool for tool in tools if shared[tool.name] == most)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{2,}", text.lower()))


def _asked(request: Request) -> str:
    return next((m.words for m in reversed(request.messages) if m.role == "user"), "")


def _instructions(tools: Sequence[ToolSpec]) -> str:
    lines = [f"{tool.name}({', '.join(_parameters(tool, is_small=True))}): {_first_sentence(tool)}" for tool in tools]
    return "You choose one tool for what the user wants and answer in JSON.\n" + "\n".join(lines)


def _parameters(tool: ToolSpec, is_small: bool) -> list[str]:
    """The parameters that a model is asked for: a small one only for those that it must give, and where to look."""
    names = list(tool.parameters.get("properties", {}))
    required = tool.parameters.get("required", [])
    return [name for name in names if not is_small or name in required or (name == "path" and tool.name in _LOOKING)]


def _first_sentence(tool: ToolSpec) -> str:
    return re.split(r"(?<=\.)\s|:", tool.description, maxsplit=1)[0]


def _examples(tools: Sequence[ToolSpec]) -> list[Message]:
    """Up to two examples; of few tools rather those that are not offered by chance."""
    known = [(tool.name, *_KNOWN[tool.name][1:]) for tool in tools if tool.name in _KNOWN]
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
    properties = {name: _bounded(name, rules[name]) for name in _parameters(tool, is_small)}
    if is_small:
        properties |= _from_the_request(tool, request, properties)
    return {
        "type": "object",
        "properties": {"tool": {"const": tool.name}, **properties},
        "required": ["tool", *(properties if is_small else tool.parameters.get("required", []))],
        "additionalProperties": False,
    }


def _from_the_request(tool: ToolSpec, request: Request, properties: Json) -> Json:
    """What a small model copies badly it chooses: places that were named, and words that stand in the request."""
    asked = _asked(request)
    found: dict[str, list[str]] = {name: spans(asked) for name in _QUOTED if name in properties}
    if "path" in properties:
        if tool.name in _LOOKING:
            found["path"] = places(request)
        elif named := PATH.findall(asked):
            found["path"] = [name.rstrip("/.") for name in named]
    return {name: {"type": "string", "enum": choices} for name, choices in found.items() if choices}


def spans(text: str) -> list[str]:
    """Runs of words of a text, the longest first, without the marks around them."""
    words = text.split()
    runs = (" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(a + _RUN_WORDS, len(words)) + 1))
    found = dict.fromkeys(run.strip(" .,;:!?\"'`") for run in runs)
    return sorted((run for run in found if run), key=len, reverse=True)[:_RUNS_LIMIT]


def _bounded(name: str, rules: Json) -> Json:
    """The rules of a parameter, without words and with a limit on what can be endless."""
    bounded = {key: value for key, value in rules.items() if key not in ("description", "title", "default")}
    if bounded.get("type") == "string" and "enum" not in bounded:
        limit = _LONG_STRING_LIMIT if name in _LONG_STRINGS else _STRING_LIMIT
        bounded = {"minLength": 1 if name not in ("new", "content") else 0, "maxLength": limit} | bounded
    return bounded


def places(request: Request) -> list[str]:
    """The folder itself and the files and folders that were named in this conversation, the newest first."""
    texts = [block for message in reversed(request.messages) for block in reversed(message.blocks)]
    found = [
        name.removeprefix("./").rstrip("./")
        for block in texts
        if isinstance(block, Text | ToolResult)
        for name in PATH.findall(block.text if isinstance(block, Text) else block.content)
    ]
    return list(dict.fromkeys([*[name for name in found if name], "."]))[:_PLACES_LIMIT]


def _as_call(reply: Reply) -> Reply:
    """The reply with its JSON as what it means: a tool call, or the text of an answer."""
    text = reply.message.text
    others: list[Block] = [block for block in reply.message.blocks if not isinstance(block, Text)]
    try:
        chosen = json.loads(text)
        name = chosen.pop("tool")
    except (ValueError, AttributeError, KeyError, TypeError):
        others.append(ToolCall(_new_id(), "unknown", {}, raw=text))
        return Reply(replace(reply.message, blocks=tuple(others)), reply.usage, "tool_calls")
    if name == _ANSWER.name:
        answer = Message("assistant", (*others, Text(str(chosen.get("text", "")))), reply.message.origin)
        return Reply(answer, reply.usage, "stop")
    call = ToolCall(_new_id(), name, chosen)
    return Reply(replace(reply.message, blocks=(*others, call)), reply.usage, "tool_calls")


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex[:12]}"
