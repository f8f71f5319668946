"""Images as people are told of them."""

from __future__ import annotations

import base64
from functools import lru_cache

from tui.core.messages import Image
from tui.core.text import clean_line

_HEAD_CHARS = 256 * 1024
"""Of base64: the size in pixels stands at the beginning, behind a camera's notes."""


def image_words(image: Image) -> str:
    """`shot.png 1200×800`; what is not known is left out."""
    return " ".join(part for part in (clean_line(image.name, 60), pixels(image)) if part)


def size_words(image: Image) -> str:
    """`230 kB`."""
    size = len(image.data) * 3 // 4
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


@lru_cache(maxsize=256)
def pixels(image: Image) -> str:
    """`1200×800`; empty when the image does not say."""
    import io

    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(base64.b64decode(image.data[:_HEAD_CHARS]))) as picture:
            return f"{picture.width}×{picture.height}"
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return ""
