"""Subagents: nested turns of their own, over real HTTP, within the limits and approvals of the turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import Stage, records_of
from tests.scripted import Reply, ScriptedServer, fault, pause, text, tool_call, usage
from tui.agent.calls import Answer
from tui.agent.conversation import Conversation
from tui.agent.wishes import Wishes
from tui.core.events import (
    ApprovalAsked,
    Notice,
    QuestionAsked,
    Record,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from tui.core.usage import Price
from tui.sessions.history import request_of
from tui.settings.agent_files import agents_dir
from tui.settings.schema import BackendConfig, Settings
from tui.settings.trust import trust

LOOK = tool_call("read_file", {"path": "a.txt"}, id="r1")
CHEAP = "---\ndescription: Looks things up, cheaply.\nbackend: cheap\ntools: read_file, search_files\n---\nYou search."


def delegate(task: str = "Find the answer.", agent: str | None = None, id: str = "d1") -> Any:
    return tool_call("delegate", {"task": task} | ({"agent": agent} if agent else {}), id=id)


def define(name: str, words: str) -> Path:
    agents_dir().mkdir(parents=True, exist_ok=True)
    path = agents_dir() / f"{name}.md"
    path.write_text(words)
    return path


def nested(records: Sequence[Record], kind: type[Any], parent: str | None = None) -> list[Any]:
    """The events of subagents, of one call or of all."""
    return [
        record.event
        for record in records
        if isinstance(record.event, kind) and record.parent is not None and parent in (None, record.parent)
    ]


def result(records: Sequence[Record], id: str = "d1") -> ToolFinished:
    """What the user's own agent got of a call."""
    (found,) = [
        record.event
        for record in records
        if record.parent is None and isinstance(record.event, ToolFinished) and record.event.call_id == id
    ]
    return found


def is_nested(request: Any) -> bool:
    return "tools" in request.body and all(tool["function"]["name"] != "delegate" for tool in request.body["tools"])


class Two:
    """A strong model and a cheap one, on servers of their own."""

    def __init__(self, folder: Path, scripted: Callable[..., ScriptedServer]) -> None:
        self.folder, self._scripted = folder, scripted
        self.made: list[Conversation] = []

    def begin(self, strong: Sequence[Any], cheap: Any, *, agent: str = CHEAP, **wishes: Any) -> Conversation:
        self.strong, self.cheap = self._scripted(strong), self._scripted(cheap)
        define("look", agent)
        return self.again(**wishes)

    def again(self, **wishes: Any) -> Conversation:
        def config(server: ScriptedServer, price: float) -> BackendConfig:
            return BackendConfig(
                wire="chat-completions",
                base_url=server.base_url,
                model="scripted",
                credential="none",
                retries=0,
                price=Price(price, price),
            )

        backends = {"strong": config(self.strong, 100.0), "cheap": config(self.cheap, 1.0)}
        wishes = {"mode": "agent", "backend": "strong"} | wishes
        self.made.append(Conversation.open(Settings(backends=backends), self.folder, Wishes(**wishes)))
        return self.made[-1]


@pytest.fixture
async def two(stage: Stage, scripted: Callable[..., ScriptedServer]) -> Any:
    (stage.folder / "a.txt").write_text("forty-two\n")
    two = Two(stage.folder, scripted)
    yield two
    for conversation in two.made:
        await conversation.close()


async def test_without_a_task_there_is_no_subagent(stage: Stage) -> None:
    conversation = stage.conversation([Reply(delegate("")), "Sorry."])
    records = await records_of(conversation.send("go"))
    assert result(records).is_error and "`task`" in result(records).result
    assert not nested(records, StepStarted)


