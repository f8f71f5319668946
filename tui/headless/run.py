"""`mimo-tui run`: one turn without a screen. The answer goes to standard output, all else to standard error."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.agent.calls import Answer
from tui.agent.conversation import Conversation
from tui.core.codec import dumps, record_to_json
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    Compacted,
    Event,
    Notice,
    QuestionAnswered,
    QuestionAsked,
    Record,
    Repaired,
    ReplyReceived,
    Retrying,
    RuleLearned,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from tui.core.messages import Image, ToolCall
from tui.core.text import clean, clean_line

_NOTICE_CHARACTERS = 1000
"""Of a notice: it may hold a path, and what to do comes last."""

_WHOSE_CHARACTERS = 60
DONE, FAILED, DENIED, LIMIT, INTERRUPTED = 0, 1, 3, 4, 130


class Nobody:
    """Answers every question with no: there is nobody to ask."""

    can_answer = False

    async def ask(self, question: ApprovalAsked) -> Answer:
        return Answer("no", f"{question.reason.rstrip('.')}, which needs an approval, and nobody is here to give it")

    async def reply(self, question: QuestionAsked) -> QuestionAnswered:
        return QuestionAnswered(question.id, None, "Nobody is here to answer.")


class Printer(Protocol):
    """A reader of the turn that prints it."""

    def show(self, record: Record) -> None: ...


class JsonPrinter:
    """One JSON object a line."""

    def show(self, record: Record) -> None:
        if not isinstance(record.event, ReplyReceived):  # all of it is in other events
            print(dumps(record_to_json(record)))


class TextPrinter:
    """The answer as text. In agent mode a step's text is held back until it is known to be the answer."""

    def __init__(self, streams: bool) -> None:
        self._streams = streams
        self._ends_with_newline = True
        self._calls: dict[str, ToolCall] = {}
        """Of the step, by id."""
        self._named: set[str] = set()
        """The ids of those whose line was printed."""
        self._spoken_of = ""
        """The id of the call that the last line was about."""
        self._cut = ""
        """The text of a step that was cut off, until it is known whether another answer comes in its place."""

    def show(self, record: Record) -> None:
        event = record.event
        if record.parent is not None:
            _say(_of_subagent(event))
        elif isinstance(event, TextDelta):
            if self._streams:
                self._answer(event.text)
        elif isinstance(event, StepStarted):
            self._begin_answer()
        elif isinstance(event, StepFinished):
            self._calls, self._named = {call.id: call for call in event.message.tool_calls}, set()
            if not self._streams:
                self._step(event)
        elif isinstance(event, ApprovalAsked | ToolStarted):
            self._name(event.call.id)
        elif isinstance(event, ToolFinished):
            self._name(event.call_id)  # one that was refused unasked has not been named by now
            _say(f"  {'✗' if event.is_error else '✓'} {self._whose(event.call_id)}{clean_line(event.result, 120)}")
        elif isinstance(event, TurnFinished | TurnFailed):
            self._answer(self._cut)
            if not self._ends_with_newline:
                self._answer("\n")
            _say(_ending(event))
        else:
            _say(_remark(event))

    def _begin_answer(self) -> None:
        """An answer that was cut off and one that comes in its place are two."""
        if self._cut:
            _say(clean(self._cut))
        if not self._ends_with_newline:
            self._answer("\n\n")
        self._cut, self._ends_with_newline = "", True

    def _step(self, event: StepFinished) -> None:
        if event.finish_reason in ("error", "interrupted", "repetition"):
            self._cut = event.message.text
        elif event.message.tool_calls:
            _say(clean(event.message.text))
        else:
            self._answer(event.message.text)

    def _name(self, call_id: str) -> None:
        """Print the line of a call, the first time that it is spoken of."""
        if call_id in self._calls and call_id not in self._named:
            self._named.add(call_id)
            self._spoken_of = call_id
            _say(f"● {_words_of(self._calls[call_id])}")

    def _whose(self, call_id: str) -> str:
        """The call that a result is of, where the line above it is about another one: several ran side by side."""
        call, is_clear, self._spoken_of = self._calls.get(call_id), self._spoken_of == call_id, call_id
        return "" if call is None or is_clear else f"{clean_line(_words_of(call), _WHOSE_CHARACTERS)}: "

    def _answer(self, text: str) -> None:
        if text:
            self._ends_with_newline = text.endswith("\n")
            sys.stdout.write(clean(text))


