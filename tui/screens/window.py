"""The window that all screens are in: its theme, its way out, and what happens when something of ours breaks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.screen import ModalScreen, Screen

from tui.core.errors import MimoError
from tui.screens import backstage
from tui.screens.chat import ChatScreen
from tui.screens.lone_keys import LoneKeys
from tui.screens.threads import LooseThreads
from tui.settings.config import Mode, Settings
from tui.widgets.themes import load_theme

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver

    from tui.agent.wishes import Wishes

PER_MODE = "auto"
"""In place of a theme's name: each mode has its own."""
_QUIT_AGAIN_S = 3.0
"""A second ctrl+c within this time quits."""
_CLOSE_TIMEOUT_S = 5.0
"""What a disk or server that hangs may cost at the end."""


def _palette() -> type[Provider]:
    from tui.commands.palette import CommandProvider

    return CommandProvider


class MimoApp(App[None]):
    """One window on one conversation. `problem` is why it ended by itself, if it did."""

    TITLE = "mimo-tui"
    CSS_PATH = "chat.tcss"  # Textual does not load that of the default screen
    COMMANDS: ClassVar = {_palette}
    BINDINGS: ClassVar = [
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+q", "leave", show=False, priority=True),
    ]

    def __init__(self, settings: Settings, folder: Path, wishes: Wishes, theme: str | None = None) -> None:
        super().__init__()
        self.problem: MimoError | None = None
        self._settings = settings
        self._wanted_theme = theme
        self._theme_problem: MimoError | None = None
        self.chat = ChatScreen(settings, folder, wishes)
        self._keys = LoneKeys(self, super().on_event)
        self._mode = self.chat.talk.mode
        self._is_leaving = False
        self._interrupted = 0.0
        is_named = theme is not None and theme != PER_MODE  # a wrong name on the command line is refused
        self._begin_with(self._registered(theme) if is_named and theme else self._theme_of(self._mode))

    def get_driver_class(self) -> type[Driver]:
        if sys.platform == "win32" or "TEXTUAL_DRIVER" in os.environ:
            return super().get_driver_class()
        from tui.screens.driver import QuickDriver

        return QuickDriver

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            for ready in self._keys.sort(event):
                await super().on_event(ready)
        else:
            await super().on_event(event)

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    def on_mount(self) -> None:
        self.call_after_refresh(self._say_theme_problem)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(LooseThreads())
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the terminal was closed, or the system goes down: keep what came
            if number := getattr(signal, name, None):
                loop.add_signal_handler(number, self.hang_up)

    # Themes

    def show_mode(self, mode: Mode) -> bool:
        """Take on the theme of `mode`. False when it was that mode before."""
        if mode == self._mode:
            return False
        self._mode = mode
        self.theme = self._theme_of(mode)
        self._say_theme_problem()
        return True

    def choose_theme(self, name: str) -> None:
        """Show this theme from now on, in both modes and after the next start. Raises MimoError if there is none.

        With `PER_MODE` each mode has its own again, as the settings say.
        """
        self.show_theme(name)
        self._wanted_theme = name
        self.run_worker(self._keep_theme(name), group="theme", exclusive=True, exit_on_error=False)

    async def _keep_theme(self, name: str) -> None:
        await asyncio.to_thread(backstage.remember, theme=None if name == PER_MODE else name)

    def show_theme(self, name: str) -> None:
        """Show this theme for now. Raises MimoError if there is none."""
        self.theme = self._theme_of(self._mode, PER_MODE) if name == PER_MODE else self._registered(name)

    @property
    def chosen_theme(self) -> str:
        """What is shown in both modes, or `PER_MODE`."""
        return self._wanted_theme or self._settings.ui.theme or PER_MODE

    def _begin_with(self, theme: str) -> None:
        """Have the theme from the first frame on. Assigning it would have all styles read twice: 5 ms."""
        self.set_reactive(App.theme, theme)
        self.update_classes({"-dark-mode": self.current_theme.dark, "-light-mode": not self.current_theme.dark})
        self.stylesheet.set_variables(self.get_css_variables())

    def _theme_of(self, mode: Mode, chosen: str | None = None) -> str:
        """The theme that is set for the mode, or its own one where that cannot be used, which is said."""
        chosen = chosen or self._wanted_theme
        own = self._settings.modes.get(mode)
        for_mode = own.theme if own else None
        if chosen == PER_MODE:
            wanted = for_mode or f"{mode}-era"
        else:
            wanted = chosen or for_mode or self._settings.ui.theme or f"{mode}-era"
        try:
            return self._registered(wanted)
        except MimoError as error:
            self._theme_problem = error
            return self._registered(f"{mode}-era")

    def _registered(self, name: str) -> str:
        if self.get_theme(name) is None:
            self.register_theme(load_theme(name))
        return name

    def _say_theme_problem(self) -> None:
        if self._theme_problem is not None:
            self.chat.say(self._theme_problem)
            self._theme_problem = None

    def action_command_palette(self) -> None:
        """The commands are those of the main screen: elsewhere they would do something behind what is shown."""
        if self.screen is self.chat:
            super().action_command_palette()

    # Leaving

    def action_interrupt(self) -> None:
        """ctrl+c: copy what is selected, close what is open, stop the turn, empty the prompt; else, twice: quit."""
        screen = self.screen
        if text := screen.get_selected_text() or self.chat.prompt.selected_text:
            self.copy_to_clipboard(text)
            screen.clear_selection()
        elif isinstance(screen, ModalScreen):
            screen.dismiss(None)
        elif self.chat.talk.stop():
            self.chat.note.say("ctrl+c stopped the turn. What came of it is kept.")
        elif self.chat.prompt.text:
            self.chat.prompt.clear_into_past()
        elif self._loop_time() - self._interrupted < _QUIT_AGAIN_S:
            self.leave()
        else:
            self._interrupted = self._loop_time()
            self.chat.note.say("Press ctrl+c again to quit.")

    def action_leave(self) -> None:
        self.leave()

    async def action_quit(self) -> None:
        self.leave()

    def leave(self) -> None:
        """End the program: stop the turn, store what came, close the connections. A second call does not wait."""
        if self._is_leaving:
            self.exit()
            return
        self._is_leaving = True
        self.run_worker(self._leave(), group="leave", exit_on_error=False)

    def hang_up(self) -> None:
        """The terminal is gone or the system wants an end. Told in several ways at once, it is no impatient user."""
        if not self._is_leaving:
            self.leave()

    async def _leave(self) -> None:
        try:
            if self.chat.talk.conversation is not None:
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await self.chat.talk.conversation.close()
        finally:
            self.exit()

    def report(self, error: BaseException) -> None:
        """A worker of a screen broke: close what cannot go on, and say where the details are."""
        from tui.settings.log import log_crash

        if isinstance(self.screen, ModalScreen):
            self.screen.dismiss(None)
        self.chat.say(MimoError(f"something went wrong that should not: {log_crash(error)}"))

    def fail(self, error: MimoError) -> None:
        """End the program with an error for the user."""
        self.problem = error
        self.exit()

    def _fatal_error(self) -> None:
        """Textual's way out for an exception that nobody caught: the log gets the traceback, the user a line."""
        from tui.settings.log import log_crash

        assert self._exception is not None
        self.problem = MimoError(f"something went wrong that should not: {log_crash(self._exception)}")
        self._close_messages_no_wait()

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()