async def test_a_cheap_model_searches_and_a_strong_one_decides(two: Two) -> None:
    conversation = two.begin(
        [Reply(delegate(agent="look"), usage=usage(100, 10)), Reply("It is 42.", usage=usage(200, 10))],
        [Reply(LOOK, usage=usage(1000, 20)), Reply("a.txt:1 says forty-two.", usage=usage(2000, 30))],
    )
    records = await records_of(conversation.send("What is the answer?"))
    end = result(records)
    assert not end.is_error and end.result.startswith("a.txt:1 says forty-two.")
    assert "[look: 2 steps, 3,050 tokens, $0.0031]" in end.result
    assert end.detail["agent"] == "look" and end.detail["steps"] == 2
    assert [message["role"] for message in two.cheap.requests[0].body["messages"]] == ["system", "user"]
    assert two.cheap.requests[0].body["messages"][0]["content"].startswith("You search.")
    assert "What is the answer?" not in str(two.cheap.requests[0].body)
    assert "forty-two" in two.strong.requests[1].body["messages"][-1]["content"]
    assert len(two.strong.requests[1].body["messages"]) == 4
    assert records[-1].event == TurnFinished("done")


async def test_its_events_are_in_the_stream_with_the_call_they_belong_to(two: Two) -> None:
    conversation = two.begin([Reply(delegate(agent="look")), "Done."], [Reply(LOOK), "Found."])
    records = await records_of(conversation.send("Go"))
    started = [(record.parent, record.step) for record in records if isinstance(record.event, StepStarted)]
    assert started == [(None, 1), ("d1", 1), ("d1", 2), (None, 2)]
    tools = [(r.parent, r.event.call.name) for r in records if isinstance(r.event, ToolStarted)]
    assert tools == [(None, "delegate"), ("d1", "read_file")]
    assert nested(records, TurnFinished) == []


async def test_a_subagent_has_no_subagents_and_only_the_tools_it_is_given(two: Two) -> None:
    two_calls = Reply(delegate(agent="look", id="d1"), delegate(agent="worker", id="d2"))
    conversation = two.begin([two_calls, "One.", "Done."], ["Two."])
    await records_of(conversation.send("Go"))
    offered = [tool["function"]["name"] for tool in two.cheap.requests[0].body["tools"]]
    assert offered == ["read_file", "search_files"]
    worker = next(request for request in two.strong.requests if is_nested(request))
    offered = [tool["function"]["name"] for tool in worker.body["tools"]]
    assert "write_file" in offered and "run_command" in offered
    assert not {"delegate", "todo", "start_command"} & set(offered)


async def test_the_built_in_explorer_changes_nothing(two: Two) -> None:
    conversation = two.begin([Reply(delegate()), "Found.", "Done."], [])
    await records_of(conversation.send("Go"))
    offered = {tool["function"]["name"] for tool in two.strong.requests[1].body["tools"]}
    assert {"read_file", "search_files", "list_files"} <= offered
    assert not {"write_file", "edit_file", "apply_patch", "run_command"} & offered


async def test_three_work_side_by_side(two: Two) -> None:
    calls = [delegate(f"Part {n}", agent="look", id=f"d{n}") for n in (1, 2, 3)]
    conversation = two.begin([Reply(*calls), "Done."], lambda request: Reply(pause(), text("Found.")))
    turn = conversation.send("Go")
    records = []
    async for record in turn:
        records.append(record)
        if isinstance(record.event, StepStarted) and len(nested(records, StepStarted)) == 3:
            await two.cheap.until(lambda: two.cheap.pauses == 3)  # all of them are being answered at once
            for _ in range(3):
                two.cheap.release()
    assert {record.parent for record in records} == {None, "d1", "d2", "d3"}
    results = two.strong.requests[1].body["messages"][-3:]
    assert [message["tool_call_id"] for message in results] == ["d1", "d2", "d3"]


async def test_at_most_four_work_at_once(two: Two) -> None:
    calls = [delegate(f"Part {n}", agent="look", id=f"d{n}") for n in range(6)]
    conversation = two.begin([Reply(*calls), "Done."], lambda request: Reply(pause(), text("Found.")))
    turn, records, seen = conversation.send("Go"), [], 0
    async for record in turn:
        records.append(record)
        if isinstance(record.event, StepStarted) and len(nested(records, StepStarted)) == 4:
            await two.cheap.until(lambda: two.cheap.pauses == 4)
            seen = len(two.cheap.requests)
            for _ in range(6):
                two.cheap.release()
    assert (seen, len(nested(records, StepFinished))) == (4, 6)


