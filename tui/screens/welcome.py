"""Who should answer? One list, narrowed by typing: what a new user meets first, and what `/backend` opens later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.errors import MimoError
from tui.core.text import clean, clean_line
from tui.screens.choice import Choice
from tui.screens.connection import Connection
from tui.screens.offers import ADDRESS, BUILT_IN, Offer, groups_of, likeness
from tui.screens.picker import fitted, narrow
from tui.screens.reporting import ReportsBrokenWorkers

if TYPE_CHECKING:
    from tui.backends.local import LocalServer
    from tui.settings.config import Settings


class WelcomeScreen(ReportsBrokenWorkers, ModalScreen[str | None]):
    """Dismissed with the name of a backend that is ready and shall answer from now on, or None."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "Input"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("up", "move('cursor_up')", show=False),
        Binding("down", "move('cursor_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("ctrl+e", "edit", show=False, priority=True),
    ]

    def __init__(self, settings: Settings, current: str = "") -> None:
        """`current` is the backend that answers now."""
        super().__init__()
        self._settings = settings
        self._current = current
        self._servers: list[LocalServer] = []
        self._is_looking = True
        self._offers: dict[str, Offer] = {}

    def compose(self) -> ComposeResult:
        edit = "    ctrl+e: edit, test, remove" if self._settings.backends else ""
        with Vertical(classes="setup"):
            yield Static(Content.styled("mimo-tui", "bold $primary") + "  Who should answer?", classes="setup--title")
            yield Input(placeholder="type to narrow; more plans and regions are found so", compact=True)
            yield OptionList(id="offers", markup=False, compact=True)
            yield Static("", id="wrong", classes="setup--failed", markup=False)
            yield Static(f"enter: choose{edit}    esc: back", classes="setup--keys", markup=False)

    def on_mount(self) -> None:
        self._fill()
        self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        """Find the servers on this machine; they are shown when they have answered."""
        from tui.backends.local import find_local_servers

        try:
            self._servers = await find_local_servers()
        finally:
            self._is_looking = False
            self._fill()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(to_first=bool(event.value))

    def _fill(self, to_first: bool = False) -> None:
        """Draw the list again; the cursor stays on what it was on, if that is still there."""
        menu = self.query_one("#offers", OptionList)
        before = menu.highlighted_option.id if menu.highlighted_option and not to_first else None
        nothing = "looking for servers …" if self._is_looking else "no server answers; start one, and open this again"
        groups = groups_of(self._settings, self._servers, nothing)
        typed = self.query_one(Input).value.strip()
        every = [offer for group in groups for offer in (*group.offers, *group.more)]
        self._offers = {offer.id: offer for offer in every}
        width = self._label_width([offer for group in groups for offer in group.offers])
        options: list[Option | None] = []
        if typed:
            found = narrow([Choice(offer.id, offer.label, f"{offer.name} {offer.note}") for offer in every], typed)
            found.sort(key=lambda choice: -likeness(typed, self._offers[choice.id]))
            width = self._label_width([self._offers[choice.id] for choice in found])
            options += [self._option(self._offers[choice.id], width) for choice in found]
            if not found:
                options.append(Option(Content.styled("nothing fits", "$text-muted"), disabled=True))
        for group in () if typed else groups:
            if options:
                options.append(Option("", disabled=True))
            options.append(Option(Content.styled(group.heading, "$text-muted"), disabled=True))
            options += [self._option(offer, width) for offer in group.offers]
            if group.nothing:
                options.append(Option(Content.styled(f"  {group.nothing}", "$text-muted"), disabled=True))
        menu.clear_options()
        menu.add_options(options)
        ids = [option.id for option in menu.options]
        wanted = next((id for id in (before, f"own-{self._current}") if id and id in ids and not to_first), None)
        menu.highlighted = ids.index(wanted) if wanted else next((n for n, id in enumerate(ids) if id), None)

    def _option(self, offer: Offer, width: int) -> Option:
        mark = "●" if offer.backend and offer.backend == self._current else " "
        label = set_cell_size(fitted(clean_line(offer.label), width - 2), width)
        line = Content(f"{mark} {label}")
        return Option(line + Content.styled(clean_line(offer.note), "$text-muted"), id=offer.id)

    def _label_width(self, offers: Sequence[Offer]) -> int:
        """Cells for the labels and the gap behind them: half of the width at most."""
        most = max(12, (self.query_one("#offers", OptionList).size.width or 80) // 2)
        return min(max((cell_len(clean_line(offer.label)) for offer in offers), default=0), most) + 2

    def on_resize(self) -> None:
        self._fill()

    def action_move(self, how: str) -> None:
        getattr(self.query_one("#offers", OptionList), f"action_{how}")()

    def action_edit(self) -> None:
        """Look at one of the user's own, change it, test it."""
        option = self.query_one("#offers", OptionList).highlighted_option
        offer = self._offers.get(option.id or "") if option else None
        if offer is not None and offer.backend:
            from tui.screens.backend import BackendScreen

            self.app.push_screen(BackendScreen(offer.backend, self._settings, self._current), self._edited)
        else:
            self.query_one("#wrong", Static).update("Only your own can be edited; enter sets this one up.")

    def _edited(self, name: str | None) -> None:
        """Another one shall answer, or what is there may have changed."""
        if name is not None:
            self.dismiss(name)
            return
        from tui.screens import backstage

        try:
            self._settings = backstage.reload_settings()
        except MimoError as error:
            text = "\n".join(part for part in (error.message, error.hint) if part)
            self.query_one("#wrong", Static).update(clean(text))
        self._fill()

    @on(Input.Submitted)
    def _enter(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#offers", OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._open(self._offers[event.option.id or ""])

    def _open(self, offer: Offer) -> None:
        if offer.backend:
            self.dismiss(offer.backend)
        elif offer.id == BUILT_IN:
            from tui.screens.fetch import FetchScreen

            self.app.push_screen(FetchScreen(), self._done)
        elif offer.id == ADDRESS:
            from tui.screens.address import AddressScreen

            self.app.push_screen(AddressScreen(list(self._settings.backends)), self._address_given)
        elif offer.connection is not None:
            self._connect(offer.connection)

    def _address_given(self, connection: Connection | None) -> None:
        if connection is not None:
            self._connect(connection)

    def _connect(self, connection: Connection) -> None:
        from tui.screens.connect import ConnectScreen

        self.app.push_screen(ConnectScreen(connection, self._settings), self._done)

    def _done(self, name: str | None) -> None:
        if name is not None:
            self.dismiss(name)
