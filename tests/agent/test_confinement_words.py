"""A question about a command says what does not hold it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.agent.approvals import Approvals, SandboxState
from tui.tools.registry import default_toolbox

RUN = default_toolbox().get("run_command")
ALL_RIGHTS = " without a sandbox, with all of your rights"
GAPS = ("signals can be sent",)


@pytest.mark.parametrize(
    ("sandbox", "gaps", "name", "reason"),
    [
        ("on", (), "bubblewrap", "runs a command"),
        ("off", (), "", "runs a command" + ALL_RIGHTS),
        ("missing", (), "", "runs a command" + ALL_RIGHTS),
        ("on", GAPS, "Landlock", "runs a command in a sandbox with gaps (Landlock)"),
    ],
)
def test_a_question_tells_what_holds_the_command(
    tmp_path: Path, sandbox: SandboxState, gaps: tuple[str, ...], name: str, reason: str
) -> None:
    assert RUN is not None
    approvals = Approvals("ask", tmp_path, sandbox, gaps=gaps, sandbox_name=name)
    assert approvals.judge(RUN, {"command": "make"}).reason == reason


def test_in_auto_the_gaps_of_the_sandbox_are_told(tmp_path: Path) -> None:
    assert RUN is not None
    approvals = Approvals("auto", tmp_path, "on", gaps=GAPS, sandbox_name="Landlock")
    assert approvals.judge(RUN, {"command": "make"}).reason == "the sandbox (Landlock) has gaps: signals can be sent"


@pytest.mark.parametrize(("sandbox", "ends"), [("on", "(always asked)"), ("off", "(always asked), runs" + ALL_RIGHTS)])
def test_a_dangerous_command_without_a_sandbox_says_so_too(tmp_path: Path, sandbox: SandboxState, ends: str) -> None:
    assert RUN is not None
    assert Approvals("ask", tmp_path, sandbox).judge(RUN, {"command": "sudo make"}).reason.endswith(ends)
