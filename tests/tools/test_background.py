"""Commands in the background: they are read, written to and stopped, and nothing of them stays."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.running import error_of, outcome_of, preview_of
from tests.tools.test_escapes import processes_with
from tui.tools.base import Outcome
from tui.tools.desk import Desk
from tui.tools.landlock import find_landlock
from tui.tools.read_command import ReadCommand
from tui.tools.run_command import RunCommand
from tui.tools.sandbox import Sandbox
from tui.tools.start_command import StartCommand
from tui.tools.stop_command import StopCommand
from tui.tools.write_command import WriteCommand

pytestmark = pytest.mark.slow

START, READ, WRITE, STOP = StartCommand(), ReadCommand(), WriteCommand(), StopCommand()


@pytest.fixture(params=["free", "confined"])
def box(request: pytest.FixtureRequest) -> Sandbox | None:
    """Each promise holds without the sandbox and in it."""
    return None if request.param == "free" else request.getfixturevalue("sandbox")


class Session:
    """What a model does with commands in the background of one session."""

    def __init__(self, folder: Path, box: Sandbox | None) -> None:
        self.folder, self.box = folder, box
        self.told: list[str] = []
        self.was_told = asyncio.Event()
        self.desk = Desk(lambda: "s1", self.tell)

    def tell(self, words: str) -> None:
        self.told.append(words)
        self.was_told.set()

    async def do(self, tool: Any, **arguments: Any) -> Outcome:
        return await outcome_of(tool, self.folder, sandbox=self.box, desk=self.desk, **arguments)

    async def error(self, tool: Any, **arguments: Any) -> str:
        return await error_of(tool, self.folder, desk=self.desk, **arguments)

    async def read_until(self, id: int, words: str) -> str:
        text = ""
        async with asyncio.timeout(20):
            while words not in text:
                text += (await self.do(READ, id=id)).content
        return text


@pytest.fixture
async def session(folder: Path, box: Sandbox | None) -> AsyncIterator[Session]:
    made = Session(folder, box)
    yield made
    await made.desk.close()


async def test_a_command_goes_on_and_its_new_output_is_read(session: Session, folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    outcome = await session.do(START, command="echo first; cat fifo; echo last; exit 3")
    assert re.match(r"Started as background command 1\.\nfirst\n\[running for \d\.\d s\]", outcome.content)
    assert not outcome.is_error
    assert outcome.detail["background"] == {"id": 1, "state": "running"}
    await asyncio.to_thread((folder / "fifo").write_text, "second\n")
    text = await session.read_until(1, "exit code 3")
    assert text.endswith("[ended: exit code 3]") and "first" not in text and text.index("second") < text.index("last")
    again = await session.do(READ, id=1)
    assert again.content == "[no new output]\n[ended: exit code 3]" and again.is_error
    assert (outcome.detail["lines"], again.detail["lines"]) == (1, 0)


async def test_a_program_is_talked_to(session: Session) -> None:
    await session.do(START, command="while read line; do echo got $line; done; echo over")
    assert "got one" in (await session.do(WRITE, id=1, text="one\n")).content
    assert "got two" in (await session.do(WRITE, id=1, text="two\n")).content


async def test_input_that_nobody_reads_is_said_and_not_waited_for(session: Session) -> None:
    await session.do(START, command="sleep 1000")
    while session.desk.commands.get(1).command.write(b"x" * 65536):
        pass
    outcome = await session.do(WRITE, id=1, text="x")
    assert outcome.is_error
    assert "does not read its input" in outcome.content


async def test_stopping_lets_it_clean_up_and_leaves_nothing(session: Session, folder: Path) -> None:
    tag = f"2001.{os.getpid()}"
    command = f"trap 'echo cleaned > result; exit 0' TERM; setsid sleep {tag} & sleep {tag} & echo ready; wait"
    assert "ready" in (await session.do(START, command=command)).content
    outcome = await session.do(STOP, id=1)
    assert outcome.content.endswith("[stopped]") and not outcome.is_error
    assert (folder / "result").read_text() == "cleaned\n"
    assert not processes_with(tag) and not session.told
    assert "has stopped" in await session.error(WRITE, id=1, text="x")
    assert (await session.do(STOP, id=1)).content.endswith("[stopped]")


async def test_all_of_them_end_with_the_session(session: Session, folder: Path) -> None:
    tag = f"2002.{os.getpid()}"
    for _ in range(3):
        await session.do(START, command=f"trap '' TERM; (setsid sleep {tag} &); echo ready; sleep {tag}")
    assert processes_with(tag)
    await session.desk.close()
    assert not processes_with(tag)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]  # mount points of the sandbox


async def test_at_most_eight_run_at_once(session: Session) -> None:
    for _ in range(8):
        await session.do(START, command="echo ready; sleep 1000")
    outcome = await session.do(START, command="true")
    assert outcome.is_error and "stop one of them first (1 running, 2 running" in outcome.content
    await session.do(STOP, id=3)
    assert not (await session.do(START, command="true")).is_error


async def test_the_end_of_one_is_told_to_both_once(session: Session, folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    await session.do(START, command="echo ready; cat fifo; exit 7")
    assert session.desk.take_news() == ""
    await asyncio.to_thread((folder / "fifo").write_text, "")
    async with asyncio.timeout(20):
        await session.was_told.wait()
    assert session.told == ["Background command 1 has ended: exit code 7 (echo ready; cat fifo; exit 7)."]
    assert "Background command 1 has ended: exit code 7." in session.desk.take_news()
    assert session.desk.take_news() == ""


async def test_one_that_fails_at_once_says_so(session: Session) -> None:
    outcome = await session.do(START, command="echo no such thing; exit 2")
    assert outcome.is_error and outcome.content.endswith("no such thing\n[ended: exit code 2]")
    assert session.desk.take_news() == ""  # it is known already


async def test_long_output_is_cut_and_kept_whole(session: Session) -> None:
    await session.do(START, command="echo ready; read line; seq 1 50000; echo over; sleep 1000")
    content = (await session.do(WRITE, id=1, text="go\n")).content
    if "over" not in content:
        content += await session.read_until(1, "over")
    assert len(content) < 40_000
    kept = session.desk.outputs.folder / "1.txt"  # type: ignore[operator]
    assert [n for n in kept.read_text().split() if n.isdigit()] == [str(n) for n in range(1, 50001)]


async def test_what_is_not_there_is_named(session: Session) -> None:
    for tool, arguments in ((READ, {"id": 1}), (WRITE, {"id": 1, "text": "x"}), (STOP, {"id": 1})):
        assert await session.error(tool, **arguments) == "There is no background command 1. There are: none."
    await session.do(START, command="sleep 1000")
    assert "There are: 1 running." in await session.error(READ, id=2)
    assert "to background command 1: sleep 1000" in preview_of(WRITE, session.folder, session.desk, id=1, text="x")


async def test_waiting_for_what_takes_long_is_not_taken_for_a_loop(session: Session) -> None:
    await session.do(START, command="echo ready; sleep 1000")
    job = session.desk.commands.get(1)
    assert job.patience_s == 5
    seen = {(await job.news(0.12)).content for n in range(4)}
    assert job.patience_s == 40
    assert len(seen) == 4 and all(content.startswith("[no new output]\n[running for") for content in seen)


async def test_one_outside_of_the_sandbox_gets_no_input_from_inside(folder: Path, sandbox: Sandbox) -> None:
    session = Session(folder, None)
    await session.do(START, command="cat")
    session.box = sandbox
    outcome = await session.do(WRITE, id=1, text="echo\n")
    assert outcome.is_error and "outside of the sandbox" in outcome.content
    await session.desk.close()


async def test_other_commands_run_meanwhile(session: Session) -> None:
    await session.do(START, command="echo ready; sleep 1000")
    assert (await session.do(RunCommand(), command="echo other")).content == "other\n[exit code 0]"
    assert len(session.desk.commands.running) == 1


PROGRAM = """
import asyncio, sys
from pathlib import Path
from tui.tools.base import ToolContext
from tui.tools.sandbox import find_sandbox
from tui.tools.start_command import StartCommand

