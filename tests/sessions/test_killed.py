"""A program that is killed while it writes loses no finished step, and its turn is marked as interrupted."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tui.core.events import Record, StepFinished, TextDelta, TurnFinished, TurnStarted
from tui.sessions.history import history_of
from tui.sessions.store import Store


def start(database: Path, what: str) -> tuple[subprocess.Popen[str], str]:
    """A child that writes, and the session it writes to."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.sessions.child", str(database), what], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    return child, child.stdout.readline().strip()


def kill_after(child: subprocess.Popen[str], lines: int) -> list[str]:
    """Kill -9 once the child has printed so many lines; all that it had printed."""
    assert child.stdout
    said = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    said += child.stdout.readlines()
    child.wait()
    return [line.strip() for line in said]


def check(records: list[Record], steps: int) -> None:
    whole = [r for r in records if isinstance(r.event, StepFinished) and r.event.finish_reason != "interrupted"]
    assert len(whole) >= steps
    assert [(record.turn, record.step) for record in whole] == [(i // 3 + 1, i % 3 + 1) for i in range(len(whole))]
    assert all(isinstance(r.event, StepFinished) and r.event.message.text == "some words" for r in whole)
    begun = sum(isinstance(record.event, TurnStarted) for record in records)
    ended = [record.event.reason for record in records if isinstance(record.event, TurnFinished)]
    assert len(ended) == begun
    assert set(ended[:-1]) <= {"done"}
    asked = [call.id for message in history_of(records).messages for call in message.tool_calls]
    answered = [block.call_id for m in history_of(records).messages if m.role == "tool" for block in m.blocks]
    assert asked == answered


@pytest.mark.parametrize(
    "lines", [7, *(pytest.param(n, marks=pytest.mark.slow) for n in random.Random(5).sample(range(1, 60), 15))]
)
def test_every_finished_step_survives_kill_9(tmp_path: Path, lines: int) -> None:
    child, session = start(tmp_path / "sessions.db", "steps")
    said = kill_after(child, lines)
    store = Store.open(tmp_path / "sessions.db")
    shown = store.records(session)
    check(shown, len(said))
    was_cut = store.find(session).interrupted
    store.claim(session)
    assert store.records(session) == shown
    assert store.find(session).interrupted == was_cut == (shown[-1].event == TurnFinished("interrupted"))
    store.close()
    assert sqlite3.connect(tmp_path / "sessions.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
def test_kill_9_loses_little_of_the_text_that_was_growing(tmp_path: Path) -> None:
    child, session = start(tmp_path / "sessions.db", "text")
    times = [float(line) for line in kill_after(child, 350)]
    store = Store.open(tmp_path / "sessions.db")
    records = store.records(session)
    text = "".join(record.event.text for record in records if isinstance(record.event, TextDelta))
    lost = times[text.count("word ") :]
    assert len(lost) < len(times)
    assert not lost or times[-1] - lost[0] < 2.0  # one second between writes, and one for a slow machine
    *_, step, end = [record.event for record in records]
    assert isinstance(step, StepFinished) and step.message.text == text
    assert end == TurnFinished("interrupted")
    store.close()


def test_programs_that_start_and_write_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.sessions.child", str(tmp_path / "sessions.db"), "turns"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    sessions = [child.communicate()[0].split()[0] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    store = Store.open(tmp_path / "sessions.db")
    for session in sessions:
        info = store.find(session)
        assert (info.turns, info.interrupted) == (50, False)
        assert len(store.records(session)) == 50 * 5
    store.close()
