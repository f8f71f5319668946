"""Folders and servers for the tests of the program on its screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.app.driving import configure
from tests.scripted import ScriptedServer


@pytest.fixture
def folder(home: Path) -> Path:
    """A project to work in."""
    path = home / "project"
    path.mkdir()
    return path


@pytest.fixture
def model(home: Path, scripted: Callable[..., ScriptedServer]) -> Callable[..., ScriptedServer]:
    """Starts the scripted server and makes it the default backend."""

    def start(*replies: Any, config: str = "", backend: str = "", **options: Any) -> ScriptedServer:
        server = scripted(list(replies), **options)
        configure(server, config, backend)
        return server

    return start
