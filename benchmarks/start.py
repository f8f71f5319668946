"""How soon the program can be typed into, what it holds in memory then, and what it does when nobody does anything."""

from __future__ import annotations

import time

from benchmarks.figures import Figures
from benchmarks.programs import SETTLE_S, Name, running
from benchmarks.usage import cpu_s, memory_mb

IDLE_S = 5.0


def measure(name: Name, base_url: str, figures: Figures) -> None:
    """Ready: from the start of the process to the first echo of keys that are typed every 10 ms."""
    with running(name, base_url) as started:
        figures.add("ready_s", name, started.ready_s)
        time.sleep(SETTLE_S)
        figures.add("ready_memory_mb", name, memory_mb(started.pid))
        before = cpu_s(started.pid)
        time.sleep(IDLE_S)
        figures.add("idle_cpu_percent", name, 100 * (cpu_s(started.pid) - before) / IDLE_S)
