"""Where the user writes: it grows with the text, remembers what was said, and completes commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.binding import Binding
from textual.keys import Keys
from textual.message import Message
from textual.widgets import TextArea

from tui.core.text import clean
from tui.widgets.file_words import FileWord, file_word, written
from tui.widgets.history import History
from tui.widgets.pasted import as_lines, looks_like_image, readings

# Terminals without the kitty protocol send ESC CR for alt+enter, of which Textual would make a plain Enter.
cast(dict[str, object], ANSI_SEQUENCES_KEYS).setdefault("\x1b\r", (Keys.ControlJ,))
# The names with \r are Textual's for what xterm and tmux send with their extended keys.
NEWLINE_KEYS = {"ctrl+j", *(f"{held}+{key}" for held in ("shift", "alt", "ctrl") for key in ("enter", "\r"))}
_COMMAND = re.compile(r"/[\w-]*(?::\S*)?")
# ctrl+z suspends the program and ctrl+y goes to a waiting question; ctrl+c, ctrl+d, up and down are ours below.
_TAKEN = ("ctrl+z,", "ctrl+y,", "ctrl+c,", "delete,ctrl+d")

KEYS = (
    ("enter", "send; while the model works: queue"),
    ("shift+enter, alt+enter, ctrl+j", "new line"),
    ("up, down", "earlier messages, from the first and last line"),
    ("tab", "complete a command, or a file after @; an image is attached"),
    ("ctrl+v", "attach the image on the clipboard"),
    ("backspace", "take the last image off, on an empty prompt"),
    ("ctrl+c", "clear the text; on an empty prompt, twice: quit"),
    ("ctrl+d", "quit, on an empty prompt"),
    ("ctrl+underscore", "undo"),
)
"""For the help screen: what the keys do here, beside those that edit everywhere."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What can be typed, and what it does, in a line."""

    text: str
    help: str


