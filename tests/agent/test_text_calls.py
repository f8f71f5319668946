"""Calls that a model writes as text: which are taken for calls, and which are only spoken of."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.agent.strategies.holding import Holding
from tui.agent.strategies.spotting import spot
from tui.agent.strategies.tagged import START
from tui.tools.registry import default_toolbox

TOOLS = default_toolbox().specs()
NAMES = {tool.name for tool in TOOLS}
READ = [("read_file", {"path": "a.txt"})]
TWO = [*READ, ("list_files", {"path": "src"})]
WRITE = [("write_file", {"path": "a.py", "content": 'print("x")\n'})]

CALLS: list[tuple[str, str, list[tuple[str, dict[str, Any]]]]] = [
    ("Hermes", '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.txt"}}\n</tool_call>', READ),
    (
        "Hermes, end token",
        '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt"}}</tool_call><|im_end|>',
        READ,
    ),
    ("Hermes, not closed", '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.txt"}}', READ),
    (
        "Hermes, bracket missing",
        '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.txt"}\n</tool_call>',
        READ,
    ),
    (
        "Hermes, arguments as text",
        '<tool_call>{"name":"read_file","arguments":"{\\"path\\":\\"a.txt\\"}"}</tool_call>',
        READ,
    ),
    ("Hermes, single quotes", "<tool_call>{'name': 'read_file', 'arguments': {'path': 'a.txt'}}</tool_call>", READ),
    ("Hermes, trailing comma", '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt",}}</tool_call>', READ),
    (
        "Hermes, two",
        '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt"}}</tool_call>\n'
        '<tool_call>{"name": "list_files", "arguments": {"path": "src"}}</tool_call>',
        TWO,
    ),
    (
        "Hermes, with the result made up",
        '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt"}}</tool_call>\nThe file says hello.',
        READ,
    ),
    (
        "Hermes, line breaks in a string",
        '<tool_call>{"name":"write_file","arguments":{"path":"a.py","content":"print(\\"x\\")\n"}}</tool_call>',
        WRITE,
    ),
    ("Cline", "<read_file>\n<path>a.txt</path>\n</read_file>", READ),
    ("Cline, not closed", "<read_file><path>a.txt</path>", READ),
    (
        "Cline, its own name",
        '<write_to_file>\n<path>a.py</path>\n<content>\nprint("x")\n\n</content>\n<line_count>1</line_count></write_to_file>',
        WRITE,
    ),
    ("tool_calls with a list", '<tool_calls>[{"name":"read_file","arguments":{"path":"a.txt"}}]</tool_calls>', READ),
    ("function", '<function=read_file>{"path": "a.txt"}</function>', READ),
    ("function, end token", '<function=read_file>{"path": "a.txt"}</function><|eom_id|>', READ),
    (
        "Qwen3-Coder",
        "<tool_call>\n<function=read_file>\n<parameter=path>\na.txt\n</parameter>\n</function>\n</tool_call>",
        READ,
    ),
    ("Qwen3-Coder, first tag lost", "<function=read_file>\n<parameter=path>\na.txt\n</parameter>\n</function>", READ),
    (
        "Qwen3-Coder, a number",
        "<function=read_file><parameter=path>a.txt</parameter><parameter=start>3</parameter></function>",
        [("read_file", {"path": "a.txt", "start": 3})],
    ),
    (
        "Qwen3-Coder, code",
        '<function=write_file><parameter=path>a.py</parameter><parameter=content>\nprint("x")\n\n</parameter></function>',
        WRITE,
    ),
    ("Llama", '<|python_tag|>{"name": "read_file", "parameters": {"path": "a.txt"}}', READ),
    ("Llama, bare", '{"name": "read_file", "parameters": {"path": "a.txt"}}', READ),
    ("Llama, with type", '{"type": "function", "name": "read_file", "parameters": {"path": "a.txt"}}', READ),
    ("Llama, own form", '<|python_tag|>read_file.call(path="a.txt")<|eom_id|>', READ),
    (
        "Llama, two",
        '{"name": "read_file", "parameters": {"path": "a.txt"}}; '
        '{"name": "list_files", "parameters": {"path": "src"}}',
        TWO,
    ),
    ("Mistral", '[TOOL_CALLS][{"name": "read_file", "arguments": {"path": "a.txt"}}]', READ),
    ("Mistral, newer", '[TOOL_CALLS]read_file[ARGS]{"path": "a.txt"}', READ),
    ("Mistral, two", '[TOOL_CALLS]read_file{"path": "a.txt"}[TOOL_CALLS]list_files{"path": "src"}', TWO),
    ("Mistral, space", '[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "a.txt"}, "id": "abcdefghi"}]', READ),
    ("Granite", '<|tool_call|>[{"name": "read_file", "arguments": {"path": "a.txt"}}]', READ),
    (
        "Kimi",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>"
        '{"path": "a.txt"}<|tool_call_end|><|tool_calls_section_end|>',
        READ,
    ),
    (
        "Kimi, two",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>"
        '{"path": "a.txt"}<|tool_call_end|><|tool_call_begin|>functions.list_files:1<|tool_call_argument_begin|>'
        '{"path": "src"}<|tool_call_end|><|tool_calls_section_end|>',
        TWO,
    ),
    (
        "DeepSeek V3",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n"
        '{"path": "a.txt"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>',
        READ,
    ),
    (
        "DeepSeek V3.1",
        '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "a.txt"}'
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        READ,
    ),
    (
        "DeepSeek DSML",
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">\n'
        '<｜DSML｜parameter name="path" string="true">a.txt</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="start" string="false">3</｜DSML｜parameter>\n'
        "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
        [("read_file", {"path": "a.txt", "start": 3})],
    ),
    (
        "GLM",
        "<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a.txt</arg_value>\n</tool_call>",
        READ,
    ),
    (
        "GLM, number",
        "<tool_call>read_file<arg_key>path</arg_key><arg_value>a.txt</arg_value>"
        "<arg_key>lines</arg_key><arg_value>5</arg_value></tool_call>",
        [("read_file", {"path": "a.txt", "lines": 5})],
    ),
    ("GLM, no arguments", "<tool_call>list_files</tool_call>", [("list_files", {})]),
    (
        "MiniMax",
        '<minimax:tool_call>\n<invoke name="read_file">\n<parameter name="path">a.txt</parameter>\n</invoke>\n'
        "</minimax:tool_call>",
        READ,
    ),
    (
        "Claude",
        '<function_calls>\n<invoke name="read_file">\n<parameter name="path">a.txt</parameter>\n</invoke>\n'
        "</function_calls>",
        READ,
    ),
    (
        "Claude, old",
        "<function_calls><invoke><tool_name>read_file</tool_name><parameters><path>a.txt</path></parameters></invoke>"
        "</function_calls>",
        READ,
    ),
    ("invoke alone", '<invoke name="read_file"><parameter name="path">a.txt</parameter></invoke>', READ),
    (
        "harmony",
        '<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "a.txt"}<|call|>',
        READ,
    ),
    ("Qwen-Agent", '✿FUNCTION✿: read_file\n✿ARGS✿: {"path": "a.txt"}', READ),
    ("Qwen-Agent, result", '✿FUNCTION✿: read_file\n✿ARGS✿: {"path": "a.txt"}\n✿RESULT✿: ', READ),
    ("Qwen-Agent, slip of the pen", "✿FUNCTION✿: read_file\n✿ARGS✿: {'path': 'a.txt',}\n✿RESULT✿", READ),
    (
        "Qwen-Agent, two",
        '✿FUNCTION✿: read_file\n✿ARGS✿: {"path": "a.txt"}\n✿FUNCTION✿: list_files\n✿ARGS✿: {"path": "src"}\n'
        "✿RESULT✿: \n✿RESULT✿: ",
        TWO,
    ),
    ("fence", '```json\n{"name": "read_file", "arguments": {"path": "a.txt"}}\n```', READ),
    ("fence, flat", '```json\n{"tool": "read_file", "path": "a.txt"}\n```', READ),
    ("fence without a word", '```\n{"tool": "read_file", "path": "a.txt"}\n```', READ),
    (
        "fence, two",
        '```json\n{"tool": "read_file", "path": "a.txt"}\n```\n```json\n{"tool": "list_files", "path": "src"}\n```',
        TWO,
    ),
    ("fence, list", '```json\n[{"tool_name": "read_file", "parameters": {"path": "a.txt"}}]\n```', READ),
    ("fence, action", '```json\n{"action": "read_file", "action_input": {"path": "a.txt"}}\n```', READ),
    ("fence, OpenAI", '```json\n{"tool_calls": [{"id": "1", "type": "function", "function": '
     '{"name": "read_file", "arguments": "{\\"path\\": \\"a.txt\\"}"}}]}\n```', READ),
    ("fence, comment", '```json\n{"tool": "read_file", // which\n "path": "a.txt"}\n```', READ),
    ("fence, smart quotes", "```json\n{“tool”: “read_file”, “path”: “a.txt”}\n```", READ),
    ("tool_code", '```tool_code\nprint(read_file(path="a.txt"))\n```', READ),
    ("tool_code, API", '```tool_code\nprint(default_api.read_file(path = "a.txt"))\n```', READ),
    ("Python", 'read_file(path="a.txt")', READ),
    ("Python, place", "read_file('a.txt')", READ),
    ("Python, list", '[read_file(path="a.txt"), list_files(path="src")]', TWO),
    ("Python, lines", 'read_file(path="a.txt")\nlist_files("src")', TWO),
    ("Python, string of lines", 'write_file(path="a.py", content="""print("x")\n""")', WRITE),
    ("bare", '{"tool": "read_file", "path": "a.txt"}', READ),
    ("bare, keys without quotes", '{tool: "read_file", path: "a.txt"}', READ),
    ("bare, function", '{"function": {"name": "read_file", "arguments": {"path": "a.txt"}}}', READ),
    ("ReAct", 'Thought: I look.\nAction: read_file\nAction Input: {"path": "a.txt"}', READ),
    ("ReAct, next word", 'Action: read_file\nAction Input: {"path": "a.txt"}\nObservation:', READ),
    ("other case", '<tool_call>{"name": "ReadFile", "arguments": {"path": "a.txt"}}</tool_call>', READ),
    ("camel case", '<tool_call>{"name": "readFile", "arguments": {"path": "a.txt"}}</tool_call>', READ),
    ("prefix", '<tool_call>{"name": "functions.read_file", "arguments": {"path": "a.txt"}}</tool_call>', READ),
    (
        "prefix of a server",
        '<tool_call>{"name": "mcp__files__read_file", "arguments": {"path": "a.txt"}}</tool_call>',
        READ,
    ),
    ("slip", '<tool_call>{"name": "raed_file", "arguments": {"path": "a.txt"}}</tool_call>', READ),
    ("other key", '<tool_call>{"name": "read_file", "arguments": {"file_path": "a.txt"}}</tool_call>', READ),
    ("null", '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt", "start": null}}</tool_call>', READ),
]  # fmt: skip

NOT_CALLS = [
    "",
    "The file read_file.py reads files.",
    "I would call read_file(path=\"a.txt\") next.",
    "You can use it so:\nread_file(path=\"a.txt\")",
    "For example:\n```json\n{\"tool\": \"read_file\", \"path\": \"a.txt\"}\n```",
    "An example of a call:\n<tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>",
    "The format is <tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>",
    "Never use <tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>",
    "A call is `<tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>`",
    "It said \"<tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>\"",
    "> <tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>",
    "```xml\n<tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>\n```",
    "```\n<function=read_file>{\"path\": \"a.txt\"}</function>",
    "Look: <tool_call>{\"name\": \"read_file\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call> is how it is done.",
    "```json\n{\"tool\": \"read_file\", \"path\": \"a.txt\"}\n```\nThat is what was sent.",
    "```json\n{\"name\": \"read_file\", \"version\": \"1.0\"}\n```",
    "```json\n{\"name\": \"mimo\", \"arguments\": {\"path\": \"a.txt\"}}\n```",
    "```json\n{\"path\": \"a.txt\"}\n```",
    "```json\n{\"name\": \"read_file\", \"arguments\": {\"colour\": \"red\"}}\n```",
    "```json\n[{\"tool\": \"read_file\", \"path\": \"a\"}, {\"name\": \"x\"}]\n```",
    "```python\nread_file(path=\"a.txt\")\n```",
    "```python\nprint(read_file(path=\"a.txt\"))\n```",
    "```sh\nread_file(path=\"a.txt\")\n```",
    "<tool_call>{\"name\": \"delete_everything\", \"arguments\": {}}</tool_call>",
    "<tool_call>nonsense</tool_call>",
    "<read_file>",
    "<read_file> takes a <path>.",
    "The form is `<read_file><path>a.txt</path></read_file>`",
    "<user_name><first>Ann</first></user_name>",
    "<read_file><path>a.txt",
    "<tool_call></tool_call>",
    "<tool_call>",
    "<tool_call>\n{\"name\": \"write_file\", \"arguments\": {\"path\": \"a.py\", \"content\": \"x = ",
    "<function=delete_all>{\"path\": \"a.txt\"}</function>",
    "<function=read_file><parameter=path>a.txt</parameter> and then more </function>",
    "<invoke name=\"read_file\"><parameter name=\"path\">a.txt",
    "[TOOL_CALLS]",
    "[TOOL_CALLS][{\"name\": \"nothing\", \"arguments\": {}}]",
    "<|python_tag|>import os; os.remove('a')",
    "read_file(path=open('a').read())",
    "read_file(path=name)",
    "read_file(**options)",
    "x = read_file(path=\"a.txt\")",
    "[read_file(path=\"a.txt\"), 1]",
    "read_file(\"a.txt\", 1, 2, 3, 4)",
    "read_files(path=\"a.txt\")",
    "print(\"read_file\")",
    "{\"tool\": \"read_file\", \"path\": \"a.txt\"} is the call that was made.",
    "{\"tool\": \"read_file\"}",
    "The format is ✿FUNCTION✿: read_file\n✿ARGS✿: {\"path\": \"a.txt\"}",
    "✿FUNCTION✿: read_file",
    "✿FUNCTION✿: nothing\n✿ARGS✿: {\"path\": \"a.txt\"}",
    "{\"tool\": \"nothing\", \"path\": \"a.txt\"}",
    "{\"tool\": \"write_file\", \"path\": \"a\", \"content\": \"cut he",
    "Action: read_file",
    "Action: think\nAction Input: {\"path\": \"a.txt\"}",
    "The model answered:\n> {\"tool\": \"read_file\", \"path\": \"a.txt\"}",
]  # fmt: skip


def found(text: str) -> list[tuple[str, dict[str, Any]]] | None:
    spotted = spot(text, TOOLS)
    return [(call.name, call.arguments) for call in spotted.calls] if spotted else None


@pytest.mark.parametrize(("text", "expected"), [pytest.param(text, calls, id=name) for name, text, calls in CALLS])
def test_a_call_written_as_text_is_found(text: str, expected: Any) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "before",
    [
        "I did not run this: ",
        "The file says: ",
        "The README contains this line:\n",
        "The patch adds:\n",
        "The notes say this.\nIt stands at the end:\n",
        "The page shows:\n\n",
        "I don't do that:\n",
        "One could try\n",
    ],
)
@pytest.mark.parametrize("text", [CALLS[0][1], 'read_file(path="a.txt")', '```json\n{"tool": "list_files"}\n```'])
def test_no_call_follows_words_of_a_quotation(before: str, text: str) -> None:
    assert found(before + text) is None


@pytest.mark.parametrize(
    "before",
    [
        "The test reads well.\n\nNow the file:\n",
        "An error on line 5.\n",
        "It loads:\n",
        "I don't see it. Let me look:\n",
    ],
)
def test_a_call_follows_other_words(before: str) -> None:
    assert found(f"{before}read_file('a.txt')") == READ


@pytest.mark.parametrize("before", ["I look at the file.\n\n", "First the file:\n", "Gut. Ich lese die Datei.\n"])
@pytest.mark.parametrize(("text", "expected"), [pytest.param(text, calls, id=name) for name, text, calls in CALLS])
def test_words_before_a_call_stay_words(before: str, text: str, expected: Any) -> None:
    spotted = spot(before + text, TOOLS)
    if "The file says hello" in text:  # what follows a call that was not the first thing: it is only spoken of
        assert spotted is None
        return
    assert spotted is not None and [(call.name, call.arguments) for call in spotted.calls] == expected
    assert spotted.before.startswith(before.strip())


@pytest.mark.parametrize("text", NOT_CALLS)
def test_what_is_only_spoken_of_is_no_call(text: str) -> None:
    assert found(text) is None


def test_without_tools_nothing_is_a_call() -> None:
    assert all(spot(text, ()) is None for _, text, _ in CALLS)


@settings(max_examples=300)
@given(st.sampled_from([text for _, text, _ in CALLS]), st.data())
def test_a_mutilated_call_never_raises_and_never_invents_a_tool(text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    put = data.draw(st.text(max_size=3) | st.sampled_from(["<tool_call>", "```", "{", "}", '"', "\n", "<|", "｜"]))
    calls = found(text[:first] + put + text[last:]) or []
    assert {name for name, _ in calls} <= NAMES


PIECES = st.sampled_from(
    sorted(
        {piece for _, text, _ in CALLS for piece in re.findall(r"<[^>]*>|\w+|\W", text)}
        | {"read_file", "\n", "```json\n"}
    )
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_is_looked_through_without_an_error(text: str) -> None:
    assert {name for name, _ in found(text) or []} <= NAMES


@given(st.text(max_size=200))
def test_a_text_that_names_no_tool_has_no_call(text: str) -> None:
    assert found(text) is None


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "{" * 50_000, "<tool_call>" * 5_000, '{"a":' * 20_000, "(" * 9_000 + ")"]
)
def test_deep_and_endless_texts_are_no_calls(text: str) -> None:
    assert found(text) is None and found("<tool_call>" + text) is None and found(f"read_file{text}") is None


@given(st.sampled_from([text for _, text, _ in CALLS]), st.integers(1, 9), st.text(max_size=40))
def test_what_is_held_and_what_is_shown_are_the_whole_text(text: str, size: int, before: str) -> None:
    whole, holding, shown = f"{before}\n{text}", Holding(), ""
    for start in range(0, len(whole), size):
        shown += holding.feed(whole[start : start + size])
        assert whole.startswith(shown + holding.held)
    assert shown + holding.held == whole
    if START.search(text) and not START.search(before):
        assert START.search(shown) is None


def test_a_long_answer_with_code_is_shown_as_it_comes() -> None:
    text = (
        "Here:\n```json\n" + json.dumps({"colours": {str(n): "red" for n in range(50)}}) + "\n```\nand <b> more.\n" * 20
    )
    holding, shown = Holding(), ""
    for start in range(0, len(text), 10):
        shown += holding.feed(text[start : start + 10])
        assert len(holding.held) < 120
    assert shown + holding.release() == text


def test_a_block_that_looked_like_a_call_is_shown_once_the_answer_goes_on() -> None:
    block, holding = '```json\n{"name": "read_file", "version": 1}\n```\n', Holding()
    assert holding.feed("So:\n") + holding.feed(block) == "So:\n"
    assert holding.feed("That is it.") == block + "That is it." and holding.held == ""


def test_a_long_call_is_held_to_its_end() -> None:
    holding = Holding()
    holding.feed('```json\n{"tool": "write_file", "path": "a", "content": "')
    assert all(holding.feed("word ") == "" for _ in range(20_000)) and len(holding.held) > 100_000
