"""Patches of several files: in the forms that models write, all of it or nothing, and with errors that help."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.running import content_of, desk_that_knows, error_of, outcome_of, preview_of
from tui.tools.apply_patch import ApplyPatch
from tui.tools.changes import unified_diff
from tui.tools.desk import Desk
from tui.tools.errors import ToolError
from tui.tools.patch_text import parse_patch
from tui.tools.patching import patched

PATCH = ApplyPatch()
CODE = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 1\n"


async def test_one_patch_changes_adds_moves_and_removes_files(folder: Path) -> None:
    for name, text in {"a.py": CODE, "old.py": "x = 1\ny = 2\n", "gone.txt": "bye\n"}.items():
        (folder / name).write_text(text)
    (folder / "old.py").chmod(0o755)
    desk = desk_that_knows(folder / "gone.txt")
    patch = (
        "*** Begin Patch\n*** Update File: a.py\n@@ class A:\n@@ def g(self):\n-        return 1\n+        return 2\n"
        "*** Add File: new/b.py\n+one\n+\n+two\n"
        "*** Update File: old.py\n*** Move to: new/moved.py\n@@\n x = 1\n-y = 2\n+y = 3\n"
        "*** Delete File: gone.txt\n*** End Patch"
    )
    preview = preview_of(PATCH, folder, desk, patch=patch)
    outcome = await outcome_of(PATCH, folder, desk=desk, patch=patch)
    assert not outcome.is_error, outcome.content
    assert outcome.content == (
        "Changed a.py, line 6.\nAdded new/b.py.\nMoved old.py to new/moved.py. Changed old.py, line 1.\n"
        "Removed gone.txt."
    )
    assert outcome.detail["diff"] == preview and "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n" in preview
    assert (folder / "a.py").read_text() == CODE[:-2] + "2\n"
    assert (folder / "new/b.py").read_text() == "one\n\ntwo\n"
    assert (folder / "new/moved.py").read_text() == "x = 1\ny = 3\n"
    assert (folder / "new/moved.py").stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in folder.iterdir()) == ["a.py", "new"]
    assert PATCH.paths({"patch": patch}) == ("a.py", "new/b.py", "old.py", "new/moved.py", "gone.txt")


@pytest.mark.parametrize(
    "patch",
    [
        "--- a/a.py\n+++ b/a.py\n@@ -5,2 +5,2 @@ class A:\n     def g(self):\n-        return 1\n+        return 2\n",
        # counts and numbers that are wrong, a blank line without its space, a fence, git's own lines
        "```diff\ndiff --git a/a.py b/a.py\nindex 1..2 100644\n--- a/a.py\n+++ b/a.py\n@@ -40,9 +40,2 @@\n\n"
        "     def g(self):\n-        return 1\n+        return 2\n```\n",
        "*** Update File: a.py\n@@\n     def g(self):\n-        return 1\n+        return 2\n",
        "*** Begin Patch\n*** Update File: a.py\n-        return 1\n+        return 2\n*** End of File\n*** End Patch",
        "*** Begin Patch\r\n*** Update File: a.py\r\n@@     def g(self):\r\n-        return 1\r\n+        return 2\r\n",
    ],
)
async def test_the_forms_in_which_models_write_patches_are_understood(folder: Path, patch: str) -> None:
    (folder / "a.py").write_text(CODE)
    await content_of(PATCH, folder, patch=patch)
    assert (folder / "a.py").read_text() == CODE[:-2] + "2\n"


async def test_what_git_prints_is_applied(folder: Path) -> None:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout

    before = {"a.txt": "one\ntwo\nthree\n", "b.txt": "x\n" * 30, "c.txt": "gone\n", "e.txt": "no end"}
    after = {"a.txt": "one\n2\nthree\n", "d.txt": "x\n" * 29 + "y\n", "n.txt": "new\n", "e.txt": "no end\nmore\n"}
    git("init", "-q")
    for name, text in before.items():
        (folder / name).write_text(text)
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x")
    for name in before:
        (folder / name).unlink()
    for name, text in after.items():
        (folder / name).write_text(text)
    git("add", "-A")
    patch = git("diff", "-M", "HEAD")
    assert "rename from b.txt" in patch and "No newline" in patch
    for path in folder.glob("*.txt"):
        path.unlink()
    for name, text in before.items():
        (folder / name).write_text(text)
    await content_of(PATCH, folder, patch=patch)
    assert {path.name: path.read_text() for path in folder.glob("*.txt")} == after


async def test_all_of_it_is_done_or_nothing(folder: Path) -> None:
    (folder / "a").write_text("one\n")
    (folder / "b").write_text("two\n")
    (folder / "file").touch()
    good = "*** Update File: a\n@@\n-one\n+1\n*** Add File: new\n+x\n"
    assert "Hunk 1 for b" in await error_of(
        PATCH, folder, patch=good + "*** Update File: b\n@@\n-nothing like it\n+2\n"
    )
    # this one fails when it is written: its folder is a file
    assert "not a folder" in await error_of(PATCH, folder, patch=good + "*** Add File: file/x\n+x\n")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "file"]
    assert (folder / "a").read_text() == "one\n" and (folder / "b").read_text() == "two\n"


async def test_white_space_that_differs_is_borne_in_a_file_that_was_read(folder: Path) -> None:
    (folder / "a").write_bytes(b"if x:\r\n\tif y:\r\n\t\tone()  \r\n\t\ttwo()\r\n")
    patch = "*** Update File: a\n@@\n     if y:\n         one()\n-        two()\n+        if z:\n+            three()\n"
    assert "differs only in indentation" in await error_of(PATCH, folder, patch=patch)
    said = await content_of(PATCH, folder, desk=desk_that_knows(folder / "a"), patch=patch)
    assert "the file has 1 tab where you wrote 4 spaces" in said
    assert (folder / "a").read_bytes() == b"if x:\r\n\tif y:\r\n\t\tone()  \r\n\t\tif z:\r\n\t\t\tthree()\r\n"


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("do this", "This is no patch"),
        ("*** Update File: a\n@@\n-return 1\n+x\n", "Hunk 1 for a is not there: The text at line 3 differs only in"),
        ("*** Update File: a\n@@\n-        return 1\n+x\n", "fits in 2 places, at lines 3, 6"),
        ("*** Update File: a\n@@\n-    def f(self):\n+x\n@@\n-nothing\n+y\n", "Hunk 2 for a is not there"),
        ("*** Update File: a\n@@\n+x\n", "only adds lines, and nothing tells where"),
        ("*** Update File: a\n", "says nothing of what to change in a"),
        ("*** Update File: a\n@@\n-    def f(self):\n+x\nwords\n", "Line 5 of the patch cannot be understood: 'words'"),
        (
            "*** Update File: a\n@@\n-    def f(self):\n-        return 1\n+x\n@@\n-        return 1\n \n+y\n",
            "overlaps",
        ),
        ("*** Add File: a\n+x\n", "a is there already: use `*** Update File`"),
        ("*** Add File: b\n x\n", "each of its lines must begin with `+`"),
        ("*** Delete File: a\n", "You have not read a"),
        ("*** Delete File: b\n", "b does not exist"),
        ("*** Update File: a\n*** Move to: c\n", "c is there already"),
        ("*** Delete File: a\n*** Update File: a\n@@\n-x\n", "a is in the patch twice"),
        ("*** Add File: n\n+x\n*** Add File: ./n\n+y\n", "lead to the same file"),
        ("*** Update File: .git/config\n@@\n-x\n+y\n", "read-only to tools"),
        ("*** Update File: a\n*** Move to: .git/hooks/pre-commit\n", "read-only to tools"),
        ("--- a/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-class A:\n", "more in it than the patch takes away"),
    ],
)
async def test_what_cannot_be_applied_is_explained_and_changes_nothing(folder: Path, patch: str, words: str) -> None:
    (folder / "a").write_text(CODE)
    (folder / "c").write_text("c")
    message = await error_of(PATCH, folder, patch=patch)
    assert words in message and preview_of(PATCH, folder, patch=patch) == message
    assert sorted(path.name for path in folder.iterdir()) == ["a", "c"] and (folder / "a").read_text() == CODE


async def test_a_file_that_changed_meanwhile_is_not_patched(folder: Path) -> None:
    (folder / "a").write_text("one\n")
    desk = desk_that_knows(folder / "a")
    (folder / "a").write_text("one\ntwo\n")
    patch = "*** Update File: a\n@@\n-one\n+1\n"
    assert "Read it again first" in await error_of(PATCH, folder, desk=desk, patch=patch)


async def test_what_it_wrote_and_moved_it_knows(folder: Path) -> None:
    desk = Desk()
    (folder / "a").write_text("one\n")
    move = "*** Add File: b\n+x\n*** Update File: a\n*** Move to: c\n@@\n-one\n+1\n"
    await content_of(PATCH, folder, desk=desk, patch=move)
    for name in ("b", "c"):
        await content_of(PATCH, folder, desk=desk, patch=f"*** Delete File: {name}\n")
    assert not list(folder.iterdir())


LINES = st.lists(st.sampled_from(["", "a", "b", " c", "\td", "e  ", "- f", "+ g", "@@ h", "*** i", "ü"]), max_size=12)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + ("\n" if end and lines else ""), LINES, st.booleans())


@given(TEXTS, TEXTS)
def test_a_diff_that_is_applied_gives_the_other_text(before: str, after: str) -> None:
    diff = unified_diff("f", before, after)
    if not diff:
        return
    (patch,) = parse_patch(diff)
    assert patched(before, patch.hunks, "f", bears_white_space=False).text == after


@given(LINES, LINES)
def test_hunks_with_all_lines_around_give_the_other_text(before: list[str], after: list[str]) -> None:
    body = [line for line in difflib.ndiff(before, after) if line[0] in " -+"]
    if before == after or not before:
        return
    marked = "".join(f"{line[0]}{line[2:]}\n" for line in body)
    (patch,) = parse_patch(f"*** Begin Patch\n*** Update File: f\n@@\n{marked}*** End Patch\n")
    text = "".join(f"{line}\n" for line in before)
    assert patched(text, patch.hunks, "f", bears_white_space=False).text == "".join(f"{line}\n" for line in after)


PIECES = """*** Begin Patch
*** Update File: a
*** Add File: b
*** Delete File: c
*** Move to: d
*** End of File
*** End Patch
--- a/x
+++ b/x
--- /dev/null
+++ /dev/null
rename from x
rename to y
@@ -1 +1 @@
@@
@@ def f
-a
+b
 c

words
\\ No newline at end of file
```"""


@given(st.lists(st.sampled_from(PIECES.splitlines()), max_size=15), st.text(max_size=40), TEXTS)
def test_whatever_comes_is_applied_or_explained(pieces: list[str], noise: str, text: str) -> None:
    for patch in ("\n".join(pieces), noise, "\n".join([*pieces[:5], noise, *pieces[5:]])):
        try:
            for file in parse_patch(patch):
                patched(text, file.hunks, "f", bears_white_space=True)
        except ToolError as error:
            assert str(error)