@dataclass(slots=True)
class _Outcome:
    """What the exit code depends on."""

    was_denied: bool = False
    code: int = FAILED

    def see(self, event: Event) -> None:
        if isinstance(event, ApprovalGiven):
            self.was_denied = self.was_denied or event.decision == "no"
        elif isinstance(event, TurnFailed):
            self.code = 2 if event.error.kind in ("usage", "config", "credential") else FAILED
        elif isinstance(event, TurnFinished):
            codes = {"interrupted": INTERRUPTED, "limit": LIMIT, "done": DENIED if self.was_denied else DONE}
            self.code = codes[event.reason]


async def run(conversation: Conversation, prompt: str, as_json: bool, images: Sequence[Image] = ()) -> int:
    """Run one turn to its end and print it; returns the exit code of DESIGN.md section 7."""
    printer: Printer = JsonPrinter() if as_json else TextPrinter(streams=conversation.mode == "chat")
    outcome, conversation.asks_server, conversation.is_attended = _Outcome(), False, False
    turn = conversation.send(prompt, Nobody(), images)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        loop.add_signal_handler(number, turn.stop)
    try:
        async for record in turn:
            outcome.see(record.event)
            printer.show(record)
            if turn.is_waiting:  # many that came at once are written at once
                sys.stdout.flush()
    finally:
        await conversation.close()
        for words in conversation.take_untold():  # the last of it could not be saved
            _say(clean_line(words, _NOTICE_CHARACTERS))
    sys.stdout.flush()
    return outcome.code


def _say(line: str) -> None:
    if line:
        print(line, file=sys.stderr, flush=True)


def _words_of(call: ToolCall) -> str:
    """A call on one line, cleaned."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return clean_line(f"{call.name}({arguments if call.raw is None else call.raw})")


def _of_subagent(event: Event) -> str:
    """What standard error says of an event of a subagent: a line for each call, and what went wrong."""
    if isinstance(event, ToolStarted):
        return f"    ● {_words_of(event.call)}"
    if isinstance(event, ToolFinished):
        return f"      ✗ {clean_line(event.result, 120)}" if event.is_error else ""
    remark = _remark(event)
    return f"    {remark}" if remark else ""


def _remark(event: Event) -> str:
    """What standard error says of an event, cleaned; empty for most."""
    if isinstance(event, Retrying):
        return clean_line(f"retrying in {event.wait_s:.1f} s: {event.error.message}")
    if isinstance(event, Repaired):
        return clean_line(f"repaired: {event.what}")
    if isinstance(event, RuleLearned):
        return clean_line(f"learned from the server: {event.rule} = {event.value} ({event.because})")
    if isinstance(event, Compacted):
        sizes = f"about {event.before_tokens:,} tokens to {event.after_tokens:,}"
        how = "made shorter" if event.is_shorter else "summarised, which did not make it shorter,"
        return f"the conversation was {how} for the model: {sizes}"
    if isinstance(event, Notice):
        return clean_line(event.message, _NOTICE_CHARACTERS)
    return ""


def _ending(event: TurnFinished | TurnFailed) -> str:
    if isinstance(event, TurnFailed):
        return "\n  ".join(clean(part) for part in (f"mimo-tui: {event.error.message}", event.error.hint) if part)
    if event.reason == "limit":
        return clean(f"mimo-tui: stopped at a limit: {event.detail}")
    return "mimo-tui: interrupted" if event.reason == "interrupted" else ""
