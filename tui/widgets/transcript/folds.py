"""What can be folded: the user's long words, and reasoning."""

from __future__ import annotations

from typing import Protocol

from rich.segment import Segment

from tui.core.text import clean_line
from tui.widgets.transcript.lines import Line, Span, blank, line, truncate
from tui.widgets.transcript.plain import PlainLeaf, look, mark, pieces_of
from tui.widgets.transcript.stack import Leaf, Pen, Stack

USER_LINES = 24
_LAST_CHARS = 300


class Fold(Stack):
    """A stack that is built anew when it was changed and is seen. `build` puts the blocks in."""

    def __init__(self, width: int, estimate: int = 2) -> None:
        super().__init__(width)
        self.expanded = False
        self._stale = True
        self._seen = False
        self._estimate = estimate

    @property
    def height(self) -> int:
        return self.heights.total if self._seen else self._estimate

    def changed(self) -> None:
        self._stale = True

    def toggle(self) -> None:
        self.expanded = not self.expanded
        self.changed()

    @property
    def foldable(self) -> bool:
        """Is there anything to fold or unfold?"""
        raise NotImplementedError

    def source(self) -> str:
        """All of its text, as it came."""
        raise NotImplementedError

    def build(self) -> list[Leaf]:
        """The blocks to show now; those that were shown before may be among them."""
        raise NotImplementedError

    def prepare(self, first: int, last: int, pen: Pen) -> int:
        shift = 0
        if self._stale:
            before, was_seen = self.height, self._seen
            self._stale, self._seen = False, True
            self.blocks = list(self.build())
            self.heights.reset(block.height for block in self.blocks)
            shift = self.height - before if first > 0 and not was_seen else 0
        return shift + super().prepare(first + shift, last + shift, pen)


class Headed(Protocol):
    """What has a head: a line that says what it is."""

    def head(self, pen: Pen) -> list[Span]:
        raise NotImplementedError


class Head(Leaf):
    """The one line of a fold that always shows."""

    __slots__ = ("_fold", "_gap")

    def __init__(self, fold: Headed, width: int, *, gap: bool) -> None:
        self._fold, self._gap = fold, gap
        super().__init__(width)

    @property
    def source(self) -> str:
        return ""

    def estimate(self, width: int) -> int:
        return self._gap + 1

    def draw(self, pen: Pen) -> list[Line]:
        lines = [blank(pen.width, pen.palette.base)] if self._gap else []
        prefix = [Segment(" ", pen.palette.base)]
        return [*lines, line(self._fold.head(pen), pen.width, pen.palette.base, prefix=prefix)]


class Words(Fold):
    """What the user said. Very long words (a pasted file) show their beginning."""

    def __init__(self, text: str, width: int) -> None:
        self.text = text
        super().__init__(width, 2 + text.count("\n") + len(text) // max(width, 1))

    @property
    def foldable(self) -> bool:
        return self.text.strip("\n").count("\n") >= USER_LINES + 2

    def source(self) -> str:
        return self.text

    def build(self) -> list[Leaf]:
        bar = mark(" ▌ ", "bar")
        text = self.text.strip("\n")
        rows = text.split("\n")
        hidden = len(rows) - USER_LINES if self.foldable and not self.expanded else 0
        shown = "\n".join(rows[: len(rows) - hidden]) if hidden else text
        leaves: list[Leaf] = [
            PlainLeaf(piece, self.width, look=look("user"), mark=bar, gap=not number, filled=True)
            for number, piece in enumerate(pieces_of(shown))
        ]
        if self.foldable:
            more = f"… {hidden:,} more lines" if hidden else "fold"
            leaves.append(PlainLeaf(more, self.width, look=look("code_label"), mark=bar, filled=True, target=self))
        return leaves


class Thought(Fold):
    """Reasoning, folded to a line: how long and how much; while it grows, its last words."""

    def __init__(self, width: int, *, gap: bool) -> None:
        self._pieces: list[str] = []
        self.started: float | None = None
        self.ended: float | None = None
        self.finished = False
        self._head = Head(self, width, gap=gap)
        super().__init__(width, 1 + gap)

    def grow(self, text: str) -> None:
        self._pieces.append(text)
        self.changed()
        self._head.changed()

    def finish(self) -> None:
        self.finished = True
        self.changed()
        self._head.changed()

    def toggle(self) -> None:
        super().toggle()
        self._head.changed()

    @property
    def foldable(self) -> bool:
        return True

    def source(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def build(self) -> list[Leaf]:
        text = self.source().strip("\n")
        if not self.expanded or not text:
            return [self._head]
        leaves: list[Leaf] = [
            PlainLeaf(piece, self.width, look=look("muted"), mark=mark("   ", "rule")) for piece in pieces_of(text)
        ]
        # While it grows only the last part is new, so the others keep what was drawn.
        kept = [block for block in self.blocks[1:] if isinstance(block, PlainLeaf)]
        for i, (old, new) in enumerate(zip(kept, leaves, strict=False)):
            if isinstance(new, PlainLeaf) and old.text == new.text:
                leaves[i] = old
        return [self._head, *leaves]

    def head(self, pen: Pen) -> list[Span]:
        sign = "▾ " if self.expanded else "▸ "
        style = pen.palette.muted
        if not self.finished:
            said = f"{sign}Thinking{self._time()} "
            last = clean_line(self.source()[-_LAST_CHARS:], _LAST_CHARS)
            room = pen.prose_width - len(said) - 2
            if len(last) > room > 0:
                last = "…" + last[len(last) - room + 1 :]
            return [Span(truncate(f"{said}· {last}" if last else f"{said}…", pen.prose_width), style, self)]
        words = len(self.source().split())
        text = f"{sign}Thought{self._time(' for')} · {words:,} word{'s' if words != 1 else ''}"
        return [Span(truncate(text, pen.prose_width), style, self)]

    def _time(self, between: str = "") -> str:
        if self.started is None or self.ended is None or self.ended - self.started < 0.05:
            return ""
        return f"{between} {seconds(self.ended - self.started)}"


def seconds(time_s: float) -> str:
    """A duration for people: `20 ms`, `0.1 s`, `12 s`, `3 min 5 s`."""
    if time_s < 0.095:
        return f"{time_s * 1000:.0f} ms"
    if time_s < 9.95:
        return f"{time_s:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(time_s), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
