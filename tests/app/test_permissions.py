"""Rules and policies on the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import opened
from tests.scripted import Reply, ScriptedServer, tool_call
from tui.settings.config import AllowRule, save_rule, saved_rules
from tui.tools.sandbox import find_sandbox
from tui.widgets.approval_rule import RuleField

Model = Callable[..., ScriptedServer]
TWO = tool_call("run_command", {"command": "echo a | wc -l && git --version"})
confined = pytest.mark.skipif(
    (sandbox := find_sandbox()) is None or bool(sandbox.gaps), reason="needs a sandbox in which rules on words count"
)


@confined
async def test_always_opens_the_rule_which_can_be_widened_and_then_counts(folder: Path, model: Model) -> None:
    again = tool_call("run_command", {"command": "wc --version; git --version"})
    model(Reply(TWO), Reply(again), "Done.")
    async with opened(folder, (80, 24), mode="agent") as it:
        await it.say("count")
        await it.until_armed()
        await it.until(lambda: it.app.focused is not it.chat.prompt, "the question has the focus")
        await it.press("a")
        await it.until_shown("wc -l", "git --version", "enter add", "tab everywhere", "esc back")
        field = it.chat.query_one(RuleField)
        field.text = "wc\ngit *"
        await it.until_shown("Not yet a rule: `wc -l` is not allowed by it")
        await it.press("enter")
        assert saved_rules() == ()
        field.text = "wc *\ngit *"
        await it.until(lambda: "Not yet" not in it.screen, "the rule will do")
        await it.press("tab")
        await it.until_shown("everywhere, these words", "tab only in this folder")
        await it.press("enter")
        await it.until_shown("Done.")
    assert [rule.words for rule in saved_rules()] == [("wc", "*"), ("git", "*")]
    assert {rule.folder for rule in saved_rules()} == {None}


@confined
async def test_esc_goes_back_from_the_rule_without_adding_it(folder: Path, model: Model) -> None:
    model(Reply(TWO), "As you wish.")
    async with opened(folder, mode="agent") as it:
        await it.say("count")
        await it.until_armed()
        await it.until(lambda: it.app.focused is not it.chat.prompt, "the question has the focus")
        await it.press("a")
        await it.until_shown("enter add")
        await it.press("escape")
        await it.until_shown("y once")
        await it.press("n")
        await it.until_shown("As you wish.")
    assert saved_rules() == ()


async def test_the_policy_is_switched_and_shown(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, (120, 30), mode="agent") as it:
        assert "ask" in it.status.split()
        await it.say("/policy auto")
        await it.until_shown("The policy is auto")
        assert "auto" in it.status.split() and it.chat.talk.conversation.permissions.policy == "auto"
        await it.say("/policy")
        await it.until_shown("What runs unasked", "nothing that changes anything runs")
        await it.press("up", "enter")
        await it.until(lambda: "plan" in it.status.split(), "the policy before it is chosen")
        await it.say("/policy all")
        await it.until_shown("there is no policy all", "ask, edits, plan, auto")


async def test_the_policies_are_told_whole_on_a_small_screen(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, (80, 24), mode="agent") as it:
        await it.say("/policy")
        await it.until_shown("What runs unasked", "all else is asked", "what is dangerous is asked")
        assert "…" not in it.screen


async def test_a_switch_holds_from_the_next_call_on(folder: Path, model: Model) -> None:
    write = [tool_call("write_file", {"path": name, "content": "x\n"}) for name in ("a", "b")]
    model(Reply(write[0]), Reply(write[1]), "Done.")
    async with opened(folder, mode="agent") as it:
        await it.say("write")
        await it.until_armed()
        it.chat.front.choose_policy("edits")
        await it.press("ctrl+y")
        await it.wait(0.1)
        await it.press("y")
        await it.until_shown("Done.")
        assert (folder / "b").exists()


async def test_rules_are_listed_and_taken_back(folder: Path, model: Model) -> None:
    model()
    git, make = (AllowRule("run_command", words=words) for words in (("git", "*"), ("make", "test")))
    save_rule(git)
    save_rule(make)
    async with opened(folder, mode="agent") as it:
        await it.say("/rules")
        await it.until_shown("run_command git *", "run_command make test")
        await it.press("enter")
        await it.until_shown("Asked about again: run_command git *")
        assert saved_rules() == (make,)
        assert it.chat.talk.conversation.permissions.approvals.rules == (make,)


async def test_without_rules_it_says_how_to_add_one(folder: Path, model: Model) -> None:
    model()
    async with opened(folder, mode="agent") as it:
        await it.say("/rules")
        await it.until_shown("there are none: `a` adds one")
