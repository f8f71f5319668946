"""Why a piece of text is not in a file although the model thinks so: told so that its next try can be right."""

from __future__ import annotations

import re

from tui.tools.loose import indent_words

_NUMBERED = re.compile(r"\s*\d+\t")
_TYPOGRAPHIC = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u00a0": " "}
)
_SHOWN_LINES = 20
_LINE_CHARACTERS = 300


def why_not_found(old: str, text: str, called: str = "`old`") -> str:
    """One or two sentences: what differs (white space, quotes, case, line numbers) and the file's own text there.

    `called` is what they call `old`.
    """
    wanted, lines = old.split("\n"), text.replace("\r\n", "\n").split("\n")
    if all(_NUMBERED.match(line) for line in wanted if line) and re.sub(r"(?m)^\s*\d+\t", "", old) in text:
        return "Leave out the line numbers and tabs that read_file puts before each line."
    # Blank first and last lines are left out: whether they are there is itself a difference in white space.
    while wanted and not wanted[0].strip():
        wanted = wanted[1:]
    while wanted and not wanted[-1].strip():
        wanted = wanted[:-1]
    if not wanted:
        return "It is only white space, and there is no such run of white space in the file."
    for normal, difference in ((_spaces, ""), (_quotes, "in its quotes, dashes or spaces"), (_letters, "in case")):
        if (at := _window([normal(line) for line in wanted], [normal(line) for line in lines])) is not None:
            found = lines[at : at + len(wanted)]
            difference = difference or _white_space(wanted, found, called)
            return f"The text at line {at + 1} differs only {difference}:{_shown(found)}"
    return _nearest(wanted, lines)


def _window(wanted: list[str], lines: list[str]) -> int | None:
    """Where `wanted` stands in `lines`: the first and the last line of it may be parts of lines."""
    first, last, count = wanted[0], wanted[-1], len(wanted)
    for at in range(len(lines) - count + 1):
        if count == 1:
            if first in lines[at]:
                return at
        elif (
            lines[at].endswith(first)
            and lines[at + count - 1].startswith(last)
            and lines[at + 1 : at + count - 1] == wanted[1:-1]
        ):
            return at
    return None


def _spaces(line: str) -> str:
    return " ".join(line.split())


def _quotes(line: str) -> str:
    return _spaces(line.translate(_TYPOGRAPHIC))


def _letters(line: str) -> str:
    return _quotes(line).casefold()


def _white_space(wanted: list[str], found: list[str], called: str) -> str:
    """What kind of white space differs in the first line where some does."""
    for ours, theirs in zip(wanted, found, strict=True):
        mine, its = (line[: len(line) - len(line.lstrip())] for line in (ours, theirs))
        if mine != its and ours.lstrip() == theirs.lstrip():
            return f"in indentation: the file has {indent_words(its)} where {called} has {indent_words(mine)}"
        if ours.rstrip() == theirs.rstrip() and ours != theirs:
            where = "the file" if len(theirs) > len(ours) else called
            return f"in white space at a line's end, which {where} has"
        if ours != theirs:
            return "in white space" + (" (the file has tabs there)" if "\t" in theirs.strip() else "")
    return "in blank lines before or after it"


def _nearest(wanted: list[str], lines: list[str]) -> str:
    from rapidfuzz import fuzz, process

    telling = max(wanted, key=lambda line: len(line.strip()))
    if not (match := process.extractOne(telling, lines, scorer=fuzz.ratio, score_cutoff=50)):
        return "Nothing in the file is like it: read the file again."
    line, _, at = match
    return f"The nearest line to it is line {at + 1}:{_shown([line])}Read the file again and copy from it."


def _shown(found: list[str]) -> str:
    cut = [line if len(line) <= _LINE_CHARACTERS else line[:_LINE_CHARACTERS] + "…" for line in found[:_SHOWN_LINES]]
    more = ["…"] if len(found) > _SHOWN_LINES else []
    return "\n```\n" + "\n".join([*cut, *more]) + "\n```\n"
