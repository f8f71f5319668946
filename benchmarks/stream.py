"""What an answer costs as it comes, and how long a key takes to appear meanwhile."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
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
        typed = [key for line in _lines(intervals_s) for key in _type_line(terminal, line)]
    for typed_s, seen_s in typed:
        figures.add("key_echo_ms", name, 1000 * ((seen_s - typed_s) if seen_s else LOST_S))
        figures.add("keys_lost", name, float(seen_s is None))


def _lines(intervals_s: list[float]) -> Iterator[list[float]]:
    rest = iter(intervals_s)
    while line := list(islice(rest, KEYS_IN_LINE)):
        yield line


def _type_line(terminal: Terminal, intervals_s: Sequence[float]) -> list[tuple[float, float | None]]:
    """When each key of an empty line was typed and when its echo came. The next line may begin: all echoes are here."""
    terminal.write(CLEAR)
    time.sleep(0.1)
    typed: dict[bytes, float] = {}
    next_s = time.monotonic()
    for interval_s in intervals_s:
        next_s += interval_s
        time.sleep(max(0.0, next_s - time.monotonic()))
        key = terminal.letter()
        terminal.await_(key)
        typed[key] = terminal.write(key)
    return [(typed_s, terminal.seen_s(key, within_s=LOST_S)) for key, typed_s in typed.items()]
