"""What is too long for the server or the model, said in any way: the conversation is made shorter and goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Received, Reply, chunk, fault, text, tool_call, usage
from tui.core.events import Compacted, Event, MessageAdded, Notice, Retrying, StepFinished, ToolFinished, TurnFinished

SUMMARY = "## Task\nRead on.\n## Decisions\nnone\n## Files\na.txt\n## Open points\nmore"
EXCEEDED = {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}


def asks_for_summary(request: Received) -> bool:
    return "Write a summary of it" in str(request.body["messages"][-1]["content"])


def made(events: list[Event]) -> list[Compacted]:
    return [event for event in events if isinstance(event, Compacted)]


class Reader:
    """A model that reads a file a few times; at its step `at` the server says `once`."""

    def __init__(self, at: int, once: Any, steps: int = 6) -> None:
        self.at, self.once, self.steps, self.done = at, once, steps, 0

    def __call__(self, request: Received) -> Any:
        if asks_for_summary(request):
            return Reply(text(SUMMARY))
        self.done += 1
        if self.done == self.at:
            return self.once
        if self.done > self.steps:
            return "All is read."
        return Reply(tool_call("read_file", {"path": "a.txt", "start": self.done}))


def write_long_file(stage: Stage) -> None:
    (stage.folder / "a.txt").write_text("\n".join(f"{i} " + "word " * 12 for i in range(400)))


@pytest.mark.parametrize(
    "once",
    [fault(500, {"error": EXCEEDED}), Reply(chunk({"error": EXCEEDED})), Reply("I ", chunk({"error": EXCEEDED}))],
)
async def test_llama_cpp_says_that_it_is_too_long_as_a_failure_of_its_own(stage: Stage, once: Any) -> None:
    write_long_file(stage)
    conversation = stage.conversation(Reader(5, once))
    events = await events_of(conversation.send("Read a.txt"))
    assert the(events, TurnFinished).reason == "done" and len(made(events)) == 1
    assert not [event for event in events if isinstance(event, Retrying)]


async def test_a_request_of_too_many_bytes_is_sent_again_with_old_results_folded(stage: Stage) -> None:
    write_long_file(stage)
    conversation = stage.conversation(Reader(5, fault(413)))
    events = await events_of(conversation.send("Read a.txt"))
    assert the(events, TurnFinished).reason == "done"
    (folding,) = made(events)
    assert folding.folded and not folding.summary and folding.after_tokens < folding.before_tokens
    sent = [len(json.dumps(request.body)) for request in stage.server.requests]
    assert sent[5] < sent[4]


async def test_a_request_of_too_many_bytes_with_nothing_to_fold_ends_the_turn(stage: Stage) -> None:
    conversation = stage.conversation([fault(413)])
    events = await events_of(conversation.send("Hi"))
    assert events[-1].type == "turn_failed" and not made(events)


@pytest.mark.parametrize("wire", ["chat-completions", "messages"])
@pytest.mark.parametrize("has_call", [False, True])
async def test_a_window_that_is_full_in_the_middle_of_a_reply_is_made_room_in(
    stage: Stage, wire: str, has_call: bool
) -> None:
    write_long_file(stage)
    call = tool_call("write_file", '{"path": "b.txt", "content": "very lo')
    cut = Reply(*([call] if has_call else ["Half an"]), finish="model_context_window_exceeded")
    conversation = stage.conversation(Reader(5, cut), backend={"wire": wire, "context_window": 200_000})
    events = await events_of(conversation.send("Read a.txt"))
    assert the(events, TurnFinished).reason == "done" and len(made(events)) == 1
    steps = [event for event in events if isinstance(event, StepFinished)]
    assert steps[-1].message.text == "All is read."
    assert any("window is full" in event.message for event in events if isinstance(event, Notice))
    assert not any("output limit" in event.message for event in events if isinstance(event, Notice))
    told = [event.message.text for event in events if isinstance(event, MessageAdded)]
    if has_call:
        assert any("window was full" in event.result for event in events if isinstance(event, ToolFinished))
    else:
        assert "go on where it ended" in told[-1]


async def test_a_window_that_stays_full_ends_the_turn(stage: Stage) -> None:
    cut = Reply("Half an", finish="model_context_window_exceeded")
    conversation = stage.conversation(lambda request: Reply(text(SUMMARY)) if asks_for_summary(request) else cut)
    end = the(await events_of(conversation.send("Hi")), TurnFinished)
    assert end.reason == "limit" and "window is full" in end.detail
    assert len(stage.server.requests) < 8


# How much room there is


def characters(request: Received) -> int:
    """What a server counts as tokens: the system prompt and the tools are part of it."""
    return len(json.dumps(request.body["messages"])) + len(json.dumps(request.body["tools"]))


class Counting(Reader):
    """The same with a server that counts tokens; `sizes` of the requests, without those for a summary."""

    def __init__(self, steps: int, a_token: int = 4) -> None:
        """`a_token`: so many characters are one."""
        super().__init__(-1, None, steps)
        self.a_token = a_token
        self.sizes: list[int] = []

    def __call__(self, request: Received) -> Any:
        reply = super().__call__(request)
        if asks_for_summary(request):
            return reply
        self.sizes.append(characters(request) // self.a_token)
        words = [text(reply)] if isinstance(reply, str) else reply.elements
        return Reply(*words, usage=usage(self.sizes[-1], 5))


async def test_the_size_before_and_after_are_counted_alike(stage: Stage) -> None:
    write_long_file(stage)
    model = Counting(12)
    conversation = stage.conversation(model, backend={"context_window": 16_000})
    sizes: list[tuple[Compacted, int]] = []
    async for record in conversation.send("Go"):
        if isinstance(record.event, Compacted):
            sizes.append((record.event, len(model.sizes)))
    assert sizes
    for event, place in sizes:
        assert abs(event.after_tokens - model.sizes[place]) < model.sizes[place] * 0.1
        assert event.summary or event.after_tokens <= 16_000 * 0.55


@pytest.mark.parametrize(("window", "words"), [(8_000, "little room"), (6_000, "no room")])
async def test_a_window_that_the_tools_mostly_fill_is_said_once(stage: Stage, window: int, words: str) -> None:
    write_long_file(stage)
    conversation = stage.conversation(Counting(8, a_token=2), backend={"context_window": window})
    events = await events_of(conversation.send("Go"))
    assert the(events, TurnFinished).reason == "done"
    told = [
        event.message for event in events if isinstance(event, Notice) and "beside the system prompt" in event.message
    ]
    assert len(told) == 1 and words in told[0]
    if words == "no room":
        assert not made(events)


async def test_the_user_can_have_it_made_shorter_where_there_is_hardly_room(stage: Stage) -> None:
    write_long_file(stage)
    conversation = stage.conversation(Counting(4, a_token=2), backend={"context_window": 6_000})
    assert not made(await events_of(conversation.send("Go")))
    conversation.ask_to_compact()
    assert len(made(await events_of(conversation.send("And?")))) == 1


# What a summary leaves out


async def test_the_date_is_told_again_after_a_summary_and_that_one_is_being_made(stage: Stage) -> None:
    write_long_file(stage)
    conversation = stage.conversation(Reader(3, fault(500, {"error": EXCEEDED})))
    events = await events_of(conversation.send("Read a.txt"))
    (summing,) = made(events)
    assert summing.summary
    assert "[Now: " in json.dumps(stage.server.requests[-1].body["messages"])
    notice = next(i for i, e in enumerate(events) if isinstance(e, Notice) and "Summarising" in e.message)
    assert notice < events.index(summing)
