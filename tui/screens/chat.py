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
from textual.widgets import Static, TextArea

from tui.commands.registry import COMMANDS, find
from tui.core.errors import MimoError
from tui.core.events import (
    ApprovalAsked,
    ApprovalGiven,
    QuestionAnswered,
    QuestionAsked,
    ReasoningDelta,
    Record,
    TextDelta,
    ToolCallDelta,
    ToolOutput,
)
from tui.screens import backstage
from tui.screens.attaching import Attaching
from tui.screens.front import ChatFront
from tui.screens.overview import Overview
from tui.screens.permissions import Permissions
from tui.screens.projecting import Projecting
from tui.screens.questions import Questions
from tui.screens.reporting import ReportsBrokenWorkers
from tui.screens.sending import Sending
from tui.screens.serving import Serving
from tui.screens.side import Side
from tui.screens.talk import Talk
from tui.screens.undoing import ChatUndo
from tui.widgets.attachments import Attachments
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
    from tui.widgets.question import QuestionBar
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

    What is said is in `talk`, how it gets there in `sending` and `attaching`, what commands do in `front`, the trace in
    `side`, what waits for an answer in `questions`, what the status line tells in `overview`.
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
        self.sending = Sending(self)
        self.attaching = Attaching(self)
        self.serving = Serving(self)
        self.projecting = Projecting(self)
        self.undoing = ChatUndo(self)
        self.permissions = Permissions(self)

    def compose(self) -> ComposeResult:
        completions = [Completion(f"/{command.name}", command.help) for command in COMMANDS]
        with Horizontal(id="body"):
            yield Transcript(id="transcript")
        yield Static(self._beginning(), id="beginning", markup=False)
        yield QueuedMessages(id="queued")
        yield CompletionList(id="completions")
        yield Note(id="note")
        yield Attachments(id="attachments")
        yield Prompt(completions, self.sending.take_back, id="prompt")
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
        self.sending.next()
        if old is None:
            await self._warm_up()

    def _show_conversation(self, conversation: Conversation) -> None:
        if conversation.records:
            self.talk.next_mode = conversation.mode
        self.set_class(bool(conversation.records), "-begun")
        self.transcript.clear()
        self.transcript.show_all(conversation.records)
        self.side.show_all(conversation.records)
        self.talk.look_back()
        self.overview.learn()
        self.mode_changed()

    async def _warm_up(self) -> None:
        """Do in a thread what would otherwise stall the first turn."""
        await self.projecting.look()
        self.prompt.past.load(await asyncio.to_thread(backstage.past_prompts))
        for warm_up in backstage.warm_ups():
            await asyncio.to_thread(warm_up)

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self.sending.submit(event.text)

    @on(Prompt.StruckEmpty)
    def _struck_empty(self, event: Prompt.StruckEmpty) -> None:
        if event.key == "enter":
            self.sending.enter_nothing()
        else:
            self.attaching.remove(-1)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self.questions.prompt_changed(event.time)
        if self.talk.can_go_on:  # which Enter does in an empty prompt only
            self.overview.show()

    @on(Prompt.PathsPasted)
    def _paths_pasted(self, event: Prompt.PathsPasted) -> None:
        self.attaching.paste(event.text)

    @on(Prompt.ClipboardWanted)
    def _clipboard_wanted(self) -> None:
        self.attaching.paste_clipboard()

    @on(Prompt.FilesWanted)
    def _files_wanted(self, event: Prompt.FilesWanted) -> None:
        self.attaching.complete(event.path)

    @on(Prompt.ImagePicked)
    def _image_picked(self, event: Prompt.ImagePicked) -> None:
        self.front.attach(event.path)

    @on(Attachments.Removed)
    def _attachment_removed(self, event: Attachments.Removed) -> None:
        self.attaching.remove(event.index)

    @on(Transcript.CountedDown)
    def _counted_down(self) -> None:
        self.overview.show()

    def show(self, record: Record) -> None:
        """Show a record of the running turn everywhere it belongs."""
        self.transcript.show(record)
        if isinstance(record.event, _PASSING):
            return
        self.side.show(record)
        if isinstance(record.event, ApprovalAsked):
            self.questions.ask(record.event)
        elif isinstance(record.event, QuestionAsked):
            self.questions.put(record.event)
        elif isinstance(record.event, ApprovalGiven | QuestionAnswered):
            self.questions.drop()
            if isinstance(record.event, ApprovalGiven) and record.event.decision != "no":
                self.projecting.planned()
        self.overview.take(record)

    def say(self, error: MimoError) -> None:
        """Show what cannot be done, and what to do about it."""
        self.note.say(error.message, error.hint, is_error=True)

    def stop(self) -> None:
        """Close the drawer; else stop the turn, and what waits for its end comes back into the prompt."""
        if self.side.close_drawer():
            return
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
        if self.talk.is_working or self.overview.is_old:
            self.overview.show()

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
        self.front.open_step(event.turn, event.step, event.parent_call)

    def on_trace_pane_step_wanted_back(self, event: TracePane.StepWantedBack) -> None:
        try:
            self.undoing.restore(event.turn, event.step)
        except MimoError as error:
            self.say(error)

    def on_approval_bar_answered(self, event: ApprovalBar.Answered) -> None:
        self.questions.answer(event)

    def on_question_bar_answered(self, event: QuestionBar.Answered) -> None:
        self.questions.reply(event)

    def on_key_input_given(self, event: KeyInput.Given) -> None:
        self.run_worker(self.questions.keep_key(event.key), group="key", exclusive=True, exit_on_error=False)

    def on_key_input_cancelled(self) -> None:
        self.questions.drop()

    def action_command(self, name: str) -> None:
        """A key of the registry."""
        if name == "stop" and self.questions.step_back():
            return
        try:
            find(name, (*COMMANDS, *self.front.more_commands)).run(self.front, "")
        except MimoError as error:
            self.say(error)

    def on_key(self, event: events.Key) -> None:
        """What is typed goes to the prompt, wherever the focus was left, and what was typed before there was one."""
        if event.is_printable and event.key not in self.active_bindings:
            event.stop()
            self.set_focus(self.prompt)
            self.prompt.insert(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        if not self.prompt.has_focus:
            self.prompt.focus()
            self.prompt.post_message(event)

    def on_descendant_focus(self) -> None:
        self.side.show_keys()
        self.overview.show()

    def on_resize(self, event: events.Resize) -> None:
        # By hand, as Textual's own breakpoints would style everything twice at the start.
        self.set_class(event.size.height < _SHORT, "-short")
        self.side.fit(event.size.width)
