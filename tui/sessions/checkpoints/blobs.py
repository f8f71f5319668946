"""Contents of files by their hash: written once, whole or not at all, for the user's eyes alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tui.core.errors import SessionError
from tui.settings.paths import private_dir

_PLAIN, _PACKED = b"p", b"z"
_SAMPLE_BYTES = 4096


class Blobs:
    """The folder of all sessions' kept contents. They may hold secrets of a project: files 0600, folders 0700.

    Blocking. `keep` within `held`, until it is stored who needs it: else who deletes a session may remove it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[str] = set()
        self._new: set[str] = set()

    def keep(self, data: bytes) -> str:
        """Keep contents; returns their hash. Raises OSError, MimoError."""
        digest = hashlib.blake2b(data, digest_size=20).hexdigest()
        if digest not in self._kept:
            path = self._path(digest)
            if not _is_there(path):
                self._write(path, _packed(data))
            self._kept.add(digest)
            self._new.add(digest)
        return digest

    @contextlib.contextmanager
    def new(self) -> Iterator[set[str]]:
        """What was kept since this was last asked: within, it is stored that the session needs it."""
        new, self._new = self._new, set()
        try:
            yield new
        except BaseException:
            self._new |= new  # it is still to be stored
            raise

    def read(self, digest: str) -> bytes:
        """Raises SessionError when it is gone or damaged."""
        try:
            data = self._path(digest).read_bytes()
            data = zlib.decompress(data[1:]) if data[:1] == _PACKED else data[1:]
        except (OSError, zlib.error) as error:
            raise SessionError(f"a kept state of a file cannot be read: {error}") from error
        if hashlib.blake2b(data, digest_size=20).hexdigest() != digest:
            raise SessionError(f"a kept state of a file is damaged: {self._path(digest)}")
        return data

    def remove(self, digests: Iterable[str]) -> None:
        for digest in digests:
            with contextlib.suppress(OSError):
                self._path(digest).unlink()

    @contextlib.contextmanager
    def held(self, *, to_remove: bool = False) -> Iterator[None]:
        """While it is kept, nothing is removed; `to_remove`: the other way round. Raises OSError, MimoError."""
        import fcntl

        if not self._folder.is_dir():
            self._make()
        private_dir(self._folder)
        number = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX if to_remove else fcntl.LOCK_SH)
            yield
        finally:
            os.close(number)

    def _make(self) -> None:
        """The folder and all those in it: made one by one, each would take a third of a millisecond of a step."""
        private_dir(self._folder)
        for number in range(256):
            (self._folder / f"{number:02x}").mkdir(mode=0o700, exist_ok=True)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def _write(self, path: Path, data: bytes) -> None:
        """Not synced: a power cut may take the last seconds, and `read` says so then."""
        temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            number = os.open(temporary, flags, 0o600)
        except FileNotFoundError:
            private_dir(path.parent)
            number = os.open(temporary, flags, 0o600)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def _is_there(path: Path) -> bool:
    try:
        return path.stat().st_size > 0  # a power cut may have left it empty
    except OSError:
        return False


def _packed(data: bytes) -> bytes:
    sample = data[:_SAMPLE_BYTES]
    if len(data) > 256 and len(zlib.compress(sample, 1)) < 0.9 * len(sample):
        return _PACKED + zlib.compress(data, 1)
    return _PLAIN + data
