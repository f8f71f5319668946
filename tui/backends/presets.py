"""What comes with the program as data: presets.toml, and what catalogue.toml knows of vendors' models."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from tui.core.messages import Json


class Preset(Struct, frozen=True):
    """What is known of a vendor or a local server: one table of presets.toml, which explains the fields."""

    name: str
    title: str
    wire: str
    base_url: str
    vendor: str = ""
    model: str | None = None
    key_page: str = ""
    credential: str | None = None
    context_window: int | None = None
    max_output: int | None = None
    price: Json | None = None
    unpriced: bool = False
    thinking: str | None = None
    embedded: bool = False
    models_page: str = ""
    headers: dict[str, str] = {}
    body: Json = {}
    hints: dict[str, str] = {}
    rules: Json = {}

    @property
    def is_main(self) -> bool:
        """Not another address, plan or wire of a vendor that has a preset already."""
        return self.vendor == self.name

    @property
    def local(self) -> bool:
        return self.embedded or is_loopback(self.base_url)


@cache
def presets() -> dict[str, Preset]:
    """All presets by name, in the order in which people are shown them."""
    tables = _read_toml("presets.toml")
    return {name: Preset(name, **_whole(tables, name)) for name in tables}


def catalogued(preset: Preset, model: str | None, wire: str) -> Json:
    """What the catalogue knows of a vendor's model: window, limit, price; its rules if they are for this wire."""
    entry: Json = catalogue().get(preset.vendor, {}).get(model or "", {})
    if entry.get("rules") and wire != presets()[preset.vendor].wire:
        entry = {name: value for name, value in entry.items() if name != "rules"}
    return entry


def catalogue() -> Json:
    """catalogue.toml: by vendor and model, and `as_of`, its date."""
    return _read_toml("catalogue.toml")


def with_levels(levels: Json, others: Json) -> Json:
    """Thinking levels with some of them otherwise; one that is empty there does not exist."""
    return {level: fields for level, fields in (levels | others).items() if fields != ""}


def is_loopback(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def _whole(tables: dict[str, Json], name: str) -> Json:
    """A preset's table with what it takes from the one that it is `like`."""
    own = dict(tables[name])
    base = _whole(tables, own.pop("like")) if "like" in own else {"vendor": name}
    both = {key: base.get(key, {}) | own.get(key, {}) for key in ("rules", "hints")}
    merged: Json = base | own | both
    merged["model"] = merged.get("model") or None  # "" takes it back
    return merged


@cache
def _read_toml(name: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
