"""Who can be asked, as a list to choose from: the user's own backends, vendors, what is on this machine, elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tui.core.errors import MimoError
from tui.core.text import clean_line
from tui.screens.connection import Connection, from_preset, from_server

if TYPE_CHECKING:
    from tui.backends.local import LocalServer
    from tui.backends.resolve import Preset
    from tui.settings.config import Settings

ADDRESS, BUILT_IN = "address", "built-in"


class Offer(NamedTuple):
    """A line of the list. `backend` is one of the user's; `connection` one that would have to be set up."""

    id: str
    label: str
    note: str
    backend: str = ""
    connection: Connection | None = None

    @property
    def name(self) -> str:
        """What one writes after `--backend`."""
        return self.backend or (self.connection.name if self.connection else "")


class Group(NamedTuple):
    """A heading and what stands below it; `more` is found by typing only, `nothing` is said in place of none."""

    heading: str
    offers: Sequence[Offer]
    more: Sequence[Offer] = ()
    nothing: str = ""


def groups_of(settings: Settings, servers: Sequence[LocalServer], nothing_local: str) -> list[Group]:
    """The whole list. What is still being found comes last, so that the rest keeps its place."""
    main, others = vendor_offers()
    local = [built_in_offer(), *map(_server_offer, servers)]
    groups = [
        Group("Yours", own_offers(settings)),
        Group("Vendors", main, others),
        Group("Elsewhere", [Offer(ADDRESS, "Another server …", "by its address")]),
        Group("On this machine", local, nothing="" if servers else nothing_local),
    ]
    return [group for group in groups if group.offers]


def likeness(typed: str, offer: Offer) -> int:
    """How well the words name it: 3 exactly, 2 as a beginning, 1 as whole words of its name, 0 less than that."""
    wanted = _plain(typed)
    names = [_plain(offer.label), _plain(offer.name)]
    if wanted in names:
        return 3
    if any(name.startswith(wanted) for name in names):
        return 2
    return int(any(set(wanted.split()) <= set(name.split()) for name in names))


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()


def own_offers(settings: Settings) -> list[Offer]:
    """The user's backends; one that cannot be used is shown with its reason."""
    return [Offer(f"own-{name}", name, _told(settings, name), backend=name) for name in settings.backends]


def vendor_offers() -> tuple[list[Offer], list[Offer]]:
    """One for each vendor; and their other addresses, plans and protocols."""
    from tui.backends.resolve import presets

    vendors = [preset for preset in presets().values() if not preset.local]
    return [_offer(p) for p in vendors if p.is_main], [_offer(p) for p in vendors if not p.is_main]


def built_in_offer() -> Offer:
    from tui.backends.embedded.catalogue import DEFAULT
    from tui.backends.embedded.pull import model_path

    what = "built-in demonstration model"
    if model_path(DEFAULT.name):
        return Offer(BUILT_IN, DEFAULT.name, f"{what}, is here")
    size = (DEFAULT.package.size if DEFAULT.package else DEFAULT.size) / 1e6
    return Offer(BUILT_IN, DEFAULT.name, f"{what}, {size:.0f} MB to fetch, {DEFAULT.licence}")


def _offer(preset: Preset) -> Offer:
    return Offer(f"vendor-{preset.name}", preset.title, preset.model or "", connection=from_preset(preset))


def _server_offer(server: LocalServer) -> Offer:
    """A server that answered, with how many models it has."""
    count = len(server.models)
    models = clean_line(server.models[0].id, 40) if count == 1 else f"{count} models"
    note = f"{models}, {server.base_url}"
    return Offer(f"server-{server.base_url}", server.name, note, connection=from_server(server))


def _told(settings: Settings, name: str) -> str:
    from tui.backends.resolve import resolve

    try:
        spec = resolve(settings, name)
    except MimoError as error:
        return error.message
    return "  ".join(part for part in (spec.model, "" if spec.embedded else spec.base_url) if part)
