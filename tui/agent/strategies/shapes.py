"""What a call looks like as JSON, and as an expression of Python."""

from __future__ import annotations

import ast
import warnings
from typing import Any, NamedTuple

from tui.core.messages import Json

_NAMES = ("name", "tool", "tool_name", "function_name", "recipient_name", "action", "function")
_ARGUMENTS = (
    "arguments",
    "parameters",
    "args",
    "input",
    "params",
    "kwargs",
    "tool_input",
    "action_input",
    "tool_args",
    "tool_arguments",
)
_WRAPS = ("tool_calls", "tool_call", "function_call", "function", "calls")
_BESIDE = frozenset(
    {"id", "type", "index", "call_id", "tool_call_id", "thought", "thoughts", "reasoning", "explanation"}
)
"""What may stand beside a call without making it something else."""
_PYTHON_CHARACTERS = 20_000


class Written(NamedTuple):
    """A call as it was written. `arguments` as text is JSON that is still to be read."""

    name: str
    arguments: Json | str
    places: tuple[Any, ...] = ()
    """Arguments without a name, in their order."""


def calls_in(value: Any, *, may_be_flat: bool = True) -> list[Written]:
    """The calls that a JSON value is; none when it is anything else, or only in part.

    `may_be_flat`: `{"tool": name, ...}` with the arguments beside the name is one, too.
    """
    if isinstance(value, list):
        found = [calls_in(item, may_be_flat=may_be_flat) for item in value]
        return [call for calls in found for call in calls] if all(found) else []
    if not isinstance(value, dict):
        return []
    for wrap in _WRAPS:
        if isinstance(value.get(wrap), dict | list) and value.keys() - _BESIDE == {wrap}:
            return calls_in(value[wrap], may_be_flat=may_be_flat)
    return _one(value, may_be_flat)


def _one(value: Json, may_be_flat: bool) -> list[Written]:
    key = next((key for key in _NAMES if isinstance(value.get(key), str)), None)
    if key is None:
        return []
    rest = {name: item for name, item in value.items() if name != key}
    given = [name for name in _ARGUMENTS if isinstance(rest.get(name), dict | str) or (name in rest and not rest[name])]
    beside = rest.keys() - _BESIDE
    if len(given) == 1 and beside == {given[0]}:
        arguments = rest[given[0]]
        return [Written(value[key], arguments if isinstance(arguments, dict | str) and arguments else {})]
    if key == "tool" and may_be_flat:
        return [Written(value[key], {name: item for name, item in rest.items() if name not in ("id", "type")})]
    return []


def python_calls(code: str) -> list[Written]:
    """The calls that a piece of Python consists of: `read_file(path="a")`, `print(...)` of one, a list of some.

    None when there is anything else in it: nothing is evaluated but literals.
    """
    if len(code) > _PYTHON_CHARACTERS:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(code.strip()).body
        found = [_expression(line.value) if isinstance(line, ast.Expr) else [] for line in body]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return []
    return [call for calls in found for call in calls] if all(found) else []


def _expression(node: ast.expr) -> list[Written]:
    if isinstance(node, ast.List | ast.Tuple):
        found = [_expression(item) for item in node.elts]
        return [call for calls in found for call in calls] if all(found) else []
    if not isinstance(node, ast.Call):
        return []
    name = _dotted(node.func)
    if name == "print" and len(node.args) == 1 and not node.keywords:
        return _expression(node.args[0])
    if name.endswith(".call"):  # Llama's own tools
        name = name.removesuffix(".call")
    if not name or any(keyword.arg is None for keyword in node.keywords):
        return []
    arguments = {str(keyword.arg): _plain(ast.literal_eval(keyword.value)) for keyword in node.keywords}
    return [Written(name, arguments, tuple(_plain(ast.literal_eval(item)) for item in node.args))]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _plain(value: Any) -> Any:
    """A literal as JSON has it. Raises ValueError for what JSON does not have."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    raise ValueError("not a value of JSON")
