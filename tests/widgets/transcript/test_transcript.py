"""What a person sees of a session."""

from __future__ import annotations

import dataclasses

import pytest

from tests.pictures import picture
from tests.widgets.transcript.stage import (
    Stage,
    answered,
    asked,
    call,
    finished,
    record,
    said,
    step_finished,
    step_started,
)
from tui.core import events
from tui.core.errors import ErrorInfo
from tui.core.events import Record
from tui.core.messages import Reasoning, Text, ToolCall, user
from tui.widgets.countdown import Countdown

DIFF = "--- a/src/a.py\n+++ b/src/a.py\n@@ -1,2 +1,3 @@\n import os\n-x = 1\n+x = 2\n+y = 3\n"


def thought(*words: str, turn: int = 1) -> list[Record]:
    return [record(events.ReasoningDelta(f"{word} "), 1, turn, 1000.0 + n) for n, word in enumerate(words)]


async def shown(records: list[Record], size: tuple[int, int] = (80, 24)) -> list[str]:
    """The lines that are not blank."""
    app = Stage()
    async with app.run_test(size=size):
        app.show(records)
        return [line.strip() for line in app.lines() if line.strip()]


async def test_a_question_and_its_answer_are_read_in_order() -> None:
    lines = await shown([asked("What is **that**?"), step_started(), *said("It is *plain*.\n\nReally.")])
    assert lines == ["▌ What is **that**?", "It is plain.", "Really."]


@pytest.mark.parametrize("cut", [1, 3, 1000])
async def test_any_cutting_of_the_text_shows_the_same(cut: int) -> None:
    text = "# Head\n\n- one\n- two\n\n```python\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd."
    assert (await shown([asked("?"), step_started(), *said(text, cut)]))[1:] == (await shown(answered(text)))[1:]


async def test_a_session_out_of_the_store_looks_like_a_live_one() -> None:
    calls = (call("c1", path="a.py"), call("c2", "run_command", command="ls"))
    rest = [
        record(events.ToolStarted(calls[0])),
        finished("c1", "one\ntwo\n"),
        record(events.ToolStarted(calls[1])),
        finished("c2", "a.py\n"),
        record(events.TurnFinished("done"), None),
    ]
    last = step_finished(Reasoning("Let me see."), Text("I look."), *calls)
    live = [*thought("Let", "me", "see."), *said("I look."), record(events.ToolCallDelta(0, "read_file", "{}")), last]
    stored = [record(events.ReasoningDelta("Let me see.")), record(events.TextDelta("I look.")), last]
    start = [asked("Look."), step_started()]
    assert _untimed(await shown([*start, *live, *rest])) == _untimed(await shown([*start, *stored, *rest]))


def _untimed(lines: list[str]) -> list[str]:
    return [line.replace(" for 2 s", "") for line in lines]


async def test_a_finished_step_adds_nothing_to_what_its_deltas_showed() -> None:
    assert (await shown(answered("Only once."))).count("Only once.") == 1


async def test_a_finished_step_without_deltas_shows_its_message() -> None:
    lines = await shown([asked("?"), step_started(), step_finished(Reasoning("Hm."), Text("Out of the store."))])
    assert lines[1:] == ["▸ Thought · 1 word", "Out of the store."]


async def test_reasoning_shows_its_last_words_while_it_grows_and_its_measure_afterwards() -> None:
    growing = await shown([asked("?"), step_started(), *thought("first", "then", "last")])
    assert growing[-1] == "▸ Thinking 2 s · first then last"
    lines = await shown([asked("?"), step_started(), *thought("first", "then", "last"), *said("Answer.")])
    assert lines[1:] == ["▸ Thought for 2 s · 3 words", "Answer."]


async def test_a_tool_call_is_one_line_that_says_what_and_how_long() -> None:
    started = [
        asked("?"),
        step_started(),
        step_finished(call(path="src/a.py")),
        record(events.ToolStarted(call(path="src/a.py"))),
    ]
    assert (await shown(started))[-1] == "● read_file src/a.py  · running"
    assert (await shown([*started, finished(result="x\n" * 12)]))[-1] == "● read_file src/a.py  · 12 lines · 0.1 s ▸"


