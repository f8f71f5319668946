"""Long turns of an agent: the prefix of each request is the one before, byte for byte, and the memory stays flat."""

from __future__ import annotations

import gc
import json
import os
from typing import Any

import psutil
import pytest

from tests.scripted import Received, Reply, reasoning, tool_call, usage
from tests.vendors.conftest import Tour, turn
from tui.core.events import Compacted, TurnFinished

STEPS = 100


class Reader:
    """Reads on in each step, with a thought, for so many steps."""

    def __init__(self, steps: int) -> None:
        self.steps, self.done = steps, 0

    def __call__(self, request: Received) -> Reply:
        self.done += 1
        if self.done > self.steps:
            return Reply(reasoning("That was all."), "Done.")
        call = tool_call("read_file", {"path": "notes.txt", "start": self.done, "lines": 1 + self.done % 7})
        return Reply(reasoning(f"Step {self.done}."), f"I read part {self.done}.", call)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mimo", "claude", "openai", "ollama", "gemini", "deepseek-messages"])
async def test_each_request_of_a_hundred_steps_extends_the_one_before(tour: Tour, name: str) -> None:
    (tour.folder / "notes.txt").write_text("".join(f"line {i}\n" for i in range(120)))
    tour.visit(name)
    server = tour.servers[name]
    server.replies = Reader(STEPS)
    events = await turn(tour.conversation(name, max_steps=STEPS + 5), "Read notes.txt, part by part.")
    assert [e for e in events if isinstance(e, TurnFinished)] == [TurnFinished("done")]
    assert len(server.requests) == STEPS + 1 and not tour.refusals()
    assert not any(isinstance(e, Compacted) for e in events)
    assert server.prefix_breaks() == []


def _memory_mb() -> float:
    gc.collect()
    return float(psutil.Process(os.getpid()).memory_info().rss) / 1e6


@pytest.mark.slow
async def test_300_steps_in_a_window_of_16k_come_to_their_end_and_memory_stays_flat(tour: Tour) -> None:
    (tour.folder / "notes.txt").write_text("".join(f"line {i} {'word ' * 10}\n" for i in range(400)))
    memory: list[float] = []
    work = Reader(300)

    def answer(request: Received) -> Any:
        body = request.body
        tokens = len(json.dumps(body["messages"])) // 4
        assert tokens <= 16_000, f"{tokens} tokens were sent"
        if "Write a summary of it" in str(body["messages"][-1]["content"]):
            return Reply(f"## Task\nRead.\n## Decisions\n{work.done} parts.\n## Files\nnotes.txt\n## Open points\nmore")
        if work.done in (100, 200, 300):
            memory.append(_memory_mb())
        reply = work(request)
        call = tool_call("read_file", {"path": "notes.txt", "start": work.done, "lines": 30})
        return Reply(*(reply.elements if work.done > 300 else (*reply.elements[:-1], call)), usage=usage(tokens, 50))

    server = tour.plain_server(answer, context_window=16_000)
    events = await turn(tour.conversation("plain", max_steps=400), "Read all of notes.txt, part by part.")
    assert events[-1] == TurnFinished("done") and not server.problems
    assert len([e for e in events if isinstance(e, Compacted)]) >= 5
    assert memory[-1] - memory[0] < 40, memory
