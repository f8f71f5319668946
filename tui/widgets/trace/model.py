"""From records to rows: turns, their steps, the tools they ran, and remarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Compacted,
    Event,
    MessageAdded,
    Notice,
    QuestionAnswered,
    QuestionAsked,
    ReasoningDelta,
    Record,
    Repaired,
    Retrying,
    RuleLearned,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from tui.core.messages import Message, Reasoning, ToolCall
from tui.core.text import clean_line
from tui.widgets.call_words import call_words, is_denial
from tui.widgets.countdown import Countdown
from tui.widgets.trace.rows import NoteKind, NoteRow, Row, StepRow, StepState, ToolRow, TurnRow


@dataclass(slots=True)
class _Chain:
    """Steps that follow each other: those of the turn itself, or of a subagent below its call."""

    host: ToolRow | None = None
    step: StepRow | None = None
    tools: dict[str, ToolRow] = field(default_factory=dict)
    """Of the step at hand, by the call's id."""
    retry: NoteRow | None = None
    """The retry that is waited for."""


class Trace:
    """Takes records in, in order, and keeps the rows. `add` costs the same however many rows there are above."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._turn: TurnRow | None = None
        self._main = self._chain = _Chain()
        self._nested: dict[str, _Chain] = {}
        """Those of the subagents that work, by the id of their call."""
        self._questions: dict[str, ToolRow] = {}
        self._changed: list[int] = []

    @property
    def last(self) -> int | None:
        """The last row that belongs to a step."""
        rows = range(len(self.rows) - 1, -1, -1)
        return next((index for index in rows if self.rows[index].place), None)

    @property
    def running(self) -> list[int]:
        """The rows that change with time alone."""
        turn = self._turn
        if turn is None or turn.ended is not None:
            return []
        rows: list[Row] = [turn]
        for chain in (self._main, *self._nested.values()):
            step = chain.step
            if step is not None and (step.state == "running" or any(not tool.is_over for tool in step.tools)):
                rows += [step, *(tool for tool in step.tools if tool.state in ("asked", "running"))]
            if chain.retry is not None:
                rows.append(chain.retry)
        return [row.index for row in rows if row.index >= 0]

    @property
    def turn(self) -> TurnRow | None:
        """The last turn."""
        return self._turn

    def add(self, record: Record) -> list[int]:
        """Take a record in. Returns which rows have changed; those that were below a new one have moved down."""
        self._changed = []
        chain = self._main if record.parent is None else self._chain_below(record.parent)
        if chain is not None:
            self._chain, event = chain, record.event
            if not isinstance(event, Notice):
                self._retry_over()
            if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                self._delta(record.time, event)
            elif handler := _HANDLERS.get(type(event)):
                handler(self, record, event)
        return self._changed

    def turn_over(self, row: Row) -> list[int]:
        """Fold what stands below a call, or show it again; `row` is the call's or below it. Returns what changed."""
        self._changed = []
        host = row if isinstance(row, ToolRow) and row.nested else row.host
        if host is not None:
            host.was_turned = True
            self._fold(host, not host.is_folded)
        return self._changed

    def _chain_below(self, call_id: str) -> _Chain | None:
        if call_id not in self._nested:
            if (host := self._main.tools.get(call_id)) is None:
                return None
            self._nested[call_id] = _Chain(host)
        return self._nested[call_id]

    def _fold(self, host: ToolRow, is_folded: bool) -> None:
        if host.is_folded != is_folded and host.index >= 0:
            host.is_folded = is_folded
            below = host.index + 1
            if is_folded:
                del self.rows[below : below + len(host.nested)]
                for row in host.nested:
                    row.index = -1
            else:
                self.rows[below:below] = host.nested
            self._moved(host.index)

    def _moved(self, first: int) -> None:
        """Rows from `first` on may stand elsewhere now."""
        for index in range(first, len(self.rows)):
            self.rows[index].index = index
        self._changed += range(first, len(self.rows))

    def _retry_over(self) -> None:
        """Something else happens, so the retry was made, or was given up."""
        if self._chain.retry is not None:
            self._chain.retry.countdown = None
            self._touch(self._chain.retry)
            self._chain.retry = None

    def _delta(self, time: float, event: TextDelta | ReasoningDelta | ToolCallDelta) -> None:
        step = self._chain.step
        if step is None or step.state != "running":
            return
        step.first_token = step.first_token or time
        label = "answer" if isinstance(event, TextDelta) else "reasoning"
        if isinstance(event, ToolCallDelta):
            label = clean_line(event.name) if event.name else step.label
        if step.label != label:
            step.label = label
            self._touch(step)

    def _turn_started(self, record: Record, event: TurnStarted) -> None:
        self._main = self._chain = _Chain()
        self._nested.clear()
        self._turn = TurnRow(len(self.rows), record.turn, clean_line(event.message.words), record.time)
        self._append(self._turn)

    def _step_started(self, record: Record, event: StepStarted) -> None:
        turn = self._turn or self._begin(record)
        step = StepRow(-1, turn, record.step or 0, record.time, window=event.window, host=self._chain.host)
        self._chain.step = step
        turn.steps.append(step)
        self._append(step)

    def _step_finished(self, record: Record, event: StepFinished) -> None:
        step = self._chain.step
        if step is None:
            return
        step.ended = step.began + event.timings.total_s
        if event.timings.first_token_s is not None:
            step.first_token = step.began + event.timings.first_token_s
        step.state = {"interrupted": "stopped", "error": "failed"}.get(event.finish_reason, "done")  # type: ignore[assignment]
        step.label = _label(event.message, step.state)
        step.usage, step.cost = event.usage, event.cost
        self._touch(step)
        self._chain.tools.clear()
        for call in event.message.tool_calls:
            self._tool(call)

    def _approval_asked(self, record: Record, event: ApprovalAsked) -> None:
        if tool := self._tool(event.call):
            tool.state, tool.asked = "asked", record.time
            self._questions[event.id] = tool
            self._touch(tool)

    def _approval_given(self, record: Record, event: ApprovalGiven) -> None:
        if tool := self._questions.pop(event.id, None):
            tool.state = "refused" if event.decision == "no" else "called"
            self._touch(tool)

    def _question_asked(self, record: Record, event: QuestionAsked) -> None:
        if tool := self._chain.tools.get(event.call_id):
            tool.state, tool.asked = "asked", record.time
            self._questions[event.id] = tool
            self._touch(tool)

    def _question_answered(self, record: Record, event: QuestionAnswered) -> None:
        if tool := self._questions.pop(event.id, None):
            tool.state = "running"
            self._touch(tool)

    def _tool_started(self, record: Record, event: ToolStarted) -> None:
        if tool := self._tool(event.call):
            tool.argument = main_argument(event.call)  # the user may have edited it
            tool.state, tool.began = "running", record.time
            self._touch(tool)

    def _tool_finished(self, record: Record, event: ToolFinished) -> None:
        tool = self._chain.tools.get(event.call_id)
        if tool is None:
            return
        refused = event.detail.get("refused") is True and tool.state == "refused"  # by the user
        tool.state = (
            "refused" if refused or is_denial(event.detail, event.result) else "failed" if event.is_error else "done"
        )
        if tool.began is not None:
            tool.ended = tool.began + event.total_s
        self._touch(tool)
        self._touch(tool.step)
        if self._nested.pop(tool.id, None) is not None:
            tool.tokens, tool.cost = event.detail.get("tokens"), event.detail.get("cost")
            if not tool.was_turned:
                self._fold(tool, True)

    def _turn_ended(self, record: Record, event: TurnFinished | TurnFailed) -> None:
        turn = self._turn or self._begin(record)
        turn.ended = record.time
        for chain in (self._main, *self._nested.values()):
            if chain.step is not None:
                self._stop(chain.step, record.time)
        if isinstance(event, TurnFailed):
            self._note(record, "failed", event.error.message)
        elif event.reason != "done":
            self._note(record, "stopped", "interrupted" if event.reason == "interrupted" else event.detail or "limit")
        self._changed += range(turn.index, len(self.rows))  # the scale of the bars is final now

    def _stop(self, step: StepRow, time: float) -> None:
        if step.state == "running":
            step.state, step.ended = "stopped", time
        for tool in step.tools:
            if not tool.is_over:
                tool.state = "stopped"
                tool.ended = time if tool.began is not None else None

    def _retrying(self, record: Record, event: Retrying) -> None:
        self._chain.retry = self._note(record, "retry", f"again after {event.wait_s:.3g} s: {event.error.message}")
        self._chain.retry.countdown = Countdown(event, record.time + event.wait_s)

    def _rule_learned(self, record: Record, event: RuleLearned) -> None:
        self._note(record, "learned", f"learned {event.rule} = {event.value}: {event.because}")

    def _compacted(self, record: Record, event: Compacted) -> None:
        way = "summarised" if event.summary else f"{len(event.folded)} results folded"
        cost = f", ${event.cost:.4f}" if event.cost else ""
        cost += f", ${event.anew:.4f} to read anew" if event.anew else ""
        self._note(record, "notice", f"{way}: about {event.before_tokens:,} to {event.after_tokens:,} tokens{cost}")

    def _message_added(self, record: Record, event: MessageAdded) -> None:
        self._note(record, "notice", f"told to the model: {event.message.text.strip('[]')}")

    def _repaired(self, record: Record, event: Repaired) -> None:
        self._note(record, "repaired", f"mended {event.what}")

    def _notice(self, record: Record, event: Notice) -> None:
        self._note(record, "notice", event.message)

    def _note(self, record: Record, kind: NoteKind, text: str) -> NoteRow:
        turn = self._turn or self._begin(record)
        note = NoteRow(-1, turn, record.step or 0, kind, clean_line(text), host=self._chain.host)
        self._append(note)
        return note

    def _begin(self, record: Record) -> TurnRow:
        """A turn whose beginning was not shown."""
        self._turn = TurnRow(len(self.rows), record.turn, "", record.time)
        self._append(self._turn)
        return self._turn

    def _tool(self, call: ToolCall) -> ToolRow | None:
        """The row of a call of the step at hand, made if it is new."""
        if call.id not in self._chain.tools and self._chain.step is not None:
            tool = ToolRow(-1, self._chain.step, call.id, clean_line(call.name), main_argument(call))
            self._chain.tools[call.id] = tool
            self._chain.step.tools.append(tool)
            self._append(tool)
        return self._chain.tools.get(call.id)

    def _append(self, row: Row) -> None:
        """Show a new row: at the end, or as the last one below the call that it belongs to."""
        host = row.host
        if host is None:
            row.index = len(self.rows)
            self.rows.append(row)
            self._changed.append(row.index)
            return
        host.nested.append(row)
        if not host.is_folded:
            self.rows.insert(host.index + len(host.nested), row)
            self._moved(host.index)

    def _touch(self, row: Row) -> None:
        if row.index >= 0:
            self._changed.append(row.index)


