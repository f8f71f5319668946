"""Tool calls from models whose server knows no tools: by a schema, read from what the scripted server was sent."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.agent.conftest import Stage, events_of, the, types_of
from tests.scripted import Reply
from tui.agent.calls import Answer
from tui.agent.strategies.plain import first_sentence
from tui.agent.strategies.small import meant, places
from tui.backends.spec import Request, ToolSpec
from tui.core.events import Notice, Repaired, StepFinished, TextDelta, ToolFinished, ToolStarted, TurnFinished
from tui.core.messages import user

SMALL = {"strategy": "constrained", "context_window": 4096}
LARGE = {"strategy": "constrained", "context_window": 32768}


def schema_of(body: dict[str, Any]) -> dict[str, Any]:
    return body["response_format"]["json_schema"]["schema"]


def tools_in(body: dict[str, Any]) -> list[str]:
    return [option["properties"]["tool"]["const"] for option in schema_of(body)["anyOf"]]


async def test_a_small_model_is_offered_what_the_request_names_and_then_answers(stage: Stage) -> None:
    (stage.folder / "a.py").write_text("x = 1\n")
    replies = ['{"tool": "list_files", "path": "."}', '{"answer": "a.py  6 B"}']
    conversation = stage.conversation(replies, backend=SMALL)
    events = await events_of(conversation.send("What is in this folder?"))
    first, second = (request.body for request in stage.server.requests)
    assert "tools" not in first and tools_in(first) == ["list_files"]
    assert the(events, ToolStarted).call.arguments == {"path": "."}
    assert "a.py" in the(events, ToolFinished).result
    assert "a.py" in second["messages"][-1]["content"]
    assert schema_of(second)["properties"]["answer"]["enum"] == ["a.py  6 B"]
    assert the(events, TurnFinished).reason == "done"
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "a.py  6 B"


@pytest.mark.parametrize(
    ("request_text", "tools"),
    [
        ("Show me README.md", ["read_file"]),
        ("Search for TODO", ["search_files"]),
        ("Create hello.txt", ["write_file"]),
        ("Run ls -la", ["run_command"]),
        ("What about setup.py?", ["read_file"]),
        ("Replace red by blue in a.txt", ["edit_file"]),
    ],
)
async def test_words_choose_the_tool(stage: Stage, request_text: str, tools: list[str]) -> None:
    conversation = stage.conversation(["not json", "still not", "Sorry."], backend=SMALL)
    await events_of(conversation.send(request_text))
    assert tools_in(stage.server.requests[0].body) == tools


@pytest.mark.parametrize("mode", ["chat", "agent"])
async def test_who_asks_for_nothing_gets_an_answer_in_plain_words(stage: Stage, mode: str) -> None:
    conversation = stage.conversation(["Paris."], mode=mode, backend=SMALL)
    events = await events_of(conversation.send("Which city is the capital of France?"))
    assert "response_format" not in stage.server.requests[0].body
    assert the(events, StepFinished).message.text == "Paris."


async def test_a_larger_model_chooses_among_all_and_may_go_on(stage: Stage) -> None:
    (stage.folder / "a.py").write_text("x = 1\n")
    replies = [
        '{"tool": "list_files"}',
        '{"tool": "read_file", "path": "a.py", "start": 1}',
        '{"tool": "answer", "text": "x is 1."}',
    ]
    conversation = stage.conversation(replies, backend=LARGE)
    events = await events_of(conversation.send("What is x?"))
    assert tools_in(stage.server.requests[0].body)[-1] == "answer"
    assert [event.call.name for event in events if isinstance(event, ToolStarted)] == ["list_files", "read_file"]
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta("x is 1.")]
    assert types_of(events)[-1] == "turn_finished"


async def test_what_fits_the_schema_is_a_valid_call(stage: Stage) -> None:
    conversation = stage.conversation(['{"tool": "answer", "text": "a"}'], backend=LARGE)
    await events_of(conversation.send("x"))
    schema = schema_of(stage.server.requests[0].body)
    jsonschema.validate({"tool": "edit_file", "path": "a", "old": "b", "new": ""}, schema)
    for wrong in ({"tool": "edit_file", "path": "a"}, {"tool": "nothing"}, {"tool": "read_file", "path": "x" * 1001}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


async def test_a_small_model_says_what_it_searches_for_and_where(stage: Stage) -> None:
    conversation = stage.conversation(["not json", "still not", "Sorry."], backend=SMALL)
    await events_of(conversation.send("Search for TODO"))
    (option,) = schema_of(stage.server.requests[0].body)["anyOf"]
    assert option["required"] == ["tool", "pattern", "path"]


@pytest.mark.parametrize(("backend", "command", "path"), [(LARGE, 4000, 1000), (SMALL, 120, 120)])
async def test_strings_are_held_short_only_for_a_small_window(
    stage: Stage, backend: dict[str, Any], command: int, path: int
) -> None:
    conversation = stage.conversation(["no"] if backend == LARGE else ["no", "no", "no"], backend=backend)
    await events_of(conversation.send("Run something, then create a file"))
    options = schema_of(stage.server.requests[0].body)["anyOf"]
    limits = {
        name: rules["maxLength"]
        for option in options
        for name, rules in option["properties"].items()
        if "maxLength" in rules
    }
    assert limits.get("command", command) == command and limits.get("path", path) == path
    assert {"command", "path"} & limits.keys()


@pytest.mark.parametrize("strategy", ["constrained", "text"])
async def test_tools_are_described_by_a_whole_sentence(stage: Stage, strategy: str) -> None:
    conversation = stage.conversation(["no"], backend={**LARGE, "strategy": strategy})
    await events_of(conversation.send("Go"))
    system = stage.server.requests[0].body["messages"][0]["content"]
    lines = [line for line in system.splitlines() if "run_command(" in line or "fetch_url(" in line]
    assert lines and all(line.endswith(".") for line in lines)


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("Get it by its http: or https: address. Then more.", "Get it by its http: or https: address."),
        ("Read `a.b`, e.g. a file.\nMore.", "Read `a.b`, e.g. a file."),
        ("No stop at all", "No stop at all"),
    ],
)
def test_a_sentence_ends_at_a_full_stop(description: str, sentence: str) -> None:
    assert first_sentence(ToolSpec("x", description, {})) == sentence


async def test_a_small_model_looks_only_at_what_it_has_seen_named(stage: Stage) -> None:
    (stage.folder / "src").mkdir()
    (stage.folder / "src" / "a.py").write_text("x")
    conversation = stage.conversation(['{"tool": "read_file", "path": "src/a.py"}', "It says x."], backend=SMALL)
    await events_of(conversation.send("Show me src/a.py, then ./b.txt."))
    (option,) = schema_of(stage.server.requests[0].body)["anyOf"]
    assert option["properties"]["path"]["enum"] == ["src/a.py", "b.txt", "."]


async def test_an_answer_that_is_no_json_goes_back_and_the_turn_ends(stage: Stage) -> None:
    conversation = stage.conversation(['{"tool": "list_fi', "nonsense", "I give up."], backend=SMALL)
    events = await events_of(conversation.send("List the files"))
    assert all(event.is_error for event in events if isinstance(event, ToolFinished))
    assert the(events, TurnFinished).reason == "done"


async def test_what_does_not_fit_the_window_is_left_out_and_said(stage: Stage) -> None:
    conversation = stage.conversation(
        [" ".join(str(n) for n in range(1700)), "short", "Fine."], mode="chat", backend=SMALL
    )
    await events_of(conversation.send("first"))
    await events_of(conversation.send("second"))
    events = await events_of(conversation.send("third"))
    assert "left out" in the(events, Notice).message
    sent = [message["content"] for message in stage.server.requests[2].body["messages"]]
    assert sent[-3:] == ["second", "short", "third"] and "first" not in sent


async def test_a_long_result_is_cut_to_its_share_of_the_window(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"line {i}" for i in range(2000)))
    conversation = stage.conversation(['{"tool": "read_file", "path": "a.txt"}', "Long."], backend=SMALL)
    await events_of(conversation.send("Show me a.txt"))
    assert len(json.dumps(stage.server.requests[1].body)) < 8000


async def test_a_small_model_chooses_its_words_from_the_request_and_not_by_chance(stage: Stage) -> None:
    conversation = stage.conversation(['{"tool": "run_command", "command": "ls -la"}', "Done."], backend=SMALL)
    await events_of(conversation.send("Run ls -la, please."), Answer("once"))
    body = stage.server.requests[0].body
    (option,) = schema_of(body)["anyOf"]
    assert "ls -la" in option["properties"]["command"]["enum"]
    assert body["temperature"] == 0


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("Show docs/", ["docs", "."]),
        ("What is in the folder src?", ["src", "."]),
        ("Read a/b.py and c.md.", ["c.md", "a/b.py", "."]),
        ("Hello", ["."]),
    ],
)
def test_places_are_what_was_named(request_text: str, expected: list[str]) -> None:
    assert sorted(places(Request("", (user(request_text),)))) == sorted(expected)


async def test_a_small_model_quotes_the_line_that_answers(stage: Stage) -> None:
    (stage.folder / "a.toml").write_text('port = 8080\nhost = "x"\n')
    replies = ['{"tool": "read_file", "path": "a.toml"}', '{"answer": "port = 8080"}']
    conversation = stage.conversation(replies, backend=SMALL)
    events = await events_of(conversation.send("Which port is in a.toml?"))
    assert schema_of(stage.server.requests[1].body)["properties"]["answer"]["enum"] == ["port = 8080"]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["port = 8080"]


async def test_a_small_model_is_not_told_what_the_program_adds(stage: Stage) -> None:
    conversation = stage.conversation(['{"tool": "write_file", "path": "b.txt", "content": "hi"}', "x"], backend=SMALL)
    await events_of(conversation.send("Create b.txt with hi"), Answer("once"))
    assert stage.server.requests[0].body["messages"][-1]["content"] == "Create b.txt with hi"


async def test_a_wrong_call_is_told_in_the_words_of_the_check(stage: Stage) -> None:
    replies = ['{"tool": "read_file", "path": "a", "start": 0}', '{"tool": "answer", "text": "Sorry."}']
    conversation = stage.conversation(replies, backend=LARGE)
    events = await events_of(conversation.send("Go"))
    assert "at least 1" in the(events, ToolFinished).result
    assert "at least 1" in stage.server.requests[1].body["messages"][-1]["content"]


async def test_a_nearly_right_call_is_mended(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("seven")
    replies = ['{"name": "readFile", "arguments": {"file": "a.txt", "start": "1"}}', "It says seven."]
    conversation = stage.conversation(replies, backend=LARGE)
    events = await events_of(conversation.send("Go"))
    assert the(events, ToolStarted).call.arguments == {"path": "a.txt", "start": 1}
    assert the(events, Repaired).after.startswith("read_file")
    assert the(events, TurnFinished).reason == "done"


async def test_a_constrained_call_that_was_cut_at_the_limit_is_not_run(stage: Stage) -> None:
    cut = Reply('{"tool": "write_file", "path": "a.txt", "content": "x"}', finish="length")
    again = '{"tool": "answer", "text": "No."}'
    events = await events_of(stage.conversation([cut, again], backend=LARGE).send("Go"))
    assert not [event for event in events if isinstance(event, ToolStarted)]


@pytest.mark.parametrize(
    ("written", "name", "told"),
    [
        ('{"tool": "read_file", "path": "a.p', "read_file", "This call of read_file broke off"),
        ('{"tool": "read_fi', "call", "This call broke off"),
        ('{"tool": "read_file", "path": "a" b c "d" e}', "read_file", "This call of read_file cannot be read as JSON"),
    ],
)
async def test_a_call_that_is_no_whole_json_is_told_as_that(stage: Stage, written: str, name: str, told: str) -> None:
    replies = [written, '{"tool": "answer", "text": "Sorry."}']
    events = await events_of(stage.conversation(replies, backend=LARGE).send("Go"))
    (call,) = next(event for event in events if isinstance(event, StepFinished)).message.tool_calls
    assert call.name == name
    result = the(events, ToolFinished).result
    assert told in result and written in result and "no tool" not in result
    assert told in stage.server.requests[1].body["messages"][-1]["content"]


@pytest.mark.parametrize("wire", ["chat-completions", "messages", "responses", "ollama"])
async def test_calls_are_constrained_on_each_wire(stage: Stage, wire: str) -> None:
    (stage.folder / "a.txt").write_text("seven")
    replies = ['{"tool": "read_file", "path": "a.txt"}', '{"tool": "answer", "text": "Seven."}']
    conversation = stage.conversation(replies, backend={**LARGE, "wire": wire})
    events = await events_of(conversation.send("What does a.txt say?"))
    assert "seven" in the(events, ToolFinished).result
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Seven."]
    body = json.dumps(stage.server.requests[0].body)
    assert '"anyOf"' in body and '"tools"' not in body


@pytest.mark.parametrize(
    ("request_text", "tools"),
    [
        ("Fetch https://example.org", ["fetch_url"]),
        ("List the issues on github", ["github_list_issues"]),
        ("Apply the patch to a.py and list the todo points", []),
    ],
)
def test_other_tools_are_offered_by_the_words_of_a_request(request_text: str, tools: list[str]) -> None:
    names = ("apply_patch", "todo", "fetch_url", "ask_user", "github_list_issues", "remember")
    specs = [ToolSpec(name, "", {}) for name in names]
    assert [tool.name for tool in meant(request_text, specs)] == tools


async def test_json_in_a_fence_is_a_call_where_the_server_does_not_keep_to_the_schema(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("seven")
    replies = ['I look.\n```json\n{"tool": "read_file", "path": "a.txt"}\n```', "Seven."]
    events = await events_of(stage.conversation(replies, backend=LARGE).send("What does a.txt say?"))
    assert "seven" in the(events, ToolFinished).result and the(events, Repaired)
    assert the(events, TurnFinished).reason == "done"
