"""Source code as spans in the theme's colours, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.style import Style

from tui.widgets.transcript import engines
from tui.widgets.transcript.lines import TAB_CELLS, Span
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.piece import Fence
from tui.widgets.transcript.stack import Pen

START = ("root",)
# From Pygments' token types, the most telling part first.
_STYLES = (
    ("Comment", "comment"),
    ("Keyword.Type", "type_name"),
    ("Keyword.Constant", "number"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Function", "function"),
    ("Name.Class", "type_name"),
    ("Name.Decorator", "function"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "function"),
    ("Name.Builtin", "type_name"),
    ("Name.Exception", "type_name"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Generic.Inserted", "added"),
    ("Generic.Deleted", "removed"),
    ("Generic.Heading", "keyword"),
    ("Generic.Subheading", "keyword"),
    ("Generic.Prompt", "comment"),
    ("Operator", "operator"),
    ("Punctuation", "operator"),
)


def state_before(fence: Fence, number: int, pen: Pen) -> tuple[str, ...] | None:
    """The lexer's state before a piece of a code block; None while what is above it is still being read.

    `fence.states[i]` is the state before piece i + 1; what is missing is found in this slice and the next ones.
    """
    lexer = engines.lexer(fence.language)
    if number == 0 or lexer is None or not _keeps_state(lexer):
        return START
    while len(fence.states) < number:
        if pen.late():
            pen.unfinished = True
            return None
        known = len(fence.states)
        stack = list(fence.states[-1] if known else START)
        for _ in _tokens(lexer, fence.parts[known], stack):
            pass
        fence.states.append(tuple(stack))
    return fence.states[number - 1]


def highlight(
    text: str, language: str, palette: Palette, state: tuple[str, ...] = START
) -> tuple[list[list[Span]], tuple[str, ...]]:
    """The lines of `text` as spans, and the lexer's state after them, for the next piece of the same block."""
    lexer = engines.lexer(language)
    if lexer is None:
        return [[Span(line.expandtabs(TAB_CELLS), palette.code)] for line in text.split("\n")], START
    stack = list(state)
    lines: list[list[Span]] = [[]]
    for kind, value in _tokens(lexer, text, stack):
        style = _style(kind, palette)
        first, *others = value.split("\n")
        if first:
            lines[-1].append(Span(first, style))
        for other in others:
            lines.append([Span(other, style)] if other else [])
    return [_expanded(line) for line in lines], tuple(stack)


def _tokens(lexer: Any, text: str, stack: list[str]) -> Iterator[tuple[Any, str]]:
    if _keeps_state(lexer):
        return _regex_tokens(lexer, text, stack)
    return ((kind, value) for _, kind, value in lexer.get_tokens_unprocessed(text))


def _keeps_state(lexer: Any) -> bool:
    """Does it read text as all lexers of its kind, so that a later piece can go on from a state?"""
    from pygments.lexer import RegexLexer  # type: ignore[import-untyped]

    return bool(type(lexer).get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed)


def _regex_tokens(lexer: Any, text: str, stack: list[str]) -> Iterator[tuple[Any, str]]:
    """`RegexLexer.get_tokens_unprocessed` (Pygments 2.19), but `stack` is the caller's, so that a later piece goes on.

    One loop as there, because it runs for each token.
    """
    from pygments.token import Error, Text, _TokenType  # type: ignore[import-untyped]

    definitions = lexer._tokens
    rules = definitions[stack[-1]]
    place = 0
    while True:
        for match_at, action, new_state in rules:
            match = match_at(text, place)
            if match is None:
                continue
            if type(action) is _TokenType:
                yield action, match.group()
            elif action is not None:
                for _, kind, value in action(lexer, match):
                    yield kind, value
            place = match.end()
            if new_state is not None:
                _move(stack, new_state)
                rules = definitions[stack[-1]]
            break
        else:
            if place >= len(text):
                return
            if text[place] == "\n":
                stack[:] = START
                rules = definitions["root"]
                yield Text, "\n"
            else:
                yield Error, text[place]
            place += 1


def _move(stack: list[str], new_state: Any) -> None:
    if isinstance(new_state, int):
        del stack[max(len(stack) + new_state, 1) :]  # "#pop" is -1; the root stays
        return
    for state in new_state if isinstance(new_state, tuple) else (new_state,):
        if state == "#pop":
            if len(stack) > 1:
                stack.pop()
        else:
            stack.append(stack[-1] if state == "#push" else state)


_names: dict[Any, str] = {}


def _style(kind: Any, palette: Palette) -> Style:
    name = _names.get(kind)
    if name is None:
        text = str(kind).removeprefix("Token.")
        name = _names[kind] = next((ours for theirs, ours in _STYLES if text.startswith(theirs)), "code")
    style: Style = getattr(palette, name)
    return style


def _expanded(line: list[Span]) -> list[Span]:
    """Tabs as spaces: a terminal would jump over them without painting."""
    column = 0
    for span in line:
        if "\t" in span.text:
            span.text = (" " * (column % TAB_CELLS) + span.text).expandtabs(TAB_CELLS)[column % TAB_CELLS :]
        column += len(span.text)
    return line
