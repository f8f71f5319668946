"""Each attempt is made in each sandbox that works here, as an ordinary user and, where the tests are root, as root.

Those as root are marked slow: they are the same attempts once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.tools.confined import FINDERS, USERS, Place, Result, made_place
from tui.tools.landlock import find_landlock

KINDS = [name for name, find in FINDERS.items() if find()[0] is not None]


class Cell(Place):
    """A place in which a command that does not even begin is no attempt."""

    def run(self, command: str, *later: str, **options: Any) -> Result:
        result = super().run(command, *later, **options)
        assert "could not be started" not in result.content and "could not be set up" not in result.content, result
        return result


def _name(user: int, kind: str) -> str:
    return f"{kind} as root" if user == 0 else f"{kind} as user {user}"


CELLS = [
    pytest.param((user, kind), id=_name(user, kind), marks=[pytest.mark.slow] if user == 0 and len(USERS) > 1 else [])
    for kind in KINDS
    for user in USERS
]


@pytest.fixture(params=CELLS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cell]:
    """A home with a project in it; commands run in the real sandbox."""
    user, kind = request.param
    with made_place(user, kind) as made:
        monkeypatch.setenv("HOME", str(made.home))
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(made.home / name.lower()))
        yield Cell(*made)


@pytest.fixture
def has_gap(place: Place) -> Callable[[str], bool]:
    """Whether a sentence is one of the sandbox's gaps: then what it says may come true, since it is asked about."""
    landlock = find_landlock()[0]
    return lambda gap: place.kind == "Landlock" and landlock is not None and gap in landlock.gaps
