"""The embedded model's server as seen from the program: started when first needed, shared, ended with the program."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tui.backends.embedded.engine import install_command
from tui.backends.embedded.pull import find, is_broken, model_path
from tui.core.errors import ModelFileError
from tui.core.text import clean_line
from tui.settings.paths import private_dir, state_dir

CONTEXT_TOKENS = 4096

# What Python and llama.cpp need to find their files, and the GPU's choice; the user's keys stay out of the child.
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "SYSTEMROOT", "USERPROFILE", "APPDATA"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES"),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a served model answers, and the key that it wants."""

    base_url: str
    """With its /v1."""
    key: str = field(repr=False)


class _Server:
    """One child process, from the wish for it to its end."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.address: Future[Address] = Future()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """It did not come up, or has died: another one is needed."""
        if not self.address.done():
            return False
        process = self._process
        return self.address.exception() is not None or process is None or process.poll() is not None

    def start(self) -> None:
        """Start it and wait until it answers; the outcome is in `address`. Blocks; called in the keeper's thread."""
        try:
            self.address.set_result(self._start())
        except OSError as error:
            self._give_up(ModelFileError(f"the embedded model's server cannot be started: {error}"))
        except BaseException as error:
            self._give_up(error)

    def _start(self) -> Address:
        path = model_path(self.model)
        if path is None:
            raise _not_there(self.model)
        key = secrets.token_urlsafe(32)
        log = private_dir(state_dir()) / f"embedded-{self.model}.log"
        with _open_log(log) as stderr, self._lock:
            if self._stopped:
                raise ModelFileError(f"the embedded model {self.model} was stopped before it was ready")
            process = self._process = _spawn(path, stderr)
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # died already: no line comes, which is told below
            process.stdin.write(json.dumps(_wanted(self.model, path, key)).encode() + b"\n")
        with process.stdout as stdout:
            line = stdout.readline()
        answer = json.loads(line) if line.endswith(b"\n") else {"error": "load", "message": _end_of(process)}
        if "error" in answer:
            raise _failed(self.model, answer, log)
        return Address(answer["url"] + "/v1", key)

    def _give_up(self, error: BaseException) -> None:
        self.stop()
        self.address.set_exception(error)

    def stop(self) -> None:
        """End the process, whatever it does. Nothing is lost: it keeps no state."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()


class _Keeper:
    """Starts servers from one thread that lives as long as the program.

    Linux ends a child when the *thread* that started it ends, so a worker's or a short-lived loop's would not do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[str, _Server] = {}
        self._to_start: queue.SimpleQueue[_Server] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def server(self, model: str) -> _Server:
        """The one server of this model, up or on its way up."""
        with self._lock:
            server = self._servers.get(model)
            if server is None or server.is_over:
                server = self._servers[model] = _Server(model)
                self._to_start.put(server)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="embedded-models", daemon=True)
                self._thread.start()
                atexit.register(self.stop)
            return server

    def _work(self) -> None:
        while True:
            self._to_start.get().start()

    def stop(self) -> None:
        with self._lock:
            servers = list(self._servers.values())
            self._servers.clear()
        for server in servers:
            server.stop()


_keeper = _Keeper()


async def ensure_started(model: str) -> Address:
    """Where `model` is served; starts its child process if none is alive. Cheap when one is: call before each request.

    Callers at the same time share one start, and cancelling one does not end it for the others.
    Raises ModelFileError: not fetched, xllamacpp is missing, or the file cannot be loaded.
    """
    loop, came = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: Future[Address]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop that asked may be gone by now
            loop.call_soon_threadsafe(came.set)

    server = _keeper.server(model)
    server.address.add_done_callback(tell)
    await came.wait()
    return server.address.result()


def stop() -> None:
    """End every server; the next `ensure_started` starts anew. Quick, and also done when the program ends."""
    _keeper.stop()


def _spawn(path: Path, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the child: in a session of its own, so that ctrl+c and ctrl+z in the terminal do not reach it."""
    return subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=0,
        cwd=path.parent,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        start_new_session=True,
    )


def _wanted(model: str, path: Path, key: str) -> dict[str, Any]:
    return {
        "parent": os.getpid(),
        "path": str(path),
        "name": model,
        "key": key,
        "threads": _threads(),
        "context": CONTEXT_TOKENS,
    }


def _threads() -> int:
    """One or two, and a core left for everybody else: llama.cpp's threads wait for each other by spinning.

    With two on two cores and another program busy 3 to 6 tokens/s were measured, with one 41 to 68, alone 68 and 104.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(2, cores - 1))


def _open_log(path: Path) -> IO[bytes]:
    """A new, empty log. Not the old one cut short: a server of another window may still write to that."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")


def _end_of(process: subprocess.Popen[bytes]) -> str:
    status = process.wait()
    return f"ended by signal {-status}" if status < 0 else f"ended with {status}"


def _not_there(model: str) -> ModelFileError:
    command = f"mimo-tui models pull {model}" if find(model) else "mimo-tui models list"
    if is_broken(model):
        message = f"the file of the embedded model {model} is broken: it has not the size that it should have"
        return ModelFileError(message, f"Fetch it again: {command}")
    return ModelFileError(f"the embedded model {clean_line(model)} is not there", command)


def _failed(model: str, answer: dict[str, str], log: Path) -> ModelFileError:
    """What the user is told: the reason, the end of the server's own words, and where the rest is."""
    if answer["error"] == "import":
        return ModelFileError(
            f"the embedded model needs xllamacpp, which cannot be imported: {clean_line(answer['message'])}",
            f"Install it: {install_command()}",
        )
    lines = log.read_text("utf-8", "replace").splitlines()[-5:]
    said = "; ".join(clean_line(line) for line in [answer["message"], *lines] if line.strip())
    return ModelFileError(
        f"the embedded model {clean_line(model)} could not be loaded: {said}",
        f"Its log is {log}. If the file is damaged: mimo-tui models remove {model}, then fetch it again.",
    )
