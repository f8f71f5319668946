"""What helps a small model to make a call at all: few tools, examples like the request, values that it only chooses.

Words that the request shares with a tool choose which it may call, the files it may look at are those it has seen
named, and what it says at the end is a line of the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.agent.strategies.plain import PATH
from tui.backends.spec import Request, ToolSpec
from tui.core.messages import Json, Text, ToolResult

_PLACES_LIMIT = 40
_RUN_WORDS, _RUNS_LIMIT = 8, 120
_QUOTED = ("pattern", "command", "old", "query", "url")
"""Parameters whose value mostly stands in the request itself."""
LOOKING = ("read_file", "list_files", "search_files")
"""Tools whose path must be there already."""
_TOO_HARD = ("apply_patch", "todo", "delegate", "write_command", "read_command", "stop_command")
"""Tools that take more than a few words."""
_LINES_LIMIT, _LINE_CHARACTERS = 40, 300
_LISTING, _WHOLE_CHARACTERS = ("list_files", "search_files"), 400
"""Results that are an answer as a whole, when they are this short."""
_TELLING_CHARACTERS = 4
"""Shorter words are in any sentence."""
_FOLDER = re.compile(r"\b(?:folder|directory|dir)\s+([\w.-]+)", re.IGNORECASE)
_LINE_NUMBER = re.compile(r"^\s*\d+\t")

# What people say when they mean a tool, and an example of it.
KNOWN: dict[str, tuple[str, str, Json]] = {
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
    "fetch_url": (
        "fetch download url http https website web page site",
        "Fetch https://example.org/a",
        {"url": "https://example.org/a"},
    ),
    "web_search": ("web internet online google", "Search the web for red pandas", {"query": "red pandas"}),
    "answer": ("", "Good morning", {"text": "Good morning! How can I help you?"}),
}


def meant(text: str, tools: Sequence[ToolSpec]) -> tuple[ToolSpec, ...]:
    """The tools that a request shares most words with; one that only names a file is about reading it. May be none.

    A tool that is not known here is meant only by two words of its name.
    """
    said = _words(text)
    shared = {tool.name: _shared(said, tool.name) for tool in tools if tool.name not in _TOO_HARD}
    most = max(shared.values(), default=0)
    if not most:
        return tuple(tool for tool in tools if tool.name == "read_file" and PATH.search(text))
    return tuple(tool for tool in tools if shared.get(tool.name) == most)


def _shared(said: set[str], name: str) -> int:
    if name in KNOWN:
        return len(said & _words(f"{name} {KNOWN[name][0]}"))
    count = len(said & _words(name))
    return count if count > 1 else 0


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{2,}", text.lower()))


def asked(request: Request) -> str:
    """What the user said last."""
    return next((m.words for m in reversed(request.messages) if m.role == "user"), "")


def from_the_request(tool: ToolSpec, request: Request, properties: Json) -> Json:
    """What a small model copies badly it chooses: places that were named, and words that stand in the request."""
    text = asked(request)
    found: dict[str, list[str]] = {name: spans(text) for name in _QUOTED if name in properties}
    if "path" in properties:
        if tool.name in LOOKING:
            found["path"] = places(request)
        elif named := PATH.findall(text):
            found["path"] = [name.rstrip("/.") for name in named]
    return {name: {"type": "string", "enum": choices} for name, choices in found.items() if choices}


def spans(text: str) -> list[str]:
    """Runs of words of a text, the longest first, without the marks around them."""
    words = text.split()
    runs = (" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(a + _RUN_WORDS, len(words)) + 1))
    found = dict.fromkeys(run.strip(" .,;:!?\"'`") for run in runs)
    return sorted((run for run in found if run), key=len, reverse=True)[:_RUNS_LIMIT]


def places(request: Request) -> list[str]:
    """The folder itself and the files and folders that were named in this conversation, the newest first."""
    texts = [block for message in reversed(request.messages) for block in reversed(message.blocks)]
    found = [
        name.removeprefix("./").rstrip("./")
        for block in texts
        if isinstance(block, Text | ToolResult) and block.type != "context"
        for name in _named(block)
    ]
    return list(dict.fromkeys([*[name for name in found if name], "."]))[:_PLACES_LIMIT]


def _named(block: Text | ToolResult) -> list[str]:
    if isinstance(block, ToolResult):
        return PATH.findall(block.content)
    return [*PATH.findall(block.text), *_FOLDER.findall(block.text)]


def lines_of_result(request: Request) -> list[str]:
    """What an answer may be: a line of the last result, or all of a short list; rather what shares words with the
    request."""
    names = {call.id: call.name for message in request.messages for call in message.tool_calls}
    results = [block for block in request.messages[-1].blocks if isinstance(block, ToolResult)]
    whole = [result.content.strip() for result in results if names.get(result.call_id) in _LISTING]
    if whole and max(map(len, whole)) <= _WHOLE_CHARACTERS and any(whole):
        return whole
    found = [_LINE_NUMBER.sub("", line).strip() for result in results for line in result.content.splitlines()]
    lines = list(dict.fromkeys(line[:_LINE_CHARACTERS] for line in found if len(line) > 1))
    said = {word for word in _words(asked(request)) if len(word) >= _TELLING_CHARACTERS}
    shared = {line: len(said & _words(line)) for line in lines}
    most = max(shared.values(), default=0)
    return [line for line in lines if shared[line] == most][:_LINES_LIMIT]


def quote(lines: Sequence[str]) -> Json:
    """The schema of an answer that is one of the lines: what is quoted is not made up."""
    return {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(lines)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
