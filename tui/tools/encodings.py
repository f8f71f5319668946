"""Which encoding text is in that is not UTF-8: guessed, but so that it can be written back as it was."""

from __future__ import annotations

_GUESSED = ["gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254"]
_OF_CHINESE = ("big5", "cp949", "euc_jp")
"""What few characters of GB 18030 are easily taken for, which is far more common."""
_FEW_BYTES = 3
_SHORT_BYTES = 32
_SAMPLE_BYTES = 64 * 1024


def is_mostly_utf8(text: str) -> bool:
    """Whether text decoded as UTF-8 with `surrogateescape` is that, with some bytes in it that are not."""
    broken = sum("\udc80" <= character <= "\udcff" for character in text)
    return sum(not character.isascii() for character in text) > 4 * broken


def guess_encoding(data: bytes) -> str:
    """The likely encoding of `data`, which is not UTF-8; decoding and encoding by it gives the same bytes again.

    Only lines that are not ASCII are looked at, since those that are tell nothing and drown what others tell.
    """
    from charset_normalizer import from_bytes

    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
    count = sum(byte > 127 for byte in telling)
    found = [match.encoding for match in from_bytes(telling, cp_isolation=_GUESSED, enable_fallback=False)]
    if count < _FEW_BYTES:
        found = ["cp1252"]
    elif count < _SHORT_BYTES and "gb18030" in found and found[0] in _OF_CHINESE:
        found = ["gb18030"]
    elif found[:1] == ["cp1250"] and "cp1252" in found:
        found = ["cp1252"]
    for encoding in [*found[:1], "cp1252"]:
        if _is_kept_by(encoding, data):
            # What is Western is mostly also right in the encodings of neighbours.
            is_western = encoding != "cp1252" and _decoded(data, "cp1252") == _decoded(data, encoding)
            return "cp1252" if is_western else encoding
    return "latin-1"


def _is_kept_by(encoding: str, data: bytes) -> bool:
    text = _decoded(data, encoding)
    try:
        return text is not None and text.encode(encoding) == data
    except UnicodeEncodeError:
        return False


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
