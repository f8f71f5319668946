"""A tool call: one line that says what was done, with its output or diff under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len
from rich.style import Style

from tui.core.messages import Image, Json
from tui.core.text import clean_line
from tui.widgets.call_words import call_words, is_denial, plan_lines, presented_lines
from tui.widgets.pictures import image_words
from tui.widgets.transcript.folds import Fold, Head, seconds
from tui.widgets.transcript.lines import Span, StepTarget, truncate
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.plain import PlainLeaf, look, mark, pieces_of
from tui.widgets.transcript.stack import Leaf, Pen

DIFF_LINES = 12
RUNNING_LINES = 5
ERROR_LINES = 6
_TAIL_CHARS = 8000
_DOING_CELLS = 40

State = Literal["writing", "called", "asked", "running", "done", "failed", "denied", "interrupted"]
_SIGNS = {"writing": "○", "called": "○", "asked": "?", "failed": "✗", "denied": "⊘", "interrupted": "■"}
_BEHIND = "in the background"
_STYLES = {"asked": "warning", "running": "accent", "done": "success", "failed": "error", "denied": "warning"}


class ToolRun(Fold):
    """One call from the first piece of its arguments to its result."""

    def __init__(self, width: int, *, gap: bool, step: StepTarget | None) -> None:
        self.call_id = ""
        self.name = ""
        self.summary = ""
        self.state: State = "writing"
        self.reason = ""
        self.step = step
        self._written = 0
        self._output: list[str] = []
        self._output_chars = 0
        self._result = ""
        self._diff: list[str] = []
        self._plan: list[str] = []
        self._images: tuple[str, ...] = ()
        self._background = ""
        self._doing = ""
        """What the subagent does that works for it."""
        self._steps: list[str] = []
        """The calls of that, a line each."""
        self._steps_taken: int | None = None
        self._found: int | None = None
        """What a search of the web found."""
        self._lines: int | None = None
        """How many a command has put out: its result has notes too, and of a long output the ends alone."""
        self._answered: bool | None = None
        """Whether the user answered what the model asked."""
        self._exit_code: object = None
        self._sandbox = ""
        """Said where a command ran in none."""
        self._is_told_why = False
        """The result says why it did not run."""
        self._total_s: float | None = None
        self._head = Head(self, width, gap=gap)
        super().__init__(width, 1 + gap)

    # What happens

    def write(self, name: str, arguments: str) -> None:
        self.name = self.name or name
        self._written += len(arguments)
        self.touch()

    def called(self, call_id: str, name: str, arguments: Json, raw: str | None) -> None:
        self.call_id, self.name = call_id, name
        self.summary = call_words(name, arguments, raw)
        self._plan = presented_lines(name, arguments)
        self.enter("called")

    def enter(self, state: State, reason: str = "") -> None:
        self.state = state
        self.reason = reason
        self.touch()

    def put_output(self, text: str) -> None:
        """Output while it runs: only the end of it is kept, the result brings all."""
        self._output.append(text)
        self._output_chars += len(text)
        if self._output_chars > 4 * _TAIL_CHARS:
            self._output = ["".join(self._output)[-_TAIL_CHARS:]]
            self._output_chars = len(self._output[0])
        self.changed()

    def finish(self, is_error: bool, result: str, total_s: float, detail: Json, images: Sequence[Image] = ()) -> None:
        self._result, self._total_s = result, total_s
        self._images = tuple(f"image {image_words(image)}" for image in images)
        self._plan = plan_lines(detail.get("todo")) or (self._plan if self.state == "denied" else [])
        self._steps_taken = taken if isinstance(taken := detail.get("steps"), int) else None
        self._found = found if isinstance(found := detail.get("results"), int) else None
        self._lines = count if isinstance(count := detail.get("lines"), int) else None
        self._answered = answered if isinstance(answered := detail.get("answered"), bool) else None
        self.expanded = self.expanded or self.is_plan or self._answered is True
        self._exit_code = detail.get("exit_code")
        diff = detail.get("diff")
        self._diff = _diff_lines(diff) if isinstance(diff, str) else []
        self._output = []
        self._sandbox = "outside the sandbox" if detail.get("sandbox", "") is None else ""
        if self.state == "denied" and detail.get("refused") is True:
            self.touch()
        elif is_denial(detail, result):
            self._is_told_why = True
            self.enter("denied")
        else:
            self.enter("failed" if is_error else "done")

    @property
    def is_plan(self) -> bool:
        """Whether it says what is to be done: the newest one is open."""
        return bool(self._plan)

    def does(self, step: int, doing: str, *, is_call: bool = False) -> None:
        """What the subagent that works for it does now; `doing` is cleaned."""
        self._doing = truncate(f"step {step} · {doing}", _DOING_CELLS)
        if is_call:
            self._steps.append(f"{step}  {doing}")
        self.touch()

    def goes_on(self, state: str) -> None:
        """What has become of a command that was started in the background."""
        self._background = _BEHIND if state == "running" else clean_line(state)
        self.touch()

    def is_left_behind(self) -> None:
        """A command that was still in the background has ended with the program."""
        if self._background == _BEHIND:
            self.goes_on("ended with the program")

    def touch(self) -> None:
        self._head.changed()
        self.changed()

    def toggle(self) -> None:
        super().toggle()
        self._head.changed()

    def source(self) -> str:
        """What a copy of the whole run gives."""
        return "\n".join(self._diff or self._plan) or self._result or "".join(self._output)

    # What is shown

    def head(self, pen: Pen) -> list[Span]:
        palette = pen.palette
        stats = self._stats()
        sign = _SIGNS.get(self.state, "●")
        fold = "" if not self.foldable else " ▾" if self.expanded else " ▸"
        room = pen.prose_width - cell_len(sign) - 1
        name = truncate(clean_line(self.name) or "tool", max(room, 1))
        room -= cell_len(name) + 1
        stats_room = cell_len(stats) + len(fold) + 4
        summary = truncate(self.summary, room - stats_room) if room - stats_room > 8 else ""
        room -= cell_len(summary)
        tail = truncate(f"  · {stats}" if stats else "", max(room - len(fold), 0))
        spans = [
            Span(f"{sign} ", getattr(palette, _STYLES.get(self.state, "muted")), self),
            Span(name, palette.strong, self),
            Span(f" {summary}" if summary else "", palette.base, self),
            Span(tail, palette.error if self.state == "failed" else palette.muted, self.step or self),
            Span(fold, palette.muted, self),
        ]
        return [span for span in spans if span.text]

    def _stats(self) -> str:
        if self.state == "writing":
            return f"writing · {self._written:,} characters" if self._written else "writing"
        if self.state == "asked":
            return "waiting for your answer"
        if self.state == "denied":
            return f"denied: {clean_line(self.reason)}" if self.reason else "denied"
        if self.state == "running" and self._doing:
            return self._doing
        if self.state in ("running", "interrupted"):
            return self.state
        if self.state == "called":
            return ""
        parts: list[str] = []
        if self._diff:
            added = sum(line.startswith("+") for line in self._diff)
            removed = sum(line.startswith("-") for line in self._diff)
            parts.append(f"+{added} −{removed}")
        elif self._background:
            parts.append(self._background)
        elif isinstance(self._exit_code, int) and self._exit_code:
            parts.append(f"exit {self._exit_code}")
        elif self.state == "failed":
            parts.append("failed")
        elif self._images:
            parts += self._images
        elif self._plan or self._answered:
            pass  # it stands there
        elif self._answered is False:
            parts.append("no answer")
        elif self._steps_taken is not None:
            parts.append(f"{self._steps_taken} step{'s' if self._steps_taken != 1 else ''}")
        elif self._found is not None:
            parts.append(f"{self._found} found")
        elif self._result and self.state == "done":
            count = self._result.strip("\n").count("\n") + 1 if self._lines is None else self._lines
            parts.append(f"{count:,} line{'s' if count != 1 else ''}" if count else "no output")
        if self._sandbox:
            parts.append(self._sandbox)
        if self._total_s is not None:
            parts.append(seconds(self._total_s))
        return " · ".join(parts)

    @property
    def foldable(self) -> bool:
        if not self._has_body:
            return bool(self._steps)
        return bool(self._result or self._diff or self._plan or self._steps)

    @property
    def _has_body(self) -> bool:
        """Whether what came of it can be shown below; a user's no says all in one line, but for a plan's steps."""
        return self.state in ("done", "failed") or (self.state == "denied" and (self._is_told_why or self.is_plan))

    def build(self) -> list[Leaf]:
        if self._steps and self.expanded:
            answer = self._result.strip("\n") if self._has_body else ""
            return [self._head, *self._body("\n".join([*self._steps, *(["", answer] if answer else [])]))]
        if self.state == "running":
            return [self._head, *self._running()]
        if not self._has_body:
            return [self._head]
        limit = DIFF_LINES if self._diff else ERROR_LINES if self.state == "failed" or self._is_told_why else 0
        if not limit and not self.expanded:
            return [self._head]
        text = "\n".join(self._diff or self._plan) or self._result.strip("\n")
        if not text:
            return [self._head]
        rows = text.split("\n")
        hidden = 0 if self.expanded else max(len(rows) - limit, 0)
        body = self._body("\n".join(rows[: len(rows) - hidden]) if hidden else text)
        if hidden:
            more = f"… {hidden:,} more line{'s' if hidden != 1 else ''}"
            body.append(PlainLeaf(more, self.width, look=look("muted"), mark=mark("   │ ", "rule"), target=self))
        return [self._head, *body]

    def _running(self) -> list[Leaf]:
        text = "".join(self._output).rstrip("\n")[-_TAIL_CHARS:]
        if not text:
            return []
        return self._body("\n".join(row[-1000:] for row in text.split("\n")[-RUNNING_LINES:]))

    def _body(self, text: str) -> list[Leaf]:
        style = _diff_look if self._diff else _plan_look if self._plan else look("muted")
        code = not self._plan
        return [
            PlainLeaf(piece, self.width, look=style, mark=mark("   │ ", "rule"), code=code, filled=bool(self._diff))
            for piece in pieces_of(text)
        ]


def _diff_look(palette: Palette, row: str) -> Style:
    if row.startswith("+"):
        return palette.added
    if row.startswith("-"):
        return palette.removed
    return palette.code_label if row.startswith("@@") else palette.code


def _plan_look(palette: Palette, row: str) -> Style:
    return palette.muted if row.startswith("✓") else palette.strong if row.startswith("▸") else palette.base


def _diff_lines(diff: str) -> list[str]:
    """Of several files each under its name; that of a single one stands in the line above."""
    rows = diff.replace("\r\n", "\n").strip("\n").split("\n") if diff.strip("\n") else []
    heads = [n for n in range(len(rows) - 1) if rows[n].startswith("--- ") and rows[n + 1].startswith("+++ ")]
    if len(heads) < 2:
        return [row for row in rows if not row.startswith(("--- ", "+++ "))]
    shown = list(rows)
    for n in heads:
        old, new = rows[n][4:], rows[n + 1][4:]
        shown[n] = f"@@ {(old if new == '/dev/null' else new)[2:]}{_fate(old, new)}"
    return [row for n, row in enumerate(shown) if n - 1 not in heads]


def _fate(old: str, new: str) -> str:
    return " (new)" if old == "/dev/null" else " (removed)" if new == "/dev/null" else ""
