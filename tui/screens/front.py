"""What the commands do to the main screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from tui.commands.registry import Command
from tui.core.errors import MimoError, UsageError
from tui.core.events import StepStarted
from tui.screens import backstage
from tui.screens.choice import Choice
from tui.settings.config import Mode

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation
    from tui.agent.wishes import Wishes
    from tui.screens.chat import ChatScreen


class ChatFront:
    """The handlers of the registry's commands: each changes the conversation at hand, or lets one choose how.

    They raise MimoError for what cannot be done; who calls them shows it.
    """

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    def show_help(self) -> None:
        from tui.screens.help import HelpScreen

        self._screen.app.push_screen(HelpScreen(self.more_commands))

    def switch_mode(self, mode: str) -> None:
        """To `mode`, or to the next one; for the next turn, if one runs."""
        modes: tuple[Mode, ...] = get_args(Mode)
        if mode and mode not in modes:
            raise UsageError(f"there is no mode {mode}", f"The modes are {' and '.join(modes)}.")
        now = modes.index(self._screen.talk.next_mode)
        self._screen.talk.next_mode = next((name for name in modes if name == mode), modes[now - 1])
        self._screen.mode_changed()

    def choose_backend(self, name: str) -> None:
        if name:
            self._use(name)
        else:
            self.set_up_backend()

    def choose_model(self, model: str) -> None:
        spec = self._conversation.spec()
        if spec is None:
            raise UsageError("no backend is set", "Set one up with /setup, or choose one with /backend.")
        if model:
            self._use(spec.name, model)
            return

        async def models() -> Sequence[Choice]:
            return await backstage.model_choices(spec)

        self._pick(f"Models of {spec.name}", models, lambda id: self._use(spec.name, id), spec.model or "", True)

    def start_session(self) -> None:
        self._refuse_while_working()
        self._screen.open(self._wishes(session=None))

    def choose_session(self, session: str) -> None:
        self._refuse_while_working()
        if session:
            self._resume(session)
            return

        async def sessions() -> Sequence[Choice]:
            return await asyncio.to_thread(backstage.session_choices, self._screen.folder)

        self._pick("Sessions of this folder", sessions, self._resume, self._conversation.session_id)

    def choose_theme(self, name: str) -> None:
        app = self._screen.app
        if name:
            app.choose_theme(name)
            return
        from tui.screens.picker import Picker
        from tui.screens.window import PER_MODE
        from tui.widgets.themes import theme_names

        before = app.theme
        choices = [Choice(PER_MODE, "per mode", "each mode has its own"), *(Choice(n, n) for n in theme_names())]
        picker = Picker("Theme", choices, app.chosen_theme, on_look=app.show_theme)
        app.push_screen(picker, lambda chosen: app.choose_theme(chosen) if chosen else app.show_theme(before))

    def toggle_trace(self) -> None:
        self._screen.side.toggle()

    def focus_question(self) -> None:
        self._screen.questions.focus()

    def stop_turn(self) -> None:
        self._screen.stop()

    def go_on(self) -> None:
        self._refuse_while_working()
        self._screen.sending.go_on()

    def attach(self, path: str) -> None:
        self._screen.attaching.attach(path)

    def choose_policy(self, name: str) -> None:
        self._screen.permissions.choose_policy(name)

    def show_rules(self) -> None:
        self._screen.permissions.show_rules()

    def undo(self, turns: str) -> None:
        self._screen.undoing.undo(turns)

    def undo_all(self) -> None:
        self._screen.undoing.undo("", is_forced=True)

    def redo(self) -> None:
        self._screen.undoing.redo()

    def show_changes(self, what: str) -> None:
        self._screen.undoing.show(what)

    def show_servers(self, words: str) -> None:
        self._screen.serving.show(words)

    def show_trust(self) -> None:
        self._screen.projecting.show_trust()

    def write_notes(self) -> None:
        self._screen.projecting.write_notes()

    def show_window(self) -> None:
        self._screen.projecting.show_window()

    def compact(self) -> None:
        self._screen.note.say(self._conversation.ask_to_compact())

    def show_jobs(self, words: str) -> None:
        from tui.screens.jobs import show_jobs

        show_jobs(self._screen, self._conversation.desk, words)

    def plan(self, task: str) -> None:
        self._screen.projecting.plan(task)

    def send_words(self, words: str) -> None:
        self._screen.sending.send(words)

    @property
    def more_commands(self) -> Sequence[Command]:
        return self._screen.projecting.commands

    def edit_memory(self, words: str) -> None:
        from tui.screens.memory import edit_memory

        edit_memory(self._screen, words)

    def set_up_backend(self) -> None:
        from tui.screens.welcome import WelcomeScreen

        conversation = self._conversation
        spec = conversation.spec()
        welcome = WelcomeScreen(conversation.settings, spec.name if spec else "")
        self._screen.app.push_screen(welcome, self._backend_chosen)

    def leave(self) -> None:
        self._screen.app.leave()

    def open_step(self, turn: int, step: int, parent: str | None = None) -> None:
        """Show everything about a step, a subagent's by the call that it belongs to."""
        from tui.screens.step import StepScreen
        from tui.sessions.history import request_of

        records = self._conversation.records
        place = (turn, step, parent)
        chosen = [record for record in records if (record.turn, record.step, record.parent) == place]
        asked = next((record.event.origin.backend for record in chosen if isinstance(record.event, StepStarted)), "")
        credential = backstage.credential_of(self._conversation.settings, asked)
        self._screen.app.push_screen(StepScreen(chosen, request_of(records, turn, step, parent), credential))

    @property
    def _conversation(self) -> Conversation:
        conversation = self._screen.talk.conversation
        if conversation is None:
            raise UsageError("the conversation is still being opened", "Try again in a moment.")
        return conversation

    def _backend_chosen(self, name: str | None) -> None:
        """A backend was chosen, None for none; some may have been added, changed or removed."""
        try:
            self._screen.settings = self._conversation.settings = backstage.reload_settings(self._screen.folder)
            if name is not None:
                self._use(name)
            self._screen.overview.learn()
        except MimoError as error:
            self._screen.say(error)

    def _use(self, name: str, model: str | None = None) -> None:
        """From the next turn on, and after the next start."""
        self._conversation.use(name, model)
        remembering = asyncio.to_thread(backstage.remember, backend=name, model=model)
        self._screen.run_worker(remembering, group="remember", exit_on_error=False)
        self._used()

    def _used(self) -> None:
        self._screen.overview.learn()
        spec = self._conversation.spec()
        if spec is not None and spec.model is None:
            self.choose_model("")

    def _resume(self, session: str) -> None:
        if session != self._conversation.session_id:
            self._screen.open(self._wishes(session=session, mode=None, backend=None, model=None))

    def _wishes(self, **changes: object) -> Wishes:
        """What the command line wished for, as it has become since."""
        spec = self._conversation.spec()
        now: dict[str, object] = {
            "mode": self._screen.talk.next_mode,
            "continue_last": False,
            "policy": self._conversation.permissions.policy,
        }
        if spec is not None:
            now |= {"backend": spec.name, "model": spec.model}
        return replace(self._screen.wishes, **(now | changes))  # type: ignore[arg-type]

    def _refuse_while_working(self) -> None:
        if self._screen.talk.is_working:
            raise UsageError("a turn is running", "Stop it with esc first.")

    def _pick(
        self,
        title: str,
        choices: Sequence[Choice] | Callable[[], Awaitable[Sequence[Choice]]],
        then: Callable[[str], None],
        current: str = "",
        may_type: bool = False,
    ) -> None:
        from tui.screens.picker import Picker

        self._screen.app.push_screen(Picker(title, choices, current, may_type=may_type), self._guarded(then))

    def _guarded(self, then: Callable[[str], None]) -> Callable[[str | None], None]:
        """`then` for a screen's answer: nothing for None, and errors are shown."""

        def chosen(answer: str | None) -> None:
            if answer is not None:
                try:
                    then(answer)
                except MimoError as error:
                    self._screen.say(error)

        return chosen
