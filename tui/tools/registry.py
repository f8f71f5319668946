"""The toolbox of a turn, and the check of a call's arguments."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.backends.spec import ToolSpec
from tui.core.messages import Json
from tui.tools.base import Tool

if TYPE_CHECKING:
    from tui.settings.schema import AgentConfig


class Toolbox:
    """Tools by name, in a stable order: a changed order would cost the server its prompt cache."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._specs = tuple(ToolSpec(tool.name, tool.description, tool.parameters) for tool in self._tools.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._tools.values())

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def with_more(self, tools: Iterable[Tool]) -> Toolbox:
        """These tools, and others behind them."""
        return Toolbox((*self._tools.values(), *tools))

    def specs(self) -> tuple[ToolSpec, ...]:
        """The same object each time: what is made of it for one request need not be made again for the next."""
        return self._specs


EMPTY = Toolbox()
"""Chat mode."""


def default_toolbox(config: AgentConfig | None = None, folder: Path | None = None) -> Toolbox:
    """The tools of agent mode, as they are set, for work in `folder` (None: the current one)."""
    from tui.tools.apply_patch import ApplyPatch
    from tui.tools.ask_user import AskUser
    from tui.tools.edit_file import EditFile
    from tui.tools.fetch_url import FetchUrl
    from tui.tools.list_files import ListFiles
    from tui.tools.read_command import ReadCommand
    from tui.tools.read_file import ReadFile
    from tui.tools.remember import Remember
    from tui.tools.run_command import RunCommand
    from tui.tools.search_files import SearchFiles
    from tui.tools.start_command import StartCommand
    from tui.tools.stop_command import StopCommand
    from tui.tools.todo import Todo
    from tui.tools.web_search import WebSearchTool
    from tui.tools.write_command import WriteCommand
    from tui.tools.write_file import WriteFile

    files = (ReadFile(), ListFiles(), SearchFiles(), EditFile(), WriteFile(), ApplyPatch())
    commands = (RunCommand(), StartCommand(), ReadCommand(), WriteCommand(), StopCommand())
    fetch = FetchUrl(config.fetch_allow if config else ())
    search = (WebSearchTool(config.web_search),) if config and config.web_search else ()
    return Toolbox((*files, *commands, Todo(), fetch, *search, AskUser(), Remember(folder or Path())))


def validate(tool: Tool | ToolSpec, arguments: Json) -> str | None:
    """What is wrong with `arguments` and what is expected, for the model; None when they fit the tool's schema.

    The first call imports jsonschema, which takes about 80 ms: `warm` does it beforehand.
    """
    errors = sorted(_validator(json.dumps(tool.parameters)).iter_errors(arguments), key=lambda error: list(error.path))
    if not errors:
        return None
    sentences = dict.fromkeys(map(_sentence, errors))  # jsonschema has an error for each argument that is missing
    problems = "; ".join(list(sentences)[:5])
    return f"The arguments of {tool.name} are wrong: {problems}. Expected: {_expected(tool.parameters)}."


def warm() -> None:
    """Import what the first check of arguments needs. Blocking: call it in a thread, before the first turn."""
    _validator("{}")


@functools.lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


def _sentence(error: Any) -> str:
    name = f"`{'.'.join(map(str, error.path))}`" if error.path else "they"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return "missing " + ", ".join(f"`{key}`" for key in missing)
    if error.validator == "additionalProperties":
        unknown = [key for key in error.instance if key not in error.schema.get("properties", {})]
        return "unknown " + ", ".join(f"`{key}`" for key in unknown)
    if error.validator == "type":
        return f"{name} must be {_type_words(error.validator_value)}, not {json.dumps(error.instance)[:80]}"
    if error.validator == "minimum":
        return f"{name} must be at least {error.validator_value}, not {error.instance}"
    return f"{name}: {error.message[:200]}"


def _expected(schema: Json) -> str:
    required = schema.get("required", [])
    parts = [
        f"{name} ({_type_words(rules.get('type', 'value'))}{'' if name in required else ', optional'})"
        for name, rules in schema.get("properties", {}).items()
    ]
    return ", ".join(parts) or "no arguments"


def _type_words(kind: str | list[str]) -> str:
    words = {"string": "a string", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    words |= {"array": "a list", "object": "an object"}
    kinds = [kind] if isinstance(kind, str) else kind
    return " or ".join(words.get(name, name) for name in kinds)
