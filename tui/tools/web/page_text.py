"""What a page says, as text for a model: HTML as Markdown, other text as it is. Blocking; nothing of it is run."""

from __future__ import annotations

import codecs
import re

from tui.tools.encodings import guess_encoding
from tui.tools.output import plain

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_.:-]{1,40})""")
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_META_BYTES = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LATIN = ("iso8859-1", "ascii")
"""What says so is Windows-1252 in practice, and so it is read by browsers."""
_NO_CHARSETS = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,500})", re.IGNORECASE)
_LEFT_OUT = ["script", "style", "template", "noscript", "svg", "iframe", "object", "embed", "img", "video", "audio"]

_CONTROLS = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_INVISIBLE = (0xAD, 0x200B, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF, *range(0xE0000, 0xE0080))
_UNSEEN = dict.fromkeys((*_CONTROLS, *_INVISIBLE))
"""Controls, and what a person who looks at the page would not see: orders to a model hide there."""


def decoded(body: bytes, content_type: str) -> str:
    """The body as text: by its byte order mark, the header, what it says itself, or as it looks."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body.decode(name, "replace")
    head = body[:_META_BYTES]
    named = _HEADER.search(content_type)
    inside = _META.search(head) or _XML.search(head)
    for label in (named and named[1], inside and inside[1].decode("ascii")):
        if label and (charset := _charset(label)):
            return body.decode(charset, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(body) - 3:  # a character at the cut
            return body[: error.start].decode()
    return body.decode(guess_encoding(body) or "cp1252", "replace")


def _charset(label: str) -> str | None:
    """The codec for a page's word; None for what is not known or no encoding of text."""
    try:
        name = codecs.lookup(label).name
        "".encode(name)
    except (LookupError, UnicodeError):
        return None
    if name in _NO_CHARSETS:
        return None
    return "cp1252" if name in _LATIN else name


def markdown(html: str, url: str) -> tuple[str, str]:
    """The title and the text of an HTML page, without what it does not show, links as whole addresses."""
    import html as entities

    from html_to_markdown import ConversionOptions, convert

    title = _TITLE.search(html)
    options = ConversionOptions(extract_metadata=False, base_url=url, exclude_selectors=_LEFT_OUT, bullets="-")
    try:
        text = convert(html, options).content or ""
    except Exception as error:  # the library raises what its parser finds, and a panic of it is no reason to end a turn
        text = f"[The page could not be taken apart: {type(error).__name__}]"
    return (entities.unescape(title[1]).strip() if title else ""), text


def seen(text: str) -> str:
    """`text` without controls, escape sequences and what cannot be seen."""
    return plain(text).translate(_UNSEEN).strip()