@pytest.mark.parametrize(("lines", "words"), [(20_000, "20,000 lines"), (1, "1 line"), (0, "no output")])
async def test_the_lines_of_a_commands_output_are_told_without_the_notes_of_its_result(lines: int, words: str) -> None:
    detail = {"exit_code": 0, "sandbox": "bubblewrap", "lines": lines}
    make = call(name="run_command", command="make")
    started = [asked("?"), step_started(), step_finished(make), record(events.ToolStarted(make))]
    told = await shown([*started, finished(result="x\n[exit code 0]", detail=detail)])
    assert told[-1] == f"● run_command make  · {words} · 0.1 s ▸"


async def test_a_call_that_is_being_written_is_shown_and_becomes_the_call() -> None:
    writing = [
        asked("?"),
        step_started(),
        record(events.ToolCallDelta(0, "write_file", '{"path": ')),
        record(events.ToolCallDelta(0, "", '"a.py"}')),
    ]
    assert (await shown(writing))[-1] == "○ write_file  · writing · 16 characters"
    lines = await shown([*writing, step_finished(call("c1", "write_file", path="a.py"))])
    assert lines[1:] == ["○ write_file a.py"]


async def test_calls_of_one_step_stand_together() -> None:
    calls = [call(f"c{n}", path=f"{n}.py") for n in range(3)]
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("?"), step_started(), step_finished(*calls)])
        assert [line[3:] for line in app.lines() if "read_file" in line] == [f"read_file {n}.py" for n in range(3)]
        assert " ○ read_file 0.py\n ○ read_file 1.py\n ○ read_file 2.py" in app.text()


async def test_an_edit_shows_its_diff_with_signs() -> None:
    edit = call("c1", "edit_file", path="src/a.py")
    lines = await shown([asked("?"), step_started(), step_finished(edit), finished("c1", "ok", detail={"diff": DIFF})])
    assert lines[1:] == [
        "● edit_file src/a.py  · +2 −1 · 0.1 s ▸",
        "│ @@ -1,2 +1,3 @@",
        "│  import os",
        "│ -x = 1",
        "│ +x = 2",
        "│ +y = 3",
    ]


async def test_a_long_diff_shows_its_beginning_and_how_much_more_there_is() -> None:
    diff = "@@ -0,0 +1,30 @@\n" + "".join(f"+{n}\n" for n in range(30))
    edit = call("c1", "write_file", path="a")
    lines = await shown([step_started(), step_finished(edit), finished("c1", "ok", detail={"diff": diff})], (80, 30))
    assert lines[-2:] == ["│ +10", "│ … 19 more lines"]


async def test_a_running_command_streams_its_last_lines() -> None:
    run = call("c1", "run_command", command="make")
    lines = [record(events.ToolOutput("c1", f"line {n}\n")) for n in range(20)]
    text = await shown([asked("?"), step_started(), step_finished(run), record(events.ToolStarted(run)), *lines])
    assert text[1:] == ["● run_command make  · running", *(f"│ line {n}" for n in range(15, 20))]


async def test_a_failed_command_shows_the_code_and_the_first_lines_of_its_output() -> None:
    run = call("c1", "run_command", command="make")
    failed = finished("c1", "no rule\nto make it\n", is_error=True, detail={"exit_code": 2})
    lines = await shown([asked("?"), step_started(), step_finished(run), failed])
    assert lines[1:] == ["✗ run_command make  · exit 2 · 0.1 s ▸", "│ no rule", "│ to make it"]


