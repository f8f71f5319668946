"""What the tests of tools share: a project folder, the real sandbox, and a home that it hides things in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.confined import USERS, Place, made_place
from tui.tools.sandbox import Sandbox, find_sandbox, why_no_sandbox


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    """An empty project folder."""
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def sandbox() -> Sandbox:
    found = find_sandbox()
    if found is None:
        pytest.skip(f"needs bubblewrap: {why_no_sandbox()}")
    return found


@pytest.fixture(params=USERS, ids=lambda user: "as root" if user == 0 else f"as user {user}")
def place(request: pytest.FixtureRequest, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A home with a project in it; commands run in the real sandbox, as each of the users."""
    with made_place(request.param) as made:
        monkeypatch.setenv("HOME", str(made.home))
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(made.home / name.lower()))
        yield made
