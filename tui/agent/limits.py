"""What a turn may use: steps and money. Time is kept by whoever runs the turn."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.events import StepFinished


@dataclass(slots=True)
class Limits:
    """Counts finished steps of one turn. None: no limit."""

    max_steps: int | None = None
    budget: float | None = None
    """USD. A step whose price is not known cannot be counted against it; see `cost_is_known`."""
    steps: int = 0
    cost: float = 0.0
    cost_is_known: bool = True

    def count(self, step: StepFinished) -> None:
        self.steps += 1
        self.cost += step.cost or 0.0
        self.cost_is_known = self.cost_is_known and step.cost is not None

    def reached(self) -> str:
        """The limit that stops the turn here, in words; empty when there is none."""
        if self.max_steps is not None and self.steps >= self.max_steps:
            return f"{self.steps} steps are used (max_steps = {self.max_steps})"
        if self.budget is not None and self.cost >= self.budget:
            return f"${self.cost:.4f} are spent (budget = ${self.budget:g})"
        return ""
