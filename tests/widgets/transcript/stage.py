"""An app with nothing but a transcript, and records to show in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.app import App, ComposeResult

from tui.core import events
from tui.core.events import Event, Record
from tui.core.messages import Block, Json, Message, Origin, Text, ToolCall, user
from tui.core.usage import Timings, Usage
from tui.widgets.transcript import Transcript, engines

ORIGIN = Origin("lab", "http://127.0.0.1:8000/v1", "small", "chat-completions")


class Stage(App[None]):
    """Tells what the transcript told it."""

    def __init__(self, *, warm: bool = True) -> None:
        super().__init__()
        if warm:
            engines.warm()
        self.opened: list[tuple[int, int]] = []
        self.links: list[str] = []
        self.now = 1000.0
        """The transcript's clock, moved by hand."""

    def compose(self) -> ComposeResult:
        yield Transcript(clock=lambda: self.now)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def on_transcript_step_opened(self, message: Transcript.StepOpened) -> None:
        self.opened.append((message.turn, message.step))

    def on_transcript_link_opened(self, message: Transcript.LinkOpened) -> None:
        self.links.append(message.url)

    def show(self, records: Iterable[Record]) -> None:
        """Show records as the next frames will, now."""
        for one in records:
            self.transcript.show(one)
        self.finish_frames()

    def finish_frames(self) -> None:
        """Draw until nothing that is seen is left for a later slice, however slow the machine is."""
        self.transcript.frame()
        while self.transcript.view.pen.unfinished:
            self.transcript.frame()

    def lines(self) -> list[str]:
        """What can be read on the screen."""
        self.finish_frames()
        region = self.transcript.outer_size.region
        return [strip.text.rstrip() for strip in self.transcript.render_lines(region)]

    def text(self) -> str:
        return "\n".join(self.lines())


def record(
    event: Event, step: int | None = 1, turn: int = 1, time: float = 1000.0, parent: str | None = None
) -> Record:
    return Record("session", turn, step, time, event, parent)


def asked(text: str, turn: int = 1) -> Record:
    return record(events.TurnStarted(user(text), "chat", "ask"), None, turn)


def step_started(step: int = 1, turn: int = 1) -> Record:
    return record(events.StepStarted(ORIGIN, "http://127.0.0.1:8000/v1", {}), step, turn)


def step_finished(*blocks: Block, step: int = 1, turn: int = 1, finish_reason: str = "stop") -> Record:
    message = Message("assistant", blocks, ORIGIN)
    return record(events.StepFinished(message, Usage(), finish_reason, Timings(1000.0, 0.1, 1.0)), step, turn)


def said(text: str, cut: int = 7, step: int = 1, turn: int = 1) -> Iterator[Record]:
    """The text as deltas of `cut` characters."""
    for start in range(0, len(text), cut):
        yield record(events.TextDelta(text[start : start + cut]), step, turn)


def answered(text: str, turn: int = 1) -> list[Record]:
    """A whole turn: a question, and this answer."""
    return [
        asked("Go on.", turn),
        step_started(turn=turn),
        *said(text, 40, turn=turn),
        step_finished(Text(text), turn=turn),
        record(events.TurnFinished("done"), None, turn),
    ]


def call(id: str = "c1", name: str = "read_file", **arguments: object) -> ToolCall:
    return ToolCall(id, name, dict(arguments))


def finished(id: str = "c1", result: str = "", *, is_error: bool = False, detail: Json | None = None) -> Record:
    return record(events.ToolFinished(id, is_error, result, 0.1, detail or {}))
