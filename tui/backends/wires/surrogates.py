"""Characters that a server cut in two: beyond U+FFFF they are pairs in UTF-16, and JSON can carry the halves."""

from __future__ import annotations

import json
import re

from tui.core.messages import Json

_HALF = re.compile("[\ud800-\udfff]")


def mend(text: str) -> str:
    """`text` with halves that belong together joined, and lone ones replaced by U+FFFD."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def split_open(text: str) -> tuple[str, str]:
    """`text` without, and with only, the half of a character at its end whose other half may follow."""
    return (text[:-1], text[-1]) if text and "\ud800" <= text[-1] <= "\udbff" else (text, "")


def mend_all(value: Json) -> Json:
    """An object with every text in it mended."""
    text = json.dumps(value, ensure_ascii=False)
    if not _HALF.search(text):
        return value
    mended: Json = json.loads(mend(text))
    return mended
