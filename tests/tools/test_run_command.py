"""Commands: what comes out of them, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.tools.running import content_of, error_of, outcome_of, preview_of
from tests.tools.test_escapes import processes_with
from tui.tools.base import Outcome, ToolContext
from tui.tools.bubblewrap import Bubblewrap
from tui.tools.processes import _processes_by_ps
from tui.tools.run_command import RunCommand
from tui.tools.sandbox import Sandbox, find_sandbox

RUN = RunCommand()


@pytest.fixture(params=["free", "confined"])
def box(request: pytest.FixtureRequest) -> Sandbox | None:
    """Each promise holds without the sandbox and in it."""
    return None if request.param == "free" else request.getfixturevalue("sandbox")


async def test_output_and_exit_code_come_back(folder: Path, box: Sandbox | None) -> None:
    outcome = await outcome_of(RUN, folder, sandbox=box, command="echo out; echo err >&2; exit 3")
    assert outcome.content == "out\nerr\n[exit code 3]" and outcome.is_error
    name = "bubblewrap" if box else None
    assert outcome.detail == {"exit_code": 3, "sandbox": name, "timed_out": False, "lines": 2}


async def test_a_command_without_output_says_so(folder: Path, box: Sandbox | None) -> None:
    outcome = await outcome_of(RUN, folder, sandbox=box, command="true")
    assert outcome.content == "[no output]\n[exit code 0]" and not outcome.is_error
    assert outcome.detail["lines"] == 0


@pytest.mark.parametrize(
    ("command", "lines"),
    [("seq 1 20000", 20_000), ("printf x", 1), ("printf 'x\n\ny'", 3), ("printf '\n\n'", 0), ("printf '\033[0m'", 0)],
)
async def test_the_lines_of_its_output_are_counted(folder: Path, box: Sandbox | None, command: str, lines: int) -> None:
    assert (await outcome_of(RUN, folder, sandbox=box, command=command)).detail["lines"] == lines


async def test_it_runs_in_the_folder_without_input_or_terminal(folder: Path, box: Sandbox | None) -> None:
    outcome = await outcome_of(RUN, folder, sandbox=box, command="pwd; cat; tty; echo $PWD")
    assert outcome.content == f"{folder}\nnot a tty\n{folder}\n[exit code 0]"


async def test_a_signal_is_an_exit_code_as_in_the_shell(folder: Path, box: Sandbox | None) -> None:
    outcome = await outcome_of(RUN, folder, sandbox=box, command="kill -TERM $$")
    assert outcome.detail["exit_code"] == 143


async def test_output_comes_while_it_runs(folder: Path, box: Sandbox | None) -> None:
    os.mkfifo(folder / "fifo")
    context = ToolContext(folder, box, 20)
    stream = RUN.run({"command": "echo first; cat fifo; echo last"}, context)
    assert await anext(stream) == "first\n"
    await asyncio.to_thread((folder / "fifo").write_text, "second\n")
    rest = [piece async for piece in stream]
    assert "".join(piece for piece in rest if isinstance(piece, str)) == "second\nlast\n"
    assert isinstance(rest[-1], Outcome) and rest[-1].content.startswith("first\nsecond\nlast\n")


async def test_characters_that_are_cut_between_pieces_are_whole(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    stream = RUN.run({"command": r"printf 'a\xc3'; cat fifo; printf '\xbc\xff'"}, ToolContext(folder, None, 20))
    pieces = [await anext(stream)]
    await asyncio.to_thread((folder / "fifo").write_text, "")
    pieces += [piece async for piece in stream]
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "aü\ufffd"


async def test_all_of_the_output_comes_in_pieces_and_the_model_gets_an_excerpt(folder: Path) -> None:
    pieces: list[str] = []
    outcome = await outcome_of(RUN, folder, pieces=pieces, command="seq 1 100000")
    assert "".join(pieces).split() == [str(n) for n in range(1, 100_001)]
    assert max(map(len, pieces)) <= 65536
    assert outcome.content.startswith("1\n2\n3\n") and outcome.content.endswith("99999\n100000\n[exit code 0]")
    assert "the middle is left out" in outcome.content and len(outcome.content) < 20_000


async def test_progress_bars_shrink_to_their_last_state(folder: Path) -> None:
    pieces: list[str] = []
    command = r"for i in $(seq 1 5000); do printf '\r%d of 5000' $i; done; printf '\n\033[32mdone\033[0m\n'"
    outcome = await outcome_of(RUN, folder, pieces=pieces, command=command)
    assert outcome.content == "5000 of 5000\ndone\n[exit code 0]"
    assert "\r17 of 5000" in "".join(pieces)


async def test_a_command_that_takes_too_long_is_ended(folder: Path, box: Sandbox | None) -> None:
    tag = f"1001.{os.getpid()}"
    outcome = await outcome_of(RUN, folder, sandbox=box, timeout=1, command=f"echo begun; sleep {tag}; echo unreached")
    assert outcome.is_error and outcome.detail["timed_out"]
    assert outcome.content == "begun\n[it took longer than 1 s, so it was ended]"
    assert not processes_with(tag)


async def test_it_may_clean_up_when_it_takes_too_long(folder: Path, box: Sandbox | None) -> None:
    command = "trap 'echo cleaned > result; exit 1' TERM; sleep 1000 & wait"
    await outcome_of(RUN, folder, sandbox=box, timeout=2, command=command)
    assert (folder / "result").read_text() == "cleaned\n"


# What tries to stay: it ignores the signal, leaves the group, the session, its parents.
STUBBORN = (
    "trap '' TERM; sleep {tag} & setsid sleep {tag} & (setsid nohup sleep {tag} >/dev/null 2>&1 &); "
    "setsid sh -c 'trap \"\" TERM; sleep {tag} & exec sleep {tag}' >/dev/null 2>&1 & "
)


@pytest.mark.slow
async def test_nothing_stays_of_a_command_that_takes_too_long(folder: Path, box: Sandbox | None) -> None:
    tag = f"1002.{os.getpid()}"
    command = STUBBORN.format(tag=tag) + "echo started; while :; do sleep 1; done"
    outcome = await outcome_of(RUN, folder, sandbox=box, timeout=1, command=command)
    assert outcome.detail["timed_out"] and "started" in outcome.content
    assert not processes_with(tag)


async def test_nothing_stays_of_a_command_that_is_cancelled(folder: Path, box: Sandbox | None) -> None:
    tag = f"1003.{os.getpid()}"
    async with started(folder, box, STUBBORN.format(tag=tag) + "echo ready > fifo; while :; do sleep 1; done") as task:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not processes_with(tag)
    assert sorted(path.name for path in folder.iterdir()) == ["fifo"]


async def test_nothing_stays_when_it_is_cancelled_twice(folder: Path, box: Sandbox | None) -> None:
    tag = f"1004.{os.getpid()}"
    async with started(folder, box, STUBBORN.format(tag=tag) + "echo ready > fifo; while :; do sleep 1; done") as task:
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await others()
        assert not processes_with(tag)
    assert sorted(path.name for path in folder.iterdir()) == ["fifo"]


async def test_nothing_stays_when_nobody_reads_on(folder: Path, box: Sandbox | None) -> None:
    tag = f"1005.{os.getpid()}"
    stream = RUN.run({"command": f"echo begun; sleep {tag}"}, ToolContext(folder, box, 20))
    assert await anext(stream) == "begun\n"
    await stream.aclose()
    assert not processes_with(tag)
    assert not list(folder.iterdir())


def test_nothing_stays_when_the_program_ends_in_the_middle(folder: Path, box: Sandbox | None) -> None:
    tag = f"1007.{os.getpid()}"

    async def program() -> None:
        async with started(
            folder, box, STUBBORN.format(tag=tag) + "echo ready > fifo; while :; do sleep 1; done"
        ) as task:
            task.cancel()  # and nobody waits: the loop ends, and cancels what goes on

    asyncio.run(program())
    assert not processes_with(tag)
    assert sorted(path.name for path in folder.iterdir()) == ["fifo"]


async def test_what_is_left_in_the_background_does_not_hold_it_up_and_ends(folder: Path, box: Sandbox | None) -> None:
    tag = f"1006.{os.getpid()}"
    command = f"sleep {tag} & setsid sleep {tag} & (setsid sleep {tag} >/dev/null 2>&1 &); echo started"
    outcome = await outcome_of(RUN, folder, sandbox=box, command=command)
    assert outcome.content == "started\n[exit code 0]"
    assert not processes_with(tag)


async def test_a_command_that_closes_its_output_is_waited_for(folder: Path, box: Sandbox | None) -> None:
    outcome = await outcome_of(RUN, folder, sandbox=box, command="exec >&- 2>&-; sleep 0.2; touch done; exit 4")
    assert outcome.detail["exit_code"] == 4 and (folder / "done").exists()


async def test_a_flood_of_output_is_kept_in_part(folder: Path) -> None:
    pieces: list[str] = []
    outcome = await outcome_of(RUN, folder, pieces=pieces, command="yes | head -c 100000000; echo end")
    kept = sum(map(len, pieces))
    assert 66_000_000 < kept < 68_000_000 and pieces[-1].endswith("y\nend\n")
    assert any("bytes left out" in piece for piece in pieces)
    assert outcome.content.endswith("y\nend\n[exit code 0]")


async def test_binary_output_can_be_sent(folder: Path) -> None:
    outcome = await outcome_of(RUN, folder, command="head -c 3000 /dev/urandom; printf '\\0\\0'")
    assert "\0" not in outcome.content


async def test_what_cannot_be_started_is_a_plain_error(folder: Path, box: Sandbox | None) -> None:
    assert "could not be started" in await error_of(RUN, folder, sandbox=box, command="a\0b")
    assert "could not be started" in await error_of(RUN, folder, sandbox=box, command="x" * 3_000_000)
    assert "could not be started" in await error_of(RUN, folder / "gone", sandbox=box, command="true")
    assert not list(folder.iterdir())


async def test_it_may_start_without_bash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **options: None if name == "bash" else which(name, **options))
    assert await content_of(RUN, folder, command="echo $0") == f"{which('sh')}\n[exit code 0]"


async def test_a_hint_says_that_it_was_the_sandbox(folder: Path, sandbox: Sandbox) -> None:
    outcome = await outcome_of(RUN, folder, sandbox=sandbox, command="touch /etc/x")
    assert "Read-only file system" in outcome.content and "This ran in a sandbox" in outcome.content
    assert "sandbox" not in (await outcome_of(RUN, folder, sandbox=sandbox, command="false")).content


async def test_a_sandbox_that_cannot_be_set_up_is_said(folder: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
    broken.chmod(0o755)
    outcome = await outcome_of(RUN, folder, sandbox=Bubblewrap(str(broken), has_filter=False), command="true")
    assert outcome.content == (
        "The sandbox could not be set up, so nothing was run: bwrap: No permissions to create new namespace"
    )
    assert outcome.is_error and not list(folder.iterdir())


def test_the_preview_is_the_exact_command(folder: Path) -> None:
    assert preview_of(RUN, folder, command="rm -rf  x;\n y") == "rm -rf  x;\n y"


def test_the_sandbox_is_found_once() -> None:
    assert find_sandbox() is find_sandbox()


def test_a_sandbox_that_does_not_work_is_none_and_says_why(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n")
    program.chmod(0o755)
    code = "from tui.tools.bubblewrap import find_bubblewrap; print(*find_bubblewrap())"
    code = f"import tui.tools.environment as e; e._SYSTEM_FOLDERS = (); {code}"
    for path, reason in (
        (tmp_path, "bubblewrap does not work here: setting up uid map: Permission denied"),
        (tmp_path / "empty", "bubblewrap is not installed (the package is usually named `bubblewrap`)"),
    ):
        environment = os.environ | {"PATH": str(path)}
        result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert result.stdout == f"None {reason}\n", result.stderr


def test_processes_are_known_without_proc_too() -> None:
    found = {process.pid: process for process in _processes_by_ps()}
    assert found[os.getpid()].parent == os.getppid() and not found[os.getpid()].is_dead


@contextlib.asynccontextmanager
async def started(folder: Path, box: Sandbox | None, command: str) -> AsyncIterator[asyncio.Task[Outcome]]:
    """A task that runs `command`, which has written a line into `fifo`."""
    os.mkfifo(folder / "fifo")
    task = asyncio.create_task(outcome_of(RUN, folder, sandbox=box, command=command))
    assert await asyncio.to_thread((folder / "fifo").read_text) == "ready\n"
    yield task


async def others() -> None:
    """Until no other task is left."""
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
        await asyncio.wait(tasks)