async def test_one_that_fails_is_a_result_and_the_others_go_on(two: Two) -> None:
    calls = [delegate("a", agent="look", id="d1"), delegate("b", agent="explore", id="d2")]
    conversation = two.begin([Reply(*calls), "Found.", "Done."], [fault(400, message="no such thing")])
    records = await records_of(conversation.send("Go"))
    assert result(records, "d1").is_error and "no such thing" in result(records, "d1").result
    assert result(records, "d2").result.startswith("Found.")
    assert records[-1].event == TurnFinished("done")


async def test_a_backend_that_is_not_set_up_is_said(two: Two) -> None:
    agent = CHEAP.replace("backend: cheap", "backend: deepseek")
    conversation = two.begin([Reply(delegate(agent="look")), "Sorry."], [], agent=agent)
    records = await records_of(conversation.send("Go"))
    assert result(records).is_error and "failed" in result(records).result
    assert "key" in result(records).result and '"deepseek"' in result(records).result


async def test_one_over_its_steps_returns_what_it_has(two: Two) -> None:
    agent = CHEAP.replace("tools:", "max_steps: 1\ntools:")
    conversation = two.begin([Reply(delegate(agent="look")), "Done."], [Reply("So far: a.", LOOK)], agent=agent)
    records = await records_of(conversation.send("Go"))
    assert not result(records).is_error
    assert "So far: a." in result(records).result and "max_steps = 1" in result(records).result


async def test_one_over_its_budget_returns_what_it_has(two: Two) -> None:
    agent = CHEAP.replace("tools:", "budget: 0.001\ntools:")
    conversation = two.begin(
        [Reply(delegate(agent="look")), "Done."], [Reply("So far: b.", LOOK, usage=usage(2000, 10))], agent=agent
    )
    records = await records_of(conversation.send("Go"))
    assert "So far: b." in result(records).result and "budget = $0.001" in result(records).result
    assert records[-1].event == TurnFinished("done")


async def test_its_requests_count_against_the_limit_of_the_turn(two: Two) -> None:
    conversation = two.begin([Reply(delegate(agent="look"))], [Reply(LOOK), Reply(LOOK)], max_steps=3)
    records = await records_of(conversation.send("Go"))
    end = records[-1].event
    assert isinstance(end, TurnFinished) and end.reason == "limit" and "max_steps = 3" in end.detail
    assert len(nested(records, StepFinished)) == 2


async def test_its_money_counts_against_the_budget_of_the_turn(two: Two) -> None:
    conversation = two.begin(
        [Reply(delegate(agent="look"), usage=usage(10, 0))], [Reply(LOOK, usage=usage(90_000, 0))], budget=0.05
    )
    records = await records_of(conversation.send("Go"))
    end = records[-1].event
    assert isinstance(end, TurnFinished) and end.reason == "limit" and "budget" in end.detail
    assert conversation.cost == pytest.approx(0.091)


async def test_it_does_not_fill_the_window_of_the_conversation(two: Two) -> None:
    conversation = two.begin(
        [Reply(delegate(agent="look"), usage=usage(100, 10)), Reply("Done.", usage=usage(150, 5))],
        [Reply("Found.", usage=usage(90_000, 5))],
    )
    await records_of(conversation.send("Go"))
    assert conversation.context_tokens == 155


async def test_stopping_ends_all_of_them_at_once(two: Two) -> None:
    calls = [delegate(f"Part {n}", agent="look", id=f"d{n}") for n in (1, 2)]
    conversation = two.begin([Reply(*calls)], lambda request: Reply(text("I have"), pause()))
    turn, records = conversation.send("Go"), []
    async for record in turn:
        records.append(record)
        if isinstance(record.event, StepStarted) and len(nested(records, StepStarted)) == 2:
            await two.cheap.until(lambda: two.cheap.pauses == 2)
            turn.stop()
    await two.cheap.until(lambda: all(request.abandoned for request in two.cheap.requests))
    assert {step.finish_reason for step in nested(records, StepFinished)} == {"interrupted"}
    assert {result(records, id).result for id in ("d1", "d2")} == {"Interrupted."}
    assert records[-1].event == TurnFinished("interrupted")


