"""The first start: vendors, local servers, other servers, the built-in model; and keys that are missing later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from textual.widgets import Input, OptionList

from tests.app.driving import Driver, configure, opened
from tests.scripted import ScriptedServer
from tests.scripted.reply import json_response
from tests.scripted.vendors import Ollama
from tui.backends.embedded.catalogue import DEFAULT
from tui.backends.embedded.pull import models_dir
from tui.backends.guess import by_address
from tui.backends.resolve import presets
from tui.screens.connect import ConnectScreen
from tui.screens.connection import Connection
from tui.settings.config import config_dir, load
from tui.settings.log import log_file

pytestmark = pytest.mark.slow

Scripted = Callable[..., ScriptedServer]
SECRET = "sk-very-secret-0123456789"


class MemoryKeyring(KeyringBackend):
    """A keyring that forgets."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.keys.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.keys[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.keys[service, username]


@pytest.fixture
def keys() -> Iterator[dict[tuple[str, str], str]]:
    """What the system keyring holds."""
    before, memory = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory.keys
    keyring.set_keyring(before)


def files_with(secret: str, home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


async def take(it: Driver, label: str) -> None:
    """Go down the menu to what is called so, and choose it."""
    menu = it.app.screen.query_one("#offers", OptionList)
    while not (menu.highlighted_option and label in str(menu.highlighted_option.prompt)):
        await it.press("down")
    await it.press("enter")


async def use(it: Driver) -> None:
    """The test went well, and stays to be read."""
    await it.until_shown("✓ answer", "enter: use it")
    await it.press("enter")


async def test_the_first_start_offers_vendors_servers_and_the_built_in_model(home: Path, folder: Path) -> None:
    async with opened(folder) as it:
        await it.until_shown("Who should answer?", "Xiaomi MiMo", "DeepSeek", "smollm2-135m", "Another server")
        await it.press("escape")
        await it.until_shown("no backend")
        await it.say("hello?")
        await it.until_shown("no backend is set")
        await it.until_done()
        assert it.prompt == "hello?"
    assert not config_dir().exists()


async def test_another_server_by_its_address_is_tested_saved_and_answers(
    home: Path, folder: Path, scripted: Scripted
) -> None:
    server = scripted(answers)
    async with opened(folder) as it:
        await it.until_shown("Another server")
        await take(it, "Another server")
        await it.until_shown("The address of a server")
        await it.write(server.base_url)
        await it.press("enter")
        await use(it)
        await it.until(lambda: it.app.screen is it.chat, "it is set up")
        await it.until_shown("/scripted")
        await it.say("hi")
        await it.until_shown("ready")
    settings = load(preset_names=presets())
    assert settings.defaults.backend == "127-0-0-1"
    assert settings.backends["127-0-0-1"].base_url == server.base_url


@pytest.mark.parametrize("address", ["http://", "ftp://example.org", "http://a b"])
async def test_an_address_that_is_none_is_refused(home: Path, folder: Path, address: str) -> None:
    async with opened(folder) as it:
        await it.until_shown("Another server")
        await take(it, "Another server")
        await it.until_shown("The address of a server")
        await it.write(address)
        await it.press("enter")
        await it.until_shown("That ")
        await it.press("escape", "escape")
        await it.until(lambda: it.app.screen is it.chat, "it is closed")


async def test_a_vendor_takes_its_key_is_tested_and_offers_its_models(
    home: Path, folder: Path, scripted: Scripted, keys: dict[Any, str]
) -> None:
    server = scripted(answers, key=SECRET, models=("small", "large"))
    table, page = {"base_url": server.base_url}, "https://vendor.example/keys"
    vendor = Connection("vendor", "A Vendor", table, True, page, server.base_url)
    async with opened(folder) as it:
        await it.until_shown("Who should answer?")
        done: list[str | None] = []
        it.app.push_screen(ConnectScreen(vendor, load()), done.append)
        await it.until_shown("Paste the key for A Vendor", "https://vendor.example/keys")
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
        await it.write("sk-wrong-0123456789")
        await it.press("enter")
        await it.until_shown("the key was not accepted", "Paste the key")
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted again")
        await it.write(SECRET)
        assert SECRET not in it.screen
        await it.press("enter")
        await it.until_shown("Models of A Vendor", "small", "large")
        await it.write("large")
        await it.press("enter")
        await use(it)
        await it.until(lambda: bool(done), "it is set up")
        assert done == ["vendor"]
    settings = load(preset_names=presets())
    assert (settings.defaults.backend, settings.backends["vendor"].model) == ("vendor", "large")
    assert {request.body["model"] for request in server.requests} == {"large"}
    assert files_with(SECRET, home) == []


async def test_a_key_may_stay_in_the_environment(
    home: Path, folder: Path, scripted: Scripted, keys: dict[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted(answers, key=SECRET)
    monkeypatch.setenv("VENDOR_KEY", SECRET)
    vendor = Connection("vendor", "A Vendor", {"base_url": server.base_url}, needs_key=True)
    async with opened(folder) as it:
        await it.until_shown("Who should answer?")
        done: list[str | None] = []
        it.app.push_screen(ConnectScreen(vendor, load()), done.append)
        await it.until_shown("Paste the key for A Vendor")
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
        await it.write("$VENDOR_KEY")
        await it.press("enter")
        await use(it)
        await it.until(lambda: bool(done), "it is set up")
    assert load(preset_names=presets()).backends["vendor"].credential == {"env": "VENDOR_KEY"}
    assert not keys


async def test_a_key_that_is_missing_is_asked_for_hidden_and_goes_to_the_keyring(
    home: Path, folder: Path, scripted: Scripted, keys: dict[Any, str]
) -> None:
    server = scripted(["Hello."], key=SECRET)
    configure(server, backend=" ")
    server.key = SECRET
    async with opened(folder) as it:
        await it.say("hi")
        await it.until_shown("Paste the key for lab")
        await it.until_done()
        assert it.prompt == "hi"
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
        await it.write(SECRET)
        assert SECRET not in it.screen
        await it.press("enter")
        await it.until_shown("is in the keyring")
        assert list(keys.values()) == [SECRET]
        await it.press("enter")
        await it.until_shown("Hello.")
    assert files_with(SECRET, home) == []


async def test_a_key_that_is_refused_can_be_replaced(
    home: Path, folder: Path, scripted: Scripted, keys: dict[Any, str]
) -> None:
    server = scripted(["Hello."], key=SECRET)
    configure(server, backend=" ")
    host = server.base_url.removesuffix("/v1")
    keys["mimo-tui", f"lab@{host}"] = "sk-wrong-0123456789"
    async with opened(folder) as it:
        await it.say("hi")
        await it.until_shown("Paste the key for lab")
        await it.until_done()
        await it.press("ctrl+y")
        await it.write(SECRET)
        await it.press("enter")
        await it.until_shown("is in the keyring")
        await it.press("enter")
        await it.until_shown("Hello.")


async def test_a_machine_without_a_keyring_says_what_to_do(home: Path, folder: Path, scripted: Scripted) -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        server = scripted([], key=SECRET)
        configure(server, backend=" ")
        async with opened(folder) as it:
            await it.say("hi")
            await it.until_shown("Paste the key for lab")
            await it.until_done()
            await it.press("ctrl+y")
            await it.write(SECRET)
            await it.press("enter")
            await it.until_shown("no keyring can be used here", "env =")
    finally:
        keyring.set_keyring(before)
    assert not log_file().exists() or SECRET not in log_file().read_text()


def answers(request: Any) -> Any:
    """What a decent model says to the checks and after them."""
    from tests.scripted import Reply, tool_call

    if tools := request.body.get("tools"):
        return Reply(tool_call(tools[0]["function"]["name"], {"colour": "green"}))
    return "ready"


async def test_the_built_in_model_is_chosen_when_it_is_there(home: Path, folder: Path) -> None:
    path = models_dir() / f"{DEFAULT.name}.gguf"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(DEFAULT.size)  # it is not started here, so it need not be a model
    async with opened(folder) as it:
        await it.until_shown("On this machine", "is here")
        await take(it, DEFAULT.name)
        await it.until(lambda: it.app.screen is it.chat, "it is chosen")
        await it.until_shown(f"embedded/{DEFAULT.name}")
    assert load(preset_names=presets()).defaults.backend == "embedded"


async def test_what_fetching_the_built_in_model_means_is_said_before_it_begins(home: Path, folder: Path) -> None:
    async with opened(folder) as it:
        await it.until_shown("On this machine")
        await take(it, DEFAULT.name)
        await it.until_shown("93 MB", "Apache-2.0", "enter: fetch it")
        await it.press("escape")
        await it.until_shown("Who should answer?")
    assert not models_dir().exists()


async def test_a_server_that_turns_out_to_want_a_key_is_saved_with_it(
    home: Path, folder: Path, scripted: Scripted, keys: dict[Any, str]
) -> None:
    server = scripted(answers, key=SECRET)
    async with opened(folder) as it:
        await it.until_shown("Another server")
        await take(it, "Another server")
        await it.until_shown("The address of a server")
        await it.write(server.base_url)
        await it.press("enter")
        await it.until_shown("Paste the key for 127.0.0.1", "This server wants a key: paste it here.")
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
        await it.write("sk-wrong-0123456789")
        await it.press("enter")
        await it.until_shown("the key was not accepted", "Paste another one.")
        assert "mimo-tui keys" not in it.screen and "credential =" not in it.screen
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted again")
        await it.write(SECRET)
        await it.press("enter")
        await use(it)
        await it.until(lambda: it.app.screen is it.chat, "it is set up")
        await it.say("hi")
        await it.until_shown("ready")
    assert load(preset_names=presets()).backends["127-0-0-1"].credential == "keyring"
    assert list(keys.values()) == [SECRET]


async def test_a_server_that_needs_no_key_goes_on_with_none(home: Path, folder: Path, scripted: Scripted) -> None:
    server = scripted(answers)
    own = Connection("own", "own.example", {"base_url": server.base_url}, needs_key=True)
    async with opened(folder) as it:
        await it.until_shown("Who should answer?")
        done: list[str | None] = []
        it.app.push_screen(ConnectScreen(own, load()), done.append)
        await it.until_shown("Paste the key for own.example", "(empty: no key)")
        await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
        await it.press("enter")
        await use(it)
        await it.until(lambda: bool(done), "it is set up")
    assert load(preset_names=presets()).backends["own"].credential == "none"


async def test_a_server_that_is_not_reached_can_be_tried_again_and_used_anyway(
    home: Path, folder: Path, scripted: Scripted
) -> None:
    server = scripted([])
    address = server.base_url
    server.stop()
    own = Connection("own", "own.example", {"base_url": address, "credential": "none"}, needs_key=False)
    async with opened(folder) as it:
        await it.until_shown("Who should answer?")
        done: list[str | None] = []
        it.app.push_screen(ConnectScreen(own, load()), done.append)
        for key in ("enter", "r", "u"):
            await it.until_shown("enter: try again    u: use it anyway")
            assert not done
            await it.press(key)
        await it.until(lambda: bool(done), "it is saved")
    settings = load(preset_names=presets())
    assert (settings.defaults.backend, settings.backends["own"].base_url) == ("own", address)


async def test_without_a_keyring_the_other_way_stays_in_sight(home: Path, folder: Path, scripted: Scripted) -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
    try:
        url = scripted([]).base_url
        own = Connection("own", "own.example", {"base_url": url}, needs_key=True, base_url=url)
        async with opened(folder) as it:
            await it.until_shown("Who should answer?")
            it.app.push_screen(ConnectScreen(own, load()))
            await it.until_shown("Paste the key for own.example")
            await it.until(lambda: isinstance(it.app.focused, Input), "it can be pasted")
            await it.write(SECRET)
            await it.press("enter")
            await it.until_shown("no keyring can be used here", "Or write $NAME above", "$NAME: from the environment")
    finally:
        keyring.set_keyring(before)


async def test_protocol_rules_and_name_of_another_server_can_be_chosen(
    home: Path, folder: Path, scripted: Scripted
) -> None:
    server = scripted(answers)
    async with opened(folder) as it:
        await it.until_shown("Another server")
        await take(it, "Another server")
        await it.until_shown("The address of a server", "down: change what is guessed")
        await it.write(server.base_url)
        await it.until_shown("chat-completions, if its answers do not tell otherwise", "127-0-0-1")
        await it.press("down", "down", "enter")
        await it.until_shown("Whose rules it keeps")
        await it.write("deepseek")
        await it.press("enter")
        await it.until_shown("as the server decides")
        await it.press("down", "down", "down", "down", "enter")
        await it.until_shown("What it shall be called")
        await it.write("my-lab")
        await it.press("enter")
        await it.until_shown("my-lab")
        await it.press("down", "enter")
        await it.until_shown("The protocol that it speaks", "responses", "ollama")
        await it.write("chat-completions")
        await it.press("enter")
        await it.until(lambda: it.app.focused is it.app.screen.query_one(Input), "the address can be sent")
        await it.press("enter")
        await it.until_shown("✓ answer", "enter: use it")
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.chat, "it is set up")
    own = load(preset_names=presets()).backends["my-lab"]
    assert (own.preset, own.wire, own.base_url) == ("deepseek", "chat-completions", server.base_url)


async def test_a_server_is_asked_which_protocol_it_speaks(home: Path, folder: Path, scripted: Scripted) -> None:
    missing = {"/models": lambda request: json_response({"error": "not found"}, 404)}
    server = scripted(answers, vendor=Ollama(), routes=missing)
    async with opened(folder) as it:
        await it.until_shown("Another server")
        await take(it, "Another server")
        await it.until_shown("The address of a server")
        await it.write(server.root)
        await it.press("enter")
        await it.until_shown("it speaks ollama")


@pytest.mark.parametrize(
    ("url", "wire", "preset"),
    [
        ("https://api.deepseek.com/v1", "chat-completions", "deepseek"),
        ("https://api.deepseek.com/anthropic", "messages", "deepseek-anthropic"),
        ("https://api.openai.com/v1", "responses", "openai"),
        ("http://10.0.0.5:11434", "ollama", "ollama"),
        ("http://10.0.0.5:11434/v1", "chat-completions", ""),
        ("http://lab.example/anthropic", "messages", ""),
        ("http://lab.example:8000/v1", "chat-completions", ""),
    ],
)
def test_an_address_tells_the_protocol_and_whose_rules_hold(url: str, wire: str, preset: str) -> None:
    assert by_address(url) == (wire, preset)
