"""The rule that `always` would add can be narrowed and widened, but it always allows the command that was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.agent.approvals import Approvals
from tui.agent.rule_drafts import CommandDraft, draft_of
from tui.core.messages import Json
from tui.settings.schema import AllowRule
from tui.tools.registry import default_toolbox

RUN = default_toolbox().get("run_command")


def draft(folder: Path, command: str, *rules: AllowRule, sandbox: str = "on") -> CommandDraft | None:
    approvals = Approvals("ask", folder, sandbox, rules)
    rule = approvals.judge(RUN, {"command": command}).rule
    assert rule is not None
    return draft_of(rule, approvals)


def rule(*words: str) -> AllowRule:
    return AllowRule(tool="run_command", words=words)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("git diff a", "git diff a"),
        ("git diff 'a b'", "git diff 'a b'"),
        ("git diff; ls | wc -l", "git diff\nls\nwc -l"),
        ("git diff && make test && git diff", "git diff\nmake test"),
        ("cd sub && make test && echo done", "make test"),
    ],
)
def test_a_line_for_each_part(tmp_path: Path, command: str, text: str) -> None:
    found = draft(tmp_path, command)
    assert found is not None and found.text == text
    rules = tuple(AllowRule(**rule) for rule in found.read(found.text))
    assert Approvals("ask", tmp_path, "on", rules).judge(RUN, {"command": command}).action == "allow"


def test_only_for_the_parts_that_no_rule_allows_yet(tmp_path: Path) -> None:
    found = draft(tmp_path, "git diff; make test", rule("git", "*"))
    assert found is not None and found.text == "make test"


@pytest.mark.parametrize("command", ["make $X", "A=1 make", "make > x", "make '*'", "make &", "bash -c make"])
def test_what_is_more_than_words_is_allowed_to_the_letter_only(tmp_path: Path, command: str) -> None:
    found = draft(tmp_path, command)
    assert found is None or found.text == "bash -c make"


@pytest.mark.parametrize(("sandbox", "gaps"), [("missing", ()), ("on", ("a gap",))])
def test_where_rules_on_words_do_not_count_there_is_none(tmp_path: Path, sandbox: str, gaps: tuple[str, ...]) -> None:
    approvals = Approvals("ask", tmp_path, sandbox, gaps=gaps)
    verdict = approvals.judge(RUN, {"command": "make test"})
    assert verdict.rule is not None and draft_of(verdict.rule, approvals) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("git diff *", [["git", "diff", "*"]]),
        ("git *", [["git", "*"]]),
        ("git diff --stat a", [["git", "diff", "--stat", "a"]]),
        ("git * --stat a", [["git", "*", "--stat", "a"]]),
        (" git   diff * \n\n", [["git", "diff", "*"]]),
    ],
)
def test_it_can_be_widened(tmp_path: Path, text: str, words: list[list[str]]) -> None:
    found = draft(tmp_path, "git diff --stat a")
    assert found is not None
    rules: tuple[Json, ...] = found.read(text)
    assert [rule["words"] for rule in rules] == words
    assert all(rule["folder"] == str(tmp_path) and "command" not in rule for rule in rules)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no rule"),
        ("git log *", "`git diff --output=x a` is not allowed by it"),
        ("git diff *", "`git` with `--output=x` can run programs"),
        ("*", "the first word is the name of a program"),
        ("git 'diff", "not closed"),
        ("git d* --output=x a", "`d*`: a star stands for whole words"),
        ("git '*' --output=x a", "cannot be a plain word"),
        ("git diff --output=x a\nrm *", "`rm *` has nothing to do with this command"),
    ],
)
def test_what_would_not_allow_the_command_is_no_rule(tmp_path: Path, text: str, problem: str) -> None:
    found = draft(tmp_path, "git diff --output=x a")
    assert found is not None
    with pytest.raises(ValueError) as raised:
        found.read(text)
    assert problem in str(raised.value)
