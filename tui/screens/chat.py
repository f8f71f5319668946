"""The main screen: the conversation in one column, the trace beside it, the prompt and the status line below."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from tui.commands.registry import COMMANDS, find
from tui.commands.registry import run as run_command
from tui.core.errors import MimoError
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    ReasoningDelta,
    Record,
    StepFinished,
    TextDelta,
    ToolCallDelta,
    ToolOutput,
    TurnFailed,
    TurnFinished,
)
from tui.screens import backstage
from tui.screens.front import ChatFront
from tui.screens.overview import Overview
from tui.screens.questions import Questions
from tui.screens.reporting import ReportsBrokenWorkers
from tui.screens.side import Side
from tui.screens.talk import Talk
from tui.widgets.completions import CompletionList
from tui.widgets.note import Note
from tui.widgets.prompt import Completion, Prompt
from tui.widgets.queued import QueuedMessages
from tui.widgets.status import StatusLine
from tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation
    from tui.agent.wishes import Wishes
    from tui.screens.window import MimoApp
    from tui.settings.config import Settings
    from tui.widgets.approval import ApprovalBar
    from tui.widgets.key_input import KeyInput
    from tui.widgets.trace import TracePane

_PASSING = (TextDelta, ReasoningDelta, ToolCallDelta, ToolOutput)
"""What comes by the thousand and changes nothing but the transcript."""

_BEGINNING = {
    "chat": "Write below. shift+tab lets the model act in this folder, / lists commands.",
    "agent": "Write below: the model can act in this folder. shift+tab goes back to chat, / lists commands.",
}

_SHORT = 20
"""Lines of a window without room for margins."""


class ChatScreen(ReportsBrokenWorkers, Screen[None]):
    """Composes and routes, in many handlers of a line or two.

    What is said is in `talk`, what commands do in `front`, the trace in `side`, what waits for an answer in
    `questions`, what the status line tells in `overview`.
    """

    app: MimoApp
    AUTO_FOCUS = "Prompt"
    BINDINGS: ClassVar = [
        Binding(command.key, f"command('{command.name}')", command.help, show=False)
        for command in COMMANDS
        if command.key
    ]

    def __init__(self, settings: Settings, folder: Path, wishes: Wishes) -> None:
        super().__init__()
        self.settings = settings
        self.folder = folder
        self.wishes = wishes
        self.talk = Talk(wishes.mode or settings.defaults.mode)
        self.front = ChatFront(self)
        self.side = Side(self)
        self.questions = Questions(self)
        self.overview = Overview(self)

    def compose(self) -> ComposeResult:
        completions = [Completion(f"/{command.name}", command.help) for command in COMMANDS]
        with Horizontal(id="body"):
            yield Transcript(id="transcript")
        yield Static(self._beginning(), id="beginning", markup=False)
        yield QueuedMessages(id="queued")
        yield CompletionList(id="completions")
        yield Note(id="note")
        yield Prompt(completions, self._take_back, id="prompt")
        yield StatusLine(id="status")

    def _beginning(self) -> str:
        return f"{backstage.shown_path(self.folder)}\n{_BEGINNING[self.talk.mode]}"

    @property
    def prompt(self) -> Prompt:
        return self.query_one("#prompt", Prompt)

    @property
    def note(self) -> Note:
        return self.query_one("#note", Note)

    @property
    def transcript(self) -> Transcript:
        return self.query_one("#transcript", Transcript)

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)
        self.mode_changed()
        self.call_after_refresh(self._ready)

    def _ready(self) -> None:
        """The screen can be typed into: now comes what it did not need."""
        gc.freeze()  # what was imported stays: collections need not look at it, and so take no time that a key notices
        gc.enable()
        self.open(self.wishes)

    @work(exclusive=True, group="open", exit_on_error=False)
    async def open(self, wishes: Wishes) -> None:
        """Begin a new conversation or go on with an old one, in place of the one at hand."""
        old = self.talk.conversation
        try:
            conversation = await asyncio.to_thread(backstage.open_conversation, self.settings, self.folder, wishes)
        except MimoError as error:
            self.app.fail(error) if old is None else self.say(error)
            return
        if old is not None:
            self.talk.conversation = None  # what is sent meanwhile is for the new one
            await old.close()
        self.talk.conversation = conversation
        self._show_conversation(conversation)
        if conversation.spec() is None:
            self.front.set_up_backend()
        self._send_next()
        if old is None:
            await self._warm_up()

    def _show_conversation(self, conversation: Conversation) -> None:
        if conversation.records:
            self.talk.next_mode = conversation.mode
        self.set_class(bool(conversation.records), "-begun")
        self.transcript.clear()
        self.transcript.show_all(conversation.records)
        self.side.show_all(conversation.records)
        self.overview.learn()
        self.mode_changed()

    async def _warm_up(self) -> None:
        """Do in a thread what would otherwise stall the first turn."""
        self.prompt.past.load(await asyncio.to_thread(backstage.past_prompts))
        for warm_up in backstage.warm_ups():
            await asyncio.to_thread(warm_up)

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self.note.clear_text()
        try:
            is_command = run_command(event.text, self.front)
        except MimoError as error:
            self.say(error)
            return
        if self.prompt.clear_into_past():
            self.run_worker(asyncio.to_thread(backstage.remember_prompt, event.text), exit_on_error=False)
        if not is_command:
            self.talk.waiting.append(event.text)
            self._send_next()

    def _send_next(self) -> None:
        if self.talk.is_ready and self.talk.waiting:
            self.turn(self.talk.waiting.pop(0))
        self.query_one("#queued", QueuedMessages).show(self.talk.waiting)
        self.overview.show()

    @work(exclusive=True, group="turn", exit_on_error=False)
    async def turn(self, text: str) -> None:
        """Send `text` and show what comes of it."""
        self.add_class("-begun")
        last: Record | None = None
        try:
            last = await self.talk.turn(text, self.show)
        except MimoError as error:
            self.say(error)
        except Exception as error:  # the worker's door: a mistake of ours ends the turn, not the program
            from tui.settings.log import log_crash

            self.say(MimoError(f"something went wrong that should not: {log_crash(error)}"))
        self._turn_ended(text, last)

    def _turn_ended(self, text: str, last: Record | None) -> None:
        """Send what waits; after a turn that was stopped or failed, give it back instead."""
        self.questions.drop()
        self.mode_changed()
        if last is not None and isinstance(last.event, TurnFinished) and last.event.reason == "done":
            self._send_next()
            return
        lost = [text] if not self.talk.has_answer and (last is None or isinstance(last.event, TurnFailed)) else []
        self._give_back([*lost, *self.talk.waiting])
        if last is not None and isinstance(last.event, TurnFailed):
            self.questions.offer_key(last.event.error, text)

    def _give_back(self, texts: list[str]) -> None:
        self.talk.waiting.clear()
        if texts:
            self.prompt.put("\n\n".join([*texts, self.prompt.text] if self.prompt.text else texts))
        self._send_next()

    def show(self, record: Record) -> None:
        """Show a record of the running turn everywhere it belongs."""
        self.transcript.show(record)
        if isinstance(record.event, _PASSING):
            return
        self.side.show(record)
        if isinstance(record.event, ApprovalAsked):
            self.questions.ask(record.event)
        elif isinstance(record.event, ApprovalGiven):
            self.questions.drop()
        elif isinstance(record.event, StepFinished):
            self.overview.learn()
        self.overview.show()

    def say(self, error: MimoError) -> None:
        """Show what cannot be done, and what to do about it."""
        self.note.say(error.message, error.hint, is_error=True)

    def stop(self) -> None:
        """Stop the turn; what waits for its end comes back into the prompt."""
        if not self.talk.stop():
            self.note.clear_text()
            self.prompt.focus()

    def mode_changed(self) -> None:
        """The mode was switched, or a switch for the next turn took effect with the end of this one."""
        if self.app.show_mode(self.talk.mode):
            self.side.forget_wish()
            self.query_one("#beginning", Static).update(self._beginning())
        self.overview.show()

    def _tick(self) -> None:
        if self.talk.is_working:
            self.overview.show()

    def _take_back(self) -> str | None:
        text = self.talk.waiting.pop() if self.talk.waiting else None
        self._send_next()
        return text

    @on(Prompt.Completing)
    def _completing(self, event: Prompt.Completing) -> None:
        self.query_one("#completions", CompletionList).show(event.items, event.index)

    @on(Prompt.LeaveAsked)
    def _leave_asked(self) -> None:
        self.app.leave()

    @on(Transcript.LinkOpened)
    @work(group="link", exit_on_error=False)
    async def _link_opened(self, event: Transcript.LinkOpened) -> None:
        if not await asyncio.to_thread(backstage.open_link, event.url):
            self.app.copy_to_clipboard(event.url)
            self.note.say("The address is in the clipboard.", event.url)

    def on_transcript_step_opened(self, event: Transcript.StepOpened) -> None:
        self.front.open_step(event.turn, event.step)

    def on_trace_pane_step_opened(self, event: TracePane.StepOpened) -> None:
        self.front.open_step(event.turn, event.step)

    def on_approval_bar_answered(self, event: ApprovalBar.Answered) -> None:
        self.questions.answer(event)

    def on_key_input_given(self, event: KeyInput.Given) -> None:
        self.run_worker(self.questions.keep_key(event.key), group="key", exclusive=True, exit_on_error=False)

    def on_key_input_cancelled(self) -> None:
        self.questions.drop()

    def action_command(self, name: str) -> None:
        """A key of the registry."""
        try:
            find(name).run(self.front, "")
        except MimoError as error:
            self.say(error)

    def on_key(self, event: events.Key) -> None:
        """What is typed goes to the prompt, wherever the focus was left, and what was typed before there was one."""
        if event.is_printable and event.key not in self.active_bindings:
            event.stop()
            self.prompt.focus()
            self.prompt.insert(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        if not self.prompt.has_focus:
            self.prompt.focus()
            self.prompt.post_message(event)

    def on_descendant_focus(self) -> None:
        self.overview.show()

    def on_resize(self, event: events.Resize) -> None:
        # By hand, as Textual's own breakpoints would style everything twice at the start.
        self.set_class(event.size.height < _SHORT, "-short")
        self.side.fit(event.size.width)
