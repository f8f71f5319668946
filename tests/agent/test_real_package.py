"""Work on a real package of somebody else's: a bug is found, mended, tried in the sandbox, shown and taken back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.agent.conftest import Stage, events_of
from tests.scripted import Received, Reply, tool_call
from tests.sessions.checkpoints.conftest import picture
from tui.core.events import ToolFinished, TurnFinished
from tui.tools.sandbox import find_sandbox

pytestmark = pytest.mark.slow

PACKAGE = "six==1.17.0"
RIGHT = "        return s.decode(encoding, errors)\n    elif isinstance(s, text_type):"
WRONG = "        return s.decode(encoding, 'ignore')\n    elif isinstance(s, text_type):"
TRY = f"{sys.executable} -m pytest -q -p no:xdist -p no:randomly test_six.py -k ensure_text"


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's source as its authors released it."""
    folder = tmp_path_factory.mktemp("source")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", PACKAGE]
    subprocess.run(command, cwd=folder, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


async def test_a_bug_is_found_mended_tried_shown_and_taken_back(stage: Stage, source: Path) -> None:
    if find_sandbox() is None:
        pytest.skip("needs a sandbox")
    shutil.copytree(source, stage.folder, dirs_exist_ok=True, symlinks=True)
    module = stage.folder / "six.py"
    module.write_text(module.read_text().replace(RIGHT, WRONG))
    test = stage.folder / "test_six.py"
    test.write_text(test.read_text() + _MORE)
    before = picture(stage.folder)
    steps = iter(
        [
            Reply(tool_call("search_files", {"pattern": "def ensure_text"})),
            Reply(tool_call("read_file", {"path": "six.py", "start": 940, "lines": 25})),
            Reply(tool_call("run_command", {"command": TRY})),
            Reply(tool_call("edit_file", {"path": "six.py", "old": WRONG, "new": RIGHT})),
            Reply(tool_call("run_command", {"command": TRY})),
            Reply("Mended: the errors argument was not passed on."),
        ]
    )

    def strong_model(request: Received) -> Reply:
        return next(steps)

    conversation = stage.conversation(strong_model, policy="auto")
    events = await events_of(conversation.send("ensure_text ignores its errors argument. Find out why and mend it."))
    assert events[-1] == TurnFinished("done")
    found, read, failing, edited, passing = [event for event in events if isinstance(event, ToolFinished)]
    assert "six.py" in found.result and "'ignore'" in read.result and not edited.is_error
    assert failing.detail["sandbox"] and failing.is_error and "failed" in failing.result, failing.result
    assert passing.detail["exit_code"] == 0 and "passed" in passing.result, passing.result

    undoing = conversation.keeper.undoing
    changed = [change.path for change in undoing.session_changes()]
    assert "six.py" in changed
    assert picture(stage.folder) != before
    undoing.undo()
    assert picture(stage.folder) == before


_MORE = """

def test_ensure_text_passes_its_errors_on():
    with pytest.raises(UnicodeDecodeError):
        six.ensure_text(b"\\xff")
"""
