"""What every test may use: a home of its own, so that nothing of the real one is read or written, and model servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scripted import ScriptedServer
from tests.scripted.servers import Servers
from tui.backends.embedded.catalogue import DEFAULT
from tui.backends.embedded.process import stop
from tui.backends.embedded.pull import models_dir, pull
from tui.settings.paths import private_dir


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: half of what tests do is waiting for processes and screens."""
    return (os.cpu_count() or 1) + 1


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


@pytest.fixture(autouse=True, scope="session")
def _nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test without a `home` of its own writes stays out of the developer's."""
    folder = tmp_path_factory.mktemp("nobody")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        yield


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted model servers: `server = scripted(["Hello", fault(429)], key="secret")`.

    The test fails at its end if replies were left over or missing, unless the server was started with
    `may_complain=True`.
    """
    servers = Servers()
    yield servers.start
    servers.stop()


@pytest.fixture(scope="session")
def _fetched_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # what all workers share; the second to fetch waits and finds it there
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "embedded"))
        return pull(DEFAULT, lambda done, total: None)


@pytest.fixture
def embedded_model(home: Path, _fetched_model: Path) -> Iterator[str]:
    """The built-in model is in this test's home (fetched once a test run); its name. For tests marked slow."""
    folder = private_dir(models_dir())
    (folder / _fetched_model.name).hardlink_to(_fetched_model)
    yield DEFAULT.name
    stop()
