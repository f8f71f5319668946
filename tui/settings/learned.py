"""What servers taught us by refusing a request: rules for a base URL and model, kept beside the sessions."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.settings.paths import data_dir, private_dir, write_private

_HEAD = "# Written by mimo-tui: what servers taught it. `mimo-tui backends show NAME --forget` takes it back.\n"


class Learned(Struct, frozen=True):
    """One rule. `because` is what the server said; `when` a date."""

    base_url: str
    model: str
    rule: str
    value: Any
    because: str
    when: str


def learned_file() -> Path:
    return data_dir() / "learned.toml"


def learned_of(base_url: str, model: str | None) -> list[Learned]:
    """What the server at `base_url` taught about `model`, in the order in which it did. A broken file holds nothing."""
    return [entry for entry in _read() if (entry.base_url, entry.model) == (base_url, model)]


def keep_learned(new: Learned) -> None:
    """Remember a rule, in place of an older one of that name. Blocking. Raises MimoError when it cannot be written."""
    _change(lambda entry: _place(entry) != _place(new), [new])


def forget_learned(base_url: str, model: str | None, rule: str | None = None) -> int:
    """Forget all that was learned of this server and model, or one rule; how much that was. Raises MimoError."""
    gone = [entry for entry in learned_of(base_url, model) if rule in (None, entry.rule)]
    if gone:
        _change(lambda entry: entry not in gone, [])
    return len(gone)


def _place(entry: Learned) -> tuple[str, str, str]:
    return entry.base_url, entry.model, entry.rule


def _change(stays: Callable[[Learned], bool], more: list[Learned]) -> None:
    import tomli_w

    kept = [entry for entry in _read() if stays(entry)]
    if _is_broken():
        learned_file().replace(learned_file().with_name("learned.toml.broken"))
    tables: list[Json] = [structs.asdict(entry) for entry in [*kept, *more]]
    private_dir(learned_file().parent)
    write_private(learned_file(), _HEAD + tomli_w.dumps({"learned": tables}))


def problem_with_learned() -> str:
    """What is wrong with the file, in words; empty when nothing is. What can be learned again stops nobody."""
    try:
        tables = tomllib.loads(learned_file().read_text(encoding="utf-8")).get("learned", [])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError) as error:
        return f"{learned_file()} cannot be read, so nothing counts as learned: {error}"
    wrong = len(tables) - len(_good(tables)) if isinstance(tables, list) else 1
    return f"{learned_file()} has {wrong} entries that cannot be used" if wrong else ""


def _is_broken() -> bool:
    """Whether the file has something that writing it anew would lose."""
    return bool(problem_with_learned())


def _read() -> Sequence[Learned]:
    """What is kept. Read again only when the file has changed: a screen asks at each step of an agent."""
    try:
        path = learned_file()
        state = path.stat()
    except (OSError, MimoError):
        return ()
    return _entries(path, state.st_ino, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=1)
def _entries(path: Path, *state: int) -> Sequence[Learned]:
    try:
        return tuple(_good(tomllib.loads(path.read_text(encoding="utf-8")).get("learned", [])))
    except (OSError, ValueError, AttributeError):
        return ()


def _good(tables: Any) -> list[Learned]:
    """The entries that can be used."""
    found = []
    for table in tables if isinstance(tables, list) else ():
        with suppress(TypeError, msgspec.ValidationError):
            found.append(msgspec.convert(table, Learned))
    return found
