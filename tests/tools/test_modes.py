"""A command in the sandbox makes no file that gives whoever starts it its owner's rights."""

from __future__ import annotations

import stat
import textwrap
from pathlib import Path

import pytest

from tests.tools.confined import FINDERS
from tests.tools.running import outcome_of
from tui.tools.run_command import RunCommand
from tui.tools.sandbox import Sandbox

PROGRAM = textwrap.dedent(
    """
    import ctypes, os, stat
    def attempt(work):
        try:
            work()
        except OSError as error:
            print(error.strerror)
    system = ctypes.CDLL(None, use_errno=True).syscall
    attempt(lambda: os.chmod("x", 0o4755))
    attempt(lambda: os.chmod(os.open("x", os.O_RDONLY), 0o6755))
    attempt(lambda: os.chmod("x", 0o4755, dir_fd=os.open(".", os.O_RDONLY)))
    attempt(lambda: os.mknod("made", stat.S_IFREG | 0o4755))
    attempt(lambda: os.open("opened", os.O_CREAT | os.O_WRONLY, 0o2755))
    attempt(lambda: os.open(".", os.O_TMPFILE | os.O_RDWR, 0o4755))
    system(452, -100, b"x", 0o4755, 0)  # fchmodat2
    """
)


@pytest.fixture(params=FINDERS)
def kind(request: pytest.FixtureRequest) -> Sandbox:
    found, why_not = FINDERS[request.param]()
    if found is None:
        pytest.skip(why_not)
    return found


async def test_no_way_leads_to_a_setuid_file(folder: Path, kind: Sandbox) -> None:
    (folder / "x").touch()
    (folder / "try.py").write_text(PROGRAM)
    outcome = await outcome_of(RunCommand(), folder, sandbox=kind, command="python3 try.py; chmod u+s x")
    assert outcome.content.count("Operation not permitted") == 7, outcome.content
    assert not any(path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID) for path in folder.iterdir())


async def test_other_modes_and_folders_of_a_group_are_made(folder: Path, kind: Sandbox) -> None:
    command = "umask 0; mkdir -m 2775 shared && touch x && chmod 1755 x && chmod g+s shared && cp -a shared twin"
    outcome = await outcome_of(RunCommand(), folder, sandbox=kind, command=command)
    assert not outcome.is_error, outcome.content
    assert stat.S_IMODE((folder / "twin").stat().st_mode) == 0o2775
