"""Keys that answer a question come alone: text that is typed or sent in one go is never taken for an answer.

Nor is it taken for keys of the conversation or of the trace: it goes to the prompt, whole and in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.screens.window import MimoApp

_COMPANY = "_came_with_others"
_TEXT = "_came_with_other_keys"
_READING = ("transcript", "trace")
"""What has the focus while one reads: its keys are letters, too."""
Struck = events.Key | events.Paste
ALONE_S = 0.05
"""How long before and after a key that answers there may be no other. People need twice that between two keys."""


class LoneKeys:
    """Stands between the terminal and the focus while a question has it.

    What could answer is held until it is known to have come alone. Of what did not, all goes to the prompt, in order.
    `pass_on` is called with a key that was held, when its time is over.
    """

    def __init__(self, app: MimoApp, pass_on: Callable[[events.Key], object]) -> None:
        self._app = app
        self._pass_on = pass_on
        self._held: events.Key | None = None
        self._timer: Timer | None = None
        self._last = float("-inf")

    def sort(self, event: Struck) -> list[Struck]:
        """What goes to the focus now, in its order."""
        is_alone = event.time - self._last >= ALONE_S and not getattr(event, _COMPANY, False)
        self._last = event.time
        ready: list[Struck] = []
        if (held := self._take()) is not None:
            if not is_alone:
                self._to_prompt()
            ready.append(held)
        if isinstance(event, events.Key) and self._moves(event):
            return ready
        bar = self._app.chat.questions.open
        if bar is None or self._app.focused is not bar or not isinstance(event, events.Key) or not _is_text(event):
            return [*ready, event]
        if bar.begin(event):  # what is written here is no answer before enter: it need not come alone
            return [*ready, event]
        if is_alone and bar.takes(event):
            self._hold(event)
            return ready
        if not is_alone or event.is_printable:
            self._to_prompt()
        return [*ready, event]

    def _moves(self, event: events.Key) -> bool:
        """Move the focus away from what is read, where a key does that, before the next one comes: a widget would do
        it later, and the keys that follow would be divided among the two. True when that was all the key was for."""
        focused = self._app.focused
        if focused is None or focused.id not in _READING:
            return False
        if event.key == "tab":
            self._app.screen.focus_next()
            return True
        if event.is_printable and (getattr(event, _TEXT, False) or event.key not in self._app.screen.active_bindings):
            self._to_prompt()
        return False

    def _hold(self, event: events.Key) -> None:
        self._held = event
        self._timer = self._app.set_timer(ALONE_S, self._came_alone)

    def _take(self) -> events.Key | None:
        held, self._held = self._held, None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        return held

    def _came_alone(self) -> object:
        held = self._take()
        return None if held is None else self._pass_on(held)

    def _to_prompt(self) -> None:
        """At once, other than `focus()`, so that the keys which follow go there too."""
        self._app.chat.set_focus(self._app.chat.prompt)


def note_company(keys: Sequence[events.Key]) -> None:
    """Of keys that were read in one go: they did not come alone, however late they are then looked at."""
    if len(keys) > 1:
        is_text = len({key.key for key in keys}) > 1  # else it is one that is held down
        for key in keys:
            setattr(key, _COMPANY, True)
            setattr(key, _TEXT, is_text)


def _is_text(event: events.Key) -> bool:
    return event.is_printable or event.key == "enter"
