"""What the tools of a session share: files seen, the plan, and the outputs that are kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tui.tools.desk import Desk, Task
from tui.tools.kept_outputs import forget_outputs, outputs_dir


def test_a_file_that_is_as_it_was_seen_has_not_changed_whatever_its_time_says(folder: Path) -> None:
    desk, path = Desk(), folder / "a.txt"
    path.write_text("one\n")
    desk.seen.saw(path)
    os.utime(path, (1, 1))
    assert desk.seen.knows(path) and not desk.seen.has_changed(path)


@pytest.mark.parametrize("after", ["two\n", "longer than before\n", None])
def test_a_file_with_other_content_has_changed(folder: Path, after: str | None) -> None:
    desk, path = Desk(), folder / "a.txt"
    path.write_text("one\n")
    state = path.stat()
    desk.seen.saw(path)
    if after is None:
        path.unlink()
    else:
        path.write_text(after)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # as a change within the clock's tick leaves it
    assert desk.seen.has_changed(path)


def test_the_plan_is_told_until_all_of_it_is_done() -> None:
    desk = Desk()
    assert desk.todo_text() == ""
    desk.plan = (Task("read", "done"), Task("mend", "active"), Task("test"))
    assert desk.todo_text() == "[x] read\n[>] mend\n[ ] test"
    desk.plan = (Task("read", "done"),)
    assert desk.todo_text() == ""


def test_the_plan_of_a_stored_session_is_the_last_one() -> None:
    desk = Desk()
    desk.recall([{"todo": [{"text": "old", "state": "active"}]}, {"todo": [{"text": "new", "state": "pending"}]}, {}])
    assert desk.plan == (Task("new"),)


def test_a_long_result_is_cut_and_the_whole_is_kept_for_the_user_alone(home: Path) -> None:
    desk = Desk(lambda: "s1")
    text = "".join(f"line {number}\n" for number in range(10_000))
    shown = desk.outputs.shortened(text, 600)
    path = outputs_dir() / "s1" / "1.txt"
    assert shown.startswith("line 0\n") and shown.endswith("line 9999\n") and len(shown) < 900
    assert str(path) in shown and path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_session_a_long_result_is_only_cut(home: Path) -> None:
    shown = Desk().outputs.shortened("x" * 1000, 100)
    assert "900" in shown or "901" in shown
    assert not outputs_dir().exists()


def test_outputs_go_with_their_session_and_after_fourteen_days(home: Path) -> None:
    old, new = Desk(lambda: "old"), Desk(lambda: "new")
    kept = old.outputs.keep("text")
    assert kept is not None
    long_ago = time.time() - 15 * 24 * 3600
    os.utime(kept.parent, (long_ago, long_ago))
    newer = new.outputs.keep("text")
    assert newer is not None and newer.exists() and not kept.exists()
    forget_outputs("new")
    assert not newer.exists()
    for no_session in ("", ".", "..", "../..", "a/b"):
        forget_outputs(no_session)
        assert outputs_dir().exists()


async def test_a_session_that_is_not_stored_leaves_no_outputs(home: Path) -> None:
    desk = Desk(lambda: "unsaved-1")
    path = desk.outputs.keep("text")
    await desk.close()
    assert path is not None and not path.exists()
