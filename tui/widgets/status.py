"""The line at the bottom: what is at work, how full it is, what it cost, and what can be done now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from tui.core.text import clean_line
from tui.widgets.ticks import until_tick_s

_GAP = "   "
_FIRST = 10
"""The weight from which on a part is so much that without it nothing lighter is told."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the line tells. None is what is not known."""

    mode: str = "chat"
    next_mode: str | None = None
    """The mode of the next turn, when it was switched while one runs."""
    backend: str | None = None
    """Empty: there is none."""
    model: str = ""
    context_tokens: int | None = None
    context_window: int | None = None
    cost: float | None = 0.0
    """USD, of the whole conversation."""
    policy: str = ""
    """What runs unasked; empty: not shown."""
    sandbox: str = ""
    """What holds commands in; empty: not shown."""
    is_sandboxed: bool = True
    """Whether they are held in as they should be; what is less is shown as a warning."""
    queued: int = 0
    background: int = 0
    """Commands that go on in the background."""
    working: str = ""
    """What is under way, with its seconds; empty: nothing."""
    hint: str = ""


def _without_figures(status: Status) -> Status:
    return replace(status, context_tokens=None, cost=None, working=bool(status.working) * "working")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the line. `weight` says which go first where there is no room: the lightest."""

    text: str
    style: str
    weight: int


class StatusLine(Widget, can_focus=False):
    """Draws a `Status` on one line of any width; parts that find no room are left out."""

    DEFAULT_CSS = "StatusLine { height: 1; }"
    COMPONENT_CLASSES = {"status--mode", "status--warning", "status--strong"}

    status: reactive[Status] = reactive(Status(), repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: Status | None = None
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self.watch_status()

    def watch_status(self) -> None:
        """Draw it: at once what the user does, and at the next tick the figures, which each event changes."""
        if not self.is_attached or self._drawn == self.status:
            return
        if self._drawn is None or _without_figures(self._drawn) != _without_figures(self.status):
            self.refresh()
        elif self._timer is None:
            self._timer = self.set_timer(until_tick_s(), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.refresh()

    def render(self) -> Content:
        self._drawn = self.status
        left, right = fit(*parts(self.status), width=self.size.width)
        used = len_of(left) + len_of(right)
        space = Content(" " * max(0, self.size.width - used))
        return self._draw(left) + space + self._draw(right)

    def _draw(self, shown: list[Part]) -> Content:
        return Content(_GAP).join(
            Content.styled(part.text, self.get_visual_style(f"status--{part.style}")) if part.style else part.text
            for part in shown
        )


def parts(status: Status) -> tuple[list[Part], list[Part]]:
    """What stands at the left and at the right."""
    mode = status.mode + (f" → {status.next_mode}" if status.next_mode else "")
    left = [Part(f" {mode} ", "mode", _FIRST)]
    if status.backend is not None:  # the first frame is drawn without what is not known yet
        name = clean_line("/".join(part for part in (status.backend, status.model) if part), 60)
        left.append(Part(name or "no backend", "" if name else "warning", 9))
        if context := context_text(status.context_tokens, status.context_window):
            left.append(Part(context, "", 5))
        left.append(Part(cost_text(status.cost), "", 4))
    if status.policy:
        left.append(Part(status.policy, "", 6))
    if status.sandbox:
        left.append(Part(status.sandbox, "" if status.is_sandboxed else "warning", 8))  # whoever is asked goes by it
    right = []
    if status.queued:
        right.append(Part(f"{status.queued} queued", "", 6))
    if status.background:
        right.append(Part(f"{status.background} in the background", "", 5))
    if status.working:
        right.append(Part(status.working, "strong", 7))
    if status.hint:
        right.append(Part(status.hint, "", 11 if status.working else 2))  # how to stop and to answer is worth most
    return left, right


def fit(left: list[Part], right: list[Part], width: int) -> tuple[list[Part], list[Part]]:
    """Leave out the lightest parts so that the rest has room; a long name goes before what is lighter and short."""
    shown: tuple[list[Part], list[Part]] = ([], [])
    for part in sorted(left + right, key=lambda part: part.weight, reverse=True):
        more = [*shown[0], *shown[1], part]
        tried = [one for one in left if one in more], [one for one in right if one in more]
        if len_of(tried[0]) + len_of(tried[1]) + (len(_GAP) if all(tried) else 0) <= width:
            shown = tried
        elif part.weight >= _FIRST:
            break
    return shown


def len_of(shown: list[Part]) -> int:
    from rich.cells import cell_len

    return sum(cell_len(part.text) for part in shown) + len(_GAP) * max(0, len(shown) - 1)


def context_text(tokens: int | None, window: int | None) -> str:
    """`12.3k/128k 10%`; without a window the tokens alone; empty when nothing is known."""
    if tokens is None:
        return f"–/{count_text(window)}" if window else ""
    if not window:
        return f"{count_text(tokens)} tokens"
    return f"{count_text(tokens)}/{count_text(window)} {round(100 * tokens / window)}%"


def count_text(number: int) -> str:
    """A number of tokens in at most five characters."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            value = number / size
            return f"{value:.0f}{unit}" if value >= 100 or value == int(value) else f"{value:.1f}{unit}"
    return str(number)


def cost_text(cost: float | None) -> str:
    """USD with as many places as tell something; `–` when it is not known."""
    if cost is None:
        return "$–"
    return f"${cost:.2f}" if cost == 0 or cost >= 1 else f"${cost:.3f}" if cost >= 0.001 else "<$0.001"
