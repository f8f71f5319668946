"""What a piece of an answer costs: read and understood alone, and all the way through `run --json`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

from benchmarks.figures import Figures
from benchmarks.model import tokens
from benchmarks.programs import at_home

COUNT = 200_000
DECODED = 50_000
AS_FAST_AS_CAN_BE = 1_000_000_000
"""Tokens a second: each is written to the socket by itself, and none waits for its time."""


def measure(base_url: str, figures: Figures) -> None:
    _measure_decoding(figures)
    for what, rate in (("packed", 0), ("single", AS_FAST_AS_CAN_BE)):
        _measure_run(what, rate, base_url, figures)


def _measure_decoding(figures: Figures) -> None:
    """Parser and decoder of Chat Completions alone, an event at a time."""
    from tui.backends.spec import BackendSpec
    from tui.backends.wires.chat_completions import Decoder, Parser

    events = [_event(token) for token in tokens(DECODED)]
    parser, decoder = Parser(), Decoder(BackendSpec("bench", "", "chat-completions", "http://bench/v1", "m"))
    before_s = time.process_time()
    for event in events:
        for data in parser.feed(event):
            decoder.feed(data)
    figures.add("delta_decoded_us", "mimo-tui", 1e6 * (time.process_time() - before_s) / len(events))


def _event(token: str) -> bytes:
    choice = {"index": 0, "delta": {"content": token}, "finish_reason": None}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "scripted"}
    return b"data: %b\n\n" % json.dumps(chunk | {"choices": [choice], "usage": None}).encode()


def _measure_run(what: str, rate: int, base_url: str, figures: Figures) -> None:
    """Processor time of the whole program, its start included."""
    question = f"stream {COUNT} at {rate}"
    with at_home(base_url) as (environment, folder):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "tui", "run", question, "--mode", "chat", "--json"]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise OSError(f"run ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures.add(f"deltas_{what}_cpu_s", "mimo-tui", cpu_s)
