"""Taking back what turns changed, on the screen."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.app.driving import Driver, opened
from tests.scripted import Reply, ScriptedServer, pause, text, tool_call
from tests.sessions.checkpoints.conftest import picture

Model = Callable[..., ScriptedServer]
EDIT = tool_call("edit_file", {"path": "a.py", "old": "one", "new": "two"})
WRITE = tool_call("write_file", {"path": "new.txt", "content": "hello\n"})
COMMAND = tool_call("run_command", {"command": "rm b.py; echo three >> a.py"})
READ = tool_call("read_file", {"path": "a.py"})


async def work(it: Driver, say: str = "work") -> None:
    await it.say(say)
    await it.until_done()


async def test_undo_takes_back_the_last_turn_and_redo_brings_it_back(folder: Path, model: Model) -> None:
    (folder / "a.py").write_text("one\n")
    (folder / "b.py").write_text("b\n")
    server = model(Reply(READ), Reply(EDIT, WRITE), Reply(COMMAND), "Done.", "I see.")
    async with opened(folder, mode="agent", policy="auto") as it:
        await work(it)
        assert (folder / "a.py").read_text() == "two\nthree\n"
        await it.say("/undo")
        await it.until_shown(
            "Took back turn 1: 2 files restored (a.py, b.py), 1 file removed (new.txt).", "/redo brings it back."
        )
        assert (folder / "a.py").read_text() == "one\n"
        assert sorted(path.name for path in folder.iterdir()) == ["a.py", "b.py"]
        await it.say("/redo")
        await it.until_shown("Brought back turn 1")
        assert (folder / "a.py").read_text() == "two\nthree\n"
        assert not (folder / "b.py").exists()
        await it.say("/undo")
        await it.until_shown("Took back turn 1")
        await work(it, "and now?")
        assert "took back the changes of turn 1: a.py, b.py, new.txt" in str(server.requests[-1].body["messages"][-1])
        assert "The user took back" not in it.screen


async def test_what_the_user_changed_since_is_left_until_asked_for(folder: Path, model: Model) -> None:
    (folder / "a.py").write_text("one\n")
    model(Reply(READ), Reply(EDIT, WRITE), "Done.")
    async with opened(folder, mode="agent", policy="auto") as it:
        await work(it)
        (folder / "a.py").write_text("mine\n")
        await it.say("/undo")
        await it.until_shown("1 file removed", "Left alone, changed since: a.py", "/undo!")
        assert (folder / "a.py").read_text() == "mine\n"
        await it.say("/undo!")
        await it.until_shown("1 file restored")
        assert (folder / "a.py").read_text() == "one\n"
        await it.say("/redo")
        await it.until_shown("Brought back")
        assert (folder / "a.py").read_text() == "mine\n"


async def test_undo_is_refused_while_a_turn_runs_and_says_when_there_is_nothing(folder: Path, model: Model) -> None:
    server = model(Reply(text("one"), pause()))
    async with opened(folder, mode="agent") as it:
        await it.say("/undo")
        await it.until_shown("nothing has been changed yet")
        it.chat.prompt.clear()
        await it.say("go")
        await it.until_shown("one")
        await it.say("/undo")
        await it.until_shown("a turn is running")
        it.chat.prompt.clear()
        server.release()
        await it.until_done()
        await it.say("/undo")
        await it.until_shown("there is nothing to take back")
        await it.say("/undo many")
        await it.until_shown("many is no number of turns")
        it.chat.prompt.clear()
        await it.say("/redo")
        await it.until_shown("there is nothing to bring back")


async def test_diff_shows_all_that_changed_and_copies_it_as_a_patch(folder: Path, model: Model) -> None:
    (folder / "a.py").write_text("one\n")
    (folder / "b.py").write_text("b\n")
    (folder / "run").write_text("#!/bin/sh\n")
    before = folder.parent / "before"
    shutil.copytree(folder, before)
    model(
        Reply(READ),
        Reply(EDIT, WRITE),
        "Done.",
        Reply(tool_call("run_command", {"command": "rm b.py; chmod +x run; printf '\\r\\nx' > 'ü b'"})),
        "Done too.",
    )
    async with opened(folder, mode="agent", policy="auto") as it:
        await work(it)
        await work(it, "more")
        await it.say("/diff turn")
        await it.until_shown("Changes of the last turn: 3 files")
        assert "a.py" not in it.screen
        await it.press("escape")
        await it.say("/diff")
        await it.until_shown("Changes of this session: 5 files", "a.py  (changed)  +1 -1", "-one", "+two", "(removed)")
        await it.press("n", "n", "p", "c")
        await it.until_shown("The patch is on the clipboard.")
        patch = it.app.clipboard
    apply = ["git", "apply", "-"]
    await asyncio.to_thread(subprocess.run, apply, input=patch.encode(), cwd=before, check=True)
    assert picture(before) == picture(folder)


async def test_diff_shows_text_in_whatever_encoding_the_tools_read(folder: Path, model: Model) -> None:
    (folder / "western").write_bytes("süß\nschön\n".encode("cp1252"))
    (folder / "wide").write_bytes("süß\nweit\n".encode("utf-16"))
    edits = [
        tool_call("edit_file", {"path": "western", "old": "schön", "new": "schöner"}),
        tool_call("edit_file", {"path": "wide", "old": "weit", "new": "weiß"}),
        tool_call("run_command", {"command": "printf 'a\\0b' > bits"}),
    ]
    model(Reply(*edits), "Done.")
    async with opened(folder, mode="agent", policy="auto") as it:
        await work(it)
        await it.say("/diff")
        await it.until_shown("western  (changed)  +1 -1", " süß", "-schön", "+schöner", "-weit", "+weiß")
        assert "bits  (new, binary, 3 B)" in it.screen


async def test_the_trace_restores_the_state_after_a_step_once_the_user_says_so(folder: Path, model: Model) -> None:
    (folder / "a.py").write_text("one\n")
    (folder / "b.py").write_text("b\n")
    model(Reply(READ), Reply(EDIT), Reply(COMMAND), "Done.")
    async with opened(folder, (120, 40), mode="agent", policy="auto") as it:
        await work(it)
        await it.chat_focus("trace")
        await it.until_shown("2 edit_file")
        await it.press("home", "down", "down", "down", "u")
        await it.until_shown("after step 2 of turn 1?", "~ a.py  is restored", "+ b.py  comes back")
        await it.press("n")
        assert (folder / "a.py").read_text() == "two\nthree\n"
        await it.press("u")
        await it.until_shown("after step 2 of turn 1?")
        await it.press("y")
        await it.until_shown("Restored the state after step 2 of turn 1: 2 files restored")
        assert (folder / "a.py").read_text() == "two\n"
        await it.chat_focus("prompt")
        await it.say("/undo")
        await it.until(lambda: (folder / "a.py").read_text() == "one\n", "the rest is taken back")
        await it.say("/redo")
        await it.until(lambda: (folder / "a.py").read_text() == "two\n", "brought back")
        await it.say("/redo")
        await it.until(lambda: (folder / "a.py").read_text() == "two\nthree\n", "brought back further")


async def test_it_works_after_a_restart(folder: Path, model: Model) -> None:
    (folder / "a.py").write_text("one\n")
    model(Reply(READ), Reply(EDIT), "Done.")
    async with opened(folder, mode="agent", policy="auto") as it:
        await work(it)
    async with opened(folder, continue_last=True) as it:
        await it.say("/undo")
        await it.until_shown("Took back turn 1: 1 file restored (a.py).")
        assert (folder / "a.py").read_text() == "one\n"
