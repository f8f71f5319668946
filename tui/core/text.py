"""The one door for untrusted text: model output, tool output, file names, server errors and titles.

It works character by character, so it may be applied to any cutting of a text: `clean(a + b) == clean(a) + clean(b)`.
Markup is harmless because widgets never parse what comes through here (`markup=False`, `Text`, `Content`).
"""

from __future__ import annotations

import re
import unicodedata

# Bidirectional embeddings, overrides and isolates (UAX #9) can make a command read as another one.
# Plain marks (LRM, RLM) and joiners (emoji) stay: `reveal` shows them where it matters.
_OVERRIDES = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_BLANKS = "\u115f\u1160\u2028\u2029\u2800\u3164\uffa0"
"""Letters and separators that look like nothing."""


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}  # ESC becomes ␛
    table |= {0x7F: "\u2421"}
    table |= {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    table |= {code: f"\\u{code:04x}" for code in _OVERRIDES}
    return table | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


_TABLE = _table()
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Any of them, as ranges: made of the table it takes 2 ms of the program's start."""


def clean(text: str) -> str:
    """`text` with controls, bidirectional overrides and unpaired surrogates made visible; plain text as it was."""
    return text.translate(_TABLE) if _HARMFUL.search(text) else text


def reveal(text: str) -> str:
    """`clean`, and what cannot be seen made visible too: for what the user is asked to allow."""
    return "".join(_escaped(char) if _is_invisible(char) else char for char in clean(text))


def _is_invisible(char: str) -> bool:
    return not char.isascii() and (char in _BLANKS or unicodedata.category(char) in ("Cf", "Co", "Cn"))


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def clean_line(text: str, limit: int = 200) -> str:
    """`text` on one line of at most `limit` characters, for titles, names and status lines."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def reveal_line(text: str, limit: int = 200) -> str:
    """`clean_line` for what is run: ends of lines are shown as ⏎, and what cannot be seen as by `reveal`."""
    rows = (" ".join(row.split()) for row in reveal(text).split("\n"))
    line = "⏎".join(row for row in rows if row)
    return line if len(line) <= limit else line[: limit - 1] + "…"