async def main():
    context = ToolContext(Path(sys.argv[1]), find_sandbox() if sys.argv[2] == "confined" else None)
    command = {"command": f"trap '' TERM; setsid sleep {sys.argv[3]} & (setsid sleep {sys.argv[3]} &); echo ready; cat"}
    async for piece in StartCommand().run(command, context):
        print(piece.content, flush=True)
    if sys.argv[4] == "wait":
        await asyncio.sleep(1000)

asyncio.run(main())
"""


@pytest.mark.parametrize("end", ["killed", "ended without a word"])
def test_none_outlives_the_program(folder: Path, box: Sandbox | None, end: str) -> None:
    tag = f"2003.{os.getpid()}"
    how = ("confined" if box else "free", tag, "wait" if end == "killed" else "go")
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder), *how], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert "Started" in program.stdout.readline()
    if end == "killed":
        assert program.stdout.readline() == "ready\n" and processes_with(tag)
        program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.read()  # its end: nobody holds it any more
    for _ in range(1000):
        if not processes_with(tag):
            break
        os.sched_yield()
    assert not processes_with(tag)


async def test_none_is_started_where_only_landlock_works(folder: Path) -> None:
    kind, why_not = find_landlock()
    if kind is None:
        pytest.skip(why_not)
    outcome = await outcome_of(START, folder, sandbox=kind, command="sleep 60")
    assert outcome.is_error and "Landlock" in outcome.content
