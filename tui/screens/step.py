"""Everything about one step: what was sent, what came back, what its tools did, and what it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from tui.core.events import Record
from tui.core.messages import Json
from tui.screens import step_sections, wire
from tui.widgets.line_view import Line, LineView

_GAP = 3


class SectionBar(Widget, can_focus=False):
    """The names of the sections, the one that is shown marked."""

    COMPONENT_CLASSES: ClassVar = {"section-bar--shown"}
    shown: reactive[int] = reactive(0)

    class Chosen(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, names: Sequence[str], *, id: str) -> None:
        super().__init__(id=id)
        self._names = names

    def render(self) -> Content:
        style = self.get_visual_style("section-bar--shown")
        parts = [
            Content.styled(f"[{name}]", style) if index == self.shown else Content(f" {name} ")
            for index, name in enumerate(self._names)
        ]
        return Content(" " * (_GAP - 2)).join(parts)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for index, name in enumerate(self._names):
            end += len(name) + _GAP
            if event.x < end:
                self.post_message(self.Chosen(index))
                return


class StepScreen(ModalScreen[None]):
    """Given the records of one step and the body that it sent. A section is made when it is first looked at."""

    CSS_PATH = "step.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("right,tab", "turn(1)", show=False),
        Binding("left,shift+tab", "turn(-1)", show=False),
        Binding("c", "copy", show=False),
        Binding("C,shift+c", "copy_curl", show=False),
        Binding("escape,q", "dismiss(None)", show=False),
    ]

    def __init__(self, records: Sequence[Record], request: Json, credential: object = None) -> None:
        """`credential` is how the backend that was asked gets its key."""
        super().__init__()
        self._place = (records[0].turn, records[0].step) if records else (0, 0)
        self._is_nested = bool(records) and records[0].parent is not None
        self._sections: dict[str, Callable[[], list[Line]]] = {
            "Overview": cache(lambda: step_sections.overview(records)),
            "Request": cache(lambda: step_sections.request(request)),
            "Response": cache(lambda: step_sections.response(records)),
            "Tools": cache(lambda: step_sections.tools(records)),
            "Wire": cache(lambda: wire.wire(records, request)),
        }
        self._curl = cache(lambda: wire.curl_of(records, request, credential))
        self._shown = 0

    def compose(self) -> ComposeResult:
        turn, step = self._place
        with Vertical(id="step"):
            whose = "a subagent in " if self._is_nested else ""
            yield Static(f"Step {step} of {whose}turn {turn}", id="step-title")
            yield SectionBar(list(self._sections), id="step-sections")
            yield LineView(id="step-lines")
            yield Static("esc close   ← → section   c copy   C copy as curl", id="step-keys")

    def on_mount(self) -> None:
        self.action_turn(0)

    @property
    def lines(self) -> LineView:
        return self.query_one("#step-lines", LineView)

    def action_turn(self, by: int) -> None:
        """Show the section that is `by` further on."""
        self._shown = (self._shown + by) % len(self._sections)
        self.query_one(SectionBar).shown = self._shown
        self.lines.show(list(self._sections.values())[self._shown]())

    def on_section_bar_chosen(self, event: SectionBar.Chosen) -> None:
        self.action_turn(event.index - self._shown)

    def action_copy(self) -> None:
        """Put the section that is shown on the clipboard."""
        self.app.copy_to_clipboard(self.lines.text)
        name = list(self._sections)[self._shown]
        self.query_one("#step-keys", Static).update(f"{name} is on the clipboard.")

    def action_copy_curl(self) -> None:
        """Put the request on the clipboard, as a command; the key is not in it."""
        curl = self._curl()
        if curl is None:
            self.query_one("#step-keys", Static).update("Nothing was sent in this step.")
            return
        self.app.copy_to_clipboard(curl.command)
        wanted = [*([f"{curl.key} to the key"] if curl.key else []), *curl.others]
        first = f": set {' and '.join(wanted)} first" if wanted else ""
        self.query_one("#step-keys", Static).update(f"It is on the clipboard, as a curl command{first}.")
