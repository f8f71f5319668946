"""The program on a screen, from its start to its exit code. Textual is imported once the settings are read."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.agent.wishes import Wishes


def run_app(folder: Path, wishes: Wishes, theme: str | None = None) -> int:
    """Show the program until the user leaves; returns the exit code. Raises MimoError for what the user can mend."""
    # A collection while the modules are imported finds nothing: a tenth of the start. The window switches it on again.
    gc.disable()
    _tune_textual()

    from tui.backends.resolve import presets
    from tui.settings.config import load

    settings = load(folder, presets())

    from tui.screens.window import MimoApp

    app = MimoApp(settings, folder, wishes, theme)
    # Until the window answers signals, ctrl+c ends the program silently: an exception could hit asyncio half made.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    app.run()
    if app.problem is not None:
        raise app.problem
    return 0


def _tune_textual() -> None:
    """Set what Textual takes from the environment alone, when it is imported, unless the user has."""
    wanted = {
        "TEXTUAL_FPS": "120",  # changes are drawn at the next tick: of its usual 60 a second a key would feel each
        "ESCDELAY": "30",  # ms until a lone ESC counts as the key: its usual 100 would be all that stopping may take
    }
    ours = wanted.keys() - os.environ.keys()
    os.environ.update({name: wanted[name] for name in ours})
    import textual.constants  # noqa: F401

    for name in ours:  # they are not meant for the programs that tools start
        del os.environ[name]
