"""What may run unasked: the policy, and the rules that `always` added."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from tui.core.errors import MimoError, UsageError
from tui.screens.choice import Choice
from tui.settings.config import AllowRule, Policy, plain, remove_rule, saved_rules

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation
    from tui.screens.chat import ChatScreen

_POLICIES: dict[Policy, str] = {
    "ask": "reads in the folder run, all else is asked",
    "edits": "changes of files in the folder run, too",
    "plan": "nothing that changes anything runs",
    "auto": "commands run sandboxed, too; what is dangerous is asked",
}


class Permissions:
    """What `/policy` and `/rules` do. Both hold from the next call of a tool on, also in a turn that runs."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    def choose_policy(self, name: str) -> None:
        """Switch to the policy, or let one be chosen."""
        if not name:
            from tui.screens.picker import Picker

            choices = [Choice(policy, policy, note) for policy, note in _POLICIES.items()]
            picker = Picker("What runs unasked", choices, self._conversation.permissions.policy)
            self._screen.app.push_screen(picker, lambda chosen: self.choose_policy(chosen) if chosen else None)
            return
        policy = next((policy for policy in get_args(Policy) if policy == name), None)
        if policy is None:
            raise UsageError(f"there is no policy {name}", f"The policies are {', '.join(_POLICIES)}.")
        self._conversation.permissions.policy = policy
        self._screen.overview.show()
        self._screen.note.say(f"The policy is {policy}: {_POLICIES[policy]}.")

    def show_rules(self) -> None:
        """List the rules that `always` added; the one that is chosen is taken back."""
        from tui.screens.picker import Picker
        from tui.widgets.approval_words import rule_text

        rules: list[AllowRule] = []

        async def choices() -> Sequence[Choice]:
            rules.extend(await asyncio.to_thread(saved_rules))
            return [Choice(str(n), rule_text(plain(rule))) for n, rule in enumerate(rules)]

        picker = Picker("Rules that you added: enter takes one back", choices, empty="there are none: `a` adds one")
        self._screen.app.push_screen(picker, lambda chosen: self._take_back(rules[int(chosen)]) if chosen else None)

    def _take_back(self, rule: AllowRule) -> None:
        self._screen.run_worker(self._remove(rule), group="rules", exit_on_error=False)

    async def _remove(self, rule: AllowRule) -> None:
        from tui.widgets.approval_words import rule_text

        try:
            await asyncio.to_thread(remove_rule, rule)
        except MimoError as error:
            self._screen.say(error)
            return
        self._conversation.permissions.forget(rule)
        self._screen.note.say(f"Asked about again: {rule_text(plain(rule))}.")

    @property
    def _conversation(self) -> Conversation:
        conversation = self._screen.talk.conversation
        if conversation is None:
            raise UsageError("the conversation is still being opened", "Try again in a moment.")
        return conversation
