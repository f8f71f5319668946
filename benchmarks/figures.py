"""What was measured, all of it, and what is made of it: medians, percentiles, a table."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass


class Figures:
    """Samples by what was measured and which program it was of."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, what: str, program: str, value: float) -> None:
        self.samples[what][program].append(value)

    def of(self, what: str, program: str) -> list[float]:
        return self.samples.get(what, {}).get(program, [])


def percentile(values: list[float], percent: float) -> float:
    """The least value that is not below `percent` of all."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: `value` makes the figure of a program, None where it was not measured."""

    label: str
    goal: str
    digits: int
    value: Callable[[Figures, str], float | None]
    compared: bool = True
    """Whether mimo-tui's figure divided by the bare app's says something."""


def median(what: str) -> Callable[[Figures, str], float | None]:
    return lambda figures, program: statistics.median(values) if (values := figures.of(what, program)) else None


def nth(what: str, percent: float) -> Callable[[Figures, str], float | None]:
    return lambda figures, program: percentile(values, percent) if (values := figures.of(what, program)) else None


def total(what: str) -> Callable[[Figures, str], float | None]:
    return lambda figures, program: sum(values) if (values := figures.of(what, program)) else None


def token_cost(count: int) -> Callable[[Figures, str], float | None]:
    """Processor time of a token in an answer of `count`, divided by that in one of 1,000."""

    def relative(figures: Figures, program: str) -> float | None:
        few, many = (median(f"stream_{size}_cpu_s")(figures, program) for size in (1000, count))
        return None if not few or many is None else (many / count) / (few / 1000)

    return relative


def minus(what: str, other: str) -> Callable[[Figures, str], float | None]:
    def difference(figures: Figures, program: str) -> float | None:
        values = [median(name)(figures, program) for name in (what, other)]
        return None if values[0] is None or values[1] is None else values[0] - values[1]

    return difference


SIZES = (1_000, 5_000, 20_000, 100_000)
CPU_GOALS = {20_000: "under 1.0"}
COST_GOALS = {100_000: "1.5"}
MEMORY_GOALS = {20_000: "70"}
ROWS = [
    Row("ready to type, s", "1.1x bare", 3, median("ready_s")),
    Row("memory when ready, MB", "60", 1, median("ready_memory_mb")),
    Row("idle CPU, %", "under 0.5", 2, median("idle_cpu_percent")),
    *(Row(f"{n:,} tokens, CPU s", CPU_GOALS.get(n, ""), 2, median(f"stream_{n}_cpu_s")) for n in SIZES),
    *(Row(f"{n:,} tokens, until shown, s", "", 2, median(f"stream_{n}_s")) for n in SIZES),
    *(Row(f"{n:,} tokens, cost a token / at 1,000", COST_GOALS.get(n, ""), 2, token_cost(n), False) for n in SIZES[1:]),
    *(
        Row(f"{n:,} tokens, memory after, MB", MEMORY_GOALS.get(n, ""), 1, median(f"stream_{n}_memory_mb"))
        for n in SIZES
    ),
    Row("key echo at 100 tokens/s, p50, ms", "12", 1, nth("key_echo_ms", 50)),
    Row("key echo at 100 tokens/s, p99, ms", "24", 1, nth("key_echo_ms", 99)),
    Row("key echo at 100 tokens/s, worst, ms", "", 1, nth("key_echo_ms", 100)),
    Row("reader itself late (busy machine), p99, ms", "", 1, nth("reader_late_ms", 99)),
    Row("keys lost", "0", 0, total("keys_lost"), False),
    Row("a delta decoded, alone, µs", "under 20", 1, median("delta_decoded_us")),
    Row("200,000 deltas through run --json, CPU s", "under 6", 2, median("deltas_packed_cpu_s")),
    Row("200,000 deltas, each written by itself, CPU s", "", 2, median("deltas_single_cpu_s")),
    Row("agent step, read_file, median ms", "under 8", 2, median("step_read_file_ms")),
    Row("agent step, write_file, median ms", "under 8", 2, median("step_write_file_ms")),
    Row("agent step, run_command, median ms", "", 2, median("step_run_command_ms")),
    Row("sandbox alone, median ms", "", 2, median("sandbox_alone_ms")),
    Row("agent step, run_command less sandbox, ms", "under 8", 2, minus("step_run_command_ms", "sandbox_alone_ms")),
    Row("overhead of a step beside read_file, median ms", "under 5", 2, median("overhead_read_file_ms")),
    Row("overhead of a step beside write_file, median ms", "under 5", 2, median("overhead_write_file_ms")),
    Row("overhead of a step beside run_command, median ms", "under 5", 2, median("overhead_run_command_ms")),
]


def table(figures: Figures) -> str:
    """All rows that were measured, as a markdown table."""
    lines: list[tuple[str, ...]] = [("what", "goal", "mimo-tui", "bare", "ratio")]
    for row in ROWS:
        own, bare = row.value(figures, "mimo-tui"), row.value(figures, "bare")
        if own is None and bare is None:
            continue
        ratio = f"{own / bare:.2f}" if row.compared and own is not None and bare else ""
        shown = ["" if value is None else f"{value:.{row.digits}f}" for value in (own, bare)]
        lines.append((row.label, row.goal, *shown, ratio))
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    rows = [
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |" for line in lines
    ]
    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return "\n".join([rows[0], rule, *rows[1:]])