async def test_a_question_and_a_denial_are_said() -> None:
    run = call("c1", "run_command", command="rm -rf build")
    question = record(events.ApprovalAsked("q1", run, "runs a command", "rm -rf build", None))
    start = [asked("?"), step_started(), step_finished(run), question]
    assert (await shown(start))[-1] == "? run_command rm -rf build  · waiting for your answer"
    denied = record(events.ApprovalGiven("q1", "no", "keep it"))
    lines = await shown([*start, denied, finished("c1", "keep it", is_error=True, detail={"refused": True})])
    assert lines[1:] == ["⊘ run_command rm -rf build  · denied: keep it"]


async def test_what_a_policy_does_not_allow_is_denied_and_says_why() -> None:
    run = call("c1", "write_file", path="new.txt")
    end = finished("c1", "Not allowed: the policy is `plan`.", is_error=True, detail={"refused": True})
    lines = await shown([asked("?"), step_started(), step_finished(run), end])
    assert lines[1:] == ["⊘ write_file new.txt  · denied ▸", "│ Not allowed: the policy is `plan`."]
    cut = finished("c1", "There is no tool 'x'.", is_error=True, detail={"refused": True, "invalid": True})
    lines = await shown([asked("?"), step_started(), step_finished(run), cut])
    assert lines[1].startswith("✗ write_file new.txt  · failed")


async def test_a_plan_that_is_presented_is_said_in_words_and_stays_readable_when_it_is_refused() -> None:
    plan = call("c1", "present_plan", summary="It comes\nto\x1b this.", steps=["look", "write \x1b[1m"])
    question = record(events.ApprovalAsked("q1", plan, "a plan", "[ ] look", None))
    start = [asked("?"), step_started(), step_finished(plan), question]
    assert (await shown(start))[-1] == "? present_plan 2 steps: It comes⏎to␛ this.  · waiting for your answer"
    end = finished("c1", "The user does not accept it.", is_error=True, detail={"refused": True})
    lines = await shown([*start, record(events.ApprovalGiven("q1", "no", "too much")), end])
    assert lines[1:] == [
        "⊘ present_plan 2 steps: It comes⏎to␛ this.  · denied: too much ▾",
        "│ ○ look",
        "│ ○ write ␛[1m",
    ]


async def test_a_retry_is_said_until_it_goes_on() -> None:
    retry = record(events.Retrying(3.0, 1, ErrorInfo("overloaded", "the server is busy"), 4))
    start = [asked("?"), step_started(), retry]
    assert (await shown(start))[-1] == "↻ retrying in 3 s, try 2 of 5 (esc stops): the server is busy"
    assert (await shown([*start, *said("Here I am.")]))[1:] == ["Here I am."]


async def test_a_retry_is_counted_down_and_drawn_once_a_second() -> None:
    retry = record(events.Retrying(3.0, 1, ErrorInfo("loading", "the model is being loaded.")))
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("?"), step_started(), retry])
        shown = []
        for app.now in (1000.2, 1000.9, 1001.1, 1002.5, 1003.0, 1009.0):
            app.transcript._count_down()
            shown.append(app.lines()[3].strip())
        for when, line in zip(("in 3 s", "in 3 s", "in 2 s", "in 1 s"), shown, strict=False):
            assert line == f"↻ retrying {when}, try 2 (esc stops): the model is being loaded."
        assert shown[4:] == ["↻ trying again, try 2 (esc stops): the model is being loaded."] * 2


@pytest.mark.parametrize("now,wait_s", [(1000.0, 1.0), (1000.25, 0.75), (1002.5, 0.5), (1003.0, None), (1004.0, None)])
def test_nothing_is_done_until_another_second_is_to_be_shown(now: float, wait_s: float | None) -> None:
    countdown = Countdown(events.Retrying(3.0, 1, ErrorInfo("server", "no")), 1003.0)
    assert countdown.until_change_s(now) == (pytest.approx(wait_s, abs=0.01) if wait_s else None)


async def test_what_a_server_taught_is_one_quiet_line() -> None:
    learned = record(events.RuleLearned("max_tokens_field", '"max_completion_tokens"', "unsupported"))
    lines = await shown([asked("?"), step_started(), learned, *said("Here I am.")], (120, 24))
    told = 'learned from 127.0.0.1:8000: max_tokens_field = "max_completion_tokens" (/backend: see, forget)'
    assert lines[1:] == [f"i {told}", "Here I am."]


