"""Records for tests, made with few words."""

from __future__ import annotations

import itertools

from tui.core.events import (
    Event,
    ReasoningDelta,
    Record,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from tui.core.messages import Block, Json, Message, Origin, Reasoning, Text, ToolCall, user
from tui.core.requests import change
from tui.core.usage import Timings, Usage

ORIGIN = Origin("lab", "http://127.0.0.1:8000/v1", "m", "chat-completions")


class Stream:
    """Makes the records of one session; its clock moves a second with each."""

    def __init__(self, session: str, first_turn: int = 1) -> None:
        self.session = session
        self.turn = first_turn - 1
        self.step: int | None = None
        self.body: Json = {}
        self._clock = itertools.count(1000 * first_turn)

    def record(self, event: Event, parent: str | None = None) -> Record:
        return Record(self.session, self.turn, self.step, float(next(self._clock)), event, parent)

    def ask(self, text: str = "Hello") -> Record:
        self.turn += 1
        self.step = None
        return self.record(TurnStarted(user(text), "agent", "ask"))

    def begin(self, **body: object) -> Record:
        self.step = (self.step or 0) + 1
        before, self.body = self.body, {"model": "m", **body}
        return self.record(StepStarted(ORIGIN, "http://127.0.0.1:8000/v1/chat/completions", change(before, self.body)))

    def finish(self, *blocks: Block, reason: str = "stop") -> Record:
        message = Message("assistant", blocks, ORIGIN)
        return self.record(StepFinished(message, Usage(10, 5), reason, Timings(1.0, 0.5, 2.0), 0.01))

    def end(self, reason: str = "done") -> Record:
        self.step = None
        return self.record(TurnFinished(reason))

    def answer(self, question: str = "Hello", answer: str = "Hi") -> list[Record]:
        """A whole turn of one step, as its readers see it live."""
        return [
            self.ask(question),
            self.begin(messages=[{"role": "user", "content": question}]),
            *(self.record(TextDelta(piece)) for piece in answer),
            self.finish(Text(answer)),
            self.end(),
        ]

    def work(self) -> list[Record]:
        """A turn with reasoning, a tool call and its result, then an answer."""
        call = ToolCall("c1", "read_file", {"path": "a.txt"})
        return [
            self.ask("Read a.txt"),
            self.begin(messages=[1]),
            self.record(ReasoningDelta("I should ")),
            self.record(ReasoningDelta("look.")),
            self.record(TextDelta("Let me see.")),
            self.record(ToolCallDelta(0, "read_file", '{"path":')),
            self.record(ToolCallDelta(0, "", '"a.txt"}')),
            self.finish(Reasoning("I should look."), Text("Let me see."), call, reason="tool_calls"),
            self.record(ToolStarted(call)),
            self.record(ToolFinished("c1", False, "one\n", 0.1, {})),
            self.begin(messages=[1, 2, 3]),
            self.record(TextDelta("It says one.")),
            self.finish(Text("It says one.")),
            self.end(),
        ]
