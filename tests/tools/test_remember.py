"""A note is kept for later sessions as a line of the program's own file."""

from __future__ import annotations

from pathlib import Path

from tests.tools.running import content_of, error_of
from tui.agent.approvals import Approvals
from tui.settings.memory import read_memory, read_notes, write_notes
from tui.tools.base import ToolContext
from tui.tools.remember import Remember


async def test_a_note_is_kept_once_for_its_project(folder: Path) -> None:
    tool = Remember(folder)
    assert "is remembered" in await content_of(tool, folder, text="one\x1b[31m")
    assert "already" in await content_of(tool, folder, text="one\x1b[31m")
    await content_of(tool, folder, text="two", everywhere=True)
    assert read_memory(folder) == "- two\n\n- one␛[31m"
    assert "cannot be remembered" in await error_of(tool, folder, text="  ")


def test_it_is_asked_about_in_each_policy_and_never_allowed_for_always(folder: Path) -> None:
    tool = Remember(folder)
    for policy in ("ask", "edits", "auto"):
        verdict = Approvals(policy, folder, "on").judge(tool, {"text": "one"})
        assert (verdict.action, verdict.rule) == ("ask", None)
    assert Approvals("plan", folder, "on").judge(tool, {"text": "one"}).action == "deny"
    assert tool.preview({"text": "a\nb"}, ToolContext(folder, None)) == "tell later sessions in this project:\n- a b"


def test_notes_can_be_changed_and_taken_away(folder: Path) -> None:
    write_notes(folder, "- one\n\n")
    assert read_notes(folder) == "- one\n"
    write_notes(folder, " ")
    assert read_notes(folder) == ""
