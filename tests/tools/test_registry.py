"""The toolbox, and what a model is told when its arguments do not fit."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tui.tools.registry import EMPTY, default_toolbox, validate, warm

FILES = ("read_file", "list_files", "search_files", "edit_file", "write_file", "apply_patch")
COMMANDS = ("run_command", "start_command", "read_command", "write_command", "stop_command")
NAMES = (*FILES, *COMMANDS, "todo")


def test_the_tools_are_offered_in_a_stable_order() -> None:
    assert default_toolbox().names[: len(NAMES)] == NAMES
    assert tuple(spec.name for spec in default_toolbox().specs()) == default_toolbox().names
    assert default_toolbox().specs() == default_toolbox().specs()


def test_the_empty_toolbox_offers_nothing() -> None:
    assert EMPTY.names == () and EMPTY.specs() == () and EMPTY.get("read_file") is None


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_flat_and_described(name: str) -> None:
    tool = default_toolbox().get(name)
    assert tool is not None
    jsonschema.Draft202012Validator.check_schema(tool.parameters)
    for rules in tool.parameters["properties"].values():
        assert rules["type"] in ("string", "integer", "boolean", "array") and rules["description"]
    assert len(tool.description) < 450


def test_the_parameters_are_those_that_are_promised() -> None:
    parameters = {spec.name: tuple(spec.parameters["properties"]) for spec in default_toolbox().specs()}
    assert {name: parameters[name] for name in NAMES} == {
        "read_file": ("path", "start", "lines", "column"),
        "list_files": ("path",),
        "search_files": ("pattern", "path", "glob", "context"),
        "edit_file": ("path", "old", "new", "all"),
        "write_file": ("path", "content"),
        "apply_patch": ("patch",),
        "run_command": ("command", "timeout"),
        "start_command": ("command",),
        "read_command": ("id",),
        "write_command": ("id", "text"),
        "stop_command": ("id",),
        "todo": ("items",),
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "missing `path`"),
        ({"path": 3}, "`path` must be a string, not 3"),
        ({"path": "a", "start": "ten"}, '`start` must be a whole number, not "ten"'),
        ({"path": "a", "start": 0}, "`start` must be at least 1, not 0"),
        ({"path": "a", "file": "b"}, "unknown `file`"),
        ({"path": None}, "`path` must be a string, not null"),
    ],
)
def test_wrong_arguments_are_told_with_what_is_expected(arguments: dict[str, Any], words: str) -> None:
    tool = default_toolbox().get("read_file")
    assert tool is not None
    problem = validate(tool, arguments)
    assert problem is not None and words in problem
    assert "path (a string)" in problem and "start (a whole number, optional)" in problem


def test_of_several_missing_arguments_each_is_named_once() -> None:
    tool = default_toolbox().get("edit_file")
    assert tool is not None
    problem = validate(tool, {"all": True, "x": 1})
    assert problem is not None and problem.count("missing") == 1
    assert "missing `path`, `old`, `new`" in problem and "unknown `x`" in problem


def test_right_arguments_are_right() -> None:
    tool = default_toolbox().get("read_file")
    assert tool is not None
    warm()
    assert validate(tool, {"path": "a", "start": 1, "lines": 5}) is None
