"""What a turn may use: steps, tokens and money. Time is kept by whoever runs the turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.agent.digest import done_so_far
from tui.core.events import Compacted, StepFinished
from tui.core.messages import ToolCall


@dataclass(slots=True)
class Limits:
    """Counts what one turn used. None: no limit."""

    max_steps: int | None = None
    max_tokens: int | None = None
    """Sent and received, cached ones included."""
    budget: float | None = None
    """USD. A step whose price is not known cannot be counted against it; see `cost_is_known`."""
    steps: int = 0
    begun: int = 0
    """Steps that were claimed and have not ended: subagents take theirs side by side."""
    tokens: int = 0
    cost: float = 0.0
    cost_is_known: bool = True
    calls: list[ToolCall] = field(default_factory=list)
    """What the model asked for so far, to be told when a limit ends the turn."""
    within: Limits | None = None
    """The limits of the turn that a subagent works in: what it uses counts there, too."""

    def count(self, event: StepFinished | Compacted) -> None:
        """Take in a step, or a request for a summary."""
        self.tokens += (event.usage.input_tokens or 0) + (event.usage.output_tokens or 0)
        self.cost += event.cost or 0.0
        self.cost_is_known = self.cost_is_known and event.cost is not None
        if isinstance(event, StepFinished):
            self.steps += 1
            self.begun = max(0, self.begun - 1)
            self.calls += event.message.tool_calls
        if self.within is not None:
            self.within.count(event)

    def claim(self) -> str:
        """The limit that stops the next step, in words; empty when there is none, and then the step is claimed."""
        if limit := self.reached():
            return limit
        self._claimed(1)
        return ""

    def release(self) -> None:
        """A step that was claimed did not come about."""
        self._claimed(-1)

    def _claimed(self, steps: int) -> None:
        self.begun = max(0, self.begun + steps)
        if self.within is not None:
            self.within._claimed(steps)

    @property
    def has_budget(self) -> bool:
        return self.budget is not None or (self.within is not None and self.within.has_budget)

    def reached(self) -> str:
        """The limit that stops the turn here, in words; empty when there is none."""
        if self.max_steps is not None and self.steps + self.begun >= self.max_steps:
            return f"{self.steps + self.begun} steps are used (max_steps = {self.max_steps})"
        if self.max_tokens is not None and self.tokens >= self.max_tokens:
            return f"{self.tokens:,} tokens are used (max_tokens = {self.max_tokens})"
        if self.budget is not None and self.cost >= self.budget:
            return f"${self.cost:.4f} are spent (budget = ${self.budget:g})"
        return self.within.reached() if self.within is not None else ""

    def told(self, limit: str) -> str:
        """The limit that ended the turn, and what was done until then."""
        done = done_so_far(self.calls)
        return f"{limit}; {done}" if done else limit
