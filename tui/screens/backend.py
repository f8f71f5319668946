"""One backend of the user's: what it is, and what can be changed, tried and removed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.core.errors import MimoError
from tui.core.text import clean, clean_line
from tui.screens import backstage, upkeep
from tui.screens.choice import Choice
from tui.screens.connection import Connection
from tui.screens.reporting import ReportsBrokenWorkers
from tui.screens.upkeep import State
from tui.widgets.key_input import KeyInput

if TYPE_CHECKING:
    from tui.settings.config import Settings

_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_SERVER_DECIDES = "as the server decides"


class BackendScreen(ReportsBrokenWorkers, ModalScreen[str | None]):
    """Dismissed with a backend's name when that shall answer from now on, or None. A change is saved at once."""

    CSS_PATH = "setup.tcss"
    AUTO_FOCUS = "OptionList"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [Binding("escape", "dismiss(None)", show=False)]

    def __init__(self, name: str, settings: Settings, current: str) -> None:
        super().__init__()
        self._backend = name
        self._settings = settings
        self._current = current
        self._state: State | None = None
        self._is_sure = False
        """Removing it was asked for once."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="setup"):
            yield Static("", id="title", classes="setup--title")
            yield OptionList(id="what", markup=False, compact=True)
            yield Vertical(id="key")
            yield Static("", id="said", classes="setup--lines")
            yield Static("enter: change or do it    esc: back", classes="setup--keys", markup=False)

    def on_mount(self) -> None:
        self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, said: str = "") -> None:
        """Find out how it is set, and show it."""
        try:
            self._settings = await asyncio.to_thread(backstage.reload_settings)
            self._state = await asyncio.to_thread(upkeep.state_of, self._settings, self._backend)
        except MimoError as error:
            self._failed(error)
            return
        self._is_sure = False
        self._show(self._state)
        self._say(said or ("" if self._state.is_ours else upkeep.USERS_OWN))

    def _show(self, state: State) -> None:
        title = Content.styled(clean_line(self._backend), "bold $primary")
        self.query_one("#title", Static).update(title + "  " + Content.styled(clean_line(state.title), "$text-muted"))
        menu = self.query_one("#what", OptionList)
        at = menu.highlighted or 0
        menu.clear_options()
        menu.add_options(self._option(*row) for row in self._rows(state))
        menu.highlighted = min(at, menu.option_count - 1)

    def _rows(self, state: State) -> list[tuple[str, str, str]]:
        """The id, the name and the value of each line."""
        spec = state.spec
        values = [
            ("model", "Model", spec.model or "none is chosen"),
            ("thinking", "Thinking", spec.thinking or _SERVER_DECIDES),
            ("address", "Address", spec.base_url),
            ("wire", "Protocol", spec.wire),
            ("key", "Key", state.key),
            (
                "fallback",
                "Asked instead",
                ", ".join(state.table.get("fallback", ())) or "nobody, when it cannot be asked",
            ),
        ]
        rows = [("use", "Use it", "answers now" if self._backend == self._current else "")]
        if state.is_ours:
            rows += [row for row in values if not (spec.embedded and row[0] in ("address", "wire", "key"))]
        rows.append(("test", "Test it", "a few small requests"))
        if state.learned:
            told = ", ".join(f"{entry.rule} = {entry.value}" for entry in state.learned)
            rows.append(("forget", "Forget learned", told))
        if state.is_ours:
            rows.append(("remove", "Remove it", "enter again to be sure" if self._is_sure else ""))
        else:
            rows.append(("copy", "Copy it", "under another name, to be changed here"))
        return rows

    def _option(self, id: str, name: str, value: str) -> Option:
        line = Content(f"  {name.ljust(17)}") + Content.styled(clean_line(value, 300), "$text-muted")
        return Option(line, id=id)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if self._state is not None:
            getattr(self, f"_{event.option.id}_chosen")(self._state)

    def _use_chosen(self, state: State) -> None:
        self.dismiss(self._backend)

    def _model_chosen(self, state: State) -> None:
        from tui.screens.picker import Picker

        async def models() -> list[Choice]:
            return await backstage.model_choices(state.spec)

        picker = Picker(f"Models of {self._backend}", models, state.spec.model or "", may_type=True)
        self.app.push_screen(picker, lambda model: self._change(model=model) if model else None)

    def _thinking_chosen(self, state: State) -> None:
        from tui.screens.picker import Picker

        levels = [Choice("", _SERVER_DECIDES), *(Choice(level, level) for level in state.spec.rules.thinking)]
        picker = Picker("How much it thinks", levels, state.spec.thinking or "")
        self.app.push_screen(picker, lambda level: None if level is None else self._change(thinking=level or None))

    def _wire_chosen(self, state: State) -> None:
        from tui.backends.resolve import WIRES
        from tui.screens.picker import Picker

        picker = Picker("The protocol that it speaks", [Choice(wire, wire) for wire in WIRES], state.spec.wire)
        self.app.push_screen(picker, lambda wire: self._change(wire=wire) if wire else None)

    def _fallback_chosen(self, state: State) -> None:
        """One is put at the end of the list, or taken out of it."""
        from tui.screens.picker import Picker

        now = list(state.table.get("fallback", ()))
        others = [name for name in self._settings.backends if name != self._backend]
        choices = [Choice(n, n, f"asked as number {now.index(n) + 1}" if n in now else "") for n in others]
        title = "Asked when this one cannot be: enter adds one, or takes it out"
        nobody = "you have no other backend"

        def chosen(name: str | None) -> None:
            if name is not None:
                left = [other for other in now if other != name]
                self._change(fallback=left if name in now else [*now, name])

        self.app.push_screen(Picker(title, choices, empty=nobody), chosen)

    def _address_chosen(self, state: State) -> None:
        from tui.screens.address import AddressScreen

        def given(connection: Connection | None) -> None:
            if connection is not None:
                self._change(base_url=connection.base_url)

        self.app.push_screen(AddressScreen([], state.spec.base_url, only_address=True), given)

    @work(exclusive=True, group="key", exit_on_error=False)
    async def _key_chosen(self, state: State) -> None:
        if not self.query(KeyInput):
            asked = KeyInput(
                self._backend, state.title or self._backend, state.spec.key_page, may_be_empty=state.spec.local
            )
            await self.query_one("#key").mount(asked)
            asked.focus()
            self._say("$NAME: it is in that environment variable")

    @on(KeyInput.Cancelled)
    @work(exit_on_error=False)
    async def _key_cancelled(self) -> None:
        await self._end_of_key()
        self._say("")

    @on(KeyInput.Given)
    @work(exclusive=True, group="key", exit_on_error=False)
    async def _key_given(self, event: KeyInput.Given) -> None:
        """Into the keyring, unless the name of an environment variable was given, or nothing."""
        assert self._state is not None
        if not event.key:
            credential: Any = "none"
        elif _VARIABLE.fullmatch(event.key):
            credential = {"env": event.key.removeprefix("$")}
        else:
            credential = "keyring"
            try:
                await asyncio.to_thread(backstage.keep_key, self._backend, self._state.spec.base_url, event.key)
            except MimoError as error:
                self._failed(error)
                return
        await self._end_of_key()
        self._change(credential=credential)

    async def _end_of_key(self) -> None:
        await self.query_one("#key").remove_children()
        self.query_one("#what", OptionList).focus()

    def _test_chosen(self, state: State) -> None:
        from tui.screens.connect import ConnectScreen

        spec = state.spec
        connection = Connection(
            self._backend, self._backend, state.table, needs_key=False, base_url=spec.base_url, model=spec.model or ""
        )
        self.app.push_screen(ConnectScreen(connection, self._settings, only_test=True), self._tested)

    def _tested(self, _: str | None) -> None:
        self._look()  # the test may have taught something

    def _forget_chosen(self, state: State) -> None:
        self._do(lambda: upkeep.forget(state.spec), "What its server taught is forgotten.")

    def _copy_chosen(self, state: State) -> None:
        copy = upkeep.free_name(self._settings, self._backend)
        table, self._backend = state.table, copy
        self._do(lambda: upkeep.save(copy, table), f"This is {copy}, a copy. Its key has to be given again.")

    def _remove_chosen(self, state: State) -> None:
        if self._backend == self._current:
            self._say("It answers now: choose another one first.")
        elif not self._is_sure:
            self._is_sure = True
            self._show(state)
        else:
            self._take_away()

    @work(exclusive=True, group="change", exit_on_error=False)
    async def _take_away(self) -> None:
        assert self._state is not None
        try:
            await asyncio.to_thread(upkeep.remove, self._state.spec)
        except MimoError as error:
            self._failed(error)
        else:
            self.dismiss(None)

    def _change(self, **fields: Any) -> None:
        """Set fields of its entry; None takes one out."""
        assert self._state is not None
        table = {name: value for name, value in {**self._state.table, **fields}.items() if value not in (None, [])}
        name = self._backend
        self._do(lambda: upkeep.save(name, table), "Saved.")

    @work(exclusive=True, group="change", exit_on_error=False)
    async def _do(self, work: Callable[[], object], said: str) -> None:
        """Do something that blocks, and show what it came to."""
        try:
            await asyncio.to_thread(work)
        except MimoError as error:
            self._failed(error)
        else:
            self._look(said)

    def _failed(self, error: MimoError) -> None:
        self._say("\n".join(part for part in (error.message, error.hint) if part), is_error=True)

    def _say(self, text: str, is_error: bool = False) -> None:
        said = self.query_one("#said", Static)
        said.update(Content(clean(text)))
        said.set_class(is_error, "setup--failed")