async def test_a_broken_stream_keeps_its_text_and_says_that_it_was_cut_and_why() -> None:
    error = record(events.TurnFailed(ErrorInfo("network", "the connection broke")), None)
    half = [asked("?"), step_started(), *said("Half"), step_finished(Text("Half"), finish_reason="error")]
    assert (await shown([*half, error]))[1:] == ["Half", "✗ the answer was cut: the connection broke"]


async def test_images_are_named_with_their_size() -> None:
    message = user("What is this?", [picture(1200, 800, "shot.png"), picture(3, 2)])
    lines = await shown([record(events.TurnStarted(message, "chat", "ask"), None)])
    assert [line.strip("▌ ") for line in lines] == ["What is this?", "[image shot.png 1200×800]", "[image 3×2]"]


async def test_notes_and_the_ends_of_turns_are_said() -> None:
    start = [asked("?"), step_started()]
    assert (await shown([*start, record(events.Notice("compacted"))]))[-1] == "i compacted"
    assert (await shown([*start, record(events.Repaired("broken JSON", "{", "{}"))]))[-1] == "~ repaired: broken JSON"
    assert (await shown([*start, record(events.TurnFinished("interrupted"), None)]))[-1] == "■ interrupted"
    limit = record(events.TurnFinished("limit", "200 steps"), None)
    assert (await shown([*start, limit]))[-1] == "■ stopped at a limit: 200 steps"
    error = record(events.TurnFailed(ErrorInfo("network", "cannot reach it", "start the server")), None)
    assert (await shown([*start, error]))[-2:] == ["✗ cannot reach it", "start the server"]


async def test_an_interrupted_turn_leaves_no_tool_running() -> None:
    run = call("c1", "run_command", command="make")
    end = record(events.TurnFinished("interrupted"), None)
    lines = await shown([asked("?"), step_started(), step_finished(run), record(events.ToolStarted(run)), end])
    assert lines[1:] == ["■ run_command make  · interrupted", "■ interrupted"]


async def test_a_cut_answer_says_so() -> None:
    lines = await shown(
        [asked("?"), step_started(), *said("Half"), step_finished(Text("Half"), finish_reason="length")]
    )
    assert lines[-1] == "▲ the answer was cut: the model's output limit was reached"


async def test_what_a_subagent_says_is_not_the_answer() -> None:
    inner = [dataclasses.replace(delta, parent="c1") for delta in said("Inner words.")]
    assert await shown([asked("?"), step_started(), *inner, *said("Outer.")]) == ["▌ ?", "Outer."]


async def test_a_huge_paste_shows_its_beginning() -> None:
    lines = await shown([asked("\n".join(f"row {n}" for n in range(10_000)))], (80, 40))
    assert lines[-1] == "▌ … 9,976 more lines"


async def test_cleared_it_is_empty_and_can_be_used_again() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show(answered("Old words."))
        app.transcript.clear()
        app.show([asked("New?")])
        assert app.text().strip() == "▌ New?"


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (3, 2), (1, 1)])
async def test_a_tiny_terminal_breaks_nothing(size: tuple[int, int]) -> None:
    edit = call("c1", "edit_file", path="src/a/very/long/path/that/goes/on.py")
    app = Stage()
    async with app.run_test(size=size) as pilot:
        app.show(
            answered(
                "# Head\n\n- one\n  - two\n\n> q\n\n| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |\n\n```py\nx\n```\n"
            )
        )
        app.show([step_started(2), *thought("hm"), step_finished(edit), finished("c1", "ok", detail={"diff": DIFF})])
        app.transcript.scroll_home()
        await pilot.pause()
        assert {strip.cell_length for strip in app.transcript.render_lines(app.transcript.outer_size.region)} == {
            max(size[0] - 1, 1)
        }


