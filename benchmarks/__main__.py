"""Measures the program beside a bare Textual app, and prints figures and ratios. It judges nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

from benchmarks import deltas, start, steps, stream
from benchmarks.figures import Figures, table
from benchmarks.model import Model
from benchmarks.programs import Name

PROGRAMS: tuple[Name, ...] = ("bare", "mimo-tui")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["start", "stream", "deltas", "steps", "all"], default="all")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="medians of so many rounds (default 3)")
    parser.add_argument("--only", choices=PROGRAMS, help="measure one of the two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples there")
    options = parser.parse_args()
    figures = Figures()
    programs = [name for name in PROGRAMS if options.only in (None, name)]
    with Model() as model:
        for round in range(options.rounds):
            print(f"round {round + 1} of {options.rounds}", file=sys.stderr)
            for label, part in _parts(options.what, programs, model, figures):
                _try(label, part)
    print(f"{_machine()}; medians of {options.rounds} rounds\n")
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps({"machine": _machine(), "samples": figures.samples}, indent=1))


def _parts(what: str, programs: list[Name], model: Model, figures: Figures) -> list[tuple[str, Callable[[], None]]]:
    """The measurements of a round; programs take turns, so that a busy machine is unfair to none."""
    parts: list[tuple[str, Callable[[], None]]] = []
    for label, measure in (("start", start.measure), ("stream", stream.measure)):
        if what in (label, "all"):
            parts += [(f"{label} of {name}", partial(measure, name, model.base_url, figures)) for name in programs]
    if what in ("deltas", "all") and "mimo-tui" in programs:
        parts.append(("deltas of mimo-tui", partial(deltas.measure, model.base_url, figures)))
    if what in ("steps", "all") and "mimo-tui" in programs:
        parts.append(("steps of mimo-tui", partial(steps.measure, model, figures)))
    return parts


def _try(label: str, part: Callable[[], None]) -> None:
    """A program that does not do its part leaves a hole in the table, with the reason on standard error."""
    before_s = time.monotonic()
    try:
        part()
        print(f"  {label}: {time.monotonic() - before_s:.0f} s", file=sys.stderr)
    except (TimeoutError, OSError) as error:
        print(f"  {label} failed: {error}", file=sys.stderr)


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores (load {load:.1f}), "
        f"Python {platform.python_version()}, Textual {version('textual')}"
    )


if __name__ == "__main__":
    main()
