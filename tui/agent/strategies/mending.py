"""Calls that are nearly right: which tool is meant, and arguments brought to what its schema wants.

A call that is right is not touched. A mended one fits the schema, or stays as it was, for the validator to speak of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from tui.agent.strategies import foreign
from tui.agent.strategies.loose_json import NotJson, mended
from tui.backends.spec import ToolSpec
from tui.core.codec import dumps
from tui.core.events import Repaired
from tui.core.messages import Json, ToolCall
from tui.tools.registry import validate

_PREFIX = re.compile(r"^(?:functions?|tools?|default_api|namespace)(?=[.:/_])[.:/_]+", re.IGNORECASE)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_NOTHING = ("", "null", "None", "undefined")
_COUNTER = re.compile(r":\d+$")
_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "path": (
        "filepath",
        "filename",
        "file",
        "targetfile",
        "absolutepath",
        "relativepath",
        "directory",
        "dir",
        "folder",
    ),
    "content": ("contents", "filecontent", "filetext", "text"),
    "old": ("oldstring", "oldstr", "oldtext"),
    "new": ("newstring", "newstr", "newtext"),
    "all": ("replaceall",),
    "start": ("startline", "offset"),
    "lines": ("numlines", "linecount", "limit"),
    "command": ("cmd", "shellcommand", "bashcommand"),
    "pattern": ("query", "regex", "searchpattern"),
    "url": ("uri", "link"),
    "items": ("todos",),
    "timeout": ("timeouts", "timeoutseconds"),
}
"""What other programs call these parameters, so that models trained on them do, too; without case and underscores."""
_DECORATION = ("explanation", "thought", "reasoning", "description")
"""What models add of their own and no tool needs."""
_NEARLY = 85
"""Per cent in which two names of a parameter agree that are taken for the same."""


def tool_of(name: str, tools: Sequence[ToolSpec], *, may_be_misspelt: bool = True) -> ToolSpec | None:
    """The one tool that a name means: its own, in another case, with a prefix, as others call it, or misspelt.

    `may_be_misspelt`: one letter is wrong, or it is the name of another program's tool.
    """
    for tool in tools:
        if tool.name == name:
            return tool
    bare = _COUNTER.sub("", _PREFIX.sub("", name.strip().strip("`\"'")))
    last = re.split(r"[.:/]|__", bare)[-1]
    for wanted in (bare, last):
        if found := _only(tool for tool in tools if _plain(tool.name) == _plain(wanted) != ""):
            return found
    if not may_be_misspelt:
        return None
    if ours := foreign.TOOLS.get(bare):
        return _only(tool for tool in tools if tool.name == ours)
    if len(_plain(bare)) < 6:
        return None
    from rapidfuzz.distance import OSA

    return _only(t for t in tools if OSA.distance(_plain(t.name), _plain(bare), score_cutoff=1) <= 1)


def mend(call: ToolCall, tools: Sequence[ToolSpec]) -> tuple[ToolCall, Repaired | None]:
    """The call as it was meant, and what was mended; the same call when it is right, or nobody can tell."""
    tool = tool_of(call.name, tools)
    if tool is None or (call.raw is None and tool.name == call.name and _looks_right(tool, call.arguments)):
        return call, None
    arguments = call.arguments
    if call.raw is not None:
        try:
            arguments = as_object(call.raw)
        except NotJson:
            arguments = {}
            if call.raw.strip() in _NOTHING and fit(tool, {}) is not None:
                return replace(call, name=tool.name, arguments={}, raw=None), _told(call, tool.name, "{}")
            if call.name == tool.name:
                return call, None
            return replace(call, name=tool.name), _told(call, tool.name, call.raw)
    fitted = fit(tool, foreign.translated(call.name, arguments))
    after = replace(call, name=tool.name, arguments=arguments if fitted is None else fitted, raw=None)
    if after == call:
        return call, None
    return after, _told(call, tool.name, dumps(after.arguments))


def as_object(text: str) -> Json:
    """Arguments that came as text; an object that was written as a string, or in a fence, too. Raises NotJson."""
    fence = _FENCE.fullmatch(text.strip())
    value = mended(fence[1] if fence else text)
    if isinstance(value, str):
        value = mended(value)
    if not isinstance(value, dict):
        raise NotJson("not an object")
    return value


def fit(tool: ToolSpec, arguments: Json) -> Json | None:
    """The arguments so that they fit the tool's schema; None when that takes more than the obvious."""
    if validate(tool, arguments) is None:
        return arguments
    properties = tool.parameters.get("properties", {})
    if len(arguments) == 1 and not set(arguments) & set(properties):  # {"arguments": {...}}
        (inner,) = arguments.values()
        if isinstance(inner, dict) and (fitted := fit(tool, inner)) is not None:
            return fitted
    renamed = _renamed(tool.parameters, arguments)
    required = tool.parameters.get("required", [])
    if renamed.get("start") == 0 and arguments.get("offset") == 0:  # to some the first line is this one
        renamed = renamed | {"start": 1}
    values = {
        name: _typed(value, properties.get(name, {}))
        for name, value in renamed.items()
        if not (value is None and name not in required) and not (name not in properties and name in _DECORATION)
    }
    if tool.name == "todo" and isinstance(items := values.get("items"), list):
        values["items"] = foreign.tasks(items)
    return values if validate(tool, values) is None else None


