"""What runs unasked, by policy, place and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

import tui
from tui.agent.approvals import Approvals
from tui.settings.schema import AllowRule
from tui.tools.kept_outputs import KeptOutputs
from tui.tools.registry import default_toolbox

TOOLS = default_toolbox()
CALLS = {
    "read": ("read_file", {"path": "a"}),
    "edit": ("write_file", {"path": "a", "content": ""}),
    "run": ("run_command", {"command": "make test"}),
    "read outside": ("read_file", {"path": "../a"}),
    "edit outside": ("write_file", {"path": "/etc/a", "content": ""}),
    "edit hook": ("write_file", {"path": ".git/hooks/pre-commit", "content": ""}),
    "edit own": ("write_file", {"path": ".mimo/config.toml", "content": ""}),
    "read hook": ("read_file", {"path": ".git/hooks/pre-commit"}),
}


def judge(call: str, folder: Path, policy: str = "ask", sandbox: str = "on", rules: tuple[AllowRule, ...] = ()) -> str:
    name, arguments = CALLS.get(call, ("run_command", {"command": call}))
    return Approvals(policy, folder, sandbox, rules).judge(TOOLS.get(name), arguments).action


@pytest.mark.parametrize(
    ("call", "ask", "edits", "plan", "auto"),
    [
        ("read", "allow", "allow", "allow", "allow"),
        ("edit", "ask", "allow", "deny", "allow"),
        ("run", "ask", "ask", "deny", "allow"),
        ("read outside", "ask", "ask", "ask", "ask"),
        ("edit outside", "ask", "ask", "deny", "ask"),
        ("edit hook", "deny", "deny", "deny", "deny"),
        ("edit own", "deny", "deny", "deny", "deny"),
        ("read hook", "allow", "allow", "allow", "allow"),
    ],
)
def test_policies(tmp_path: Path, call: str, ask: str, edits: str, plan: str, auto: str) -> None:
    found = [judge(call, tmp_path, policy) for policy in ("ask", "edits", "plan", "auto")]
    assert found == [ask, edits, plan, auto]


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        (("Update File: a",), "changes a file"),
        (("Delete File: a",), "removes a file"),
        (("Update File: a\n*** Move to: b",), "moves a file"),
        (("Update File: a", "Delete File: b", "Update File: c"), "changes 2 files, removes 1"),
        (("Delete File: a", "Add File: b", "Update File: c\n*** Move to: d"), "adds 1 file, moves 1, removes 1"),
        (("Nothing: a",), "changes a file"),
    ],
)
def test_of_a_patch_it_is_told_how_many_files_it_changes(
    tmp_path: Path, sections: tuple[str, ...], reason: str
) -> None:
    bodies = {"U": "\n@@\n-x\n+y", "A": "\n+x", "D": "", "N": ""}
    patch = "\n".join(["*** Begin Patch", *(f"*** {text}{bodies[text[0]]}" for text in sections), "*** End Patch"])
    verdict = Approvals("ask", tmp_path, "on").judge(TOOLS.get("apply_patch"), {"patch": patch})
    assert (verdict.action, verdict.reason) == ("ask", reason)


@pytest.mark.parametrize(("sandbox", "expected"), [("on", "allow"), ("off", "allow"), ("missing", "ask")])
def test_auto_runs_commands_in_the_sandbox_or_where_the_user_switched_it_off(
    tmp_path: Path, sandbox: str, expected: str
) -> None:
    assert judge("run", tmp_path, "auto", sandbox) == expected


def test_a_link_out_of_the_folder_counts_as_outside(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a").symlink_to(tmp_path / "secret")
    assert judge("read", tmp_path / "project") == "ask"
    assert judge("edit", tmp_path / "project", "auto") == "ask"


@pytest.mark.parametrize(
    ("rule", "command", "expected"),
    [
        ({"command": "make test"}, "make test", "allow"),
        ({"command": "make test"}, " make test\n", "allow"),
        ({"command": "make test"}, "make test; rm -rf .", "ask"),
        ({"command": "make test"}, "make", "ask"),
        ({"words": ("git", "diff", "*")}, "git diff", "allow"),
        ({"words": ("git", "diff", "*")}, "git diff a b", "allow"),
        ({"words": ("git", "*", "a")}, "git diff a", "allow"),
        ({"words": ("git", "*", "a")}, "git diff b", "ask"),
        ({"words": ("git", "diff")}, "git diff a", "ask"),
        ({"words": ("git", "diff", "*")}, "git push", "ask"),
        ({"words": ("*",)}, "anything at all", "allow"),
        *(
            ({"words": ("git", "diff", "*")}, f"git diff {trick}", "ask")
            for trick in (
                "; rm x",
                "&& rm x",
                "| sh",
                "> x",
                "$(rm x)",
                "`rm x`",
                "\nrm x",
                "a & rm x",
                "<(rm x)",
                "{a,b}",
                "~/x",
                "*",
                "\\;x",
                "--output=x",
                "\rrm",
            )
        ),
        ({"words": ("git", "diff", "*")}, "git diff 'a;b'", "allow"),
        ({"words": ("git", "diff", "*")}, "X=1 git diff", "ask"),
        ({"command": "make test", "folder": "/elsewhere"}, "make test", "ask"),
        ({"tool": "write_file"}, "make test", "ask"),
        ({}, "make test", "ask"),
    ],
)
def test_rules_on_commands(tmp_path: Path, rule: dict, command: str, expected: str) -> None:
    assert judge(command, tmp_path, rules=(AllowRule(**{"tool": "run_command"} | rule),)) == expected


def test_a_rule_on_a_file_tool_holds_inside_its_folder_only(tmp_path: Path) -> None:
    rule = AllowRule(tool="write_file", folder=str(tmp_path))
    assert judge("edit", tmp_path, rules=(rule,)) == "allow"
    assert judge("edit outside", tmp_path, rules=(rule,)) == "ask"
    assert judge("edit hook", tmp_path, rules=(rule,)) == "deny"
    assert judge("edit", tmp_path / "b", rules=(rule,)) == "ask"


@pytest.mark.parametrize("call", ["edit", "run"])
def test_the_rule_that_always_would_add_allows_the_same_call_again(tmp_path: Path, call: str) -> None:
    name, arguments = CALLS[call]
    verdict = Approvals("ask", tmp_path, "on").judge(TOOLS.get(name), arguments)
    assert judge(call, tmp_path, rules=(AllowRule(**verdict.rule),)) == "allow"


def test_a_change_of_this_program_itself_is_always_asked() -> None:
    folder = Path(tui.__file__).parents[1]
    edit, arguments = TOOLS.get("write_file"), {"path": "tui/cli/__init__.py", "content": ""}
    for policy in ("edits", "auto"):
        verdict = Approvals(policy, folder, "on", (AllowRule(tool="write_file"),)).judge(edit, arguments)
        assert verdict.action == "ask" and "changes this program itself" in verdict.reason and verdict.rule is None
    assert Approvals("auto", folder, "on").judge(edit, {"path": "docs/x.md", "content": ""}).action == "allow"


def test_what_is_outside_is_always_asked(tmp_path: Path) -> None:
    name, arguments = CALLS["read outside"]
    assert Approvals("ask", tmp_path, "on").judge(TOOLS.get(name), arguments).rule is None


@pytest.mark.parametrize(
    "place", [".ssh/id_ed25519", ".config/mimo-tui/config.toml", ".local/share/mimo-tui/sessions.db"]
)
def test_where_keys_lie_is_always_asked_even_inside_the_folder(home: Path, place: str) -> None:
    tool = TOOLS.get("read_file")
    for policy in ("ask", "edits", "plan", "auto"):
        verdict = Approvals(policy, home, "on", (AllowRule(tool="read_file"),)).judge(tool, {"path": place})
        assert (verdict.action, verdict.rule) == ("ask", None)
    edit = Approvals("auto", home, "on", (AllowRule(tool="write_file"),)).judge(
        TOOLS.get("write_file"), {"path": place, "content": ""}
    )
    assert edit.action == "ask"


def test_without_a_sandbox_a_rule_on_words_does_not_count(tmp_path: Path) -> None:
    words, exact = AllowRule(tool="run_command", words=("cat", "*")), AllowRule(tool="run_command", command="cat a")
    assert [judge("cat a", tmp_path, "ask", state, (words,)) for state in ("on", "off", "missing")] == [
        "allow",
        "allow",
        "ask",
    ]
    assert judge("cat a", tmp_path, "ask", "missing", (exact,)) == "allow"
    assert judge("\x1ccat a", tmp_path, "ask", "on", (exact,)) == "ask"


@pytest.mark.parametrize("policy", ["ask", "edits", "plan", "auto"])
def test_kept_outputs_of_the_session_are_read_unasked_and_nothing_else_there(home: Path, policy: str) -> None:
    outputs = KeptOutputs(lambda: "s1")
    kept, folder = outputs.keep("text"), home / "project"
    other = KeptOutputs(lambda: "s2").keep("of another session")
    folder.mkdir()
    assert kept is not None and other is not None
    (kept.parent / "link").symlink_to(other)
    approvals = Approvals(policy, folder, "on", kept=outputs.folder)

    def action(name: str, **arguments: str) -> str:
        return approvals.judge(TOOLS.get(name), arguments).action

    assert action("read_file", path=str(kept)) == "allow"
    for path in (
        other,
        kept.parent / "link",
        kept.parent,
        kept.parent.parent.parent / "sessions.db",
        kept / ".." / "..",
    ):
        assert action("read_file", path=str(path)) == "ask"
        assert action("search_files", pattern="x", path=str(path)) == "ask"
    assert action("search_files", pattern="x", path=str(kept)) == "allow"
    assert action("write_file", path=str(kept), content="") in ("ask", "deny")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "http://127.0.0.1:8000/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost/",
        "http://a.localhost./",
        "http://[::1]:80/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "https://user:word@example.org/",
    ],
)
@pytest.mark.parametrize("policy", ["ask", "auto"])
def test_what_can_never_be_fetched_is_refused_without_a_question(tmp_path: Path, url: str, policy: str) -> None:
    rules = (AllowRule(tool="fetch_url"),)
    verdict = Approvals(policy, tmp_path, "on", rules).judge(TOOLS.get("fetch_url"), {"url": url})
    assert (verdict.action, verdict.rule) == ("deny", None) and verdict.reason


def test_a_private_address_that_the_user_named_is_fetched_and_public_ones_are_asked_about(tmp_path: Path) -> None:
    approvals = Approvals("ask", tmp_path, "on", fetch_allow=("127.0.0.1:8000",))
    fetch = TOOLS.get("fetch_url")
    assert approvals.judge(fetch, {"url": "http://127.0.0.1:8000/x"}).action == "allow"
    assert approvals.judge(fetch, {"url": "http://127.0.0.1:8001/x"}).action == "deny"
    assert approvals.judge(fetch, {"url": "https://example.org/"}).action == "ask"
    assert approvals.judge(fetch, {"url": "http://1.1.1.1/"}).action == "ask"


@pytest.mark.parametrize("call", [("read_file", {"path": "a\0b"}), ("write_file", {"path": "\0", "content": ""})])
def test_a_path_with_a_nul_is_refused_for_that(tmp_path: Path, call: tuple[str, dict[str, str]]) -> None:
    verdict = Approvals("ask", tmp_path, "on").judge(TOOLS.get(call[0]), call[1])
    assert verdict.action == "deny" and "NUL" in verdict.reason and str(tmp_path) not in verdict.reason
