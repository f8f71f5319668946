"""A Secret Service of its own for a test: a session bus with gnome-keyring on it, in a home folder of the test's."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import pytest

needs_gnome_keyring = pytest.mark.skipif(
    not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")),
    reason="gnome-keyring and dbus-run-session are not installed: keys cannot be tried in a real keyring",
)

_START = """
printf "the keyring's password" | gnome-keyring-daemon --components=secrets $1 >&2 || exit 1
echo "$DBUS_SESSION_BUS_ADDRESS"
exec cat
"""


class SecretService:
    """Runs inside `with`; `environment` is for the programs that are to use it. Its keys are below `home`."""

    def __init__(self, home: Path, *, locked: bool = False) -> None:
        self._locked = locked
        self._folder = tempfile.mkdtemp(prefix="mimo-")  # short: sockets' names may not be long
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")},
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_RUNTIME_DIR": self._folder,
        }

    def __enter__(self) -> SecretService:
        option = "" if self._locked else "--unlock"
        self._process = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", _START, "sh", option],
            stdin=subprocess.PIPE,  # the bus ends with `cat`, and that with its input
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
            text=True,
        )
        assert self._process.stdout
        address = self._process.stdout.readline().strip()
        assert address, "the Secret Service did not start"
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)
