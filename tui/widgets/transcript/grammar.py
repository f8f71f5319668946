"""The rules of CommonMark (with tables) by which a single line begins, continues or ends a block."""

from __future__ import annotations

import re

FENCE = re.compile(r" {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))$")
HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
ITEM = re.compile(r"( {0,3})(?:([-+*])|(\d{1,9})([.)]))(?:([ \t]+)(?=\S)|[ \t]*$)")
DASHES = re.compile(r" {0,3}(?!-[ \t])[-:|][-:| \t]+$")
_COLUMN = re.compile(r"[ \t]*:?-+:?[ \t]*$")
_PIPE = re.compile(r"(?<!\\)\|")
_DEFINITION = re.compile(r" {0,3}\[[^\]\n]+\]:")


def closes(line: str, mark: str) -> bool:
    """Is the line the end of a code block that began with `mark`?"""
    bare = line.strip()
    return bare.startswith(mark) and not bare.strip(mark[0]) and leading_cells(line) < 4


def dedented(source: str, spaces: int) -> str:
    """The lines with up to so many spaces less at their start."""
    if not spaces:
        return source
    return "\n".join(line[min(spaces, len(line) - len(line.lstrip(" "))) :] for line in source.split("\n"))


def definitions_in(source: str) -> bool:
    """May the block define links that other blocks refer to?"""
    return "]:" in source and any(_DEFINITION.match(line) for line in source.split("\n"))


def interrupts(line: str, indent: int) -> bool:
    """Does the line begin a block though a paragraph stands above it?"""
    if indent >= 4:
        return False
    first = line[indent]
    if first == ">":
        return True
    if first in "`~":
        return FENCE.match(line) is not None
    if first == "#":
        return HEADING.match(line) is not None
    if first in "*-_" and RULE.match(line):
        return True
    if first in "*-+" or first.isdigit():
        item = ITEM.match(line)
        return item is not None and item[5] is not None and (item[2] is not None or int(item[3]) == 1)
    return False


def marker_of(item: re.Match[str]) -> str:
    return item[2] or item[4]


def content_indent(item: re.Match[str]) -> int:
    """From which column on a line belongs to the item."""
    marker = len(item[1]) + len(item[2] or item[3] + item[4])
    space = leading_cells(item[5]) if item[5] else 1
    return marker + (space if space <= 4 else 1)


def leading_cells(line: str) -> int:
    """Columns of white space at the start of a line; a tab goes to the next multiple of four."""
    columns = 0
    for character in line:
        if character == " ":
            columns += 1
        elif character == "\t":
            columns += 4 - columns % 4
        else:
            break
    return columns


def _cells_of(row: str) -> list[str]:
    cells = _PIPE.split(row.strip())
    return cells[1 if not cells[0] else 0 : -1 if len(cells) > 1 and not cells[-1] else None]


def is_head(header: str, dashes: str) -> bool:
    """Is this the head of a table, with the row of dashes under it?"""
    columns = _cells_of(dashes)
    return "|" in header and all(map(_COLUMN.match, columns)) and len(_cells_of(header)) == len(columns)
