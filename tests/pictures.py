"""Small pictures to send."""

from __future__ import annotations

import base64
import io

from tui.core.messages import Image


def picture_bytes(width: int = 4, height: int = 3, kind: str = "PNG") -> bytes:
    """A plain picture of this size; `kind` as Pillow calls it."""
    import PIL.Image

    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "teal").save(out, kind)
    return out.getvalue()


def picture(width: int = 4, height: int = 3, name: str = "") -> Image:
    return Image("image/png", base64.b64encode(picture_bytes(width, height)).decode(), name)
