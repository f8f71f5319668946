"""One TOML file: read, or an error that says where in it the mistake is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from tui.core.errors import ConfigError
from tui.settings.checking import Key, Problem, key_text
from tui.settings.regular_files import NotRegularError, TooLongError, read_regular


class TomlFile(NamedTuple):
    """A file that could be parsed."""

    path: Path
    text: str
    table: dict[str, Any]

    def error(self, problem: Problem, shown: Key = ()) -> ConfigError:
        """`problem` with its file and line; `shown` stands before its key where the file is a part of a larger one."""
        return ConfigError(
            problem.message,
            problem.hint,
            file=self.path,
            line=self.line(problem.key),
            key=key_text(shown + problem.key),
        )

    def line(self, key: Key) -> int | None:
        """Where `key` is written, or else the table or list that it would be in."""
        from tui.settings.positions import key_lines  # needed only when something is wrong

        try:
            lines = key_lines(self.text)
        except RecursionError:  # nested as deep as `tomllib` can just bear
            return None
        while key and key not in lines:
            key = key[:-1]
        return lines.get(key)


def read(path: Path, limit_bytes: int | None = None) -> TomlFile | None:
    """The file at `path`, links followed; None when there is none. Raises ConfigError, also above `limit_bytes`."""
    data = _bytes(path, limit_bytes)
    if data is None:
        return None
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("the file is not UTF-8 text", "Save it as UTF-8.", file=path, line=line) from error
    try:
        return TomlFile(path, text, tomllib.loads(text))
    except RecursionError as error:
        raise ConfigError("lists or tables are nested too deep", file=path) from error
    except ValueError as error:  # TOMLDecodeError, and what `int` says of a number of thousands of digits
        raise _syntax_error(path, text, error) from error


def _bytes(path: Path, limit_bytes: int | None) -> bytes | None:
    try:
        return read_regular(path, limit_bytes)
    except NotRegularError as error:
        kind = "a folder" if path.is_dir() else "not a regular file"
        raise ConfigError(f"this is {kind}, where a TOML file should be", "Move it away.", file=path) from error
    except TooLongError as error:
        raise ConfigError(str(error), "Make it shorter.", file=path) from error
    except FileNotFoundError as error:
        if path.is_symlink():
            message = f"this is a link to {path.readlink()}, which is not there"
            raise ConfigError(message, "Make that file, or remove the link.", file=path) from error
        return None
    except OSError as error:
        hint = "Check who owns it and its mode bits (`ls -l`)."
        raise ConfigError(f"cannot be read: {error.strerror}", hint, file=path) from error


def _syntax_error(path: Path, text: str, error: ValueError) -> ConfigError:
    words = str(error)
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", words)
    if not place:
        return ConfigError(words, file=path)
    message = words[: place.start()]
    if place.group(1) is None:
        return ConfigError(f"{message} at the end of the file", file=path, line=text.rstrip().count("\n") + 1)
    return ConfigError(f"{message} (column {place.group(2)})", file=path, line=int(place.group(1)))
