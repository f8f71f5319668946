"""The same through `mimo-tui run` as a process: what a person reads, the exit code, and how much memory it took."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.asking import KEY
from tests.faults.dialects import CHAT, DIALECTS, OLLAMA, Dialect
from tests.faults.raw_server import Action, RawServer
from tests.faults.streams import HTML, LAST, MEGABYTE, begun, bomb, chunk, endless, head, whole

pytestmark = pytest.mark.slow

WIRES = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.wire)
MEMORY_MB = 350
"""Far above what an answer takes (60), far below what an endless one would; an event may have 64 MB, more than once."""
MEASURE = """
import resource, subprocess, sys

code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
"""In a process of its own: what a child took includes what its parent had when it was started."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    memory_mb: float

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LAB_KEY", KEY)

    def run(dialect: Dialect, *replies: list[Action], options: tuple[str, ...] = (), limits: str = "") -> Ended:
        with RawServer(*replies) as server:
            config = home / ".config" / "mimo-tui" / "config.toml"
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(
                f'[backends.lab]\nwire = "{dialect.wire}"\nbase_url = "{server.root}{dialect.base}"\n'
                'model = "m"\ncredential = { env = "LAB_KEY" }\nretries = 0\n'
                f"context_window = 100000\n{limits}\n"
            )
            memory = tmp_path / "memory"
            program = [sys.executable, "-m", "tui", "run", "Hi", "--backend", "lab", *options]
            command = [sys.executable, "-c", MEASURE, str(memory), *program]
            done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=140)
        size = int(memory.read_text()) / (1 if sys.platform == "darwin" else 1 / 1024)
        assert "Traceback" not in done.stdout + done.stderr and KEY not in done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr, size / 1e6)

    return run


@WIRES
def test_what_came_before_a_break_is_printed_and_the_break_is_told(run: Run, dialect: Dialect) -> None:
    ended = run(dialect, [begun(dialect, "begin"), "reset"])
    assert ended.code == 1 and ended.out.startswith("Hel") and "broke" in ended.err


@WIRES
def test_a_stall_ends_with_the_name_of_its_limit(run: Run, dialect: Dialect) -> None:
    ended = run(dialect, [begun(dialect, "begin"), "stall"], options=("--json",), limits="timeouts = { idle = 0.2 }")
    failed = ended.events[-1]
    assert ended.code == 1 and failed["type"] == "turn_failed" and failed["error"]["kind"] == "timeout"
    assert "`idle`" in failed["error"]["message"] and failed["error"]["hint"]


@WIRES
def test_a_web_page_is_said_to_be_one(run: Run, dialect: Dialect) -> None:
    ended = run(dialect, [whole(dialect, HTML)])
    assert ended.code == 1 and not ended.out and "Sign in" in ended.err


@WIRES
def test_a_byte_at_a_time_is_an_answer(run: Run, dialect: Dialect) -> None:
    body = dialect.events()
    ended = run(dialect, [head(dialect), *(chunk(body[i : i + 1]) for i in range(len(body))), LAST])
    assert (ended.code, ended.out) == (0, "Hello\n")


def test_escape_sequences_of_a_server_do_not_reach_the_terminal(run: Run) -> None:
    ended = run(CHAT, [whole(CHAT, b'{"error":{"message":"\\u001b[2Jred"}}', status="400 X")])
    assert ended.code == 1 and "red" in ended.err and "\x1b" not in ended.err


LARGE: dict[str, Callable[[Dialect], list[Action]]] = {
    "an event without end": lambda d: [head(d), endless(chunk(b'data: {"x' + b"y" * 65_536))],
    "headers without end": lambda d: [b"HTTP/1.1 200 OK\r\n", endless(b"x-line: 1\r\n" * 1000)],
    "a refusal without end": lambda d: [head(d, status="500 X"), endless(chunk(b"y" * 65_536))],
    "a few bytes that become gigabytes": lambda d: [whole(d, bomb(300, b"data: "), "content-encoding: gzip")],
    "a refusal that becomes gigabytes": lambda d: [whole(d, bomb(300), "content-encoding: gzip", status="500 X")],
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("dialect", [CHAT, OLLAMA], ids=lambda dialect: dialect.wire)
@pytest.mark.slow
def test_what_has_no_end_does_not_fill_the_memory(run: Run, dialect: Dialect, name: str) -> None:
    ended = run(dialect, LARGE[name](dialect))
    assert ended.code == 1 and ended.err.strip() and ended.memory_mb < MEMORY_MB


def _words(count: int) -> list[str]:
    """Text in pieces of which none is like another: what repeats itself is cut."""
    return [f" {number}" for number in range(count)]


def _many(dialect: Dialect, count: int) -> Iterator[bytes]:
    yield head(dialect) + chunk(dialect.events("begin"))
    words = _words(count)
    yield from (chunk(dialect.events("more", text=word)) for word in words)
    yield chunk(dialect.events("finish", "end", text="".join(words))) + LAST


@WIRES
@pytest.mark.slow
def test_200_000_tiny_pieces_are_one_answer(run: Run, dialect: Dialect) -> None:
    ended = run(dialect, [_many(dialect, 200_000)])
    assert ended.code == 0, ended.err
    assert ended.out == "Hel" + "".join(_words(200_000)) + "\n" and ended.memory_mb < MEMORY_MB


@pytest.mark.slow
def test_an_event_of_10_megabytes_is_an_answer(run: Run) -> None:
    text = "".join(_words(1_400_000))
    ended = run(CHAT, [whole(CHAT, CHAT.events(text=text))])
    assert ended.code == 0, ended.err
    assert ended.out == f"Hel{text}\n" and len(text) > 9 * MEGABYTE and ended.memory_mb < MEMORY_MB
