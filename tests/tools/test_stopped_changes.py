"""A change that is stopped while its thread works is made whole, or not at all."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.tools.running import outcome_of
from tui.tools import changes
from tui.tools.apply_patch import ApplyPatch
from tui.tools.base import Tool
from tui.tools.write_file import WriteFile


class Gate:
    """Holds a function back in its thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        real = getattr(changes, name)

        def held(*arguments: Any) -> Any:
            self.reached.set()
            assert self.opened.wait(20)
            return real(*arguments)

        monkeypatch.setattr(changes, name, held)

    async def stop_at(self, tool: Tool, folder: Path, **arguments: Any) -> None:
        """Run a tool, cancel it here, and let its thread go on to its end."""
        task = asyncio.create_task(outcome_of(tool, folder, **arguments))
        assert await asyncio.to_thread(self.reached.wait, 20)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        self.opened.set()
        await asyncio.get_running_loop().shutdown_default_executor()


async def test_an_edit_that_was_stopped_while_it_was_worked_out_changes_nothing_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").write_text("old\n")
    await Gate(monkeypatch, "unified_diff").stop_at(WriteFile(), folder, path="a", content="new\n")
    assert (folder / "a").read_text() == "old\n"


async def test_a_patch_that_was_stopped_between_two_files_is_undone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = "*** Begin Patch\n*** Add File: a\n+one\n*** Add File: b\n+two\n*** End Patch"
    await Gate(monkeypatch, "put_in_place").stop_at(ApplyPatch(), folder, patch=patch)
    assert list(folder.iterdir()) == []