class Prompt(TextArea, inherit_bindings=False, inherit_css=False):
    """A text area that sends on Enter.

    `commands` are what a text that begins with `/` is completed from. `take_back` is asked on Up in an empty prompt
    and gives back what was queued last, if anything.
    """

    BINDINGS: ClassVar = [
        *(
            binding
            for binding in TextArea.BINDINGS
            if isinstance(binding, Binding) and not binding.key.startswith(_TAKEN)
        ),
        Binding("delete", "delete_right", show=False),
        Binding("ctrl+d", "delete_right_or_leave", show=False),
        Binding("ctrl+underscore,super+z", "undo", show=False),
        Binding("ctrl+shift+z,super+y", "redo", show=False),
        Binding("ctrl+z", "app.suspend_process", show=False),
    ]
    COMPONENT_CLASSES = TextArea.COMPONENT_CLASSES
    # In place of the text area's own rules, which are made for frames and line numbers and cost 3 ms to read.
    DEFAULT_CSS = """
    Prompt { width: 1fr; height: auto; max-height: 33vh; pointer: text; }
    .text-area--cursor { color: $input-cursor-foreground; background: $input-cursor-background; }
    .text-area--selection { background: $input-selection-background; }
    .text-area--placeholder { color: $text-muted; }
    """

    class Submitted(Message):
        """The user sends `text`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Completing(Message):
        """The completions changed: `items` to choose from (none: close the list), `index` the chosen one."""

        def __init__(self, items: Sequence[Completion], index: int) -> None:
            super().__init__()
            self.items = items
            self.index = index

    class StruckEmpty(Message):
        """Enter or backspace, in a prompt without text."""

        def __init__(self, key: Literal["enter", "backspace"]) -> None:
            super().__init__()
            self.key = key

    class PathsPasted(Message):
        """What was pasted may be nothing but paths of images. If it is not, `write` has to be called with it."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class ClipboardWanted(Message):
        """What is on the system's clipboard shall be attached."""

    class FilesWanted(Message):
        """`offer_files` has to be called with the files whose path begins so."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class ImagePicked(Message):
        """This file, chosen from those offered, shall be attached."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class LeaveAsked(Message):
        """The user wants to quit."""

    def __init__(
        self, commands: Sequence[Completion] = (), take_back: Callable[[], str | None] = lambda: None, *, id: str
    ) -> None:
        super().__init__(id=id, highlight_cursor_line=False)
        self.cursor_blink = False  # a blinking cursor costs half of an idle program's CPU
        self.match_cursor_bracket = False
        self.past = History()
        self._commands = commands
        self._more_commands: Callable[[str], Sequence[Completion]] = lambda text: ()
        self._take_back = take_back
        self._items: list[Completion] = []
        self._index = 0
        self._resources: Sequence[str] = ()
        self._file: FileWord | None = None
        """The `@path` that is being written; the items are files then."""

    def offer_commands(
        self, commands: Sequence[Completion], more: Callable[[str], Sequence[Completion]] = lambda text: ()
    ) -> None:
        """Complete a text that begins with `/` from these, from now on, and from what `more` has for it then."""
        self._commands, self._more_commands = commands, more

    def put(self, text: str) -> None:
        """Show `text`, with the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)
        self._complete()

    def clear_into_past(self) -> bool:
        """Empty the prompt; Up brings the text back. True when the history has a new entry."""
        is_new = self.past.add(self.text)
        self.put("")
        return is_new

    def on_key(self, event: events.Key) -> None:
        if event.key in NEWLINE_KEYS:
            self._replace_via_keyboard("\n", *self.selection)
        elif event.key == "enter":
            self._enter()
        elif event.key == "tab" and self._items:
            self._accept(" ")
        elif event.key == "escape" and self._items:
            self._offer([])
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Terminals paste as a path what is dropped on them."""
        event.stop()
        event.prevent_default()
        text = as_lines(event.text)
        if readings(text):
            self.post_message(self.PathsPasted(text))
        else:
            self.write(text)

    def action_paste(self) -> None:
        """ctrl+v. Terminals paste words by other keys."""
        self.post_message(self.ClipboardWanted())

    def action_delete_left(self) -> None:
        if self.text:
            super().action_delete_left()
        else:
            self.post_message(self.StruckEmpty("backspace"))

    def write(self, text: str) -> None:
        """Put text where the cursor is, in place of what is selected; its controls are made visible."""
        text = clean(text)
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._complete()

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not (self._items or self.navigator.is_first_wrapped_line(self.cursor_location)):
            super().action_cursor_up(select)
        elif self._items:
            self._offer(self._items, self._index - 1)
        elif not self.text and (queued := self._take_back()):
            self.put(queued)
        elif (older := self.past.back(self.text)) is not None:
            self._show_past(older)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not (self._items or self.navigator.is_last_wrapped_line(self.cursor_location)):
            super().action_cursor_down(select)
        elif self._items:
            self._offer(self._items, self._index + 1)
        elif (newer := self.past.forward()) is not None:
            self._show_past(newer)

    def action_delete_right_or_leave(self) -> None:
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.LeaveAsked())

    def offer_files(self, path: str, found: Sequence[str], resources: Sequence[str] = ()) -> None:
        """Offer what begins with `path`, if that is still what is being written; `resources` keep their `@`."""
        if self._file is not None and self._file.path == path:
            self._resources = resources
            notes = {name: "attach this image" if looks_like_image(name) else "" for name in found}
            notes |= dict.fromkeys(resources, "a resource of a server")
            self._offer([Completion(name, note) for name, note in notes.items()])

    def _enter(self) -> None:
        if self._items and self._file is not None:
            self._accept(" ")
            return
        if self._items and not self._items[self._index].text.startswith(self.text):
            self._complete()  # keys that came together: what is offered is not yet what was typed
        is_whole = self._index == 0 and any(item.text == self.text for item in self._items)
        if self._items and not is_whole:
            self._accept("")
        if self.text.strip():
            self.post_message(self.Submitted(self.text))
        else:
            self.post_message(self.StruckEmpty("enter"))

    def _accept(self, ending: str) -> None:
        if self._file is not None:
            self._accept_file(self._file, self._items[self._index].text)
            return
        text = self._items[self._index].text
        text += "" if text.endswith(":") else ending
        self._offer([])
        self.load_text(text)
        self.move_cursor(self.document.end)

    def _accept_file(self, word: FileWord, path: str) -> None:
        """An image is attached and its word goes; a folder is looked into; the path of another file stays."""
        row, column = self.cursor_location
        is_resource = path in self._resources
        is_image = looks_like_image(path) and not is_resource
        is_begun = path.endswith("/") or (is_resource and path.endswith(":"))
        text = "" if is_image else f"@{path}" if is_begun else f"@{path} " if is_resource else f"{written(path)} "
        self._offer([])
        self._file = None
        if result := self._replace_via_keyboard(text, (row, word.start), (row, column)):
            self.move_cursor(result.end_location)
        if is_image:
            self.post_message(self.ImagePicked(path))

    def _show_past(self, text: str) -> None:
        """An entry of the history: walking on must not stop at the completions of an old command."""
        self.load_text(text)
        self.move_cursor(self.document.end)
        self._offer([])

    def _complete(self) -> None:
        text = self.document.get_line(0) if self.document.line_count == 1 else ""  # joining a long paste takes a while
        row, column = self.cursor_location
        self._file = None if self.past.is_walking else file_word(self.document.get_line(row), column)
        if self._file is not None:
            self.post_message(self.FilesWanted(self._file.path))
        elif self.past.is_walking or not _COMMAND.fullmatch(text):
            self._offer([])
        else:
            found = (*self._commands, *self._more_commands(text))
            self._offer([item for item in found if item.text.startswith(text)])

    def _offer(self, items: list[Completion], index: int = 0) -> None:
        if not items and not self._items:
            return
        self._items = items
        self._index = index % len(items) if items else 0
        self.post_message(self.Completing(items, self._index))
