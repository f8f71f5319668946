"""Asks for the address of a server; its protocol, whose rules it keeps and its name are guessed, and can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.text import clean_line
from tui.screens.choice import Choice
from tui.screens.connection import Connection, free_name, from_address, host_name

_NO_PRESET = "none: what it refuses is learned"
_SERVER_DECIDES = "as the server decides"


class AddressScreen(ModalScreen[Connection | None]):
    """Dismissed with a connection to the server whose address was given, or None."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "Input"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape", "back", show=False),
        Binding("down", "more", show=False),
    ]

    def __init__(self, taken: Sequence[str], url: str = "", *, only_address: bool = False) -> None:
        """`url` is the one that it has now; with `only_address` nothing else is asked for."""
        super().__init__()
        self._taken = taken
        self._url = url
        self._only_address = only_address
        self._chosen: dict[str, str] = {}
        """What the user said of wire, preset, thinking and name; the rest is guessed."""

    def compose(self) -> ComposeResult:
        more = "" if self._only_address else "    down: change what is guessed"
        with Vertical(classes="setup"):
            yield Static("The address of a server, with its /v1 if it has one", classes="setup--title", markup=False)
            yield Input(self._url, placeholder="http://127.0.0.1:8000/v1", compact=True)
            if not self._only_address:
                yield OptionList(id="points", markup=False, compact=True)
            yield Static("", id="wrong", classes="setup--failed", markup=False)
            yield Static(f"enter: go on{more}    esc: back", classes="setup--keys", markup=False)

    @property
    def _address(self) -> str:
        url = self.query_one(Input).value.strip()
        return (url if "://" in url or not url else f"http://{url}").rstrip("/")

    def _values(self) -> dict[str, str]:
        """All four, as they were chosen or are guessed."""
        from tui.backends.guess import by_address
        from tui.backends.resolve import presets

        preset = self._chosen.get("preset")
        try:
            wire, guessed = by_address(self._address)
            name = host_name(self._address)
        except ValueError:  # it is still being written
            wire, guessed, name = "chat-completions", "", "server"
        preset = guessed if preset is None else preset
        if preset and preset != guessed:
            wire = presets()[preset].wire
        values = {"wire": wire, "preset": preset, "thinking": "", "name": free_name(name, self._taken)}
        return values | self._chosen

    @on(Input.Changed)
    def _show(self) -> None:
        if self._only_address:
            return
        from tui.backends.resolve import presets

        values = self._values()
        guessed = "" if {"wire", "preset"} & self._chosen.keys() else ", if its answers do not tell otherwise"
        rows = [
            ("wire", "Protocol", values["wire"] + guessed),
            ("preset", "Rules of", presets()[values["preset"]].title if values["preset"] else _NO_PRESET),
            ("name", "Name", values["name"]),
        ]
        if self._levels(values["preset"]):
            rows.insert(2, ("thinking", "Thinking", values["thinking"] or _SERVER_DECIDES))
        menu = self.query_one("#points", OptionList)
        menu.clear_options()
        for id, label, value in rows:
            line = Content(f"  {label.ljust(12)}") + Content.styled(clean_line(value, 100), "$text-muted")
            menu.add_option(Option(line, id=id))
        menu.highlighted = None

    def on_mount(self) -> None:
        self._show()

    def _levels(self, preset: str) -> list[str]:
        from tui.backends.resolve import presets

        return list(presets()[preset].rules.get("thinking", {})) if preset else []

    def action_more(self) -> None:
        if not self._only_address:
            menu = self.query_one("#points", OptionList)
            menu.focus()
            menu.highlighted = menu.highlighted or 0

    def action_back(self) -> None:
        """From what is guessed to the address, from there out."""
        address = self.query_one(Input)
        if address.has_focus:
            self.dismiss(None)
        else:
            address.focus()

    @on(OptionList.OptionSelected)
    def _change(self, event: OptionList.OptionSelected) -> None:
        from tui.backends.resolve import WIRES, presets
        from tui.screens.picker import Picker

        point, values = event.option.id or "", self._values()
        if point == "wire":
            picker = Picker("The protocol that it speaks", [Choice(wire, wire) for wire in WIRES], values["wire"])
        elif point == "preset":
            known = [
                Choice(preset.name, preset.title, preset.name) for preset in presets().values() if not preset.embedded
            ]
            picker = Picker("Whose rules it keeps", [Choice("", "none", _NO_PRESET[6:]), *known], values["preset"])
        elif point == "thinking":
            levels = [Choice("", _SERVER_DECIDES), *(Choice(name, name) for name in self._levels(values["preset"]))]
            picker = Picker("How much it thinks", levels, values["thinking"])
        else:
            now = f"now {values['name']}"
            picker = Picker("What it shall be called", [], may_type=True, empty=now, placeholder="type a name")
        self.app.push_screen(picker, self._keep(point))

    def _keep(self, point: str) -> Callable[[str | None], None]:
        def chosen(value: str | None) -> None:
            if value is None:
                return
            self._chosen[point] = value
            if point == "preset":  # its protocol and its levels come with it
                self._chosen.pop("wire", None)
                self._chosen.pop("thinking", None)
            self._show()
            self.query_one(Input).focus()

        return chosen

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        from tui.backends.resolve import is_loopback
        from tui.settings.schema import backend_name, base_url

        url = self._address
        if wrong := base_url(url):
            self._say(f"That {wrong}.")
            return
        values = self._values()
        name = values["name"]
        if wrong := backend_name(name):
            self._say(f"{wrong[0].upper()}{wrong[1:]}.")
        elif name in self._taken:
            self._say(f"There is a backend {clean_line(name, 60)} already: choose another name.")
        else:
            more = {key: values[key] for key in ("wire", "preset", "thinking") if values[key]}
            is_guess = not {"wire", "preset"} & self._chosen.keys()
            needs_key = not is_loopback(url)
            self.dismiss(from_address(url, name, needs_key=needs_key, is_guess=is_guess, **more))

    def _say(self, wrong: str) -> None:
        self.query_one("#wrong", Static).update(wrong)
