"""The rows of the trace.

Times are in seconds since the epoch; an end that is None is still to come. `place` is the turn and step of a row that
belongs to a step, and the call whose subagent's it is. `index` is where the row is shown, -1 while it is folded away;
`host` is the call below which a subagent's row stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tui.core.usage import Usage
from tui.widgets.countdown import Countdown

ToolState = Literal["called", "asked", "running", "done", "failed", "refused", "stopped"]
StepState = Literal["running", "done", "stopped", "failed"]
Place = tuple[int, int, str | None]
NoteKind = Literal["retry", "repaired", "learned", "notice", "failed", "stopped"]
_SCALES_S = (2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)


@dataclass(slots=True, eq=False)
class TurnRow:
    """A turn begins: the user's words. The bars of its steps share one scale."""

    index: int
    turn: int
    words: str
    began: float
    ended: float | None = None
    steps: list[StepRow] = field(default_factory=list)

    @property
    def place(self) -> None:
        return None

    @property
    def host(self) -> None:
        return None

    def scale(self, now: float) -> float:
        """How many seconds a whole bar is. While the turn runs it grows in leaps, so that bars do not creep."""
        if self.ended is not None:
            return max(self.ended - self.began, 0.001)
        elapsed = now - self.began
        return next((scale for scale in _SCALES_S if scale >= elapsed), (elapsed // 3600 + 1) * 3600)


@dataclass(slots=True, eq=False)
class StepRow:
    """A request and what came of it. `label` is what happened, as far as it is known."""

    index: int
    turn: TurnRow
    step: int
    began: float
    label: str = "waiting"
    first_token: float | None = None
    ended: float | None = None
    state: StepState = "running"
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    tools: list[ToolRow] = field(default_factory=list)
    window: int | None = None
    """The model's, in tokens; None: it is not known."""
    host: ToolRow | None = None

    @property
    def place(self) -> Place:
        return self.turn.turn, self.step, self.host.id if self.host else None

    @property
    def filled(self) -> float | None:
        """How much of its window it took, 1 for all; None: it is not known."""
        tokens = self.usage.input_tokens
        if not self.window or tokens is None:
            return None
        return (tokens + (self.usage.output_tokens or 0)) / self.window


@dataclass(slots=True, eq=False)
class ToolRow:
    """A tool call of a step. `began` is None until it runs; `asked` is when the user was asked, if they were.

    Of one that gives work to a subagent, `nested` are the rows of that, in order, whether they are shown or not.
    """

    index: int
    step: StepRow
    id: str
    name: str
    argument: str
    state: ToolState = "called"
    asked: float | None = None
    began: float | None = None
    ended: float | None = None
    nested: list[Row] = field(default_factory=list)
    is_folded: bool = False
    was_turned: bool = False
    """The user has folded it or opened it: it stays so."""
    tokens: int | None = None
    """That a subagent used."""
    cost: float | None = None

    @property
    def place(self) -> Place:
        return self.step.place

    @property
    def host(self) -> ToolRow | None:
        return self.step.host

    @property
    def is_over(self) -> bool:
        return self.state not in ("called", "asked", "running")


@dataclass(slots=True, eq=False)
class NoteRow:
    """A remark: a retry, a repair, a notice, or how a turn ended when it was not done. `step` 0: of no step."""

    index: int
    turn: TurnRow
    step: int
    kind: NoteKind
    text: str
    countdown: Countdown | None = None
    """Of a retry that is still waited for: shown in place of the text."""
    host: ToolRow | None = None

    @property
    def place(self) -> Place | None:
        return (self.turn.turn, self.step, self.host.id if self.host else None) if self.step else None


Row = TurnRow | StepRow | ToolRow | NoteRow
