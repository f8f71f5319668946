"""The program on a screen, from its start to its exit code. Textual is imported once the settings are read."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.agent.wishes import Wishes


def run_app(folder: Path, wishes: Wishes, theme: str | None = None) -> int:
    """Show the program until the user leaves; returns the exit code. Raises MimoError for what the user can mend."""
    # A collection while the modules are imported finds nothing: a tenth of the start. The window switches it on again.
    gc.disable()
    # Textual draws changes at the next tick of its clock. At its usual 60 ticks a second that alone is what a key has.
    os.environ.setdefault("TEXTUAL_FPS", "120")

    from tui.backends.resolve import presets
    from tui.settings.config import load

    settings = load(folder, presets())

    from tui.screens.window import MimoApp

    app = MimoApp(settings, folder, wishes, theme)
    app.run()
    if app.problem is not None:
        raise app.problem
    return 0
