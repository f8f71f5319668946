"""A conversation that comes near the end of the window is made shorter, and the task goes on without the user."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Received, Reply, fault, reasoning, text, tool_call, usage
from tui.agent.compaction import Compactor
from tui.agent.digest import digest
from tui.core.compaction import compact
from tui.core.events import Compacted, MessageAdded, Notice, StepFinished, TurnFinished
from tui.core.messages import Message, Text, ToolCall, ToolResult, user

INSTRUCTION = "Write a summary of it"


def asks_for_summary(request: Received) -> bool:
    last = request.body["messages"][-1]
    return last["role"] == "user" and INSTRUCTION in str(last["content"])


def tokens_of(request: Received) -> int:
    return len(json.dumps(request.body["messages"])) // 4


def worker(steps: int, window: int = 16_000) -> Callable[[Received], Any]:
    """A model that reads a file in each of so many steps; the server refuses what is longer than its window."""
    done = 0

    def answer(request: Received) -> Any:
        nonlocal done
        tokens = tokens_of(request)
        if tokens > window:
            message = f"This model's maximum context length is {window} tokens. However, you requested {tokens} tokens"
            return fault(400, message=message)
        if asks_for_summary(request):
            return Reply(text(f"## Task\nRead on.\n## Decisions\n{done} read.\n## Files\na.txt\n## Open points\nmore"))
        done += 1
        if done > steps:
            return Reply("All is read.", usage=usage(tokens, 5))
        return Reply(tool_call("read_file", {"path": "a.txt", "start": done}), usage=usage(tokens, 20))

    return answer


def sent_messages(stage: Stage) -> list[list[dict[str, Any]]]:
    return [request.body["messages"] for request in stage.server.requests if not request.refused]


def check_calls_are_answered(messages: list[dict[str, Any]]) -> None:
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls
        open_calls = [call["id"] for call in message.get("tool_calls", [])]
    assert not open_calls


async def test_a_long_turn_goes_through_several_compactions_to_its_end(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    stage_backend = {"context_window": 16_000}
    conversation = stage.conversation(worker(60), backend=stage_backend)
    events = await events_of(conversation.send("Read a.txt from every line on, please."))
    assert the(events, TurnFinished).reason == "done"
    made = [event for event in events if isinstance(event, Compacted)]
    assert len(made) >= 3 and any(event.summary for event in made)
    assert all(event.after_tokens < event.before_tokens for event in made)
    for messages in sent_messages(stage):
        check_calls_are_answered(messages)
        assert any("Read a.txt from every line on, please." in str(message["content"]) for message in messages)
    assert not any(request.refused for request in stage.server.requests)


async def test_old_results_are_folded_before_anything_is_summarised(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join("word " * 12 for i in range(150)))
    conversation = stage.conversation(worker(9), backend={"context_window": 16_000})
    events = await events_of(conversation.send("Go"))
    first = next(event for event in events if isinstance(event, Compacted))
    assert first.folded and not first.summary and first.cost == 0.0
    folded = [m for m in sent_messages(stage)[-1] if m["role"] == "tool" and "were folded to save room" in m["content"]]
    assert folded and all(len(m["content"]) < 400 for m in folded)


async def test_a_window_that_only_the_server_knows_is_learned_from_its_refusal(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    conversation = stage.conversation(worker(25, window=12_000))
    events = await events_of(conversation.send("Go"))
    assert the(events, TurnFinished).reason == "done"
    assert any(isinstance(event, Compacted) for event in events)


async def test_what_is_too_long_to_be_summarised_takes_the_last_summary_along(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    conversation = stage.conversation(worker(40, window=12_000))
    for words in ("Go", "Go on"):
        conversation.compactor = Compactor()  # which knows nothing of the window that the server has
        await events_of(conversation.send(words))
    asked = [json.dumps(request.body["messages"]) for request in stage.server.requests if asks_for_summary(request)]
    assert len(asked) > 1 and all("## Task\\nRead on." in messages for messages in asked[1:])


async def test_when_no_summary_can_be_had_it_goes_on_with_our_own_words(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    work = worker(25)
    conversation = stage.conversation(
        lambda request: fault(400, message="no") if asks_for_summary(request) else work(request),
        backend={"context_window": 16_000},
    )
    events = await events_of(conversation.send("Go on reading"))
    assert the(events, TurnFinished).reason == "done"
    summaries = [event.summary for event in events if isinstance(event, Compacted) and event.summary]
    assert summaries and "Go on reading" in summaries[0] and "read_file" in summaries[0]


async def test_a_session_that_is_taken_up_sends_what_the_running_one_would(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    conversation = stage.conversation(worker(20), backend={"context_window": 16_000})
    await events_of(conversation.send("Go"))
    live = conversation.history.messages
    await conversation.close()
    assert stage.reopen("agent", {"context_window": 16_000}, continue_last=True).history.messages == live


async def test_a_server_that_finds_everything_too_long_ends_the_turn(stage: Stage) -> None:
    conversation = stage.conversation(
        lambda request: fault(400, message="This model's maximum context length is 10 tokens."), mode="chat"
    )
    events = await events_of(conversation.send("Hi"))
    assert events[-1].type == "turn_failed" and len(stage.server.requests) < 12


# Spirals


async def test_reasoning_that_goes_round_in_circles_is_cut_and_the_model_is_told(stage: Stage) -> None:
    circle = "Wait, I should check the file again. No, I have already done that before. "
    conversation = stage.conversation([Reply(reasoning(circle * 400), text("x")), "Then I answer."], mode="chat")
    events = await events_of(conversation.send("Hi"))
    steps = [event for event in events if isinstance(event, StepFinished)]
    assert [step.finish_reason for step in steps] == ["repetition", "stop"]
    assert len(str(steps[0].message.blocks)) < len(circle) * 200
    assert "over and over" in the(events, MessageAdded).message.text
    sent = stage.server.requests[1].body["messages"]
    assert circle not in json.dumps(sent) and "over and over" in json.dumps(sent[-1])


async def test_a_model_that_only_repeats_itself_is_stopped(stage: Stage) -> None:
    conversation = stage.conversation(lambda request: "the same again and again. " * 900)
    events = await events_of(conversation.send("Hi"))
    end = the(events, TurnFinished)
    assert end.reason == "limit" and "could not be used" in end.detail
    assert len(stage.server.requests) == 4


@pytest.mark.parametrize("mode", ["chat", "agent"])
async def test_what_is_repeated_on_purpose_is_left_alone(stage: Stage, mode: str) -> None:
    rows = "".join(f"| {i} | yes | no |\n" for i in range(400)) + "hello\n" * 30 + "word " * 4000
    conversation = stage.conversation([rows], mode=mode)
    events = await events_of(conversation.send("A table"))
    assert the(events, StepFinished).finish_reason == "stop" and not any(isinstance(e, MessageAdded) for e in events)


@pytest.mark.parametrize("is_reasoning", [False, True])
async def test_a_sentence_with_a_running_number_is_the_same_sentence(stage: Stage, is_reasoning: bool) -> None:
    steps = "".join(f"Step {number}: I look at the file once more, to be sure of it.\n" for number in range(300))
    words = reasoning(steps) if is_reasoning else text(steps)
    conversation = stage.conversation([Reply(words, *["x"] * is_reasoning), "Then I answer."])
    events = await events_of(conversation.send("Hi"))
    steps_made = [event.finish_reason for event in events if isinstance(event, StepFinished)]
    assert steps_made == ["repetition", "stop"]


@pytest.mark.parametrize(
    "line", ["    " + "0x00, " * 12, "INSERT INTO people VALUES ({number}, 'nobody', 'without a name', NULL);"]
)
async def test_equal_lines_of_code_are_meant_but_not_without_end(stage: Stage, line: str) -> None:
    def code(lines: int) -> str:
        return "".join(f"{line.format(number=number)}\n" for number in range(lines))

    some = f"Here it is:\n```c\n{code(150)}```\nThat is all."
    conversation = stage.conversation([some, f"```c\n{code(3000)}```", "Done."])
    assert the(await events_of(conversation.send("Hi")), StepFinished).finish_reason == "stop"
    first, _ = (e for e in await events_of(conversation.send("More")) if isinstance(e, StepFinished))
    assert first.finish_reason == "repetition"


async def test_in_a_chat_the_user_decides_how_often_something_is_said(stage: Stage) -> None:
    conversation = stage.conversation(["I shall not talk in class again. " * 1000], mode="chat")
    assert the(await events_of(conversation.send("Write it")), StepFinished).finish_reason == "stop"


# The pure part

blocks = st.builds(ToolResult, st.sampled_from(["a", "b", "c"]), st.text(max_size=900))


@given(st.lists(st.sampled_from("usr")), st.integers(0, 6), st.booleans())
def test_compacting_never_parts_a_call_from_its_result(kinds: list[str], kept: int, summarises: bool) -> None:
    messages: list[Message] = []
    for number, kind in enumerate(kinds):
        if kind == "u":
            messages.append(user(f"words {number}"))
        else:
            messages.append(Message("assistant", (ToolCall(f"c{number}", "x", {}),)))
            messages.append(Message("tool", (ToolResult(f"c{number}", "y" * 500),)))
    kept = min(kept, len(messages))
    while kept and messages[len(messages) - kept].role == "tool":
        kept -= 1
    folded = tuple(f"c{n}" for n in range(len(kinds)))
    made = compact(messages, Compacted(folded, "sum" if summarises else "", kept, 0, 0))
    calls = [call.id for message in made for call in message.tool_calls]
    answers = [b.call_id for m in made if m.role == "tool" for b in m.blocks if isinstance(b, ToolResult)]
    assert calls == answers
    words = [m.words for m in messages if m.role == "user"]
    assert all(
        any(said in "".join(b.text for b in m.blocks if isinstance(b, Text)) for m in made) for said in words[-3:]
    )


@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_last_words_of_the_user_survive_any_number_of_summaries(times: int) -> None:
    messages = [user(f"words {number}") for number in range(6)]
    for _ in range(times):
        messages = compact(messages, Compacted((), "a summary", 0, 0, 0))
    assert len(messages) == 1 and messages[0].words == "words 3\nwords 4\nwords 5\n"


async def test_the_plan_stays_before_the_models_eyes_when_it_is_summarised(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    work = worker(25)
    is_first = iter([True])
    plan = {"items": [{"text": "read all of it", "state": "active"}, {"text": "tell of it", "state": "pending"}]}

    def answer(request: Received) -> Any:
        return Reply(tool_call("todo", plan)) if next(is_first, False) else work(request)

    conversation = stage.conversation(answer, backend={"context_window": 16_000})
    events = await events_of(conversation.send("Go"))
    assert the(events, TurnFinished).reason == "done"
    assert any(isinstance(event, Compacted) and event.summary for event in events)
    assert "read all of it" in json.dumps(sent_messages(stage)[-1]) and "as it stands" in json.dumps(
        sent_messages(stage)[-1]
    )


async def test_what_is_no_summary_is_not_taken_for_one(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))
    work = worker(25)
    conversation = stage.conversation(
        lambda request: Reply("Now 52.") if asks_for_summary(request) else work(request),
        backend={"context_window": 16_000},
    )
    events = await events_of(conversation.send("Go on reading"))
    summaries = [event.summary for event in events if isinstance(event, Compacted) and event.summary]
    assert summaries and not any("Now 52" in summary for summary in summaries)


SUMMARY = """\
## Task
Port the parser to Rust, keep the public names.
## Decisions
No macros, since they hide the errors.
## Files
src/lexer.rs: new; src/parser.rs: half done
## Open points
1. The error messages. 2. The benchmarks."""


@pytest.mark.parametrize(
    "failure, why", [(lambda: fault(400, message="no such luck"), "no such luck"), (lambda: Reply("Now 52."), "form")]
)
async def test_a_summary_that_cannot_be_had_does_not_take_the_last_one_with_it(
    stage: Stage, failure: Callable[[], Any], why: str
) -> None:
    summaries = iter([Reply(text(SUMMARY))])
    reads = iter(range(1000))

    def answer(request: Received) -> Any:
        if asks_for_summary(request):
            return next(summaries, None) or failure()
        is_answered = request.body["messages"][-1]["role"] == "tool"
        return "Read." if is_answered else Reply(tool_call("read_file", {"path": "a.txt", "start": next(reads) + 1}))

    (stage.folder / "a.txt").write_text("word\n" * 500)
    conversation = stage.conversation(answer)
    await events_of(conversation.send("Port the parser"))
    sizes = []
    for number in range(12):
        conversation.ask_to_compact()
        events = await events_of(conversation.send(f"And now part {number}? " + "Look well. " * 60))
        made = the(events, Compacted)
        notices = [event.message for event in events if isinstance(event, Notice)]
        assert any("No summary could be had" in words and why in words for words in notices) == (number > 0)
        for line in SUMMARY.splitlines():
            assert line in made.summary
        sizes.append(len(made.summary))
    assert "read_file" in made.summary and "part 10" in made.summary
    assert max(sizes) < len(SUMMARY) + 3000 and sizes[-1] <= sizes[-2] + 20


@pytest.mark.parametrize("heading", ["## {}\n", "**{}**\n", "### {}:\n", "{}: "])
def test_a_summary_with_other_headings_is_known_again(heading: str) -> None:
    names = ("TASK", "Decisions", "Files", "Open points")
    written = "\n".join(heading.format(name) + f"about {name}" for name in names)
    messages = compact([user("Hi")], Compacted((), written, 0, 0, 0))
    kept = digest(messages)
    assert kept.count("## ") == 4 and all(f"## {name}\nabout" in kept for name in ("Task", "Files", "Open points"))
    assert digest(compact([user("Hi")], Compacted((), "All of it in a sentence.", 0, 0, 0))).startswith("## Task\nAll")


async def test_the_user_can_have_it_made_shorter_at_any_time(stage: Stage) -> None:
    def answer(request: Received) -> Any:
        return worker(0)(request) if asks_for_summary(request) else "word " * 300

    conversation = stage.conversation(answer, mode="chat")
    assert "nothing yet" in conversation.ask_to_compact()
    for number in range(4):
        await events_of(conversation.send(f"words {number}"))
    conversation.ask_to_compact()
    made = the(await events_of(conversation.send("And now?")), Compacted)
    assert made.summary.startswith("## Task") and made.after_tokens < made.before_tokens
    assert made.is_shorter
    assert not any(isinstance(e, Compacted) for e in await events_of(conversation.send("And now?")))


async def test_calls_that_no_tool_can_take_end_the_turn_when_they_do_not_end(stage: Stage) -> None:
    numbers = iter(range(1000))
    conversation = stage.conversation(lambda request: Reply(tool_call("nonsense", {"n": next(numbers)})))
    end = the(await events_of(conversation.send("Go")), TurnFinished)
    assert end.reason == "limit" and "no tool can take" in end.detail
    assert len(stage.server.requests) == 10
