"""Connects to one backend: its key, a test line by line, its model, and then it is the default."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.core.errors import MimoError
from tui.core.text import clean, clean_line
from tui.screens import backstage
from tui.screens.choice import Choice
from tui.screens.connection import Connection
from tui.screens.reporting import ReportsBrokenWorkers
from tui.widgets.key_input import KeyInput

if TYPE_CHECKING:
    from tui.backends.spec import BackendSpec
    from tui.settings.config import Settings

_State = Literal["busy", "unreached", "tested"]
"""Something is under way or asked; the server could not be asked for its models; its model was tried."""
_COMMAND = "mimo-tui "
"""A hint that names a command line is none here: what it does can be done on the screen."""
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


class ConnectScreen(ReportsBrokenWorkers, ModalScreen[str | None]):
    """Dismissed with the backend's name once it is saved, or None."""

    CSS_PATH = "setup.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("enter", "go_on", show=False),
        Binding("r", "retry", show=False),
        Binding("u", "save", show=False),
    ]

    def __init__(self, connection: Connection, settings: Settings, *, only_test: bool = False) -> None:
        """With `only_test` it is tried as it is and nothing is saved."""
        super().__init__()
        self._only_test = only_test
        self._connection = connection
        self._settings = settings
        self._lines: list[Content] = []
        self._state: _State = "busy"
        self._has_given_key = False

    def compose(self) -> ComposeResult:
        title = Content.styled(clean_line(self._connection.title), "bold $primary")
        with Vertical(classes="setup"):
            address = Content.styled(clean_line(self._connection.base_url), "$text-muted")
            yield Static(title + "  " + address, classes="setup--title")
            yield Vertical(id="key")
            yield Static("", id="lines", classes="setup--lines")
            yield Static("esc: back", id="keys", classes="setup--keys", markup=False)

    def on_mount(self) -> None:
        if self._only_test:
            self._test(self._connection.model)
        elif self._connection.needs_key:
            self._find_key()
        else:
            self._try()

    @work(exclusive=True, exit_on_error=False)
    async def _find_key(self) -> None:
        """Go on with the key that is in the keyring already; ask for one where there is none."""
        if await asyncio.to_thread(backstage.has_key, self._connection.name, self._connection.base_url):
            self._line("✓", "$success", "a key is in the keyring")
            self._try()
        else:
            self._ask_for_key()

    def _ask_for_key(self) -> None:
        connection = self._connection
        if self._lines:
            told = "This server wants a key: paste it here."
            if self._has_given_key:
                is_named = isinstance(connection.table.get("credential"), dict)
                told = "Paste the key, or name another variable." if is_named else "Paste another one."
            self._line(" ", "$text-muted", f"{told} {connection.key_hint if self._has_given_key else ''}".rstrip())
        asked = KeyInput(connection.name, connection.title, connection.key_page, may_be_empty=self._may_need_none)
        self.query_one("#key").mount(asked)
        self.call_after_refresh(asked.focus)
        self._show_keys_of_input()

    @property
    def _may_need_none(self) -> bool:
        """A server of somebody's own may want no key; a vendor, who has a page for them, does."""
        return not self._connection.key_page

    def _show_keys_of_input(self) -> None:
        nothing = " (empty: no key)" if self._may_need_none else ""
        self._keys(f"enter: go on{nothing}    esc: back    $NAME: from the environment")

    @on(KeyInput.Cancelled)
    def _cancelled(self) -> None:
        self.dismiss(None)

    @on(KeyInput.Given)
    @work(exclusive=True, exit_on_error=False)
    async def _key_given(self, event: KeyInput.Given) -> None:
        """Keep the key in the keyring, or note which environment variable holds it."""
        self._lines.clear()
        self._has_given_key = bool(event.key)
        if not event.key:
            self._connection = self._connection.without_key()
        elif _VARIABLE.fullmatch(event.key):
            self._connection = self._connection.with_key_from(event.key.removeprefix("$"))
        else:
            connection = self._connection
            try:
                await asyncio.to_thread(backstage.keep_key, connection.name, connection.base_url, event.key)
            except MimoError as error:
                self._failed(error)
                self._line(" ", "$text-muted", "Or write $NAME above: the environment variable that holds the key.")
                return
            self._connection = connection.with_key_in_keyring()
            self._line("✓", "$success", "the key is in the keyring")
        await self.query_one("#key").remove_children()
        self._try()

    @work(exclusive=True, group="try", exit_on_error=False)
    async def _try(self) -> None:
        """Ask the server what models it has, and let the user choose one."""
        self._busy("asking …")
        try:
            choices = await self._choices()
        except MimoError as error:
            self._failed(error)
            return
        self._line("✓", "$success", f"the server answers, with {_counted(len(choices))}")
        if len(choices) == 1:
            self._test(choices[0].id)
            return
        from tui.screens.picker import Picker

        picker = Picker(f"Models of {self._connection.title}", choices, self._connection.model, may_type=True)
        self.app.push_screen(picker, self._model_chosen)

    async def _choices(self) -> list[Choice]:
        """The models of the server, on another wire than was guessed where that is the one it speaks."""
        from tui.backends import guess

        try:
            return await backstage.model_choices(await asyncio.to_thread(self._connection.spec, self._settings))
        except MimoError as error:
            if not (self._connection.is_guess and guess.tells_more(error)):
                raise

            def spec_for(wire: str, base_url: str) -> BackendSpec:
                return self._connection.on_wire(wire, base_url).spec(self._settings)

            found = await guess.by_answers(self._connection.base_url, spec_for)
            if found is None:
                raise
        self._connection = self._connection.on_wire(*found)
        self._line("✓", "$success", "it speaks {} at {}".format(*found))
        return await backstage.model_choices(await asyncio.to_thread(self._connection.spec, self._settings))

    def _model_chosen(self, model: str | None) -> None:
        if model is None:
            self.dismiss(None)
        else:
            self._test(model)

    @work(exclusive=True, group="try", exit_on_error=False)
    async def _test(self, model: str) -> None:
        """Try the model, line by line; what works is saved, of what does not the user decides."""
        from tui.backends.backend import Backend
        from tui.backends.check import checks

        self._connection = self._connection.with_model(model)
        self._busy("testing …")
        is_good, wants_key = True, False
        backend = Backend(await asyncio.to_thread(self._connection.spec, self._settings))
        try:
            async for result in checks(backend):
                mark, style = ("✓", "$success") if result.ok else ("✗", "$error")
                is_for_elsewhere = result.name == "key" or _COMMAND in result.detail
                told = result.message if not result.ok and is_for_elsewhere else result.detail
                self._line(mark, style, f"{result.name}: {told}")
                is_good = is_good and result.ok
                wants_key = result.name == "key" and not result.ok and not self._only_test
        finally:
            await backend.aclose()
        if wants_key:
            self._ask_for_key()
            return
        self._state = "tested"
        if self._only_test:
            self._keys("r: try again    esc: back")
        elif is_good:
            self._keys("enter: use it    r: try again    esc: back")
        else:
            self._keys("enter: use it anyway    r: try again    esc: back")

    def action_go_on(self) -> None:
        """What one most likely wants now."""
        if self._only_test and self._state != "busy":
            self.dismiss(None)
        elif self._state == "unreached":
            self.action_retry()
        else:
            self.action_save()

    def action_retry(self) -> None:
        state = self._state
        if state == "busy":
            return
        self._lines.clear()
        if state == "tested":
            self._test(self._connection.model)
        else:
            self._try()

    def action_save(self) -> None:
        """Use it, whatever the test said."""
        if self._state != "busy" and not self._only_test:
            self._save()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def _save(self) -> None:
        try:
            await asyncio.to_thread(self._connection.save)
        except MimoError as error:
            self._failed(error)
        else:
            self.dismiss(self._connection.name)

    def _failed(self, error: MimoError) -> None:
        """Show it; what was wrong with a key can be put right at once."""
        self._line("✗", "$error", error.message)
        if error.kind in ("credential", "auth") and not self.query(KeyInput):
            self._ask_for_key()
        elif error.hint and _COMMAND not in error.hint:
            self._line(" ", "$text-muted", error.hint)
        if self.query(KeyInput):
            self._show_keys_of_input()
        else:
            self._state = "unreached"
            self._keys("enter: try again    u: use it anyway    esc: back")

    def _line(self, mark: str, style: str, text: str) -> None:
        self._lines.append(Content.styled(mark, style) + " " + clean(text))
        self.query_one("#lines", Static).update(Content("\n").join(self._lines))

    def _busy(self, what: str) -> None:
        self._state = "busy"
        self._keys(f"{what}    esc: back")

    def _keys(self, text: str) -> None:
        self.query_one("#keys", Static).update(text)


def _counted(models: int) -> str:
    return "1 model" if models == 1 else f"{models} models"
