"""The programs that are measured, each in a home and a folder of its own."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.terminal import Terminal

Name = Literal["mimo-tui", "bare"]
SETTLE_S = 1.5
"""From ready to the first question: what a program does in its first idle second is not counted as the answer's."""
CONFIG = """\
[defaults]
backend = "bench"

[backends.bench]
wire = "chat-completions"
base_url = "{base_url}"
model = "scripted"
credential = "none"
context_window = 1000000

[agent]
policy = "auto"
max_steps = 1000
"""


@dataclass(frozen=True, slots=True)
class Started:
    terminal: Terminal
    ready_s: float
    data: Path
    """The program's data folder."""

    @property
    def pid(self) -> int:
        return self.terminal.process.pid


@contextmanager
def at_home(base_url: str) -> Iterator[tuple[dict[str, str], Path]]:
    """An environment with a home of its own that knows the model, and a folder to be in."""
    with tempfile.TemporaryDirectory() as temporary:
        home, folder = Path(temporary, "home"), Path(temporary, "folder")
        folder.mkdir()
        (folder / "file.txt").write_text("".join(f"line {i}\n" for i in range(1, 201)))
        environment = _environment(home)
        config = Path(environment["XDG_CONFIG_HOME"], "mimo-tui", "config.toml")
        config.parent.mkdir(parents=True, mode=0o700)
        config.write_text(CONFIG.format(base_url=base_url))
        yield environment, folder


@contextmanager
def running(name: Name, base_url: str, mode: str = "chat") -> Iterator[Started]:
    """The program, ready to type."""
    argv = [sys.executable, "-m", "tui", "--mode", mode]
    if name == "bare":
        argv = [sys.executable, str(Path(__file__).with_name("bare.py")), base_url]
    with at_home(base_url) as (environment, folder), Terminal(argv, environment, folder) as terminal:
        yield Started(terminal, terminal.wait_until_ready(), Path(environment["XDG_DATA_HOME"], "mimo-tui"))


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    folders = {f"XDG_{name.upper()}_HOME": str(home / name) for name in ("config", "data", "state", "cache")}
    return kept | folders | {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
