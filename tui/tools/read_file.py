"""The tool `read_file`: a text file, or a part of it, with line numbers; an image for those who see."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

from tui.backends.images import LIMIT_BYTES as IMAGE_LIMIT_BYTES
from tui.backends.images import media_type
from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext, outcome_of
from tui.tools.errors import ToolError
from tui.tools.long_lines import skip_columns
from tui.tools.notebook import notebook_text
from tui.tools.opening import open_regular
from tui.tools.paths import located, shown
from tui.tools.text_file import (
    EDIT_LIMIT_BYTES,
    SAMPLE_BYTES,
    TextFile,
    bom_of,
    decode,
    refuse_binary,
    refuse_pdf,
    regular_file,
    size_words,
)

LINES = 2000
CHARACTERS = 64 * 1024
LINE_CHARACTERS = 2000
COLUMN_CHARACTERS = 16_000
"""So much is shown of a line that is read from a column on."""
_COUNT_LIMIT_BYTES = 64 * 1024 * 1024


class ReadFile:
    name = "read_file"
    description = (
        "Read a text file, or see an image. Each line is shown after its number and a tab. "
        f"At most {LINES} lines at once; to read on, give `start`."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "The file."},
            "start": {"type": "integer", "minimum": 1, "description": "The first line, from 1. Default: 1."},
            "lines": {"type": "integer", "minimum": 1, "description": f"How many lines. Default: {LINES}."},
            "column": {"type": "integer", "minimum": 1, "description": "Read on from here in the one line `start`."},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return (arguments["path"],)

    def preview(self, arguments: Json, context: ToolContext) -> str:
        start, lines, column = _range(arguments)
        if column > 1:
            return f"read {arguments['path']}, line {start} from column {column}"
        return f"read {arguments['path']}, lines {start} to {start + lines - 1}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        part = _range(arguments)
        yield await outcome_of(lambda: read(context, arguments["path"], *part))


def _range(arguments: Json) -> tuple[int, int, int]:
    """The first line, how many, and the column in the first; from a column on it is that line alone."""
    column = int(arguments.get("column", 1))
    return int(arguments.get("start", 1)), 1 if column > 1 else int(arguments.get("lines", LINES)), column


def read(context: ToolContext, name: str, start: int, lines: int, column: int = 1) -> Outcome:
    """Lines `start` to `start + lines - 1`, fewer where they are too much at once. Raises ToolError, OSError."""
    path = located(context.folder, name, places=context.places)
    outcome = _shown(path, context, start, lines, column)
    context.desk.seen.saw(path)
    return outcome


def _shown(path: Path, context: ToolContext, start: int, lines: int, column: int) -> Outcome:
    folder = context.folder
    size = regular_file(path, folder).st_size
    with open_regular(path) as file:
        sample = file.read(SAMPLE_BYTES)
        if media_type(sample):
            return _image(path, context, sample + file.read(IMAGE_LIMIT_BYTES))
        refuse_pdf(path, folder, sample, size)
        refuse_binary(path, folder, sample, size)
        bom, encoding = bom_of(sample)
        if size > EDIT_LIMIT_BYTES:
            if encoding != "utf-8":
                raise ToolError(f"{shown(path, folder)} is {encoding} and has {size_words(size)}: use run_command.")
            file.seek(len(bom))
            return _Reader(file, size, start, lines, column).outcome()
        data = sample + file.read(EDIT_LIMIT_BYTES)
    found = decode(data)
    note = "" if found.encoding == "utf-8" else f"encoded as {found.encoding}"
    if path.suffix == ".ipynb" and (cells := notebook_text(found.text)) is not None:
        found, note = TextFile(cells, "cells"), "a notebook, shown as its cells: edit_file works on its JSON"
    data = data[len(found.bom) :] if found.encoding == "utf-8" else found.text.encode()
    if not data:
        return Outcome("The file is empty.")
    return _Reader(BytesIO(data), len(data), start, lines, column, note).outcome()


def _image(path: Path, context: ToolContext, data: bytes) -> Outcome:
    from tui.backends.images import image_of, size_px

    name = shown(path, context.folder)
    try:
        image = image_of(data, path.name)
        width, height = size_px(image)
    except MimoError as error:
        raise ToolError(f"{name} is an image that cannot be shown: {error.message}.") from error
    words = f"{name} is an image ({image.media_type}, {width} x {height} pixels, {size_words(len(data))})"
    if context.sees_images is False:
        raise ToolError(f"{words}, and you cannot see images.")
    return Outcome(f"{words}. It is shown to you.", images=(image,))


class _Reader:
    """One reading of a file, from where it stands; only what is shown is kept in memory."""

    def __init__(
        self, file: BinaryIO, size_bytes: int, start: int, lines: int, column: int = 1, note: str = ""
    ) -> None:
        self.file, self.size_bytes, self.note = file, size_bytes, note
        self.start, self.lines, self.column = start, lines, column

    def outcome(self) -> Outcome:
        for before in range(1, self.start):
            if not _skip_line(self.file):
                return self._past_the_end(before - 1)
        if (count := skip_columns(self.file, self.column - 1) if self.column > 1 else None) is not None:
            words = f"Line {self.start} has {count} character{'' if count == 1 else 's'}"
            return Outcome(f"{words}: column={self.column} is past its end.", is_error=True)
        texts = list(self._take())
        if not texts:
            return self._past_the_end(self.start - 1)
        width = len(str(self.start + len(texts) - 1))
        body = "\n".join(f"{number:>{width}}\t{text}" for number, text in enumerate(texts, self.start))
        notes = [part for part in (self._place(len(texts)), self.note) if part]
        return Outcome(f"{body}\n[{'; '.join(notes)}]" if notes else body)

    def _take(self) -> Iterator[str]:
        used = 0
        limit = COLUMN_CHARACTERS if self.column > 1 else LINE_CHARACTERS
        for _ in range(self.lines):
            at = self.file.tell()
            data = self.file.readline(4 * limit)
            if not data:
                return
            rest = 0 if data.endswith(b"\n") else _skip_line(self.file)
            text = self._decode(data.rstrip(b"\r\n"), is_cut=rest > 0)
            if rest or len(text) > limit:
                text = text[:limit]
                more = len(data) + rest - len(text.encode())
                text += f" [… about {more} more characters in this line: read on with column={self.column + len(text)}]"
            used += len(text)
            if used > CHARACTERS:
                self.file.seek(at)
                return
            yield text

    def _decode(self, data: bytes, *, is_cut: bool) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            if is_cut and error.start >= len(data) - 3:  # a character at the cut
                return data[: error.start].decode()
            self.note = "not valid UTF-8, so the lines that are not are shown as Latin-1"
            return data.decode("latin-1")

    def _place(self, count: int) -> str:
        last = self.start + count - 1
        if not (rest := self._rest()):
            return f"lines {self.start} to {last} of {last}" if self.start > 1 else ""
        total = f" of {last + rest}" if isinstance(rest, int) else ", more follow"
        return f"lines {self.start} to {last}{total}; read on with start={last + 1}"

    def _rest(self) -> int | str:
        """How many lines follow; some words where counting them would take long."""
        if self.size_bytes - self.file.tell() > _COUNT_LIMIT_BYTES:
            return "many"
        count, last = 0, b"\n"
        while block := self.file.read(1024 * 1024):
            count, last = count + block.count(b"\n"), block[-1:]
        return count + (last != b"\n")

    def _past_the_end(self, total: int) -> Outcome:
        if total == 0:
            return Outcome("The file is empty.")
        lines = f"{total} line{'' if total == 1 else 's'}"
        return Outcome(f"The file has {lines}: start={self.start} is past its end.", is_error=True)


def _skip_line(file: BinaryIO) -> int:
    """Read over the rest of a line; how many bytes that was, 0 at the end of the file."""
    skipped = 0
    while data := file.readline(64 * 1024):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
