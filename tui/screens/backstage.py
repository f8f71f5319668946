"""What the screens have done behind them: opening, warming up, keys, lists. It draws nothing; what is no coroutine
blocks and is for threads."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.core.text import clean_line
from tui.core.usage import Price
from tui.screens.choice import Choice
from tui.settings.paths import state_dir
from tui.widgets import history
from tui.widgets.status import count_text

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation
    from tui.agent.project.custom_commands import CustomCommand
    from tui.agent.project.offer import Offer
    from tui.agent.wishes import Wishes
    from tui.backends.spec import BackendSpec, ModelInfo
    from tui.screens.trust import Word
    from tui.settings.config import Settings

_remembering = threading.Lock()
"""Each choice is added to those in the file."""


def open_conversation(settings: Settings, folder: Path, wishes: Wishes) -> Conversation:
    """A new conversation or an old one. Raises SessionError, and UsageError for a backend that does not exist."""
    from tui.agent.conversation import Conversation

    conversation = Conversation.open(settings, folder, wishes)
    conversation.spec()  # a wrong --backend is said now, not after the first message was written
    return conversation


def warm_ups() -> Sequence[Callable[[], object]]:
    """What the first turn and the first answer would otherwise wait for, in pieces, in the order of their use."""

    def http() -> None:
        from tui.backends.http import warm

        warm()

    def transcript() -> None:
        from tui.widgets.transcript import engines

        engines.warm()

    return (transcript, http)


def past_prompts() -> list[str]:
    return history.read(history_file())


def remember_prompt(text: str) -> None:
    history.append(history_file(), text)


def remember(**choices: str | None) -> None:
    """Keep what was chosen for the next start; None takes a choice back."""
    from tui.settings.chosen import save_chosen

    with _remembering, contextlib.suppress(MimoError):  # it holds now all the same
        save_chosen(**choices)


def history_file() -> Path:
    return state_dir() / "history"


def keep_key(backend: str, base_url: str, key: str) -> None:
    """Put a key into the keyring. Raises CredentialError, and UsageError for what is no key."""
    from tui.settings.credentials import secret_from, set_key

    set_key(backend, base_url, secret_from(key))


def credential_of(settings: Settings, backend: str) -> object:
    """Where the key of a backend comes from, as `credential` says it; None for the keyring or one that is gone."""
    from tui.backends.resolve import resolve

    try:
        return resolve(settings, backend).credential
    except MimoError:
        return None


def has_key(backend: str, base_url: str) -> bool:
    """Whether the keyring has a key for it; no when there is no keyring: that is said when one is to be kept."""
    from tui.settings.credentials import key_status

    try:
        return key_status(backend, base_url, None)[0]
    except MimoError:
        return False


async def model_choices(spec: BackendSpec) -> list[Choice]:
    """The models that the backend's server has now. Raises BackendError and CredentialError."""
    from tui.backends.backend import Backend

    backend = Backend(spec)
    try:
        models = await backend.list_models()
    finally:
        await backend.aclose()
    return [Choice(model.id, model.id, _told(spec, model)) for model in models]


def _told(spec: BackendSpec, model: ModelInfo) -> str:
    """What is known of a model: its window, and its price in and out, in USD a million tokens."""
    from tui.backends.presets import catalogued, presets

    preset = presets().get(spec.preset)
    is_its_own = preset is not None and preset.base_url.rstrip("/") == spec.base_url
    listed = catalogued(preset, model.id, spec.wire) if preset is not None and is_its_own else {}
    window = model.context_window or listed.get("context_window")
    price = model.price or (Price(**listed["price"]) if listed.get("price") else None)
    return "  ".join(
        part
        for part in (
            f"{count_text(window)} tokens" if window else "",
            f"${price.input:g} in, ${price.output:g} out" if price is not None else "",
        )
        if part
    )


def added_table(settings: Settings, name: str) -> Json | None:
    """The entry of a backend that the program added, as a table; None for one of the user's config.toml. Blocking."""
    from tui.settings.config import config_file, plain
    from tui.settings.toml_file import read

    file = read(config_file())
    is_users = file is not None and name in file.table.get("backends", {})
    return None if is_users else dict(plain(settings.backends[name]))


def reload_settings(folder: Path | None = None) -> Settings:
    """The settings as the files have them now. Raises ConfigError."""
    from tui.backends.resolve import presets
    from tui.settings.config import load

    return load(folder, presets())


def look_at_project(conversation: Conversation) -> tuple[Offer, list[CustomCommand]]:
    """What the folder brings, and the commands that can be used there. Finds the skills of the session, too."""
    from tui.agent.project.custom_commands import find_commands
    from tui.agent.project.offer import offer_of
    from tui.commands.registry import NAMES

    offer = offer_of(conversation.folder, NAMES, conversation.settings)
    _ = conversation.project.skills
    return offer, find_commands(offer.root, is_trusted=offer.state == "trusted", taken=NAMES)


def keep_trust(offer: Offer, word: Word, folder: Path) -> Settings:
    """Trust a project as it was shown, or no more; the settings as they are then. Raises MimoError."""
    from tui.settings.trust import distrust, trust

    if word == "trust":
        trust(offer.root, offer.fingerprint)
    else:
        distrust(offer.root)
    return reload_settings(folder)


def shown_path(path: Path) -> str:
    """A folder as people write it."""
    home = os.environ.get("HOME", "")
    text = str(path)
    return clean_line("~" + text.removeprefix(home) if home and f"{text}/".startswith(f"{home}/") else text)


def open_link(url: str) -> bool:
    """Show a page in the browser; False where there is none that would not take over the terminal."""
    import webbrowser

    has_desktop = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if not has_desktop or not url.startswith(("https://", "http://", "mailto:")):
        return False
    return webbrowser.open(url)


def session_choices(folder: Path) -> list[Choice]:
    """The sessions of this folder, the latest first. Raises SessionError."""
    from tui.sessions.store import Store

    store = Store.open()
    try:
        sessions = store.list(folder)
    finally:
        store.close()
    return [
        Choice(session.id, clean_line(session.title, 60) or "untitled", f"{session.id}  {_ago(session.updated)}")
        for session in sessions
    ]


def _ago(then: float) -> str:
    """How long ago `then` (seconds since the epoch) was, roughly."""
    passed = max(0.0, time.time() - then)
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed >= seconds:
            return f"{passed // seconds:.0f} {unit} ago"
    return "just now"
