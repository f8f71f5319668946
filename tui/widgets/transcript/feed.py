"""From records to what is shown: which entry an event opens, grows or closes."""

from __future__ import annotations

from urllib.parse import urlsplit

from tui.core import events
from tui.core.events import Record
from tui.core.messages import Image, Message, Reasoning, Text, ToolCall
from tui.core.text import clean_line
from tui.widgets.call_words import call_words
from tui.widgets.countdown import Countdown
from tui.widgets.pictures import image_words
from tui.widgets.transcript.answer import Answer
from tui.widgets.transcript.folds import Thought, Words
from tui.widgets.transcript.lines import StepTarget
from tui.widgets.transcript.plain import PlainLeaf, look, mark
from tui.widgets.transcript.stack import Block, Stack
from tui.widgets.transcript.toolrun import ToolRun

PASSING = ("network", "timeout", "server", "overloaded", "rate_limited")
"""Kinds of errors after which an answer that has begun is simply gone on with: the hint says how, here not again."""
_TOLD_CHARACTERS = 300
"""Of what the program told the model: a resource is long, and the trace has all of it."""


class Feed:
    """Puts entries into a stack, record by record. What changed is in `touched`, by place in the stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._answer: Answer | None = None
        self._thought: Thought | None = None
        self._retry: tuple[PlainLeaf, Countdown] | None = None
        self._waited_for = ""  # why the step that was stopped had not been answered yet
        self._server = ""  # who is asked
        self._is_cut = False  # the step ended in the middle of its answer
        self._has_begun = False  # something of an answer is there, which can be gone on with
        self._places: dict[int, int] = {}
        self._runs: dict[str, ToolRun] = {}  # of this turn, by call id
        self._writing: dict[int, ToolRun] = {}  # of this step, by index
        self._plan: ToolRun | None = None  # the newest
        self._background: dict[int, ToolRun] = {}  # what was started in the background, by its number
        self._asked: dict[str, str] = {}  # call ids, by the id of the question
        self._anything_came = False  # text or reasoning of this step, as deltas
        self.turn = 0
        self.step: int | None = None

    def put(self, record: Record) -> None:
        if record.parent is not None:
            self._put_nested(record)
            return
        self.turn, self.step = record.turn, record.step
        handler = getattr(self, f"_{record.event.type}", None)
        if handler is not None:
            handler(record.event, record.time)

    def put_text(self, text: str) -> None:
        """The answer grows: joined deltas of one step."""
        self._anything_came = True
        self._goes_on()
        self._end_thought()
        if self._answer is None:
            self._answer = Answer(self.stack.width)
            self._add(self._answer)
        self._answer.grow(text)
        self._touch(self._answer)

    def put_reasoning(self, text: str, started: float | None, ended: float | None) -> None:
        """The reasoning grows: joined deltas of one step, the first and the last of which came at these times."""
        self._anything_came = True
        self._goes_on()
        self._end_answer()
        if self._thought is None:
            self._thought = Thought(self.stack.width, gap=True)
            self._thought.started = started
            self._add(self._thought)
        self._thought.ended = ended
        self._thought.grow(text)
        self._touch(self._thought)

    def _put_nested(self, record: Record) -> None:
        """What a subagent does: the line of its call says it."""
        run, step = self._runs.get(record.parent or ""), record.step or 0
        if run is None:
            return
        match record.event:
            case events.StepStarted():
                run.does(step, "thinking")
            case events.ToolStarted(call=call):
                run.does(
                    step, f"{clean_line(call.name)} {call_words(call.name, call.arguments, call.raw)}", is_call=True
                )
            case events.ApprovalAsked() | events.QuestionAsked():
                run.does(step, "waiting for your answer")
            case _:
                return
        self._touch(run)

    def end_background(self) -> None:
        """The program that had started what still runs in the background is gone, and so is that."""
        for run in self._background.values():
            run.is_left_behind()
            self._touch(run)
        self._background.clear()

    def count_down(self, now: float) -> float | None:
        """Show how long the retry still waits. Returns the seconds until that changes; None: nothing is waited for."""
        if self._retry is None:
            return None
        note, countdown = self._retry
        note.become(countdown.text(now))
        self._touch(note)
        return countdown.until_change_s(now)

    # Events

    def _turn_started(self, event: events.TurnStarted, time: float) -> None:
        self._end_blocks()
        self._runs.clear()
        self._is_cut = self._has_begun = False
        self._waited_for = ""
        images = [f"[image {image_words(block)}]" for block in event.message.blocks if isinstance(block, Image)]
        self._add(Words("\n".join(part for part in (event.message.words, *images) if part), self.stack.width))

    def _step_started(self, event: events.StepStarted, time: float) -> None:
        self._end_blocks()
        self._writing.clear()
        self._anything_came = False
        self._server = urlsplit(event.origin.base_url).netloc or event.origin.backend

    def _tool_call_delta(self, event: events.ToolCallDelta, time: float) -> None:
        self._goes_on()
        self._end_blocks()
        run = self._writing.get(event.index)
        if run is None:
            run = self._writing[event.index] = self._add_run()
        run.write(event.name, event.arguments)
        self._touch(run)

    def _step_finished(self, event: events.StepFinished, time: float) -> None:
        if not self._anything_came:
            self._show_message(event.message)
        self._end_thought(event.timings.total_s if event.timings else None)
        self._end_blocks()
        if self._retry is not None and event.finish_reason == "interrupted":
            self._waited_for = f" while waiting to retry: {self._retry[1].event.error.message}"
        self._goes_on()
        written = list(self._writing.values())
        for number, call in enumerate(event.message.tool_calls):
            run = written[number] if number < len(written) else self._add_run()
            self._call(run, call)
        for run in written[len(event.message.tool_calls) :]:
            run.enter("interrupted")
            self._touch(run)
        self._writing.clear()
        self._anything_came = False
        self._is_cut = event.finish_reason == "error" and bool(event.message.text)
        self._has_begun = self._has_begun or bool(event.message.blocks)
        if event.finish_reason == "length":
            self._note("the answer was cut: the model's output limit was reached", "▲", "warning")
        elif event.finish_reason == "content_filter":
            self._note("the answer was cut by the server's content filter", "▲", "warning")

    def _show_message(self, message: Message) -> None:
        for block in message.blocks:
            if isinstance(block, Reasoning):
                if block.text:
                    self.put_reasoning(block.text, None, None)
            elif isinstance(block, Text) and block.text:
                self.put_text(block.text)

    def _approval_asked(self, event: events.ApprovalAsked, time: float) -> None:
        self._asked[event.id] = event.call.id
        self._enter(event.call, "asked")

    def _approval_given(self, event: events.ApprovalGiven, time: float) -> None:
        run = self._runs.get(self._asked.pop(event.id, event.id))
        if run is None:
            return
        run.enter("denied" if event.decision == "no" else "called", event.reason)
        self._touch(run)

    def _question_asked(self, event: events.QuestionAsked, time: float) -> None:
        self._asked[event.id] = event.call_id
        if run := self._runs.get(event.call_id):
            run.enter("asked")
            self._touch(run)

    def _question_answered(self, event: events.QuestionAnswered, time: float) -> None:
        if run := self._runs.get(self._asked.pop(event.id, "")):
            run.enter("running")
            self._touch(run)

    def _tool_started(self, event: events.ToolStarted, time: float) -> None:
        self._enter(event.call, "running")

    def _tool_output(self, event: events.ToolOutput, time: float) -> None:
        run = self._runs.get(event.call_id)
        if run is not None:
            run.put_output(event.text)
            self._touch(run)

    def _tool_finished(self, event: events.ToolFinished, time: float) -> None:
        run = self._runs.get(event.call_id)
        if run is not None:
            run.finish(event.is_error, event.result, event.total_s, event.detail, event.images)
            self._touch(run)
            self._keep_plan(run)
            self._goes_on_in_background(run, event.detail.get("background"))

    def _retrying(self, event: events.Retrying, time: float) -> None:
        self._goes_on()
        countdown = Countdown(event, time + event.wait_s)
        self._retry = self._note(countdown.text(time), "↻", "warning"), countdown

    def _rule_learned(self, event: events.RuleLearned, time: float) -> None:
        told = f"learned from {self._server}: {event.rule} = {event.value}"
        self._note(f"{told} (/backend: see, forget)", "i", "muted")

    def _compacted(self, event: events.Compacted, time: float) -> None:
        way = "summarised" if event.summary else "old results folded"
        what = "made shorter for the model" if event.is_shorter else "not made shorter for the model"
        sizes = f"about {event.before_tokens:,} tokens to {event.after_tokens:,}"
        cost = f", ${event.cost:.4f}" if event.cost else ""
        cost += f", about ${event.anew:.4f} to read anew" if event.anew else ""
        self._note(f"{what}: {way}, {sizes}{cost}; the session keeps all of it", "≡", "muted")

    def _message_added(self, event: events.MessageAdded, time: float) -> None:
        words = event.message.text.strip("[]")
        if len(words) > _TOLD_CHARACTERS:
            words = f"{words[:_TOLD_CHARACTERS]}…"
        self._note(f"told to the model: {words}", "i", "muted")

    def _repaired(self, event: events.Repaired, time: float) -> None:
        self._note(f"repaired: {event.what}", "~", "muted")

    def _notice(self, event: events.Notice, time: float) -> None:
        self._note(event.message, "i", "muted")

    def _turn_finished(self, event: events.TurnFinished, time: float) -> None:
        self._end_turn()
        if event.reason == "interrupted":
            self._note(f"interrupted{self._waited_for}", "■", "warning")
        elif event.reason == "limit":
            self._note(f"stopped at a limit: {event.detail}" if event.detail else "stopped at a limit", "■", "warning")

    def _turn_failed(self, event: events.TurnFailed, time: float) -> None:
        self._end_turn()
        message = event.error.message
        self._note(f"the answer was cut: {message}" if self._is_cut else message, "✗", "error")
        if event.error.hint and not (self._has_begun and event.error.kind in PASSING):
            self._note(event.error.hint, " ", "muted", gap=False)

    # Entries

    def _add(self, block: Block) -> None:
        self._places[id(block)] = len(self.stack.blocks)
        self.stack.add(block)

    def _touch(self, block: Block) -> None:
        self.stack.measure(self._places[id(block)])

    def _add_run(self) -> ToolRun:
        gap = not (self.stack.blocks and isinstance(self.stack.blocks[-1], ToolRun))
        run = ToolRun(self.stack.width, gap=gap, step=StepTarget(self.turn, self.step) if self.step else None)
        self._add(run)
        return run

    def _call(self, run: ToolRun, call: ToolCall) -> None:
        run.called(call.id, call.name, call.arguments, call.raw)
        self._runs[call.id] = run
        self._touch(run)

    def _keep_plan(self, run: ToolRun) -> None:
        """Only the newest plan is open."""
        if run.is_plan:
            if self._plan is not None and self._plan.expanded:
                self._plan.toggle()
                self._touch(self._plan)
            self._plan = run

    def _goes_on_in_background(self, run: ToolRun, told: object) -> None:
        if not isinstance(told, dict) or not isinstance(number := told.get("id"), int):
            return
        if run.name == "start_command":
            self._background[number] = run
        if started := self._background.get(number):
            started.goes_on(str(told.get("state")))
            self._touch(started)

    def _enter(self, call: ToolCall, state: str) -> None:
        run = self._runs.get(call.id)
        if run is None:
            run = self._add_run()
        self._call(run, call)  # the arguments may have been changed by the user
        run.enter(state)  # type: ignore[arg-type]

    def _note(self, text: str, sign: str, style: str, *, gap: bool = True) -> PlainLeaf:
        self._end_blocks()
        note = PlainLeaf(text, self.stack.width, look=look(style), mark=mark(f" {sign} ", style), gap=gap)
        self._add(note)
        return note

    def _goes_on(self) -> None:
        """What was to be tried again is being answered, so nobody needs to know any more."""
        if self._retry is not None:
            (note, _), self._retry = self._retry, None
            note.vanish()
            self._touch(note)

    def _end_thought(self, total_s: float | None = None) -> None:
        if self._thought is not None:
            self._thought.finish()
            self._touch(self._thought)
            self._thought = None

    def _end_blocks(self) -> None:
        self._end_thought()
        self._end_answer()

    def _end_answer(self) -> None:
        if self._answer is not None:
            self._answer.finish()
            self._answer = None

    def _end_turn(self) -> None:
        self._goes_on()
        self._end_blocks()
        for run in [*self._writing.values(), *self._runs.values()]:
            if run.state in ("writing", "called", "asked", "running"):
                run.enter("interrupted")
                self._touch(run)
        self._writing.clear()
        self._runs.clear()