_HANDLERS: dict[type[Event], Callable[..., None]] = {
    TurnStarted: Trace._turn_started,
    StepStarted: Trace._step_started,
    StepFinished: Trace._step_finished,
    ApprovalAsked: Trace._approval_asked,
    ApprovalGiven: Trace._approval_given,
    QuestionAsked: Trace._question_asked,
    QuestionAnswered: Trace._question_answered,
    ToolStarted: Trace._tool_started,
    ToolFinished: Trace._tool_finished,
    Retrying: Trace._retrying,
    Repaired: Trace._repaired,
    Compacted: Trace._compacted,
    MessageAdded: Trace._message_added,
    RuleLearned: Trace._rule_learned,
    Notice: Trace._notice,
    TurnFinished: Trace._turn_ended,
    TurnFailed: Trace._turn_ended,
}


def main_argument(call: ToolCall) -> str:
    """What a call is about, on one line."""
    return call_words(call.name, call.arguments, call.raw)


def _label(message: Message, state: StepState) -> str:
    if state == "failed":
        return "failed"
    if state == "stopped" and not message.text:
        return "interrupted"
    names = [clean_line(call.name) for call in message.tool_calls]
    if names:
        counts = {name: names.count(name) for name in names}
        return ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())
    if message.text.strip():
        return "answer" if state == "done" else "answer, cut"
    return "reasoning" if any(isinstance(block, Reasoning) for block in message.blocks) else "nothing"
