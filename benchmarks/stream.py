"""What an answer costs as it comes, and how long a key takes to appear meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from benchmarks.figures import Figures
from benchmarks.model import END
from benchmarks.programs import SETTLE_S, Name, Started, running
from benchmarks.terminal import CLEAR, Terminal
from benchmarks.usage import cpu_s, memory_mb

SIZES = {"mimo-tui": (1_000, 5_000, 20_000, 100_000), "bare": (1_000, 5_000)}
"""Stock markdown takes minutes for more."""
RATE = 100
KEYS = 220
KEYS_IN_LINE = 40
LOST_S = 2.0
AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Key:
    due_s: float
    typed_s: float
    seen_s: float | None


def measure(name: Name, base_url: str, figures: Figures) -> None:
    for count in SIZES[name]:
        _measure_answer(name, base_url, count, figures)
    _measure_keys(name, base_url, figures)


def _measure_answer(name: Name, base_url: str, count: int, figures: Figures) -> None:
    """As fast as the tokens come: processor time from the question to a second after the last was on the screen."""
    with running(name, base_url) as started:
        time.sleep(SETTLE_S)
        before_s = cpu_s(started.pid)
        seen_s, asked_s = _ask(started, f"stream {count} at 0", within_s=300)
        time.sleep(AFTER_S)
        figures.add(f"stream_{count}_cpu_s", name, cpu_s(started.pid) - before_s)
        figures.add(f"stream_{count}_s", name, seen_s - asked_s)
        figures.add(f"stream_{count}_memory_mb", name, memory_mb(started.pid))


def _ask(started: Started, question: str, within_s: float) -> tuple[float, float]:
    started.terminal.await_(END.encode())
    started.terminal.submit(question)
    asked_s = time.monotonic()
    return started.terminal.expect(END.encode(), within_s), asked_s


def _measure_keys(name: Name, base_url: str, figures: Figures) -> None:
    """Keys at irregular intervals while 100 tokens a second come, from write to echo, the first code included."""
    irregular = random.Random(1)
    intervals_s = [irregular.uniform(0.03, 0.13) for _ in range(KEYS)]
    with running(name, base_url) as started:
        terminal = started.terminal
        time.sleep(SETTLE_S)
        terminal.submit(f"stream {int((sum(intervals_s) + 3) * RATE)} at {RATE}")
        time.sleep(0.3)
        keys = [key for line in _lines(intervals_s) for key in _type_line(terminal, line)]
    for key in keys:
        figures.add("key_echo_ms", name, 1000 * ((key.seen_s - key.typed_s) if key.seen_s else LOST_S))
        figures.add("keys_lost", name, float(key.seen_s is None))
        figures.add("reader_late_ms", name, 1000 * (key.typed_s - key.due_s))


def _lines(intervals_s: list[float]) -> Iterator[list[float]]:
    rest = iter(intervals_s)
    while line := list(islice(rest, KEYS_IN_LINE)):
        yield line


def _type_line(terminal: Terminal, intervals_s: Sequence[float]) -> list[Key]:
    """Type a line from empty, and wait for all echoes, so that the next one may begin."""
    terminal.write(CLEAR)
    time.sleep(0.1)
    typed: dict[bytes, tuple[float, float]] = {}
    next_s = time.monotonic()
    for interval_s in intervals_s:
        next_s += interval_s
        time.sleep(max(0.0, next_s - time.monotonic()))
        key = terminal.letter()
        terminal.await_(key)
        typed[key] = next_s, terminal.write(key)
    return [Key(*times, terminal.seen_s(key, within_s=LOST_S)) for key, times in typed.items()]
