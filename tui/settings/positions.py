"""The line of each key of a TOML text. `tomllib` keeps none, and they are needed only when something is wrong."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from tui.settings.checking import Key

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_NAME = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # a text in three quotes may end with one or two of its own
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^,\]}#\n]+",  # numbers, booleans, and dates, which may have a space inside
    re.DOTALL,
)


def key_lines(text: str) -> dict[Key, int]:
    """The line (from 1) on which each key, table and list item of `text` is first written.

    `text` is valid TOML with `\\n` at its line ends: `tomllib` has parsed it before, so nothing is checked here.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[Key, int] = {}
        self.lengths: dict[Key, int] = {}
        """How many `[[...]]` headers each array of tables has had so far."""

    def document(self) -> None:
        table: Key = ()
        while self.skip_blank():
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Key:
        line = self.line()
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        names = self.names()
        self.at += brackets
        table: Key = ()
        for name in names[:-1]:
            table = self.note((*table, name), line)
            if table in self.lengths:  # [a.b] after [[a]] is a table of its last item
                table = (*table, self.lengths[table] - 1)
        table = self.note((*table, names[-1]), line)
        if brackets == 2:
            self.lengths[table] = self.lengths.get(table, 0) + 1
            table = self.note((*table, self.lengths[table] - 1), line)
        return table

    def pair(self, table: Key) -> None:
        line = self.line()
        for name in self.names():
            table = self.note((*table, name), line)
        self.at += 1  # the equals sign
        self.skip_blank()
        self.value(table)

    def value(self, key: Key) -> None:
        match self.text[self.at]:
            case "[":
                self.at += 1
                index = 0
                while self.skip_to_item("]"):
                    self.value(self.note((*key, index), self.line()))
                    index += 1
            case "{":
                self.at += 1
                while self.skip_to_item("}"):
                    self.pair(key)
            case _:
                self.take(_SCALAR)

    def names(self) -> list[str]:
        """The parts of a dotted key; leaves `at` behind it."""
        parts = [_unquoted(self.take(_NAME))]
        while self.text[self.at] == ".":
            self.at += 1
            parts.append(_unquoted(self.take(_NAME)))
        return parts

    def skip_to_item(self, closing: str) -> bool:
        """Go to the next item of a list or inline table; False behind its closing bracket."""
        self.skip_blank()
        if self.text[self.at] == ",":
            self.at += 1
            self.skip_blank()
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

    def skip_blank(self) -> bool:
        """Go to what comes next; False at the end of the text."""
        self.take(_BLANK)
        return self.at < len(self.text)

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        assert found, "valid TOML has what is looked for"
        self.at = found.end()
        return found.group(found.lastindex or 0)

    def note(self, key: Key, line: int) -> Key:
        self.lines.setdefault(key, line)
        return key

    def line(self) -> int:
        return bisect_right(self.ends, self.at - 1) + 1


def _unquoted(name: str) -> str:
    if name[0] not in "\"'":
        return name
    return str(tomllib.loads(f"x = {name}")["x"])
