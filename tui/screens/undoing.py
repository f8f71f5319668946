"""Taking back what turns have changed in the folder, bringing it back, and showing it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.core.errors import MimoError, SessionError, UsageError

if TYPE_CHECKING:
    from tui.agent.keeper import Keeper
    from tui.screens.chat import ChatScreen
    from tui.sessions.checkpoints.undoing import Result, Undoing


class ChatUndo:
    """What `/undo`, `/redo`, `/diff` and the trace's key do. The work is done in a thread, one at a time."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    def undo(self, words: str, *, is_forced: bool = False) -> None:
        """Take back the last turn, or the last N."""
        if words and (not words.isdecimal() or int(words) < 1):
            raise UsageError(f"{words} is no number of turns", "/undo takes back the last turn, /undo 2 the last two.")
        keeper = self._keeper()
        turns = int(words or 1)
        self._run(lambda: self._change(keeper, lambda undoing: undoing.undo(turns, is_forced=is_forced), "Took back"))

    def redo(self) -> None:
        keeper = self._keeper()
        self._run(lambda: self._change(keeper, lambda undoing: undoing.redo(), "Brought back"))

    def restore(self, turn: int, step: int) -> None:
        """Make all files what they were after this step, if the user says yes to what that changes."""
        keeper = self._keeper()
        self._run(lambda: self._ask(keeper, turn, step))

    def show(self, words: str) -> None:
        """Show what the session, or its last turn, has changed."""
        if words not in ("", "turn"):
            raise UsageError(f"/diff cannot show {words}", "/diff shows all of the session, /diff turn the last turn.")
        keeper = self._keeper(may_work=True)
        self._run(lambda: self._show(keeper, words == "turn"))

    def _keeper(self, *, may_work: bool = False) -> Keeper:
        talk = self._screen.talk
        if talk.is_working and not may_work:
            raise UsageError("a turn is running", "Stop it with esc first.")
        keeper = talk.conversation.keeper if talk.conversation is not None else None
        if keeper is None and talk.conversation is not None and talk.conversation.records:
            raise UsageError("this session is not being saved", "So nothing that it changed in files was kept.")
        if keeper is None:
            raise UsageError("nothing has been changed yet", "It is for what turns of this session change in files.")
        return keeper

    async def _change(self, keeper: Keeper, work: Callable[[Undoing], Result], did: str, place: str = "") -> None:
        from tui.agent.patches import summary

        result = await asyncio.to_thread(keeper.put_back, work)
        self._screen.note.say(
            *summary(result, did, place), is_error=not result.changes and bool(result.left or result.failed)
        )

    async def _ask(self, keeper: Keeper, turn: int, step: int) -> None:
        from tui.screens.restoring import RestoreScreen

        plan = await asyncio.to_thread(lambda: keeper.undoing.preview(turn, step))

        def answered(is_sure: bool | None) -> None:
            if is_sure:
                self._run(
                    lambda: self._change(
                        self._keeper(),
                        lambda undoing: undoing.back_to(turn, step),
                        "Took back",
                        f"after step {step} of turn {turn}",
                    )
                )

        self._screen.app.push_screen(RestoreScreen(turn, step, plan), answered)

    async def _show(self, keeper: Keeper, only_turn: bool) -> None:
        from tui.agent.patches import patch_of
        from tui.screens.changes import ChangesScreen

        undoing = await asyncio.to_thread(lambda: keeper.undoing)
        find = undoing.turn_changes if only_turn else undoing.session_changes
        patches = await asyncio.to_thread(lambda: [patch_of(change) for change in find()])
        if not patches:
            raise UsageError("nothing is changed", "All files are as they were before this session changed them.")
        title = "Changes of the last turn" if only_turn else "Changes of this session"
        self._screen.app.push_screen(ChangesScreen(title, patches))

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        self._screen.run_worker(self._guarded(work), group="undo", exit_on_error=False)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except MimoError as error:
            self._screen.say(error)
        except OSError as error:
            self._screen.say(SessionError(f"the files of the folder cannot be reached: {error}"))