async def test_another_theme_draws_everything_in_its_colours() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered("Some `code`."))
        region = app.transcript.outer_size.region
        before = app.transcript.render_lines(region)
        app.theme = "textual-light"
        await pilot.pause()
        app.finish_frames()
        after = app.transcript.render_lines(region)
        assert [strip.text for strip in before] == [strip.text for strip in after]
        grounds = [
            {segment.style.bgcolor for strip in strips for segment in strip if segment.style}
            for strips in (before, after)
        ]
        assert not grounds[0] & grounds[1]


async def test_only_the_newest_plan_is_open() -> None:
    def plan(id: str, *states: str) -> list[Record]:
        items = [{"text": f"point {n}", "state": state} for n, state in enumerate(states)]
        todo = call(id, "todo", items=items)
        return [step_finished(todo), record(events.ToolStarted(todo)), finished(id, "kept", detail={"todo": items})]

    lines = await shown([*plan("c1", "active", "pending"), *plan("c2", "done", "active")])
    assert lines == [
        "● todo 0 of 2 done  · 0.1 s ▸",
        "● todo 1 of 2 done  · 0.1 s ▾",
        "│ ✓ point 0",
        "│ ▸ point 1",
    ]


async def test_a_command_in_the_background_says_so_until_its_end_is_known() -> None:
    start, read = call("c1", "start_command", command="make serve"), ToolCall("c2", "read_command", {"id": 1})
    begun = [
        step_finished(start, read),
        record(events.ToolStarted(start)),
        finished("c1", "Started", detail={"background": {"id": 1, "state": "running"}}),
    ]
    assert (await shown(begun))[0] == "● start_command make serve  · in the background · 0.1 s ▸"
    ended = finished("c2", "bye", is_error=True, detail={"background": {"id": 1, "state": "ended: exit code 2"}})
    lines = await shown([*begun, record(events.ToolStarted(read)), ended])
    assert lines[0] == "● start_command make serve  · ended: exit code 2 · 0.1 s ▸"
    assert lines[1].startswith("✗ read_command 1  · failed")


async def test_what_was_in_the_background_of_a_stored_session_has_ended_with_the_program() -> None:
    runs = [call(id, "start_command", command=f"make {id}") for id in ("c1", "c2")]
    records = [step_finished(*runs)]
    for number, state in ((1, "running"), (2, "ended: exit code 0")):
        records += [record(events.ToolStarted(runs[number - 1]))]
        records += [finished(f"c{number}", "Started", detail={"background": {"id": number, "state": state}})]
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.transcript.show_all(records)
        app.finish_frames()
        lines = [line.strip() for line in app.lines() if line.strip()]
    assert "make c1  · ended with the program" in lines[0] and "ended: exit code 0" in lines[1]


async def test_a_patch_of_several_files_names_each() -> None:
    patch = call("c1", "apply_patch", patch="*** Update File: a.py\n*** Add File: b.py\n*** Delete File: c.py\n")
    diff = (
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+2\n--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+x\n"
        "--- a/c.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-y\n"
    )
    lines = await shown([step_finished(patch), record(events.ToolStarted(patch)), finished(detail={"diff": diff})])
    assert lines[0] == "● apply_patch a.py, b.py, c.py  · +2 −2 · 0.1 s ▸"
    assert [line for line in lines if line.startswith("│ @@ ") and "," not in line and "-1 +1" not in line] == [
        "│ @@ a.py",
        "│ @@ b.py (new)",
        "│ @@ c.py (removed)",
    ]


async def test_an_image_that_a_tool_shows_is_named() -> None:
    read = call("c1", path="shot.png")
    end = record(events.ToolFinished("c1", False, "It is shown to you.", 0.1, {}, (picture(40, 30, "shot.png"),)))
    lines = await shown([step_finished(read), record(events.ToolStarted(read)), end])
    assert lines == ["● read_file shot.png  · image shot.png 40×30 · 0.1 s ▸"]
