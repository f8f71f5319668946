"""How long the program itself takes between two requests of an agent, beside what the sandbox alone takes."""

from __future__ import annotations

import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.model import END, Model
from benchmarks.programs import SETTLE_S, running

STEPS = 240
COUNTED_FROM = 200
"""The step from which on they count: by then there is a history to carry."""
SANDBOXES = 40
TOOLS = ("read_file", "run_command")


def measure(model: Model, figures: Figures) -> None:
    """From the last byte of a reply on the wire to the next request, all in: parse, check, run, store, show, encode."""
    for tool in TOOLS:
        with running("mimo-tui", model.base_url, mode="agent") as started:
            time.sleep(SETTLE_S)
            before = len(model.times())
            started.terminal.await_(END.encode())
            started.terminal.submit(f"steps {STEPS} of {tool}")
            started.terminal.expect(END.encode(), 120)
            times = model.times()[before:]
        for (_, answered_s), (arrived_s, _) in pairwise(times[COUNTED_FROM:]):
            figures.add(f"step_{tool}_ms", "mimo-tui", 1000 * (arrived_s - answered_s))
    _measure_sandbox(figures)


def _measure_sandbox(figures: Figures) -> None:
    """The sandbox's own start: the same command line that a tool gets, around `true`."""
    from tui.tools.sandbox import find_sandbox

    sandbox = find_sandbox()
    if sandbox is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(SANDBOXES):
            enclosure = sandbox.enclose(["true"], Path(folder), network=False)
            before_s = time.monotonic()
            subprocess.run(
                enclosure.argv,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                pass_fds=enclosure.descriptors,
            )
            figures.add("sandbox_alone_ms", "mimo-tui", 1000 * (time.monotonic() - before_s))
            enclosure.close()
