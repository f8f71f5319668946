"""What every test may use: a home of its own, so that nothing of the real one is read or written, and model servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scripted import ScriptedServer
from tests.scripted.servers import Servers


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; the program's config, data, state and cache folders are inside it."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    for name, folder in {
        "CONFIG": ".config",
        "DATA": ".local/share",
        "STATE": ".local/state",
        "CACHE": ".cache",
    }.items():
        monkeypatch.setenv(f"XDG_{name}_HOME", str(path / folder))
    return path


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted model servers: `server = scripted(["Hello", fault(429)], key="secret")`.

    The test fails at its end if replies were left over or missing, unless the server was started with
    `may_complain=True`.
    """
    servers = Servers()
    yield servers.start
    servers.stop()
