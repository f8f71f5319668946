"""The files that the prompt can name: completed by their path, and read when they are images. All of it blocks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from tui.core.errors import UsageError
from tui.core.messages import Image
from tui.widgets.pasted import looks_like_image, readings

SHOWN = 50
_LOOKED_AT = 5000
"""Of a folder that holds more the rest is not found: the prompt has to answer at once."""


def matching(folder: Path, word: str) -> list[str]:
    """What in the folder that `word` names begins as it ends, folders first and with a slash; as the word is written.

    Hidden files only when the name begins with a dot. A folder that cannot be read has nothing.
    """
    head, slash, start = word.rpartition("/")
    where = folder / Path(head + slash).expanduser() if slash else folder
    found: list[tuple[bool, str]] = []
    try:
        with os.scandir(where) as entries:
            for entry in islice(entries, _LOOKED_AT):
                is_meant = entry.name.casefold().startswith(start.casefold()) and (
                    not entry.name.startswith(".") or start.startswith(".")
                )
                if is_meant:
                    found.append((not entry.is_dir(), entry.name))
    except (OSError, ValueError, RuntimeError):
        return []
    found.sort(key=lambda item: (item[0], item[1].casefold()))
    return [f"{head}{slash}{name}" + ("" if is_file else "/") for is_file, name in found[:SHOWN]]


def load_images(words: str, folder: Path) -> list[Image]:
    """The images at the paths in `words`, quoted or not, seen from `folder`. Raises UsageError."""
    from tui.backends.images import load_image

    found = [_places(reading, folder) for reading in readings(words, is_meant=True)]
    places = next((reading for reading in found if all(place.is_file() for place in reading)), found[0])
    return [load_image(place) for place in places]


def pasted_images(texts: Sequence[Sequence[str]], folder: Path) -> list[Image]:
    """The images, if one of the readings of a paste is nothing but them; empty when none is.

    Raises UsageError for what is called an image and cannot be sent.
    """
    from tui.backends.images import load_image

    for reading in texts:
        places = _places(reading, folder)
        try:
            if all(place.is_file() for place in places):
                return [load_image(place) for place in places]
        except (OSError, ValueError):  # a name that no file can have
            continue
        except UsageError:
            if all(looks_like_image(place.name) for place in places):
                raise
    return []


def _places(reading: Sequence[str], folder: Path) -> list[Path]:
    places = []
    for path in reading:
        try:
            places.append(folder / Path(path).expanduser())
        except RuntimeError:  # `~nobody`
            places.append(folder / path)
    return places