def _told(call: ToolCall, name: str, arguments: str) -> Repaired:
    before = f"{call.name} {call.raw if call.raw is not None else dumps(call.arguments)}"
    what = "the name of a tool" if call.name != name else f"the arguments of {name}"
    return Repaired(what, before, f"{name} {arguments}")


def _looks_right(tool: ToolSpec, arguments: Json) -> bool:
    """Whether nothing is obviously wrong: cheap, for the usual case. The loop checks each call in full."""
    properties = tool.parameters.get("properties", {})
    return (
        arguments.keys() <= properties.keys()
        and all(name in arguments for name in tool.parameters.get("required", []))
        and all(
            _is_of(value, properties[name].get("type")) and not isinstance(value, list | dict)
            for name, value in arguments.items()
        )
    )


def _renamed(schema: Json, arguments: Json) -> Json:
    """The arguments with the schema's own names, where only one can be meant."""
    properties = schema.get("properties", {})
    free = [name for name in properties if name not in arguments]
    unknown = [name for name in arguments if name not in properties]
    meant: dict[str, str] = {}
    for name in unknown:
        choices = [wanted for wanted in free if _is_same_name(name, wanted)]
        if len(choices) == 1 and choices[0] not in meant.values():
            meant[name] = choices[0]
        elif len(choices) == 1:  # two that would be the same one
            return arguments
    return {meant.get(name, name): value for name, value in arguments.items()}


def _is_same_name(name: str, wanted: str) -> bool:
    from rapidfuzz.fuzz import ratio

    plain = _plain(name)
    return plain == _plain(wanted) or plain in _OTHER_NAMES.get(wanted, ()) or ratio(plain, _plain(wanted)) >= _NEARLY


def _typed(value: Any, rules: Json) -> Any:
    """The value as the type that the schema names, when it says the same in another one."""
    kinds = rules.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds == [None] or any(_is_of(value, kind) for kind in kinds):
        return _typed_within(value, rules)
    for kind in kinds:
        if isinstance(value, str) and (found := _read(value.strip(), kind)) is not None:
            return _typed_within(found, rules)
        if kind == "integer" and isinstance(value, float) and value.is_integer():
            return int(value)
        if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
            return dumps(value)
    return value


def _typed_within(value: Any, rules: Json) -> Any:
    if isinstance(value, list) and isinstance(items := rules.get("items"), dict):
        return [_typed(item, items) for item in value]
    if isinstance(value, dict) and isinstance(properties := rules.get("properties"), dict):
        return {name: _typed(item, properties.get(name, {})) for name, item in _renamed(rules, value).items()}
    return value


def _read(text: str, kind: str | None) -> Any:
    """What a string says in another type; None when it does not."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    if kind == "integer" and re.fullmatch(r"-?\d{1,15}(?:\.0+)?", text):
        return int(float(text))
    if kind == "number" and re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", text):
        return float(text)
    if kind in ("object", "array"):
        try:
            found = mended(text)
        except NotJson:
            return None
        return found if _is_of(found, kind) else None
    return None


def _is_of(value: Any, kind: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer" | "number":
            is_number = isinstance(value, int) or (kind == "number" and isinstance(value, float))
            return is_number and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
        case list():
            return any(_is_of(value, one) for one in kind)
    return True


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _only(tools: Iterable[ToolSpec]) -> ToolSpec | None:
    found = list(tools)
    return found[0] if len(found) == 1 else None
