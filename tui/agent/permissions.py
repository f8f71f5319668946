"""The user's word on what runs, in one conversation: the policy, the rules, the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tui.agent.approvals import Approvals, Policy, SandboxState
from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.settings.config import AgentConfig, AllowRule, save_rule
from tui.tools.sandbox import Sandbox, find_sandbox, why_no_sandbox


class Permissions:
    """What holds from the next tool call on. It may change at any time; `approvals` is how it stands now."""

    def __init__(
        self,
        config: AgentConfig,
        folder: Path,
        kept: Callable[[], Path | None],
        policy: Policy,
        *,
        sandbox_wanted: bool,
    ) -> None:
        """`kept` is the folder of outputs that were too long for the model."""
        self.policy = policy
        self.sandbox: SandboxState | None = None if sandbox_wanted else "off"
        """What commands run in; None until it was tried, see `try_sandbox`."""
        self.sandbox_problem = ""
        self._config, self._folder, self._kept = config, folder, kept
        self._policy_before: Policy = "ask" if policy == "plan" else policy
        self._rules: list[AllowRule] = list(config.allow)

    @property
    def approvals(self) -> Approvals:
        found = self.usable_sandbox
        return Approvals(
            self.policy,
            self._folder,
            self.sandbox or "missing",
            tuple(self._rules),
            gaps=found.gaps if found else (),
            kept=self._kept(),
            network=self._config.network,
            fetch_allow=self._config.fetch_allow,
            sandbox_name=found.name if found else "",
        )

    @property
    def usable_sandbox(self) -> Sandbox | None:
        """What commands run in; None where it was not tried yet, is switched off, or there is none."""
        return find_sandbox() if self.sandbox == "on" else None

    async def try_sandbox(self) -> SandboxState:
        """Find out, once, whether commands can run in a sandbox here; if not, `sandbox_problem` says why."""
        if self.sandbox is None:
            self.sandbox_problem = await asyncio.to_thread(self._objection)
            self.sandbox = "missing" if self.sandbox_problem else "on"
        return self.sandbox

    def _objection(self) -> str:
        sandbox = find_sandbox()
        return why_no_sandbox() if sandbox is None else sandbox.objection(self._folder) or ""

    async def remember(self, rule: Json) -> list[str]:
        """Allow what `rule` says from now on; returns what went wrong with keeping it for later."""
        allowed = AllowRule(**rule)
        self._rules.append(allowed)
        try:
            await asyncio.to_thread(save_rule, allowed)
        except MimoError as error:
            return [f"The rule holds for this session only: {error.message}"]
        return []

    def forget(self, rule: AllowRule) -> None:
        """Ask again about what `rule` allowed."""
        self._rules = [kept for kept in self._rules if kept != rule]

    def plan(self) -> None:
        """Let the model only look, and show what it would do, until the user has accepted that."""
        if self.policy != "plan":
            self._policy_before, self.policy = self.policy, "plan"

    def end_planning(self) -> Policy:
        """The policy is what it was before `plan`, or `ask` where there was no other; returns it."""
        if self.policy == "plan":
            self.policy = self._policy_before
        return self.policy

    def take_config(self, config: AgentConfig) -> None:
        """What the files say now; rules that the user has made since stay."""
        own = [rule for rule in self._rules if rule not in self._config.allow]
        self._config, self._rules = config, [*own, *config.allow]
