"""A search of a folder leaves out where keys lie, unless that place itself is named."""

from __future__ import annotations

from pathlib import Path

from tui.tools.base import Outcome, ToolContext
from tui.tools.search_files import SearchFiles


async def search(folder: Path, **arguments: str) -> str:
    pieces = [piece async for piece in SearchFiles().run(arguments, ToolContext(folder, None))]
    assert isinstance(pieces[-1], Outcome)
    return pieces[-1].content


async def test_keys_below_what_is_searched_are_not_read(home: Path) -> None:
    for name in (".ssh/id", ".config/mimo-tui/config.toml", "notes.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("the needle\n")
    found = await search(home, pattern="needle")
    assert "notes.txt" in found and "id" not in found and "config.toml" not in found
    assert "id" in await search(home, pattern="needle", path=".ssh")


async def test_keys_are_not_read_either_where_the_search_begins_above_the_folder(home: Path) -> None:
    for name in (".ssh/id", ".aws/credentials", "notes.txt", "work/p/a"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("the needle\n")
    found = await search(home / "work" / "p", pattern="needle", path="../..")
    assert "notes.txt" in found and "work/p/a" in found and "id" not in found and "credentials" not in found
    names = await search(home / "work" / "p", glob="*", path="../..")
    assert "notes.txt" in names and "credentials" not in names
    assert "needle" in await search(home / "work" / "p", pattern="needle", path="../../.ssh")
