"""Keys that answer a question come alone: text that is typed or sent in one go is never taken for an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.screens.window import MimoApp

_COMPANY = "_came_with_others"
_X = 0
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
        bar = self._app.chat.questions.open
        if bar is None or self._app.focused is not bar or not isinstance(event, events.Key) or not _is_text(event):
            return [*ready, event]
        if is_alone and bar.takes(event):
            self._hold(event)
            return ready
        if not is_alone or event.is_printable:
            self._to_prompt()
        return [*ready, event]

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
        for key in keys:
            setattr(key, _COMPANY, True)


def _is_text(event: events.Key) -> bool:
    return event.is_printable or event.key == "enter"
