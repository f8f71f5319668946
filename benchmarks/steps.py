"""How long the program itself takes between two requests of an agent, with and without what the tool takes."""

from __future__ import annotations

import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.model import END, Model
from benchmarks.programs import SETTLE_S, running
from tui.core.events import ToolFinished, TurnFinished
from tui.sessions.store import Store

STEPS = 240
COUNTED_FROM = 200
"""The step from which on they count: by then there is a history to carry."""
STORED_S = 5
SANDBOXES = 40
TOOLS = ("read_file", "write_file", "run_command")


def measure(model: Model, figures: Figures) -> None:
    """From the last byte of a reply on the wire to the next request, all in: parse, check, run, store, show, encode.

    The overhead is what of that lies outside of the tool: checkpoints, the store and the screen are in it.
    """
    for tool in TOOLS:
        with running("mimo-tui", model.base_url, mode="agent") as started:
            time.sleep(SETTLE_S)
            before = len(model.times())
            started.terminal.await_(END.encode())
            started.terminal.submit(f"steps {STEPS} of {tool}")
            started.terminal.expect(END.encode(), 120)
            times = model.times()[before:]
            took_s = _tool_times_s(started.data)
        gaps_s = [arrived_s - answered_s for (_, answered_s), (arrived_s, _) in pairwise(times)]
        for gap_s, tool_s in list(zip(gaps_s, took_s, strict=True))[COUNTED_FROM:]:
            figures.add(f"step_{tool}_ms", "mimo-tui", 1000 * gap_s)
            figures.add(f"overhead_{tool}_ms", "mimo-tui", 1000 * (gap_s - tool_s))
    _measure_sandbox(figures)


def _tool_times_s(data: Path) -> list[float]:
    """How long each call of the only session took, from the start of its tool to its end, as it was stored."""
    store = Store.open(data / "sessions.db")
    try:
        (session,) = store.list()
        until_s = time.monotonic() + STORED_S
        while not isinstance((records := store.records(session.id))[-1].event, TurnFinished):
            if time.monotonic() > until_s:
                raise TimeoutError("the turn's end was not stored")
        return [record.event.total_s for record in records if isinstance(record.event, ToolFinished)]
    finally:
        store.close()


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
