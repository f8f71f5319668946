"""Changing a part of a file: exactly, whole or not at all, and with errors that help."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools.running import content_of, desk_that_knows, error_of, outcome_of, preview_of
from tui.tools.apply_patch import ApplyPatch
from tui.tools.edit_file import EditFile

EDIT = EditFile()


async def test_a_piece_is_replaced(folder: Path) -> None:
    (folder / "a").write_text("one\ntwo\nthree\n")
    outcome = await outcome_of(EDIT, folder, path="a", old="two", new="2")
    assert outcome.content == "Replaced 1 occurrence in a, line 2."
    assert (folder / "a").read_text() == "one\n2\nthree\n"
    assert outcome.detail["diff"] == "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"


async def test_the_preview_is_the_diff_and_changes_nothing(folder: Path) -> None:
    (folder / "a").write_text("one\ntwo\n")
    arguments = {"path": "a", "old": "two", "new": "2"}
    preview = preview_of(EDIT, folder, **arguments)
    assert (folder / "a").read_text() == "one\ntwo\n"
    assert (await outcome_of(EDIT, folder, **arguments)).detail["diff"] == preview


async def test_the_preview_of_what_would_fail_says_why(folder: Path) -> None:
    assert "does not exist" in preview_of(EDIT, folder, path="a", old="x", new="y")
    assert "too long" in preview_of(EDIT, folder, path="x" * 300, old="x", new="y")


async def test_several_places_need_a_word(folder: Path) -> None:
    (folder / "a").write_text("x\ny\nx\nx x\n")
    message = await error_of(EDIT, folder, path="a", old="x", new="z")
    assert "4 times, lines 1, 3, 4, 4" in message and "`all`" in message
    assert (folder / "a").read_text() == "x\ny\nx\nx x\n"
    assert "4 occurrences" in await content_of(EDIT, folder, path="a", old="x", new="z", all=True)
    assert (folder / "a").read_text() == "z\ny\nz\nz z\n"


async def test_special_characters_are_taken_as_they_are(folder: Path) -> None:
    (folder / "a").write_text("f(a.*b)\\1\n")
    await content_of(EDIT, folder, path="a", old="(a.*b)\\1", new="\\g<0>(")
    assert (folder / "a").read_text() == "f\\g<0>(\n"


async def test_line_ends_stay_as_they_are(folder: Path) -> None:
    (folder / "a").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    await content_of(EDIT, folder, path="a", old="one\ntwo", new="1\n2\n2b")
    assert (folder / "a").read_bytes() == b"1\r\n2\r\n2b\r\nthree\r\n"
    await content_of(EDIT, folder, path="a", old="three", new="3\n4")
    assert (folder / "a").read_bytes() == b"1\r\n2\r\n2b\r\n3\r\n4\r\n"


async def test_mixed_line_ends_stay_as_they_are(folder: Path) -> None:
    (folder / "a").write_bytes(b"one\r\ntwo\nthree\r\nfour\n")
    await content_of(EDIT, folder, path="a", old="two", new="2\n2b")
    assert (folder / "a").read_bytes() == b"one\r\n2\n2b\nthree\r\nfour\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
async def test_the_encoding_and_its_mark_stay(folder: Path, encoding: str) -> None:
    (folder / "a").write_bytes("süß\nx\n".encode(encoding))
    await content_of(EDIT, folder, path="a", old="süß", new="groß")
    assert (folder / "a").read_bytes() == "groß\nx\n".encode(encoding)


async def test_a_character_that_the_encoding_lacks_is_an_error(folder: Path) -> None:
    (folder / "a").write_bytes("süß\n".encode("latin-1"))
    assert "cp1252" in await error_of(EDIT, folder, path="a", old="süß", new="→")
    assert (folder / "a").read_bytes() == "süß\n".encode("latin-1")


async def test_mode_and_links_stay(folder: Path) -> None:
    (folder / "real").write_text("x\n")
    (folder / "real").chmod(0o751)
    (folder / "link").symlink_to("real")
    await content_of(EDIT, folder, path="link", old="x", new="y")
    assert (folder / "link").is_symlink()
    assert (folder / "real").read_text() == "y\n" and (folder / "real").stat().st_mode & 0o7777 == 0o751


async def test_another_name_of_the_file_keeps_the_old_content(folder: Path) -> None:
    (folder / "a").write_text("x")
    os.link(folder / "a", folder / "twin")
    await content_of(EDIT, folder, path="a", old="x", new="y")
    assert (folder / "twin").read_text() == "x"


async def test_nothing_is_left_beside_the_file(folder: Path) -> None:
    (folder / "a").write_text("x")
    await content_of(EDIT, folder, path="a", old="x", new="y")
    await error_of(EDIT, folder, path="a", old="x", new="y")
    assert [path.name for path in folder.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("text", "old", "words"),
    [
        ("\tif x:\n\t\ty()\n", "    if x:\n        y()", "indentation: the file has 1 tab where `old` has 4 spaces"),
        ("  a = 1\n", "    a = 1\n", "indentation: the file has 2 spaces where `old` has 4 spaces"),
        ("a = 1  \nb = 2\n", "a = 1\nb = 2", "white space at a line's end, which the file has"),
        ("a = 1\nb = 2\n", "a = 1   \nb = 2", "white space at a line's end, which `old` has"),
        ("a  =  1\n", "a = 1", "in white space"),
        ("a\nb\n", "\n\na\nb", "blank lines"),
        ("say “hi” – now\n", 'say "hi" - now', "quotes, dashes"),
        ("def Hello():\n", "def hello():", "in case"),
        ("x = 1\ny = 2\n", "1\tx = 1\n2\ty = 2", "line numbers"),
        ("def compute(a, b):\n    pass\n", "def compute(a, c):", "nearest line to it is line 1"),
        ("completely different\n", "zzzzqqqq", "Nothing in the file is like it"),
        ("a\n", "   ", "only white space"),
    ],
)
async def test_what_is_not_found_is_explained(folder: Path, text: str, old: str, words: str) -> None:
    (folder / "a").write_text(text)
    message = await error_of(EDIT, folder, path="a", old=old, new="z")
    assert message.startswith("`old` is not in a.") and words in message
    assert (folder / "a").read_text() == text


async def test_the_text_that_differs_is_shown(folder: Path) -> None:
    (folder / "a").write_text("class A:\n\tdef f(self):\n\t\tpass\n")
    message = await error_of(EDIT, folder, path="a", old="    def f(self):\n        pass", new="z")
    assert "line 2" in message and "\n\tdef f(self):\n\t\tpass\n" in message


async def test_what_makes_no_sense_is_refused(folder: Path) -> None:
    (folder / "a").write_text("x")
    assert "`old` is empty" in await error_of(EDIT, folder, path="a", old="", new="y")
    assert "the same" in await error_of(EDIT, folder, path="a", old="x", new="x")
    (folder / "b").write_bytes(b"x\0")
    assert "binary file" in await error_of(EDIT, folder, path="b", old="x", new="y")
    assert "list_files" in await error_of(EDIT, folder, path=".", old="x", new="y")
    assert "does not exist. Near it in .: a" in await error_of(EDIT, folder, path="a.", old="x", new="y")


@pytest.mark.parametrize("path", [".git/config", ".git/hooks/pre-commit", ".mimo/config.toml", "link/config"])
async def test_what_is_protected_is_not_changed(folder: Path, path: str) -> None:
    (folder / "link").symlink_to(".git")
    (folder / path).parent.mkdir(parents=True, exist_ok=True) if "link" not in path else (folder / ".git").mkdir()
    (folder / path).write_text("x")
    assert "read-only to tools" in await error_of(EDIT, folder, path=path, old="x", new="y")
    assert "read-only to tools" in preview_of(EDIT, folder, path=path, old="x", new="y")
    assert (folder / path).read_text() == "x"


async def test_a_file_system_that_refuses_is_a_plain_error(folder: Path) -> None:
    message = await error_of(EDIT, folder, path="/proc/version", old="Linux", new="y")
    assert message and (Path("/proc/version")).read_text().startswith("Linux")


async def test_a_file_that_changed_since_it_was_read_is_not_edited(folder: Path) -> None:
    (folder / "a").write_text("x\n")
    desk = desk_that_knows(folder / "a")
    await content_of(EDIT, folder, desk=desk, path="a", old="x", new="y")
    await content_of(EDIT, folder, desk=desk, path="a", old="y", new="z")  # its own changes it knows
    (folder / "a").write_text("z\nby somebody else\n")
    assert "Read it again first" in await error_of(EDIT, folder, desk=desk, path="a", old="z", new="w")
    assert "Read it again first" in preview_of(EDIT, folder, desk, path="a", old="z", new="w")
    assert (folder / "a").read_text() == "z\nby somebody else\n"


@pytest.mark.parametrize(
    ("text", "old", "new", "after", "words"),
    [
        pytest.param(
            "class A:\n    def f(self):\n        return 1\n",
            "def f(self):\n    return 1\n",
            "def f(self):\n    if self.x:\n        return 2\n\n    return 1\n",
            "class A:\n    def f(self):\n        if self.x:\n            return 2\n\n        return 1\n",
            "the file has 4 spaces where you wrote none",
            id="less indented",
        ),
        pytest.param(
            "if a:\n  b()\n  c()\n",
            "        b()\n        c()",
            "        b()\n        if d:\n            e()\n        c()",
            "if a:\n  b()\n  if d:\n      e()\n  c()\n",
            "the file has 2 spaces where you wrote 8 spaces",
            id="more indented",
        ),
        pytest.param(
            "if a:\n\tif b:\n\t\tc()\n",
            "    if b:\n        c()\n",
            "    if b:\n        while d:\n            c()\n",
            "if a:\n\tif b:\n\t\twhile d:\n\t\t\tc()\n",
            "the file has 1 tab where you wrote 4 spaces, 2 tabs where you wrote 8 spaces",
            id="spaces for tabs",
        ),
        pytest.param(
            "if a:\n    if b:\n        c()\n",
            "\tif b:\n\t\tc()\n",
            "\tif b:\n\t\tc()\n\t\td()\n",
            "if a:\n    if b:\n        c()\n        d()\n",
            "the file has 4 spaces where you wrote 1 tab",
            id="tabs for spaces",
        ),
        pytest.param(
            "class A:\n    def f(self):\n        if a:\n            b()\n",
            "  def f(self):\n    if a:\n      b()\n",
            "  def f(self):\n    if a:\n      b()\n      if c:\n        d()\n",
            "class A:\n    def f(self):\n        if a:\n            b()\n            if c:\n                d()\n",
            "the file has 4 spaces where you wrote 2 spaces, 8 spaces where you wrote 4 spaces",
            id="steps of two spaces for four",
        ),
        pytest.param(
            "if a:\n  if b:\n    c()\n",
            "    if b:\n        c()\n",
            "    if b:\n        d()\n    e()\n",
            "if a:\n  if b:\n    d()\n  e()\n",
            "the file has 2 spaces where you wrote 4 spaces",
            id="steps of four spaces for two",
        ),
        pytest.param(
            "a = 1  \nb = 2\t\nc = 3\n",
            "a = 1\nb = 2\nc = 3",
            "a = 1\nb = 0\nc = 3",
            "a = 1  \nb = 0\nc = 3\n",
            "white space at line ends differed",
            id="white space at line ends, kept where nothing changes",
        ),
        pytest.param("  a\n  b\n  c\n", "a\nb\n", "", "  c\n", "other indentation", id="taken away"),
        pytest.param("x\n  a\n  b", "a\nb\n", "a\nc\n", "x\n  a\n  c\n", "other indentation", id="at the end"),
        pytest.param(
            "if x:\r\n    a\r\n    b\r\n",
            "  a\n  b",
            "  a\n  c\n  b",
            "if x:\r\n    a\r\n    c\r\n    b\r\n",
            "other indentation",
            id="CRLF",
        ),
    ],
)
async def test_white_space_that_differs_is_no_reason_to_fail_and_is_told(
    folder: Path, text: str, old: str, new: str, after: str, words: str
) -> None:
    (folder / "a").write_bytes(text.encode())
    desk = desk_that_knows(folder / "a")
    said = await content_of(EDIT, folder, desk=desk, path="a", old=old, new=new)
    assert (folder / "a").read_bytes().decode() == after
    assert words in said


@pytest.mark.parametrize(
    ("text", "old", "words"),
    [
        ("  a\n  b\n\n    a\n    b\n", "a\nb\n", "there 2 times, at lines 1, 4"),
        ("if a:\n    b\n  c\n", "if a:\nb\nc\n", "`old` is not in a."),  # no shift of the block
        ("if a:\n    b\n      c\n", "if a:\n  b\n    c\n", "`old` is not in a."),  # steps of several widths
        ("a  =  1\n", "  a = 1", "`old` is not in a."),  # inside a line
        ("a\n\n\n", "\n \n", "only white space"),
    ],
)
async def test_what_is_not_one_place_but_for_white_space_is_not_edited(
    folder: Path, text: str, old: str, words: str
) -> None:
    (folder / "a").write_text(text)
    desk = desk_that_knows(folder / "a")
    for all_of_them in (False, True):
        arguments = {"path": "a", "old": old, "new": "z", "all": all_of_them}
        assert words in await error_of(EDIT, folder, desk=desk, **arguments)
    assert (folder / "a").read_text() == text


async def test_a_file_that_was_never_read_is_edited_by_exact_text_only(folder: Path) -> None:
    (folder / "a").write_text("  x\n  y\n")
    assert "differs only in indentation" in await error_of(EDIT, folder, path="a", old="x\ny\n", new="z\n")
    await content_of(EDIT, folder, path="a", old="  x\n", new="  z\n")
    assert (folder / "a").read_text() == "  z\n  y\n"


async def test_of_a_file_that_was_not_read_it_is_said_that_reading_it_would_help(folder: Path) -> None:
    (folder / "a").write_text("def f():\n\treturn 1\n")
    for tool, arguments in (
        (EDIT, {"path": "a", "old": "    return 1", "new": "    return 2"}),
        (ApplyPatch(), {"patch": "*** Update File: a\n@@\n-    return 1\n+    return 2\n"}),
    ):
        assert "You have not read this file" in await error_of(tool, folder, **arguments)
        desk = desk_that_knows(folder / "a")
        outcome = await outcome_of(tool, folder, desk=desk, **arguments)
        assert not outcome.is_error and (folder / "a").read_text() == "def f():\n\treturn 2\n"
        (folder / "a").write_text("def f():\n\treturn 1\n")
    assert "have not read" not in await error_of(EDIT, folder, path="a", old="return 3", new="x")