async def test_a_session_is_gone_on_with_as_if_there_were_no_subagents(two: Two) -> None:
    conversation = two.begin(
        [Reply(delegate(agent="look"), usage=usage(100, 10)), Reply("Done.", usage=usage(150, 5)), "Again."],
        [Reply(LOOK, usage=usage(1000, 5)), Reply("Found.", usage=usage(2000, 5))],
    )
    await records_of(conversation.send("Go"))
    cost = conversation.cost
    await conversation.close()
    resumed = two.again(continue_last=True, backend=None)
    assert (resumed.cost, resumed.context_tokens) == (pytest.approx(cost), 155)
    spec = resumed.spec()
    assert spec is not None and spec.name == "strong"
    body = request_of(resumed.records, 1, 2, "d1")
    assert body["messages"] == two.cheap.requests[1].body["messages"]
    await records_of(resumed.send("And?"))
    roles = [message["role"] for message in two.strong.requests[2].body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]


async def test_each_of_its_requests_extends_the_one_before(two: Two) -> None:
    looks = [Reply(tool_call("search_files", {"pattern": f"w{n}"}, id=f"s{n}")) for n in range(8)]
    conversation = two.begin(
        [Reply(delegate(agent="look")), Reply(delegate("More.", agent="look", id="d2")), "Done."],
        [*looks, "Found.", "Found more."],
    )
    await records_of(conversation.send("Go"))
    assert two.strong.prefix_breaks() == []
    first = two.cheap.requests[:9]
    assert two.cheap.prefix_breaks(lambda request: request in first) == []
    again = two.cheap.requests[9].body
    assert again["tools"] == first[0].body["tools"] and again["messages"][0] == first[0].body["messages"][0]


async def test_its_calls_are_asked_about_in_its_name(two: Two) -> None:
    write = tool_call("write_file", {"path": "new.txt", "content": "x\n"})
    conversation = two.begin([Reply(delegate(agent="worker")), Reply(write), "Written.", "Done."], [])
    records = await records_of(conversation.send("Go"), Answer("once"))
    (asked,) = nested(records, ApprovalAsked)
    assert asked.reason.startswith("worker asks: ")
    assert (two.folder / "new.txt").read_text() == "x\n"


async def test_the_policy_holds_inside(two: Two) -> None:
    write = tool_call("write_file", {"path": "new.txt", "content": "x\n"})
    conversation = two.begin([Reply(delegate(agent="worker")), Reply(write), "I may not.", "Done."], [], policy="plan")
    records = await records_of(conversation.send("Go"))
    (refused,) = nested(records, ToolFinished)
    assert refused.is_error and "plan" in refused.result
    assert not (two.folder / "new.txt").exists()


async def test_a_definition_with_a_mistake_is_said_and_the_others_work(two: Two) -> None:
    bad = define("bad", "---\ndescription: Bad.\nmax_step: 3\n---\nYou are bad.")
    conversation = two.begin([Reply(delegate(agent="look")), "Done."], ["Found."])
    records = await records_of(conversation.send("Go"))
    told = [record.event.message for record in records if isinstance(record.event, Notice)]
    assert any(f"{bad}:3" in words and "max_steps" in words for words in told)
    offered = next(tool for tool in two.strong.requests[0].body["tools"] if tool["function"]["name"] == "delegate")
    assert offered["function"]["parameters"]["properties"]["agent"]["enum"] == ["explore", "worker", "look"]
    assert "look: Looks things up, cheaply." in offered["function"]["description"]


async def test_an_agent_that_there_is_not_is_answered_with_those_there_are(two: Two) -> None:
    conversation = two.begin([Reply(delegate(agent="nobody")), "Done."], [])
    records = await records_of(conversation.send("Go"))
    assert result(records).is_error and "explore" in result(records).result


async def test_what_there_is_stays_the_same_for_the_session(two: Two) -> None:
    conversation = two.begin(["One.", "Two."], [])
    await records_of(conversation.send("Go"))
    define("late", CHEAP)
    await records_of(conversation.send("And?"))
    assert two.strong.prefix_breaks() == []


