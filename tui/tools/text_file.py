"""Text files as tools see them: told from binary ones, decoded, and encoded again as they were."""

from __future__ import annotations

import codecs
import mimetypes
import os
import stat
from pathlib import Path
from typing import NamedTuple

from tui.tools.encodings import guess_encoding, is_mostly_utf8
from tui.tools.errors import ToolError
from tui.tools.opening import open_regular
from tui.tools.paths import missing, shown

EDIT_LIMIT_BYTES = 16 * 1024 * 1024
"""Larger files are not edited, and shown only in parts."""

SAMPLE_BYTES = 8192

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive (or a document, jar or wheel)"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x7fELF", "ELF program or library"),
    (b"\xcf\xfa\xed\xfe", "Mach-O program or library"),
    (b"MZ", "Windows program or library"),
    (b"\x00asm", "WebAssembly module"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"GGUF", "GGUF model"),
)


class TextFile(NamedTuple):
    """What is in a text file: `text` without the byte order mark `bom`, line ends as they are."""

    text: str
    encoding: str
    bom: bytes = b""
    errors: str = "strict"
    """`surrogateescape` where the file is UTF-8 with some bytes in it that are not."""


def regular_file(path: Path, folder: Path) -> os.stat_result:
    """The state of a file that can be read. Raises ToolError for what is missing, a folder, a pipe, a device."""
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise missing(path, folder) from None
    if stat.S_ISDIR(state.st_mode):
        raise ToolError(f"{shown(path, folder)} is a folder: use list_files.")
    if not stat.S_ISREG(state.st_mode):  # opening a pipe would wait for its other end
        raise ToolError(f"{shown(path, folder)} is not a regular file.")
    return state


def load(path: Path, folder: Path) -> TextFile:
    """The whole of a text file that is small enough to edit. Raises ToolError, OSError."""
    state = regular_file(path, folder)
    if state.st_size > EDIT_LIMIT_BYTES:
        raise ToolError(
            f"{shown(path, folder)} has {size_words(state.st_size)}, which is too large to edit: use run_command."
        )
    with open_regular(path) as file:
        data = file.read(EDIT_LIMIT_BYTES + 1)
    refuse_binary(path, folder, data[:SAMPLE_BYTES], state.st_size)
    return decode(data)


def refuse_binary(path: Path, folder: Path, sample: bytes, size_bytes: int) -> None:
    """Raise ToolError if `sample`, the beginning of a file, is not text."""
    if b"\0" not in sample or bom_of(sample)[0]:
        return
    kind = next((kind for magic, kind in _MAGIC if sample.startswith(magic)), None)
    kind = kind or mimetypes.guess_type(path.name)[0] or "unknown type"
    raise ToolError(f"{shown(path, folder)} is a binary file ({kind}, {size_words(size_bytes)}).")


def refuse_pdf(path: Path, folder: Path, sample: bytes, size_bytes: int) -> None:
    """Raise ToolError for a PDF document, some of which have no NUL in them."""
    if sample.startswith(b"%PDF-"):
        raise ToolError(
            f"{shown(path, folder)} is a PDF document ({size_words(size_bytes)}), which cannot be read here. "
            "If the program pdftotext is there, run_command can get its text."
        )


def bom_of(data: bytes) -> tuple[bytes, str]:
    """The byte order mark at the beginning and the encoding that it stands for; without one, UTF-8 is assumed."""
    return next(((bom, encoding) for bom, encoding in _BOMS if data.startswith(bom)), (b"", "utf-8"))


def decode(data: bytes) -> TextFile:
    """Decode by the byte order mark, else as UTF-8, else as what is likely; `encode` gives the same bytes again."""
    bom, encoding = bom_of(data)
    body = data[len(bom) :]
    try:
        return TextFile(body.decode(encoding), encoding, bom)
    except UnicodeDecodeError:
        pass
    if encoding != "utf-8":  # cut in the middle of a character, or a mark by chance
        return TextFile(data.decode("latin-1"), "latin-1")
    text = body.decode("utf-8", "surrogateescape")
    if bom or is_mostly_utf8(text):
        return TextFile(text, "utf-8", bom, "surrogateescape")
    encoding = guess_encoding(body)
    return TextFile(body.decode(encoding), encoding)


def encode(text: str, like: TextFile) -> bytes:
    """Bytes of `text` in the encoding of `like`, its byte order mark included. Raises ToolError."""
    try:
        return like.bom + text.encode(like.encoding, like.errors)
    except UnicodeEncodeError as error:
        character = text[error.start]
        raise ToolError(
            f"The file is encoded as {like.encoding}, which does not have the character {character!r}."
        ) from None


def size_words(size_bytes: int) -> str:
    """`912 B`, `4.1 KB`, `93 MB`."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
