"""One list to choose from, narrowed by typing: for backends, models, sessions and themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.errors import MimoError
from tui.core.text import clean_line
from tui.screens.choice import Choice
from tui.screens.reporting import ReportsBrokenWorkers


class Picker(ReportsBrokenWorkers, ModalScreen[str | None]):
    """Dismissed with the id of the chosen one, or None.

    `choices` may be a coroutine function: then the list comes when it is there, and its error is shown in place of it.
    `on_look` is called with the id under the cursor. `may_type`: what was typed may be the answer, though not listed.
    """

    CSS_PATH = "picker.tcss"
    AUTO_FOCUS = "Input"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("down", "move('cursor_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice] | Callable[[], Awaitable[Sequence[Choice]]],
        current: str = "",
        *,
        on_look: Callable[[str], None] | None = None,
        may_type: bool = False,
        empty: str = "nothing to choose from",
        placeholder: str = "type to narrow",
    ) -> None:
        super().__init__()
        self._title = title
        self._source = choices
        self._choices: Sequence[Choice] | None = None if callable(choices) else choices
        self._current = current
        self._on_look = on_look
        self._may_type = may_type
        self._empty = empty
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        with Vertical(id="picker"):
            yield Static(self._title, id="picker-title", markup=False)
            yield Input(placeholder=self._placeholder, id="picker-filter", compact=True)
            yield OptionList(id="picker-list", markup=False, compact=True)
            yield Static("", id="picker-note", markup=False)

    def on_mount(self) -> None:
        if self._choices is None:
            self._note("asking …")
            self._load()
        else:
            self._fill()

    @work(exclusive=True, exit_on_error=False)
    async def _load(self) -> None:
        assert callable(self._source)
        try:
            self._choices = await self._source()
        except MimoError as error:
            self._choices = []
            self._fill()
            self._note("\n".join(clean_line(line, 400) for line in (error.message, error.hint) if line), "-failed")
        else:
            self._fill()

    def _note(self, text: str, state: str = "") -> None:
        note = self.query_one("#picker-note", Static)
        note.update(text)
        note.display = bool(text)
        note.set_class(bool(state), "-failed")

    @on(Input.Changed)
    def _fill(self) -> None:
        """Show what fits the filter, the current choice or the best match under the cursor."""
        if self._choices is None:
            return
        typed = self.query_one(Input).value.strip()
        shown = narrow(self._choices, typed)
        width = max((cell_len(clean_line(choice.label)) for choice in shown), default=0)
        choices = self.query_one(OptionList)
        choices.clear_options()
        choices.add_options(
            Option(self._line(choice, min(width, 40)), id=f"choice-{self._choices.index(choice)}") for choice in shown
        )
        if shown:
            at = next((n for n, choice in enumerate(shown) if choice.id == self._current), 0)
            choices.highlighted = 0 if typed else at
        self._note("" if shown else self._nothing(typed))

    def _nothing(self, typed: str) -> str:
        if typed and self._may_type:
            return f"enter: use {clean_line(typed, 60)}"
        return "nothing fits" if typed and self._choices else self._empty

    def _line(self, choice: Choice, width: int) -> Content:
        mark = "● " if choice.id == self._current else "  "
        label = Content(mark + clean_line(choice.label))
        if not choice.note:
            return label
        space = Content(" " * (max(0, width + 2 - label.cell_length) + 2))
        return label + space + Content.styled(clean_line(choice.note), "$text-muted")

    def action_move(self, how: str) -> None:
        getattr(self.query_one(OptionList), f"action_{how}")()

    @on(OptionList.OptionHighlighted)
    def _look(self, event: OptionList.OptionHighlighted) -> None:
        if self._on_look is not None and (choice := self._choice(event.option.id)):
            self._on_look(choice.id)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        if choice := self._choice(event.option.id):
            self.dismiss(choice.id)

    @on(Input.Submitted)
    def _enter(self, event: Input.Submitted) -> None:
        event.stop()
        choices = self.query_one(OptionList)
        if choices.highlighted is not None and choices.option_count:
            choices.action_select()
        elif self._may_type and event.value.strip():
            self.dismiss(event.value.strip())

    def _choice(self, option_id: str | None) -> Choice | None:
        if option_id is None or not self._choices:
            return None
        return self._choices[int(option_id.removeprefix("choice-"))]


def fitted(text: str, cells: int) -> str:
    """A label in so many cells; the end of one that is longer is cut off, which is shown."""
    return text if cell_len(text) <= cells else set_cell_size(text, max(cells - 1, 0)).rstrip() + "…"


def narrow(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """Those that fit what was typed, the best first; all of them in their order when nothing was."""
    if not typed:
        return list(choices)
    search = FuzzySearch()
    scored = [(search.match(typed, f"{choice.label} {choice.note}")[0], choice) for choice in choices]
    return [choice for score, choice in sorted(scored, key=lambda pair: -pair[0]) if score > 0]
