"""The program on a headless terminal with a scripted model behind it, driven by keys and read off the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot

from tests.scripted import ScriptedServer
from tui.agent.wishes import Wishes
from tui.backends.resolve import presets
from tui.screens.chat import ChatScreen
from tui.screens.window import MimoApp
from tui.settings.config import config_file, load
from tui.widgets.approval import ApprovalBar

LIMIT_S = 20.0


class Driver:
    """One run of the program."""

    def __init__(self, app: MimoApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def chat(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    @property
    def prompt(self) -> str:
        return self.chat.prompt.text

    @property
    def screen(self) -> str:
        """What can be read now."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def status(self) -> str:
        return self.screen.splitlines()[-1]

    async def write(self, text: str) -> None:
        """Type into whatever has the focus, faster than anyone can."""
        self.strike(*text)
        await self.pilot.pause()

    def strike(self, *keys: str) -> None:
        """Several keys in one go."""
        for key in keys:
            self.app.post_message(events.Key(key, None))

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.app.post_message(events.Key(key, None))
            await self.pilot.pause()

    async def say(self, text: str) -> None:
        await self.write(text)
        await self.press("enter")

    async def until(self, happened: Callable[[], bool], what: str = "") -> None:
        """Let the program go on until it is so."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not happened():
                    await self.pilot.pause(0.005)
        except TimeoutError:
            raise AssertionError(f"it never happened: {what}\n{self.screen}") from None

    async def until_shown(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.screen for text in texts), f"shown: {texts}")

    async def wait(self, seconds: float) -> None:
        """Let time pass, for tests about what comes alone and what in one go."""
        await self.pilot.pause(seconds)

    async def until_armed(self) -> None:
        """Until the question takes keys: it shows them from then on."""
        await self.until(lambda: any(bar._is_armed for bar in self.chat.query(ApprovalBar)), "the question is armed")

    async def chat_focus(self, id: str) -> None:
        """Go to a widget of the main screen with tab."""
        for _ in range(4):
            if self.app.focused is not None and self.app.focused.id == id:
                return
            await self.press("tab")
        raise AssertionError(f"tab does not reach {id}")

    async def until_done(self) -> None:
        """Until no turn runs and none waits."""
        await self.until(lambda: self.chat.talk.is_ready and not self.chat.talk.waiting, "no turn runs")
        await self.pilot.pause()


def configure(server: ScriptedServer | None, more: str = "", backend: str = "") -> None:
    """Write the user's config.toml, with the scripted server as the default backend."""
    text = more
    if server is not None:
        text = f"""
            [defaults]
            backend = "lab"
            [backends.lab]
            wire = "chat-completions"
            base_url = "{server.base_url}"
            model = "scripted"
            context_window = 1000
            retries = 0
            {backend or 'credential = "none"'}
            {more}
        """
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text)


@asynccontextmanager
async def opened(
    folder: Path, size: tuple[int, int] = (100, 30), theme: str | None = None, is_ready: bool = True, **wishes: Any
) -> AsyncIterator[Driver]:
    """The program in `folder`; with `is_ready` its conversation is open already."""
    app = MimoApp(load(folder, presets()), folder, Wishes(**wishes), theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        driver = Driver(app, pilot)
        if is_ready:
            await driver.until(lambda: driver.chat.talk.conversation is not None, "the conversation is open")
        yield driver
        if app.is_running:
            await driver.press("ctrl+q")
            await driver.until(lambda: not app.is_running, "it has ended")
