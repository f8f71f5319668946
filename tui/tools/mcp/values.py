"""The values that a server is given: those of the settings, and those that they name in the keyring. Blocking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.core.errors import MimoError
from tui.settings.log import hide
from tui.settings.named_keys import named_key

_SHORT = 8
"""Shorter values are not masked in logs: that would hide words that are no secrets."""


def values_of(table: Mapping[str, Any]) -> dict[str, str]:
    """`table` with what the keyring holds in place of `{ keyring = NAME }`. Raises CredentialError, MimoError."""
    values = {}
    for name, value in table.items():
        text = named_key(value["keyring"]).reveal() if isinstance(value, Mapping) else value
        if "\0" in text:
            raise MimoError(f"the value of {name} has a NUL character in it")
        if len(text) >= _SHORT:
            hide(text)
        values[name] = text
    return values
