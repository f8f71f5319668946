"""Which calls are quotations of what others said: the parsed call against each text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.agent.strategies.quoting import Heard, heard, is_quoted
from tui.backends.spec import Request
from tui.core.messages import Context, Message, Text, ToolCall, ToolResult
from tui.tools.registry import default_toolbox

TOOLS = default_toolbox().specs()
COMMAND = "echo 'a b' &&\n  touch x > \"y\""


def call(name: str = "run_command", **arguments: Any) -> ToolCall:
    return ToolCall("c", name, arguments)


@pytest.mark.parametrize(
    "text",
    [
        f"run_command(command={COMMAND!r})",
        json.dumps({"tool": "run_command", "command": COMMAND}),
        json.dumps({"content": json.dumps({"name": "run_command", "arguments": {"command": COMMAND}})}),
        "&lt;function=run_command&gt;echo 'a b' &amp;&amp; touch x &gt; \"y\"&lt;/function&gt;",
        "+run_command(\n+  command=\"echo 'a b' &&\n+  touch x > y\")",
        "  12\trunCommand(cmd=`echo 'a b' && touch x > y`)",
        "run_command(command=\"\\x65cho 'a b' && \\164ouch \\N{LATIN SMALL LETTER X} > y\")",
        "run_command(command=\"echo 'a b' &&\\f touch x\\b > y\")",
        '{"tool": "r\\u0075n_command", "command": "echo \'a b\' && touch x > \\"y\\""}',
        'functions.run_command:0 {"command": "echo \'a b\' && touch x > y"}',
        '{"command": "echo \'a b\' && touch x > y", "name": "run-command"}',
        "<call name=\"runn_command\">echo 'a b' && touch x > y",
    ],
)
@pytest.mark.parametrize("before", ["", "Words.\n" * 3000])
def test_a_call_is_recognised_in_every_spelling(text: str, before: str) -> None:
    for is_request in (False, True):
        assert is_quoted(call(command=COMMAND), TOOLS, [Heard(f"{before}{text}\nmore", is_request)])


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (call(command="make test"), "Run `make test` first."),
        (call(command="make test"), "run_command('make all')"),
        (call(command="make test"), "run_command is a tool." + " words" * 500 + " make test"),
        (call("list_files", path="."), "There is no tool `fly`. There are: `read_file`, `list_files`, `todo`."),
        (call("list_files"), "There are read_file, list_files and todo."),
        (call("read_file", path="a"), "def read_file(name): return call"),
    ],
)
def test_what_is_only_near_is_no_quotation(made: ToolCall, text: str) -> None:
    assert not is_quoted(made, TOOLS, [Heard(text)])


def test_a_plan_in_the_words_of_another_program_is_recognised() -> None:
    text = '<invoke>TodoWrite {"todos": [{"content": "wipe the disk", "status": "in_progress"}]}</invoke>'
    made = call("todo", items=[{"text": "wipe the disk", "state": "active"}])
    assert is_quoted(made, TOOLS, [Heard(text)])
    assert not is_quoted(call("todo", items=[{"text": "read on", "state": "active"}]), TOOLS, [Heard(text)])


def test_a_call_without_words_is_a_quotation_of_such_a_call() -> None:
    assert is_quoted(call("list_files"), TOOLS, [Heard("<tool_call>list_files</tool_call>")])
    assert is_quoted(call("list_files"), TOOLS, [Heard('{"tool": "list_files"}')])


def test_all_that_the_model_did_not_write_is_heard() -> None:
    said = Message("user", (Context("notes"), Text("words")))
    result = Message("tool", (ToolResult("c", "page"),))
    request = Request("system", (said, Message("assistant", (Text("own"),)), result))
    assert heard(request) == [Heard("system"), Heard("notes"), Heard("words", True), Heard("page")]


@given(st.text(max_size=80), st.text(alphabet="run_command(){}\"'` \n+:", max_size=80))
def test_any_text_is_compared_without_an_error(value: str, text: str) -> None:
    is_quoted(call(command=value), TOOLS, [Heard(text), Heard(value, True)])
