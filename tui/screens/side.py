"""The trace beside the conversation: a pane in agent mode where there is room, a drawer where there is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.core.events import Record

if TYPE_CHECKING:
    from textual.widgets import Static

    from tui.screens.chat import ChatScreen
    from tui.widgets.plan import PlanPane
    from tui.widgets.trace import TracePane


_KEYS = "enter: open the step    u: files as after it"
WIDE = 100
"""Cells of a window that has room for the pane."""


class Side:
    """Whether the trace is there, and what it shows. The pane is made when it is first seen."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._pane: TracePane | None = None
        self._plan: PlanPane | None = None
        self._foot: Static | None = None
        self._wanted: bool | None = None
        """What the user said with the key; None: as the mode and the width say."""
        self._is_wide = False

    @property
    def is_open(self) -> bool:
        return self._screen.talk.mode == "agent" and self._is_wide if self._wanted is None else self._wanted

    def toggle(self) -> None:
        self._wanted = not self.is_open
        self.arrange()
        # At once, other than `focus()`: the next key may be Enter, which is not for the prompt then.
        self._screen.set_focus(self._pane if self._pane is not None and self.is_open else self._screen.prompt)
        self.show_keys()

    def close_drawer(self) -> bool:
        """Show the conversation again, if the drawer is over it and has the focus."""
        if not self.takes_keys:
            return False
        self.toggle()
        return True

    @property
    def takes_keys(self) -> bool:
        """The drawer is over the conversation and has the focus."""
        is_drawer = self.is_open and not self._is_wide
        return is_drawer and self._pane is not None and self._screen.focused is self._pane

    def show_keys(self) -> None:
        """At the foot, of the pane only while it has the focus: which keys it takes now."""
        if self._pane is not None and self._foot is not None:
            has_focus = self._screen.focused is self._pane
            self._foot.set_class(has_focus, "-focused")
            keys = f"{_KEYS}    esc: close" if self.takes_keys else _KEYS if has_focus else "ctrl+t: close"
            self._foot.update(keys)

    def forget_wish(self) -> None:
        """The mode was switched: what the user wanted held for the other one."""
        self._wanted = None
        self.arrange()

    def fit(self, width: int) -> None:
        """The window has this width now. A pane does not become a drawer by itself: it would hide what is read.

        One that was closed stays closed.
        """
        if self._is_wide != (width >= WIDE):
            self._is_wide = width >= WIDE
            self._wanted = None if self._wanted else self._wanted
            self.arrange()

    def arrange(self) -> None:
        if self.is_open and self._pane is None:
            self._make()
        self._screen.set_class(self.is_open and self._is_wide, "-pane")
        self._screen.set_class(self.is_open and not self._is_wide, "-drawer")

    def show(self, record: Record) -> None:
        if self._pane is not None and self._plan is not None:
            self._pane.show(record)
            self._plan.show(record)

    def show_all(self, records: Sequence[Record]) -> None:
        """Another conversation: its steps in place of those that were shown."""
        if self._pane is not None and self._plan is not None:
            self._pane.clear()
            self._pane.show_all(records)
            self._plan.show_all(records)

    def _make(self) -> None:
        from textual.containers import Vertical
        from textual.widgets import Static

        from tui.widgets.plan import PlanPane
        from tui.widgets.trace import TracePane

        self._pane, self._plan = TracePane(id="trace"), PlanPane()
        # The pane itself draws no border.
        self._foot = Static(id="side-keys", markup=False)
        self._screen.query_one("#body").mount(Vertical(self._plan, self._pane, self._foot, id="side"))
        if (conversation := self._screen.talk.conversation) is not None:
            self._pane.show_all(conversation.records)
            self._plan.show_all(conversation.records)
