"""What a front end wishes for a conversation. Apart from it, because the screen is there before what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.settings.schema import Mode, Policy


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for, above the settings. None: as the settings say."""

    mode: Mode | None = None
    backend: str | None = None
    model: str | None = None
    policy: Policy | None = None
    sandbox: Literal["on", "off"] | None = None
    max_steps: int | None = None
    budget: float | None = None
    timeout_s: float | None = None
    """Of a whole turn."""
    session: str | None = None
    """The id, or the beginning of one, of the session to go on with."""
    continue_last: bool = False
    """Go on with the folder's latest session."""
