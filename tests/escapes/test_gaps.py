"""What a sandbox cannot hold back is written down, and asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.agent.approvals import Approvals
from tui.settings.config import AllowRule
from tui.tools.landlock import Landlock
from tui.tools.macos import SandboxExec
from tui.tools.registry import default_toolbox

SAFETY = " ".join((Path(__file__).parents[2] / "docs" / "safety.md").read_text().split())


@pytest.mark.parametrize(
    "sandbox", [Landlock(3), Landlock(7), SandboxExec()], ids=["old Landlock", "Landlock", "macOS"]
)
def test_every_gap_is_in_the_documentation(sandbox: Landlock | SandboxExec) -> None:
    assert sandbox.gaps
    for gap in sandbox.gaps:
        assert gap in SAFETY, gap


def test_commands_are_asked_for_where_the_sandbox_has_gaps(tmp_path: Path) -> None:
    tool = default_toolbox().get("run_command")
    assert tool is not None
    rules = [AllowRule(tool="run_command", words=["make", "*"])]
    for gaps, action in (((), "allow"), (Landlock(7).gaps, "ask")):
        approvals = Approvals("auto", tmp_path, "on", rules, gaps)
        assert approvals.judge(tool, {"command": "make test"}).action == action