async def test_a_small_model_is_offered_none(stage: Stage) -> None:
    conversation = stage.conversation(["Hm."], backend={"context_window": 4096})
    await records_of(conversation.send("Go"))
    assert "delegate" not in str(stage.server.requests[0].body.get("tools"))


async def test_what_they_change_side_by_side_can_be_taken_back(two: Two) -> None:
    def write(name: str) -> Any:
        return tool_call("write_file", {"path": name, "content": "x\n"}, id=f"w-{name}")

    def strong(request: Any) -> Any:
        words = str(request.body["messages"][1]["content"])
        if not is_nested(request):
            return "Done." if len(request.body["messages"]) > 2 else Reply(delegate("b.txt", "worker", "d1"), *more)
        name = next(name for name in ("b.txt", "c.txt") if name in words)
        return Reply(write(name)) if len(request.body["messages"]) == 2 else "Written."

    more = [delegate("c.txt", "worker", "d2")]
    conversation = two.begin([], [], policy="edits")
    two.strong.replies = strong
    await records_of(conversation.send("Go"))
    assert (two.folder / "b.txt").exists() and (two.folder / "c.txt").exists()
    assert conversation.keeper is not None
    await asyncio.to_thread(conversation.keeper.undoing.undo, 1)
    assert sorted(path.name for path in two.folder.iterdir()) == ["a.txt"]


async def test_it_may_ask_the_user_in_its_name(two: Two) -> None:
    ask = tool_call("ask_user", {"question": "Which one?"}, id="q1")
    conversation = two.begin([Reply(delegate(agent="worker")), Reply(ask), "That one.", "Done."], [])
    turn, asked = conversation.send("Go"), []
    async for record in turn:
        if isinstance(record.event, QuestionAsked):
            asked.append((record.parent, record.event.question))
            turn.answer(record.event.id, "the first")
    assert asked == [("d1", "worker asks: Which one?")]


async def test_those_of_a_project_count_once_it_is_trusted(two: Two) -> None:
    brought = two.folder / ".mimo" / "agents"
    brought.mkdir(parents=True)
    for name in ("house", "look", "worker"):
        (brought / f"{name}.md").write_text("---\ndescription: The project's.\n---\nYou are the project's.")
    (brought / "out.md").symlink_to(define("other", CHEAP))
    before = two.begin(["Hm."], [])
    await records_of(before.send("Go"))
    trust(two.folder)
    two.strong.replies = ["Hm."]
    await records_of(two.again().send("Go"))
    offered = [
        next(tool["function"] for tool in request.body["tools"] if tool["function"]["name"] == "delegate")
        for request in two.strong.requests
    ]
    names = [tool["parameters"]["properties"]["agent"]["enum"] for tool in offered]
    assert names == [["explore", "worker", "look", "other"], ["explore", "worker", "house", "look", "other"]]
    assert offered[1]["description"].count("The project's.") == 1


async def test_what_is_wrong_with_one_is_told_in_sentences(stage: Stage) -> None:
    define("bad", "---\ndescription: D\ntools: reed_file\n---\nP")
    records = await records_of(stage.conversation(["Hi"]).send("Go"))
    (words,) = [record.event.message for record in records if isinstance(record.event, Notice)]
    assert "did you mean `read_file`? Known: " in words


async def test_subagents_side_by_side_keep_to_the_turns_steps(stage: Stage) -> None:
    numbers = iter(range(1000))

    def answer(request: Any) -> Reply:
        if is_nested(request):
            return Reply(tool_call("list_files", {"path": f"d{next(numbers)}"}))
        return Reply(delegate("One.", id="d1"), delegate("Two.", id="d2"), delegate("Three.", id="d3"))

    conversation = stage.conversation(answer, max_steps=9)
    records = await records_of(conversation.send("Go"))
    steps = [record for record in records if isinstance(record.event, StepFinished)]
    (end,) = [record.event for record in records if isinstance(record.event, TurnFinished)]
    assert len(steps) == 9 and end.reason == "limit" and "9 steps are used" in end.detail
