"""Subagents in `mimo-tui run`: what it prints of them, and what is left when it is killed."""

from __future__ import annotations

import json

import pytest

from tests.headless.test_run import Project, Scripted, project
from tests.scripted import Reply, pause, text, tool_call
from tui.cli import main
from tui.core.events import StepFinished, TurnFinished
from tui.sessions.history import history_of
from tui.sessions.store import Store

__all__ = ["project"]
READ = tool_call("read_file", {"path": "a"}, id="r1")
WRITE = tool_call("write_file", {"path": "a", "content": "new"})


def delegate(agent: str) -> object:
    return tool_call("delegate", {"task": "Look.", "agent": agent}, id="d1")


def test_its_events_name_the_call_they_belong_to(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(delegate("explore")), Reply(READ), "It says old.", "Old."]))
    lines = [json.loads(line) for line in project.run("Go", "--mode", "agent", "--json").stdout.splitlines()]
    steps = [(line.get("parent"), line["step"]) for line in lines if line["type"] == "step_finished"]
    assert steps == [(None, 1), ("d1", 1), ("d1", 2), (None, 2)]
    assert lines[-1]["type"] == "turn_finished" and "parent" not in lines[-1]


def test_its_words_are_not_the_answer(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(delegate("explore")), Reply(READ), "It says old.", "Old."]))
    done = project.run("Go", "--mode", "agent")
    assert (done.stdout, done.returncode) == ("Old.\n", 0)
    assert "● delegate(" in done.stderr and "    ● read_file(path='a')" in done.stderr


def test_what_nobody_can_approve_is_denied_there_too(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(delegate("worker")), Reply(WRITE), "I may not.", "Not done."]))
    assert project.run("Go", "--mode", "agent").returncode == 3
    assert (project.folder / "a").read_text() == "old"


def test_a_kill_in_the_middle_leaves_its_steps_closed(project: Project, scripted: Scripted) -> None:
    server = scripted([Reply(delegate("explore")), Reply(READ), Reply(text("It may"), pause())])
    project.configure(server)
    process = project.start("Go", "--mode", "agent", "--json")
    assert process.stdout is not None
    while '"parent":"d1"' not in (line := process.stdout.readline()) or '"step":1' not in line:
        assert line
    server.wait_until(lambda: server.pauses == 1)
    store = Store.open()
    session = store.latest(project.folder).id
    while not any((record.parent, record.step) == ("d1", 2) for record in store.records(session)):
        assert process.poll() is None  # the beginning of a step is stored within a second
    process.kill()
    process.communicate()
    records = store.records(session)
    store.close()
    ends = [(r.parent, r.step, r.event.finish_reason) for r in records if isinstance(r.event, StepFinished)]
    assert ends == [(None, 1, "tool_calls"), ("d1", 1, "tool_calls"), ("d1", 2, "interrupted")]
    assert records[-1].event == TurnFinished("interrupted")
    assert [message.role for message in history_of(records).messages] == ["user", "assistant", "tool"]


def test_config_check_shows_mistakes_in_it(
    project: Project, scripted: Scripted, capsys: pytest.CaptureFixture[str]
) -> None:
    project.configure(scripted([]))
    folder = project.config.parent / "agents"
    folder.mkdir()
    (folder / "good.md").write_text("---\ndescription: Good.\n---\nYou are good.\n")
    (folder / "bad.md").write_text("---\ndescription: Bad.\ntools: [read_fil]\n---\nYou are bad.\n")
    (folder / "worse.md").write_text("---\ndescription: it is: bad\n---\nYou are worse.\n")
    assert main(["config", "check"]) == 2
    said = capsys.readouterr().err
    assert f'{folder}/bad.md:3: tools: no tool for subagents is called "read_fil", did you mean `read_file`?' in said
    assert f"{folder}/worse.md:2: the head cannot be read as YAML" in said
    assert "good.md" not in said
