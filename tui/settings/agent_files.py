"""The user's subagents: Markdown files `agents/NAME.md` beside config.toml, each with a head that says what it is.

    ---
    description: Reads what the web says of a question.
    backend: deepseek
    model: deepseek-chat
    tools: [fetch_url, web_search]
    max_steps: 20
    budget: 0.1
    ---
    You look things up. Name the pages that you have read.

Only `description` and the text below the head, which is the system prompt, must be there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Struct

from tui.core.errors import ConfigError
from tui.core.text import clean_line
from tui.settings.checking import Problem, check, key_text
from tui.settings.names import did_you_mean
from tui.settings.paths import config_dir
from tui.settings.regular_files import CONFIG_BYTES, NotRegularError, TooLongError, read_regular
from tui.settings.schema import above_zero

ALL_TOOLS = "all"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FENCE = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_DESCRIPTION_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class AgentDefinition:
    """A subagent: what it is for, who answers, and what it may use."""

    name: str
    description: str
    prompt: str
    backend: str | None = None
    """None: the one that answers the turn."""
    model: str | None = None
    tools: tuple[str, ...] = ()
    """Empty: those that only read; `all`: all that there are for subagents."""
    max_steps: int | None = None
    """Requests of one call; None: as many as are usual."""
    budget: float | None = None
    """USD of one call; None: only the turn's own."""


@dataclass(slots=True)
class AgentFiles:
    """What was found: those that can be used, and what is wrong with the others."""

    definitions: list[AgentDefinition] = field(default_factory=list)
    errors: list[ConfigError] = field(default_factory=list)


def _at_least_one(value: int) -> str | None:
    return None if value >= 1 else f"must be at least 1, not {value}"


class _Head(Struct, frozen=True):
    description: str
    backend: str | None = None
    model: str | None = None
    tools: tuple[str, ...] = ()
    max_steps: Annotated[int, _at_least_one] | None = None
    budget: Annotated[float, above_zero] | None = None


def agents_dir() -> Path:
    return config_dir() / "agents"


def project_agents_dir(root: Path) -> Path:
    return root / ".mimo" / "agents"


def read_agents(backends: Collection[str], tools: Collection[str], root: Path | None = None) -> AgentFiles:
    """The subagents of the user, or of the project in `root`, by name. Blocking.

    `backends` and `tools` are the names that mean something. What leads out of a project is none of its files.

    Tools of MCP servers (`mcp__...`) are not among `tools`: which there are shows only when their servers run.
    """
    found, folder = AgentFiles(), agents_dir() if root is None else project_agents_dir(root)
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".md" and path.name[0] != ".")
    except OSError as error:
        if not os.path.lexists(folder):  # nor perhaps a folder that it could be in
            return found
        found.errors.append(ConfigError(f"cannot be read: {error.strerror}", "Check what it is.", file=folder))
        return found
    for path in paths:
        if root is not None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            continue
        try:
            definition = _read(path, backends, tools, found.errors)
        except ConfigError as error:
            found.errors.append(error)
        else:
            found.definitions += [definition] if definition else []
    return found


def _read(
    path: Path, backends: Collection[str], tools: Collection[str], errors: list[ConfigError]
) -> AgentDefinition | None:
    """What a file defines; None when its head has mistakes, which are put into `errors`. Raises ConfigError."""
    if not _NAME.fullmatch(path.stem):
        problem = "the file's name cannot be a subagent's: it needs small letters, digits, `-` and `_`"
        raise ConfigError(problem, "Rename the file.", file=path)
    text = _text(path)
    match = _FENCE.match(text)
    if match is None:
        hint = "It begins with a line `---`, then `description: ...`, then `---` again."
        raise ConfigError("there is no head that says what the subagent is for", hint, file=path, line=1)
    table, lines = _table(path, match[1])
    problems: list[Problem] = []
    head = check(table, _Head, problems)
    problems = [_in_yaml(problem) for problem in problems] + list(_unknown(table, backends, tools))
    if problems:
        errors += [_error(path, problem, lines) for problem in problems]
        return None
    prompt = text[match.end() :].strip()
    if not prompt:
        hint = "Write below the head how it is to work: that is its system prompt."
        raise ConfigError("the subagent has no prompt", hint, file=path, line=text.count("\n") + 1)
    description = clean_line(head.description, _DESCRIPTION_CHARACTERS)
    return AgentDefinition(
        path.stem, description, prompt, head.backend, head.model, head.tools, head.max_steps, head.budget
    )


def _text(path: Path) -> str:
    try:
        data = read_regular(path, CONFIG_BYTES)
    except NotRegularError as error:
        raise ConfigError("this is not a regular file", "Move it away.", file=path) from error
    except TooLongError as error:
        raise ConfigError(str(error), "Make it shorter.", file=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", "Check who owns it (`ls -l`).", file=path) from error
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("the file is not UTF-8 text", "Save it as UTF-8.", file=path, line=line) from error


def _table(path: Path, text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The head, and the line of each of its keys. A list of tools may be words with commas, as other programs do."""
    import yaml  # only for those who have such files

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        table = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        message = f"the head cannot be read as YAML: {getattr(error, 'problem', None) or 'it is malformed'}"
        hint = "Put a text with a colon in it into quotes."
        raise ConfigError(message, hint, file=path, line=mark.line + 2 if mark else 1) from error
    if not isinstance(table, dict) or not isinstance(node, yaml.MappingNode):
        raise ConfigError("the head is no list of `key: value` lines", file=path, line=2)
    lines = {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
    if isinstance(words := table.get("tools"), str):
        table["tools"] = [word.strip() for word in words.split(",") if word.strip()]
    return {str(key): value for key, value in table.items()}, lines


def _in_yaml(problem: Problem) -> Problem:
    """The problem in words for YAML, where a text needs no quotes."""
    return problem._replace(message=problem.message.replace("a text in quotes", "a text"))


def _unknown(table: dict[str, Any], backends: Collection[str], tools: Collection[str]) -> Iterator[Problem]:
    backend, named = table.get("backend"), table.get("tools")
    if isinstance(backend, str) and backend not in backends:
        meant = did_you_mean(backend, backends)
        hint = "`mimo-tui backends list` shows which there are."
        yield Problem(("backend",), f'no backend is called "{clean_line(backend, 60)}"{meant}', hint)
    for name in named if isinstance(named, list) else ():
        if isinstance(name, str) and name != ALL_TOOLS and name not in tools and not name.startswith("mcp__"):
            problem = f'no tool for subagents is called "{clean_line(name, 60)}"{did_you_mean(name, tools)}'
            yield Problem(("tools",), problem, f"Known: {', '.join(tools)}; `{ALL_TOOLS}` means all of them.")


def _error(path: Path, problem: Problem, lines: dict[str, int]) -> ConfigError:
    line = lines.get(str(problem.key[0])) if problem.key else 1
    return ConfigError(problem.message, problem.hint, file=path, line=line, key=key_text(problem.key))
