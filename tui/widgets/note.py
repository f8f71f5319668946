"""A word from the program to the user, above the prompt: what went wrong with a command, or what a key did."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.text import clean


class Note(Widget, can_focus=False):
    """Hidden while there is nothing to say. The text is shown as it is, cleaned, never as markup."""

    DEFAULT_CSS = "Note { height: auto; max-height: 6; display: none; } Note.-open { display: block; }"
    COMPONENT_CLASSES = {"note--hint"}

    texts: reactive[tuple[str, str]] = reactive(("", ""), layout=True)

    def say(self, text: str, hint: str = "", is_error: bool = False) -> None:
        self.texts = (clean(text), clean(hint))
        self.set_class(is_error, "-failed")
        self.set_class(bool(text), "-open")

    def clear_text(self) -> None:
        self.say("")

    def render(self) -> Content:
        text, hint = self.texts
        if not hint:
            return Content(text)
        return Content(text + "\n") + Content.styled(hint, self.get_visual_style("note--hint"))
