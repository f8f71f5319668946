"""Writing whole files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.running import content_of, desk_that_knows, error_of, outcome_of, preview_of
from tui.tools.apply_patch import ApplyPatch
from tui.tools.desk import Desk
from tui.tools.opening import put_in_place
from tui.tools.read_file import ReadFile
from tui.tools.write_file import WriteFile

WRITE = WriteFile()


async def test_a_new_file_is_written_with_its_folders(folder: Path) -> None:
    outcome = await outcome_of(WRITE, folder, path="a/b/c.txt", content="one\ntwo\n")
    assert outcome.content == "Wrote the new file a/b/c.txt (2 lines, 8 bytes)."
    assert (folder / "a/b/c.txt").read_text() == "one\ntwo\n"
    assert outcome.detail["diff"] == "--- /dev/null\n+++ b/a/b/c.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n"


async def test_a_new_file_has_the_mode_of_any_new_file(folder: Path) -> None:
    await content_of(WRITE, folder, path="a", content="x")
    (folder / "b").touch()
    assert (folder / "a").stat().st_mode == (folder / "b").stat().st_mode


async def test_a_file_is_replaced_with_its_mode_kept(folder: Path) -> None:
    (folder / "a").write_text("old\n")
    (folder / "a").chmod(0o755)
    desk = desk_that_knows(folder / "a")
    outcome = await outcome_of(WRITE, folder, desk=desk, path="a", content="new\n")
    assert outcome.content == "Replaced all of a (1 line, 4 bytes)."
    assert (folder / "a").read_text() == "new\n" and (folder / "a").stat().st_mode & 0o777 == 0o755
    assert "-old\n+new\n" in outcome.detail["diff"]


async def test_the_preview_is_the_diff_and_changes_nothing(folder: Path) -> None:
    arguments = {"path": "new/a", "content": "x"}
    preview = preview_of(WRITE, folder, **arguments)
    assert not list(folder.iterdir())
    assert (await outcome_of(WRITE, folder, **arguments)).detail["diff"] == preview
    desk = desk_that_knows(folder / "new/a")
    assert preview_of(WRITE, folder, desk, **arguments) == "new/a: nothing changes\n"


async def test_the_content_is_written_as_it_is(folder: Path) -> None:
    desk = Desk()
    for content in ("", "a\r\nb", "\ufeffx", "a\0b", "x" * 1_000_000, "→ 🦀"):
        await content_of(WRITE, folder, desk=desk, path="a", content=content)
        assert (folder / "a").read_bytes() == content.encode()


async def test_a_link_is_written_through(folder: Path) -> None:
    (folder / "real").write_text("x")
    (folder / "link").symlink_to("real")
    await content_of(WRITE, folder, desk=desk_that_knows(folder / "real"), path="link", content="y")
    assert (folder / "link").is_symlink() and (folder / "real").read_text() == "y"


async def test_a_file_that_was_never_read_can_be_replaced_and_is_known_then(folder: Path) -> None:
    (folder / "a").write_text("old")
    desk = Desk()
    assert "-old" in preview_of(WRITE, folder, path="a", content="x")
    await content_of(WRITE, folder, desk=desk, path="a", content="x")
    await content_of(WRITE, folder, desk=desk, path="a", content="y")  # what it wrote it knows
    assert (folder / "a").read_text() == "y"


async def test_a_file_that_changed_meanwhile_is_not_replaced(folder: Path) -> None:
    desk = Desk()
    await content_of(WRITE, folder, desk=desk, path="a", content="x")
    (folder / "a").write_text("the user's own")
    assert "Read it again first" in await error_of(WRITE, folder, desk=desk, path="a", content="y")
    assert (folder / "a").read_text() == "the user's own"


async def test_a_binary_file_that_is_replaced_is_not_shown(folder: Path) -> None:
    (folder / "a").write_bytes(b"\0\1")
    outcome = await outcome_of(WRITE, folder, desk=desk_that_knows(folder / "a"), path="a", content="text")
    assert "-(binary file)\n+text" in outcome.detail["diff"]


async def test_the_encoding_stays_where_it_has_the_characters(folder: Path) -> None:
    (folder / "a").write_bytes("süß".encode("utf-16"))
    said = await content_of(WRITE, folder, desk=desk_that_knows(folder / "a"), path="a", content="groß →")
    assert (folder / "a").read_bytes() == "groß →".encode("utf-16") and "utf-16-le like before" in said
    (folder / "a").write_bytes("süß und groß".encode("latin-1"))
    said = await content_of(WRITE, folder, desk=desk_that_knows(folder / "a"), path="a", content="→")
    assert (folder / "a").read_bytes() == "→".encode() and "encoded as UTF-8" in said


async def test_what_cannot_be_written_is_a_plain_error(folder: Path) -> None:
    (folder / "dir").mkdir()
    (folder / "file").touch()
    assert "is a folder" in await error_of(WRITE, folder, path="dir", content="x")
    assert "is a folder" in await error_of(WRITE, folder, path=".", content="x")
    assert "not a folder" in await error_of(WRITE, folder, path="file/x", content="x")
    assert "too long" in await error_of(WRITE, folder, path="x" * 300, content="x")
    assert "NUL" in await error_of(WRITE, folder, path="a\0", content="x")
    assert "surrogate" in await error_of(WRITE, folder, path="a", content="\ud800")
    assert "not a regular file" in await error_of(WRITE, folder, path="/dev/full", content="x")
    assert await error_of(WRITE, folder, path="/proc/nothing/x", content="x")


@pytest.mark.parametrize(
    "path", [".git", ".git/config", ".git/hooks/pre-commit", ".mimo/config.toml", ".git/commondir"]
)
async def test_what_is_protected_is_not_made(folder: Path, path: str) -> None:
    assert "read-only to tools" in await error_of(WRITE, folder, path=path, content="x")
    assert "read-only to tools" in preview_of(WRITE, folder, path=path, content="x")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(("path", "file"), [("full/a/b/c.txt", "full/a"), ("full/a/x", "full/a")])
async def test_a_file_on_the_way_is_named(folder: Path, path: str, file: str) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "a").write_text("x")
    words = f"{file} is a file, not a folder, so {path} cannot be in it."
    assert await error_of(WRITE, folder, path=path, content="x") == words
    assert preview_of(WRITE, folder, path=path, content="x") == words
    assert await error_of(ReadFile(), folder, path=path) == words
    assert await error_of(ApplyPatch(), folder, patch=f"*** Add File: {path}\n+x\n") == words
    assert await error_of(ApplyPatch(), folder, patch=f"*** Update File: full/a\n*** Move to: {path}\n") == words


def test_a_file_that_appears_on_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(NotADirectoryError) as found:
        put_in_place(tmp_path / "a" / "b" / "c", b"x")
    assert found.value.filename == str(tmp_path / "a")


async def test_a_folder_and_sizes_are_told_in_plain_words(folder: Path) -> None:
    (folder / "src").mkdir()
    assert await error_of(WRITE, folder, path="src", content="x") == "src is a folder: give the path of a file in it."
    assert "is a folder" in await error_of(ApplyPatch(), folder, patch="*** Add File: src\n+x\n")
    assert (await content_of(WRITE, folder, path="a", content="x")).endswith("(1 line, 1 byte).")
    assert "The file has 1 line:" in await error_of(ReadFile(), folder, path="a", start=5)
