"""Diffs say exactly what changes."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.tools.changes import unified_diff

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "\tx", "a\x0cb", "-", "+"]), max_size=30)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + ("\n" if end and lines else ""), LINES, st.booleans())


def applied(before: str, diff: str) -> str:
    """What `patch` would make of it: hunks are placed by their line numbers, and must fit."""
    old, new, at = re.findall(r"[^\n]*\n|[^\n]+", before), [], 0
    marked = re.sub(r"\n\\ No newline at end of file\n", "\0", diff)  # such a line goes without its end
    for line in re.findall(r"[^\n\0]*[\n\0]", marked)[2:]:
        text = line[1:].rstrip("\0")
        if match := re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@$", line):
            start = int(match[1]) - (match[2] != "0")
            new += old[at:start]
            at = start
            assert int(match[3]) - (match[4] != "0") == len(new)
            continue
        if line[0] in " -":
            assert old[at] == text
            at += 1
        if line[0] in " +":
            new.append(text)
    return "".join(new + old[at:])


@given(TEXTS, TEXTS)
def test_a_diff_applied_gives_the_new_text(before: str, after: str) -> None:
    diff = unified_diff("x", before, after)
    if before == after:
        assert diff == ""
    else:
        assert applied(before, diff) == after


def test_distant_changes_are_separate_hunks() -> None:
    before = "".join(f"{n}\n" for n in range(100))
    after = before.replace("\n10\n", "\nten\n").replace("\n90\n", "\nninety\n")
    assert unified_diff("x", before, after).count("@@ -") == 2


def test_a_path_outside_of_the_folder_has_no_double_slash() -> None:
    assert unified_diff("/etc/x", "a\n", "b\n").startswith("--- a/etc/x\n+++ b/etc/x\n")


def test_a_missing_line_end_is_shown() -> None:
    assert unified_diff("x", "a\n", "a") == "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"


def test_windows_line_ends_are_not_noise() -> None:
    assert "\r" not in unified_diff("x", "a\r\nb\r\n", "a\r\nc\r\n")
    assert "\r" in unified_diff("x", "a\nb\n", "a\r\nb\r\n")


def test_a_large_file_that_changes_wholly_is_shown_as_gone_and_new() -> None:  # looking for what is alike takes hours
    before = "".join(f"{n % 97} old\n" for n in range(50_000))
    diff = unified_diff("x", before, before.replace("old", "new"))
    assert diff.count("\n") == 100_003


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\n" * 1000, "a\nb\n" * 500), ("a\n" * 3800, "a\nb\n" * 90), ("x\ny\n" * 900, "z\nx\ny\ny\n" * 450)],
)
def test_files_of_few_distinct_lines_are_compared_soon(before: str, after: str) -> None:
    began = time.process_time()
    assert applied(before, unified_diff("x", before, after)) == after
    assert time.process_time() - began < 1


def test_code_is_compared_line_by_line_though_many_of_its_lines_are_alike() -> None:
    before = "".join(f"void f{n}()\n{{\n    g{n}();\n}}\n\n" for n in range(300))
    after = re.sub(r"g(\d*5)\(", r"h\1(", before)
    diff = unified_diff("x", before, after)
    assert diff.count("\n-") == diff.count("\n+") - 1 == 30 and applied(before, diff) == after
