"""Inline markdown (emphasis, code, links) as styled spans."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.style import Style

from tui.core.text import clean
from tui.widgets.transcript.lines import TAB_CELLS, Span
from tui.widgets.transcript.palette import Palette

if TYPE_CHECKING:
    from markdown_it.token import Token

OPENABLE = frozenset(("http", "https", "mailto", "file"))
_BARE_LINK = re.compile(r"https?://[^\s<>\"'`|\\^{}]*[^\s<>\"'`|\\^{}.,;:!?()\[\]*_]")
_LOOKS_LIKE_LINK = re.compile(r"^(?:[a-z]+://)?[\w-]+(?:\.[\w-]+)+(?:[/:]\S*)?$", re.IGNORECASE)


def openable(address: str) -> bool:
    """May a click open it? Nothing that runs code or talks to another program."""
    return address.partition(":")[0].lower() in OPENABLE and ":" in address


def spans_of(tokens: list[Token], palette: Palette, base: Style) -> list[Span]:
    """The children of an inline token as spans. Line breaks of the source stay: models do not wrap their lines."""
    return _Inline(palette, base).run(tokens)


class _Inline:
    def __init__(self, palette: Palette, base: Style) -> None:
        self.palette = palette
        self.base = base
        self.spans: list[Span] = []
        self.depth = {"strong": 0, "em": 0, "s": 0}
        self.link: str | None = None
        self.link_text = ""

    def run(self, tokens: list[Token]) -> list[Span]:
        for token in tokens:
            kind = token.type
            if kind == "text" or kind == "text_special" or kind == "html_inline":
                self.text(token.content)
            elif kind == "code_inline":
                self.add(token.content, self.palette.inline_code)
            elif kind == "softbreak" or kind == "hardbreak":
                self.spans.append(Span("\n", self.base))
            elif kind == "link_open":
                self.open_link(str(token.attrs.get("href", "")))
            elif kind == "link_close":
                self.close_link()
            elif kind == "image":
                self.add(f"[{token.content or 'image'}]", self.style(), clean(str(token.attrs.get("src", ""))))
            elif kind.endswith("_open"):
                self.depth[kind[:-5]] += 1
            elif kind.endswith("_close"):
                self.depth[kind[:-6]] -= 1
        return self.spans

    def style(self) -> Style:
        style = self.base
        if any(self.depth.values()):
            strong, em, s = self.depth["strong"] > 0, self.depth["em"] > 0, self.depth["s"] > 0
            style = style + Style(bold=strong or None, italic=em or None, strike=s or None)
        return style

    def add(self, text: str, style: Style, link: str | None = None) -> None:
        link = self.link if self.link is not None else link
        text = clean(text).expandtabs(TAB_CELLS)
        if link is not None and openable(link):
            style = style + Style(color=self.palette.link.color, underline=True)
            self.spans.append(Span(text, style, link))
        else:
            self.spans.append(Span(text, style))
        self.link_text += text

    def text(self, text: str) -> None:
        if self.link is not None or "://" not in text:
            self.add(text, self.style())
            return
        place = 0
        for match in _BARE_LINK.finditer(text):
            self.add(text[place : match.start()], self.style())
            self.add(match[0], self.style(), clean(match[0]))
            place = match.end()
        self.add(text[place:], self.style())

    def open_link(self, address: str) -> None:
        self.link = clean(address)
        self.link_text = ""

    def close_link(self) -> None:
        """A text that pretends to be another address is followed by the real one; so is one that cannot be opened."""
        link, self.link = self.link or "", None
        text = self.link_text.strip()
        if (
            link
            and text != link
            and (not openable(link) or (_LOOKS_LIKE_LINK.match(text) and _host(text) != _host(link)))
        ):
            self.add(f" ({link})", self.palette.muted)


def _host(address: str) -> str:
    try:
        return (urlsplit(address if "://" in address else f"http://{address}").hostname or "").removeprefix("www.")
    except ValueError:
        return address
