"""A question of the model's, above the prompt: answers to choose from, and room for one's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tui.core.events import QuestionAsked
from tui.core.text import clean, clean_line
from tui.widgets.answer_field import AnswerField

_ARM_DELAY_S = 0.3
"""A key that was struck sooner than this after the question appeared was meant for something else."""
_GAP = "   "
_WAY_HERE = "ctrl+y, then "
_LONGEST_CHOICE = 400
_ROWS_ELSEWHERE = 10
"""Of the screen, beside the question and its choices: keys, field, prompt, status line, some of the conversation."""


class _Words(VerticalScroll, can_focus=False):
    """The question, a quarter of the screen at most: an automatic height knows nothing of `max-height`."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(super().get_content_height(container, viewport, width), max(viewport.height // 4, 2))


class _Choices(VerticalScroll, can_focus=False):
    """The choices, in the rows that are left on the screen: `rows_for` says how many at a height of it."""

    def __init__(self, rows_for: Callable[[int], int]) -> None:
        super().__init__()
        self._rows_for = rows_for

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(super().get_content_height(container, viewport, width), self._rows_for(viewport.height))


class QuestionBar(Widget, can_focus=True):
    """Shows one question. It never takes the focus by itself; with it, a number or enter chooses, letters begin a text.

    Keys that are struck before it is armed are left to others, so that what one was typing goes on into the prompt.
    """

    BINDINGS: ClassVar = [
        Binding("escape", "back", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "scroll_question('page_up')", show=False),
        Binding("pagedown", "scroll_question('page_down')", show=False),
    ]
    COMPONENT_CLASSES: ClassVar = {"question--key", "question--chosen"}
    DEFAULT_CSS = """
    QuestionBar {
        layout: vertical;
        height: auto;
        padding: 0 1;
        background: $panel;
        border-left: outer $border;
        &:focus, &:focus-within { border-left: outer $primary; }
        & Static { height: auto; }
        & VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
        & .question--choices { margin: 0 0 0 1; }
        & AnswerField, & AnswerField:focus {
            height: auto;
            max-height: 5;
            margin: 0 0 0 1;
            padding: 0 1;
            border: none;
            background: $surface;
            scrollbar-size-vertical: 1;
        }
        & .question--keys { min-height: 1; color: $text-muted; }
        & .question--key { color: $primary; text-style: bold; }
        & .question--chosen { text-style: bold; }
        &:focus .question--keys { color: $foreground; }
    }
    """

    class Answered(Message):
        """The user's words; None when they do not answer."""

        def __init__(self, id: str, answer: str | None) -> None:
            super().__init__()
            self.id = id
            self.answer = answer

    def __init__(self, question: QuestionAsked, *, arm_delay_s: float = _ARM_DELAY_S, id: str | None = None) -> None:
        super().__init__(id=id)
        self.question = question
        self._arm_delay_s = arm_delay_s
        self._armed_at = float("inf")
        self._chosen = 0
        self._is_answered = False
        self._is_in_prompt = False

    def compose(self) -> ComposeResult:
        with _Words():
            yield Static(clean(self.question.question.strip()), markup=False, classes="question--words")
        with _Choices(self._rows_for):
            yield Static(markup=False, classes="question--choices")
        field = AnswerField()
        field.display = False
        yield field
        yield Static(markup=False, classes="question--keys")

    def on_mount(self, event: events.Mount) -> None:
        self.query_one(_Choices).display = bool(self.question.choices)
        self._armed_at = event.time + self._arm_delay_s
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    def note_in_prompt(self, is_in_prompt: bool) -> None:
        """Whether an answer is being written in the prompt."""
        if self._is_in_prompt != is_in_prompt:
            self._is_in_prompt = is_in_prompt
            self._draw()

    # Answering

    def is_armed(self, time: float) -> bool:
        """Whether the question had been there for long enough when something happened."""
        return time >= self._armed_at

    def takes(self, event: events.Key) -> bool:
        """Whether the key would do something here, were it to come with the focus."""
        if not self.is_armed(event.time) or self._is_answered:
            return False
        return event.is_printable or (event.key == "enter" and bool(self.question.choices))

    def begin(self, event: events.Key) -> bool:
        """Open the field for a key that begins an answer, where no key alone is one. False where it does not."""
        if self.question.choices or not event.is_printable or not self.takes(event):
            return False
        self._write("")
        return True

    def on_key(self, event: events.Key) -> None:
        if not self.has_focus or not self.takes(event):
            return
        event.stop()
        event.prevent_default()
        choices = self.question.choices
        if event.key == "enter":
            self._answer(choices[self._chosen])
        elif event.key.isdecimal() and 1 <= int(event.key) <= len(choices):
            self._answer(choices[int(event.key) - 1])
        else:
            self._write(event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        if self.has_focus:
            event.stop()
            self._write("").on_paste(event)

    def on_answer_field_sent(self, event: AnswerField.Sent) -> None:
        event.stop()
        if event.text:
            self._answer(event.text)

    def action_back(self) -> None:
        """From the text back to the choices; from there, no answer."""
        field = self.query_one(AnswerField)
        if field.display and (field.text or self.question.choices):
            field.clear()
            field.display = False
            self.focus()
            self._draw()
        else:
            self._answer(None)

    def action_move(self, by: int) -> None:
        if self.question.choices:
            self._chosen = (self._chosen + by) % len(self.question.choices)
            self._draw()

    def action_scroll_question(self, how: str) -> None:
        getattr(self.query_one(_Words), f"scroll_{how}")(animate=False)

    def _answer(self, answer: str | None) -> None:
        if not self._is_answered:
            self._is_answered = True
            self.post_message(self.Answered(self.question.id, answer))

    def _write(self, text: str) -> AnswerField:
        """Begin an answer in one's own words. At once, so that the keys which follow go there too."""
        field = self.query_one(AnswerField)
        field.display = True
        self.screen.set_focus(field)
        field.write(text)
        self._draw()
        return field

    # What is shown

    def _draw(self) -> None:
        key = self.get_visual_style("question--key")
        self._draw_choices()
        pairs = [Content.styled(name, key) + f" {what}" for name, what in self._keys()]
        is_here = self._has_keys or self._is_in_prompt
        way = Content("") if is_here else Content.styled(_WAY_HERE, key)
        self.query_one(".question--keys", Static).update(way + Content(_GAP).join(pairs))

    def _draw_choices(self) -> None:
        """Whole, where there is room for all; else all but the marked one are cut to a line."""
        width = max(self.content_size.width - 6, 10)  # the margin, the marker, the number, and a scrollbar
        choices = [self._choice_lines(number, width) for number in range(len(self.question.choices))]
        if sum(map(len, choices)) > self._rows_for(self.screen.size.height):
            marked = self._chosen if self._is_marking else None
            choices = [lines if n == marked else _cut(lines, width) for n, lines in enumerate(choices)]
        lines = [line for choice in choices for line in choice]
        self.query_one(".question--choices", Static).update(Content("\n").join(lines))
        first = sum(map(len, choices[: self._chosen]))
        rows = Region(0, first, 1, len(choices[self._chosen])) if choices else Region()
        self.call_after_refresh(self.query_one(_Choices).scroll_to_region, rows, animate=False)

    def _choice_lines(self, number: int, width: int) -> list[Content]:
        """A choice behind its number, its further lines below its first words."""
        is_marked = number == self._chosen and self._is_marking
        words = Content(clean_line(self.question.choices[number], _LONGEST_CHOICE))
        if is_marked:
            words = words.stylize(self.get_visual_style("question--chosen"))
        head = Content("❯ " if is_marked else "  ")
        head += Content.styled(str(number + 1), self.get_visual_style("question--key")) + " "
        return [(Content("    ") if n else head) + line for n, line in enumerate(words.wrap(width))]

    def _rows_for(self, height: int) -> int:
        """How many rows the choices may take on a screen of this height: a line each, at least."""
        question = self.query_one(_Words).size.height
        return max(height - question - _ROWS_ELSEWHERE, len(self.question.choices))

    @property
    def _is_marking(self) -> bool:
        """Whether keys choose now. By the screen, which knows it before the widget does."""
        return self.screen.focused is self

    @property
    def _has_keys(self) -> bool:
        """Whether what is typed comes here."""
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors_with_self

    def _keys(self) -> list[tuple[str, str]]:
        choices = self.question.choices
        if self.query_one(AnswerField).display or self._is_in_prompt:
            return [("enter", "answer"), ("esc", "back")]
        write = ("type", "your own" if choices else "an answer")
        several = [(f"1-{len(choices)}" if len(choices) > 1 else "1", "choose"), ("enter", "the marked")]
        return [*(several if choices else []), write, ("esc", "no answer")]


def _cut(lines: list[Content], width: int) -> list[Content]:
    """The first line; that there are more is shown."""
    return lines if len(lines) == 1 else [lines[0].truncate(width + 3) + "…"]
