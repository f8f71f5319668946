"""Images: read from a file or from bytes, and made small enough for what a server takes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tui.backends.spec import Request, Rules
from tui.core.errors import UsageError
from tui.core.messages import Image, Message, ToolResult
from tui.core.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    import PIL.Image

LIMIT_BYTES = 20 * 1024 * 1024
"""No vendor takes a larger one, and none is read into memory."""
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_JPEG_QUALITY = 85
_SHRINK = 0.75
"""How much smaller each try is while an image still has too many bytes."""
_SMALLEST_PX = 64


def media_type(data: bytes) -> str | None:
    """What kind of image `data` begins like, of those that all vendors take; None for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def load_image(path: Path) -> Image:
    """The image in a file, told by its content. Blocking. Raises UsageError when it is none, is broken or too large."""
    shown = clean_line(str(path))
    try:
        if path.is_dir():
            raise UsageError(f"{shown} is a folder", "An image is attached by its path.")
        if not path.is_file():
            raise UsageError(f"{shown}: there is no such file", "An image is attached by its path.")
        if path.stat().st_size > LIMIT_BYTES:
            raise UsageError(f"{shown}: the image is larger than {LIMIT_BYTES >> 20} MB", "Make it smaller first.")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror or error}") from error
    return image_of(data, path.name)


def image_of(data: bytes, name: str = "") -> Image:
    """`data` as an image. Raises UsageError when it is none that can be sent, or is broken."""
    shown = clean_line(name) or "what is on the clipboard"
    if len(data) > LIMIT_BYTES:
        raise UsageError(f"{shown}: the image is larger than {LIMIT_BYTES >> 20} MB", "Make it smaller first.")
    kind = media_type(data)
    if kind is None:
        raise UsageError(f"{shown} is no image that can be sent", "PNG, JPEG, GIF and WebP can.")
    image = Image(kind, base64.b64encode(data).decode(), name)
    size_px(image)
    return image


@lru_cache(maxsize=64)
def size_px(image: Image) -> tuple[int, int]:
    """Width and height. Raises UsageError when the image is broken."""
    with _opened(image) as picture:
        return picture.size


def fitted(request: Request, rules: Rules) -> Request:
    """The request with its images as the server takes them. Blocking where there are large ones."""
    if rules.image_side_px is None and rules.image_bytes is None:
        return request
    from msgspec import structs

    return structs.replace(request, messages=tuple(_fit_message(message, rules) for message in request.messages))


def has_images(messages: Sequence[Message]) -> bool:
    """Whether the user shows something in these messages."""
    return any(message.role == "user" and any(isinstance(b, Image) for b in message.blocks) for message in messages)


def _fit_message(message: Message, rules: Rules) -> Message:
    if not any(isinstance(b, Image) or (isinstance(b, ToolResult) and b.images) for b in message.blocks):
        return message
    side, limit = rules.image_side_px, rules.image_bytes
    blocks = tuple(
        _fit(block, side, limit)
        if isinstance(block, Image)
        else replace(block, images=tuple(_fit(image, side, limit) for image in block.images))
        if isinstance(block, ToolResult)
        else block
        for block in message.blocks
    )
    return replace(message, blocks=blocks)


@lru_cache(maxsize=32)
def _fit(image: Image, side_px: int | None, limit_bytes: int | None) -> Image:
    """The image itself where it fits; else a smaller one of the same kind, or a JPEG if only that is small enough.

    The same image always comes out the same, so that a server's prompt cache works. One that cannot be read goes as it
    is: the server's own words about it are better than ours.
    """
    with suppress(UsageError):
        longest = max(size_px(image))
        is_small = limit_bytes is None or _size(image) <= limit_bytes
        if is_small and (side_px is None or longest <= side_px):
            return image
        with _opened(image) as picture:
            target = min(longest, side_px or longest)
            while target >= _SMALLEST_PX:
                for kind in dict.fromkeys(("PNG" if image.media_type == "image/png" else "JPEG", "JPEG")):
                    smaller = _encoded(picture, target, kind, image.name)
                    if limit_bytes is None or _size(smaller) <= limit_bytes:
                        return smaller
                target = int(target * _SHRINK)
    return image


def _encoded(picture: PIL.Image.Image, longest_px: int, kind: str, name: str) -> Image:
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    copy = picture.convert("RGBA" if has_alpha and kind == "PNG" else "RGB")
    copy.thumbnail((longest_px, longest_px))
    out = io.BytesIO()
    copy.save(out, kind, **({"quality": _JPEG_QUALITY} if kind == "JPEG" else {"optimize": True}))
    return Image(f"image/{kind.lower()}", base64.b64encode(out.getvalue()).decode(), name)


@contextmanager
def _opened(image: Image) -> Iterator[PIL.Image.Image]:
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(base64.b64decode(image.data))) as picture:
            picture.load()
            yield picture
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        shown = clean_line(image.name) or "the image"
        message = f"{shown} cannot be read as an image: {clean_line(str(error), 200)}"
        raise UsageError(message, "Is the file whole?") from error


def _size(image: Image) -> int:
    return len(image.data) * 3 // 4
