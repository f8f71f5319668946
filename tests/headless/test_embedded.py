"""The built-in model, for real: from a pipe to a tool call and an answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tui.core.codec import record_from_json
from tui.core.events import StepFinished, ToolFinished, TurnFinished

pytestmark = pytest.mark.slow


def run(folder: Path, prompt: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "run", *args]
    return subprocess.run(command, cwd=folder, input=prompt, capture_output=True, text=True, timeout=300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    (path / "README.md").write_text("# A demo\n")
    return path


@pytest.mark.usefixtures("embedded_model")
def test_it_calls_a_tool_and_ends_well(folder: Path) -> None:
    done = run(folder, "What is in this folder?", "--mode", "agent", "--policy", "auto", "--json")
    events = [record_from_json(json.loads(line)).event for line in done.stdout.splitlines()]
    results = [event for event in events if isinstance(event, ToolFinished)]
    assert any("README.md" in result.result and not result.is_error for result in results)
    assert events[-1] == TurnFinished("done")
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.usefixtures("embedded_model")
def test_it_answers_in_chat_without_being_named(folder: Path) -> None:
    done = run(folder, "What is the capital of France?")
    assert done.returncode == 0 and done.stdout.strip()  # what it says is another matter


@pytest.mark.usefixtures("embedded_model")
def test_its_steps_cost_nothing_and_are_counted(folder: Path) -> None:
    done = run(folder, "Hello", "--json")
    events = [record_from_json(json.loads(line)).event for line in done.stdout.splitlines()]
    (step,) = [event for event in events if isinstance(event, StepFinished)]
    assert step.cost == 0.0 and step.usage.output_tokens
