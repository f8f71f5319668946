"""A question of the model's, above the prompt: answers to choose from, and room for one's own words."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.core.events import QuestionAsked
from tui.core.text import clean, clean_line

_ARM_DELAY_S = 0.3
"""A key that was struck sooner than this after the question appeared was meant for something else."""
_GAP = "   "
_WAY_HERE = "ctrl+y, then "


class _Words(VerticalScroll, can_focus=False):
    """The question, a quarter of the screen at most: an automatic height knows nothing of `max-height`."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(super().get_content_height(container, viewport, width), max(viewport.height // 4, 2))


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
        & Input, & Input:focus {
            height: 1;
            margin: 0 0 0 1;
            padding: 0 1;
            border: none;
            background: $surface;
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

    def compose(self) -> ComposeResult:
        with _Words():
            yield Static(clean(self.question.question.strip()), markup=False, classes="question--words")
        yield Static(markup=False, classes="question--choices")
        field = Input(placeholder="your answer", select_on_focus=False)
        field.cursor_blink = False
        field.display = False
        yield field
        yield Static(markup=False, classes="question--keys")

    def on_mount(self, event: events.Mount) -> None:
        self.query_one(".question--choices").display = bool(self.question.choices)
        self._armed_at = event.time + self._arm_delay_s
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_focus(self) -> None:
        self._draw()

    def on_blur(self) -> None:
        self._draw()

    # Answering

    def takes(self, event: events.Key) -> bool:
        """Whether the key would do something here, were it to come with the focus."""
        if event.time < self._armed_at or self._is_answered:
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
            self._write(" ".join(event.text.split()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if words := event.value.strip():
            self._answer(words)

    def action_back(self) -> None:
        """From the text back to the choices; from there, no answer."""
        field = self.query_one(Input)
        if field.display and (field.value or self.question.choices):
            field.value = ""
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

    def _write(self, text: str) -> None:
        """Begin an answer in one's own words. At once, so that the keys which follow go there too."""
        field = self.query_one(Input)
        field.display = True
        self.screen.set_focus(field)
        field.insert_text_at_cursor(text)
        self._draw()

    # What is shown

    def _draw(self) -> None:
        key = self.get_visual_style("question--key")
        width = max(self.content_size.width - 5, 10)
        lines = []
        for number, choice in enumerate(self.question.choices):
            is_chosen = number == self._chosen and self.has_focus
            words = clean_line(choice, width)
            label = Content.styled(words, self.get_visual_style("question--chosen")) if is_chosen else Content(words)
            lines.append(Content("❯ " if is_chosen else "  ") + Content.styled(str(number + 1), key) + " " + label)
        self.query_one(".question--choices", Static).update(Content("\n").join(lines))
        pairs = [Content.styled(name, key) + f" {what}" for name, what in self._keys()]
        way = Content("") if self.has_focus_within else Content.styled(_WAY_HERE, key)
        self.query_one(".question--keys", Static).update(way + Content(_GAP).join(pairs))

    def _keys(self) -> list[tuple[str, str]]:
        choices = self.question.choices
        if self.query_one(Input).display:
            return [("enter", "answer"), ("esc", "back")]
        write = ("type", "your own" if choices else "an answer")
        several = [(f"1-{len(choices)}" if len(choices) > 1 else "1", "choose"), ("enter", "the marked")]
        return [*(several if choices else []), write, ("esc", "no answer")]
