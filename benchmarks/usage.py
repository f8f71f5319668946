"""What a process and its children use of the machine."""

from __future__ import annotations

import re
import time
from pathlib import Path

import psutil


def cpu_s(pid: int) -> float:
    """Seconds of processor time so far, of all threads, children included (also those that have ended)."""
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
            total += _own_cpu_s(process.pid, times.user + times.system) + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            continue
    return total


def _own_cpu_s(pid: int, rough_s: float) -> float:
    """In nanoseconds from the process's own clock where the system has one, else what was counted in ticks of 10 ms."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return rough_s


def memory_mb(pid: int) -> float:
    """Proportional set size, children included; resident size where the system does not tell it."""
    total = 0.0
    for process in _tree(pid):
        try:
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) * 1024  # type: ignore[index]
        except (OSError, TypeError):
            total += process.memory_info().rss
    return total / 1e6


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
