"""Hooks, as real programs: what they are told, what they can refuse, and that they cannot do more than that."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tui.tools.sandbox
from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call
from tui.agent.calls import Answer
from tui.agent.conversation import Conversation
from tui.core.events import ApprovalAsked, Notice, ToolFinished, TurnFinished
from tui.headless.run import Nobody
from tui.settings.config import config_file, load
from tui.settings.paths import config_dir
from tui.settings.trust import trust
from tui.tools.landlock import find_landlock

READ = Reply(tool_call("read_file", {"path": "a"}))
WRITE = Reply(tool_call("write_file", {"path": "a", "content": "new"}))
Open = Callable[..., Conversation]
needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")


@pytest.fixture
def hooked(stage: Stage) -> Open:
    """A conversation with hooks: each a time and a shell script, which is kept beside the settings."""
    (stage.folder / "a").write_text("old")

    def start(replies: list[Any], *hooks: tuple[str, str], more: str = "", **wishes: Any) -> Conversation:
        conversation = stage.conversation(replies, **wishes)
        text = ""
        for number, (on, script) in enumerate(hooks):
            path = config_dir() / f"hook{number}.sh"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
            text += f'[[hooks]]\non = "{on}"\ncommand = ["./hook{number}.sh"]\n{more}\n'
        config_file().write_text(text)
        settings = load(stage.folder)
        conversation.hooks._hooks = settings.hooks
        return conversation

    return start


async def test_a_hook_is_told_what_happens_without_any_key_in_its_environment(
    hooked: Open, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden")
    events = ("session_started", "before_tool", "after_tool", "turn_finished")
    conversation = hooked([READ, "Done."], *((on, "cat >> seen; echo >> seen; env >> environment") for on in events))
    await events_of(conversation.send("go"))
    told = [json.loads(line) for line in (stage.folder / "seen").read_text().splitlines()]
    assert [line["event"] for line in told] == list(events)
    assert all(line["session"] == conversation.session_id and line["folder"] == str(stage.folder) for line in told)
    assert (told[1]["tool"], told[1]["arguments"]) == ("read_file", {"path": "a"})
    assert "old" in told[2]["result"] and told[2]["is_error"] is False
    assert told[3]["reason"] == "done"
    assert "sk-hidden" not in (stage.folder / "environment").read_text()


async def test_the_session_starts_once(hooked: Open, stage: Stage) -> None:
    conversation = hooked(["One.", "Two."], ("session_started", "echo x >> seen"))
    for _ in range(2):
        await events_of(conversation.send("go"))
    assert (stage.folder / "seen").read_text() == "x\n"


@pytest.mark.parametrize(
    "script", ["echo 'not today' >&2; exit 2", """echo '{"decision": "deny", "message": "not today"}'"""]
)
async def test_a_hook_can_refuse_what_the_policy_allows(hooked: Open, stage: Stage, script: str) -> None:
    events = await events_of(hooked([WRITE, "Done."], ("before_tool", script), policy="auto").send("go"))
    assert "not today" in the(events, ToolFinished).result
    assert (stage.folder / "a").read_text() == "old"


async def test_a_hook_can_have_a_call_asked_about(hooked: Open, stage: Stage) -> None:
    script = """echo '{"decision": "ask", "message": "is it yours?"}'"""
    conversation = hooked([WRITE, "Done."], ("before_tool", script), policy="auto")
    events = await events_of(conversation.send("go"), Answer("once"))
    assert the(events, ApprovalAsked).reason == "is it yours?"
    assert (stage.folder / "a").read_text() == "new"


async def test_a_hook_cannot_allow_what_the_policy_asks_about_or_denies(hooked: Open, stage: Stage) -> None:
    allow = """echo '{"decision": "allow"}'"""
    events = await events_of(hooked([WRITE, "Done."], ("before_tool", allow), policy="ask").send("go"), Answer("no"))
    the(events, ApprovalAsked)
    events = await events_of(hooked([WRITE, "Done."], ("before_tool", allow), policy="plan").send("go"))
    assert "policy is `plan`" in the(events, ToolFinished).result
    assert (stage.folder / "a").read_text() == "old"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 1", "exit code 1"),
        ("kill -9 $$", "failed"),
        ("echo '{broken'", "cannot be used"),
        ("""echo '{"decision": "maybe"}'""", "not allow, ask or deny"),
    ],
)
async def test_a_hook_that_fails_before_a_call_has_it_asked_about(
    hooked: Open, stage: Stage, script: str, words: str
) -> None:
    events = await events_of(hooked([WRITE, "Done."], ("before_tool", script), policy="auto").send("go"), Answer("no"))
    assert words in the(events, ApprovalAsked).reason and words in the(events, Notice).message
    assert (stage.folder / "a").read_text() == "old"


async def test_a_hook_that_is_not_there_is_said_and_the_turn_goes_on(hooked: Open, stage: Stage) -> None:
    conversation = hooked([READ, "Done."], ("after_tool", "true"))
    (config_dir() / "hook0.sh").unlink()
    events = await events_of(conversation.send("go"))
    assert "could not be started" in the(events, Notice).message
    assert the(events, TurnFinished).reason == "done"


async def test_where_nobody_can_answer_a_hook_that_took_too_long_is_told_in_one_sentence(hooked: Open) -> None:
    conversation = hooked([READ, "Done."], ("before_tool", "sleep 600"), more="timeout = 0.1")
    events = await events_of(conversation.send("go", Nobody()))
    result = the(events, ToolFinished).result
    assert "was stopped after 0.1 s, which needs an approval" in result and ".." not in result


async def test_a_hook_that_takes_too_long_is_stopped_with_its_children(hooked: Open, stage: Stage) -> None:
    script = "sleep 600 & echo $! > child; wait"
    conversation = hooked([READ, "Done."], ("after_tool", script), more="timeout = 0.5")
    events = await events_of(conversation.send("go"))
    assert "was stopped after 0.5 s" in the(events, Notice).message
    child = int((stage.folder / "child").read_text())
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(child)
        assert select.select([handle], [], [], 5)[0], "it has ended, or is just about to"
        os.close(handle)


async def test_what_a_hook_says_after_a_call_is_told_to_the_model(hooked: Open, stage: Stage) -> None:
    conversation = hooked([READ, "Done."], ("after_tool", "echo 'line 3 is too long' >&2; exit 2"))
    events = await events_of(conversation.send("go"))
    assert "line 3 is too long" in the(events, ToolFinished).result
    assert "line 3 is too long" in stage.server.requests[1].messages[-1]["content"]


async def test_a_hook_is_run_for_its_tool_alone_and_reads_nothing_if_it_likes(hooked: Open, stage: Stage) -> None:
    conversation = hooked(
        [READ, WRITE, "Done."], ("after_tool", "echo x >> seen"), more='tool = "write_file"', policy="auto"
    )
    await events_of(conversation.send("go"))
    assert (stage.folder / "seen").read_text() == "x\n"


async def test_arguments_that_the_user_changed_are_shown_to_the_hook_again(hooked: Open, stage: Stage) -> None:
    script = "if grep -q secret; then echo no >&2; exit 2; fi"
    conversation = hooked([WRITE, "Done."], ("before_tool", script), policy="ask")
    edited = Answer("once", arguments={"path": "secret", "content": "x"})
    events = await events_of(conversation.send("go"), edited)
    assert "no" in the(events, ToolFinished).result and not (stage.folder / "secret").exists()


async def test_hooks_of_a_project_run_only_while_it_is_trusted_as_it_is(stage: Stage) -> None:
    project = stage.folder / ".mimo"
    project.mkdir()
    (stage.folder / "check.sh").write_text("#!/bin/sh\necho x >> seen\n")
    (stage.folder / "check.sh").chmod(0o755)
    (project / "config.toml").write_text('[[hooks]]\non = "turn_finished"\ncommand = ["./check.sh"]\n')
    seen = stage.folder / "seen"

    conversation = stage.conversation(["One.", "Two.", "Three."])
    conversation.hooks._hooks = load(stage.folder).hooks
    await events_of(conversation.send("go"))
    assert not seen.exists()
    trust(stage.folder)
    conversation.hooks._hooks = load(stage.folder).hooks
    await events_of(conversation.send("go"))
    assert seen.read_text() == "x\n"
    with (stage.folder / "check.sh").open("a") as file:  # as the model could, in the policy `edits`
        file.write("echo evil >> seen\n")
    events = await events_of(conversation.send("go"))
    assert "the folder has changed since it was trusted" in the(events, Notice).message
    assert seen.read_text() == "x\n"


async def test_stopping_does_not_wait_for_a_hook(hooked: Open, stage: Stage) -> None:
    os.mkfifo(stage.folder / "begun")
    conversation = hooked([READ], ("before_tool", "echo > begun; sleep 600"))
    has_begun, begun = asyncio.Event(), os.open(stage.folder / "begun", os.O_RDONLY | os.O_NONBLOCK)
    asyncio.get_running_loop().add_reader(begun, has_begun.set)
    turn = conversation.send("go")
    await asyncio.wait_for(has_begun.wait(), 10)
    asyncio.get_running_loop().remove_reader(begun)
    os.close(begun)
    turn.stop()
    events = await events_of(turn)
    assert the(events, TurnFinished).reason == "interrupted"


def _of_project(stage: Stage, on: str, script: str, more: str = "") -> None:
    """Let the project bring a hook, by way of a shell, and trust it; it runs ./.mimo/hook.sh."""
    (stage.folder / ".mimo").mkdir()
    hook = f'[[hooks]]\non = "{on}"\ncommand = ["sh", "-c", "sh .mimo/hook.sh"]\n{more}\n'
    (stage.folder / ".mimo" / "config.toml").write_text(hook)
    (stage.folder / ".mimo" / "hook.sh").write_text(script)
    trust(stage.folder)


@needs_bubblewrap
async def test_a_hook_of_a_project_runs_inside_the_sandbox(stage: Stage, home: Path) -> None:
    script = f'cat > told; echo x > "{home}/escaped"; echo x >> .mimo/config.toml; echo x > .git/hooks/post-commit\n'
    (stage.folder / ".git" / "hooks").mkdir(parents=True)
    _of_project(stage, "turn_finished", script)
    conversation = stage.conversation(["Done."], policy="auto")
    conversation.hooks._hooks = load(stage.folder).hooks
    await events_of(conversation.send("go"))
    assert json.loads((stage.folder / "told").read_text())["event"] == "turn_finished"
    assert not (home / "escaped").exists()
    assert not list((stage.folder / ".git" / "hooks").iterdir())
    assert load(stage.folder).hooks, "it could not change what is trusted"


@needs_bubblewrap
async def test_a_hook_of_a_project_that_takes_too_long_ends_with_all_that_it_started(stage: Stage) -> None:
    os.mkfifo(stage.folder / "alive")
    _of_project(stage, "turn_finished", "exec 3<>alive; sleep 600 & setsid sleep 600", "timeout = 0.5")
    conversation = stage.conversation(["Done."])
    conversation.hooks._hooks = load(stage.folder).hooks
    events = await events_of(conversation.send("go"))
    assert "was stopped after 0.5 s" in the(events, Notice).message
    alive = os.open(stage.folder / "alive", os.O_RDONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):  # one that was killed may still be about to close it
        assert os.read(alive, 1) == b""
        return
    assert await asyncio.to_thread(select.select, [alive], [], [], 10) == ([alive], [], [])


@needs_bubblewrap
async def test_a_hook_of_the_users_runs_inside_when_they_say_so(stage: Stage, home: Path) -> None:
    (stage.folder / "check.sh").write_text(f'echo x > "{home}/escaped"; echo x > here')
    conversation = stage.conversation(["Done."])
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text('[[hooks]]\non = "turn_finished"\nsandbox = true\ncommand = ["sh", "check.sh"]\n')
    conversation.hooks._hooks = load(stage.folder).hooks
    await events_of(conversation.send("go"))
    assert (stage.folder / "here").exists() and not (home / "escaped").exists()


async def test_a_hook_of_a_project_is_not_run_where_no_sandbox_works(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tui.tools.sandbox, "_tried", lambda: (None, "bubblewrap is not installed"))
    _of_project(stage, "turn_finished", "echo x > here")
    conversation = stage.conversation(["Done."])
    conversation.hooks._hooks = load(stage.folder).hooks
    events = await events_of(conversation.send("go"))
    assert any("was not run: no sandbox works here" in e.message for e in events if isinstance(e, Notice))
    assert not (stage.folder / "here").exists()


async def test_a_hook_of_a_project_runs_with_all_rights_when_the_user_switched_the_sandbox_off(
    stage: Stage, home: Path
) -> None:
    _of_project(stage, "turn_finished", f'echo x > "{home}/outside"')
    conversation = stage.conversation(["Done."], sandbox="off")
    conversation.hooks._hooks = load(stage.folder).hooks
    await events_of(conversation.send("go"))
    assert (home / "outside").exists()


async def test_a_hook_of_a_project_runs_where_only_landlock_works(
    stage: Stage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (landlock := find_landlock()[0]) is None:
        pytest.skip("needs Landlock")
    monkeypatch.setattr(tui.tools.sandbox, "_tried", lambda: (landlock, ""))
    _of_project(stage, "turn_finished", f'cat > told; echo x > "{home}/escaped"')
    conversation = stage.conversation(["Done."])
    conversation.hooks._hooks = load(stage.folder).hooks
    await events_of(conversation.send("go"))
    assert json.loads((stage.folder / "told").read_text())["event"] == "turn_finished"
    assert not (home / "escaped").exists()
