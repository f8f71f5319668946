"""The first thing a new user meets: who should answer? Vendors, servers on this machine, the built-in model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.core.text import clean_line
from tui.screens.connection import Connection, from_preset, from_server
from tui.screens.reporting import ReportsBrokenWorkers

if TYPE_CHECKING:
    from tui.backends.local import LocalServer
    from tui.settings.config import Settings

_ADDRESS, _BUILT_IN = "address", "built-in"


class Offer(NamedTuple):
    """A line of the menu; `connection` is None for the built-in model and for an address that is to be typed."""

    id: str
    label: str
    note: str
    connection: Connection | None = None


class WelcomeScreen(ReportsBrokenWorkers, ModalScreen[str | None]):
    """Dismissed with the name of a backend that is ready and the default from now on, or None."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "OptionList"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", show=False),
        *(Binding(str(number), f"take({number})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._servers: list[Offer] = []
        self._is_looking = True

    def compose(self) -> ComposeResult:
        with Vertical(classes="setup"):
            yield Static(Content.styled("mimo-tui", "bold $primary") + "  Who should answer?", classes="setup--title")
            yield OptionList(id="offers", markup=False, compact=True)
            yield Static("enter or a number: choose    esc: later", classes="setup--keys", markup=False)

    def on_mount(self) -> None:
        self._fill()
        self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        """Find the servers on this machine; they are shown when they have answered."""
        from tui.backends.local import find_local_servers

        try:
            self._servers = [_server_offer(server) for server in await find_local_servers()]
        finally:
            self._is_looking = False
            self._fill()

    def _groups(self) -> Sequence[tuple[str, Sequence[Offer], str]]:
        """Heading, offers and what is said in place of none. What is still being found comes last: numbers stay."""
        nothing = "looking …" if self._is_looking else "none answers: start one, and open /setup again"
        return (
            ("Vendors", vendor_offers(), ""),
            ("Built in", [built_in_offer()], ""),
            ("Elsewhere", [Offer(_ADDRESS, "Another server …", "by its address")], ""),
            ("Found on this machine", self._servers, nothing),
        )

    def _fill(self) -> None:
        """Draw the menu again; the cursor stays on what it was on."""
        menu = self.query_one("#offers", OptionList)
        at = menu.highlighted_option.id if menu.highlighted_option else None
        groups = self._groups()
        self._offers = [offer for _, offers, _ in groups for offer in offers]
        width = max(len(offer.label) for offer in self._offers) + 3
        options: list[Option | None] = []
        for heading, offers, nothing in groups:
            if options:
                options.append(Option("", disabled=True))
            options.append(Option(Content.styled(heading, "$text-muted"), disabled=True))
            options += [Option(self._line(offer, width), id=offer.id) for offer in offers]
            if not offers:
                options.append(Option(Content.styled(f"    {nothing}", "$text-muted"), disabled=True))
        menu.clear_options()
        menu.add_options(options)
        menu.highlighted = menu.get_option_index(at) if at else 1

    def _line(self, offer: Offer, width: int) -> Content:
        number = self._offers.index(offer) + 1
        key = str(number) if number < 10 else " "
        return Content(f"  {key} {offer.label.ljust(width)}") + Content.styled(offer.note, "$text-muted")

    def action_take(self, number: int) -> None:
        if number <= len(self._offers):
            self._open(self._offers[number - 1])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._open(next(offer for offer in self._offers if offer.id == event.option.id))

    def _open(self, offer: Offer) -> None:
        if offer.id == _BUILT_IN:
            from tui.screens.fetch import FetchScreen

            self.app.push_screen(FetchScreen(), self._done)
        elif offer.id == _ADDRESS:
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


def vendor_offers() -> list[Offer]:
    from tui.backends.resolve import presets

    return [
        Offer(f"vendor-{preset.name}", preset.title, preset.model or "", from_preset(preset))
        for preset in presets().values()
        if preset.is_main and not preset.local
    ]


def built_in_offer() -> Offer:
    from tui.backends.embedded.catalogue import DEFAULT
    from tui.backends.embedded.pull import model_path

    what = "a small demonstration model"
    if model_path(DEFAULT.name):
        return Offer(_BUILT_IN, DEFAULT.name, f"{what}, is here")
    size = (DEFAULT.package.size if DEFAULT.package else DEFAULT.size) / 1e6
    return Offer(_BUILT_IN, DEFAULT.name, f"{what}, {size:.0f} MB to fetch, {DEFAULT.licence}")


def _server_offer(server: LocalServer) -> Offer:
    """A server that answered, with how many models it has."""
    count = len(server.models)
    models = clean_line(server.models[0].id, 40) if count == 1 else f"{count} models"
    return Offer(f"server-{server.base_url}", server.name, f"{models}, {server.base_url}", from_server(server))
