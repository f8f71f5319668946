"""Images: read by their content, refused with a clear word, made small enough for the server."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import PIL.Image
import pytest

from tui.backends.images import fitted, image_of, load_image, size_px
from tui.backends.spec import Request, Rules
from tui.core.errors import UsageError
from tui.core.messages import Image, Message, ToolResult, user


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    # Not of one colour: that would be a few bytes however large.
    PIL.Image.effect_noise(size, 60).convert(mode).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_file_is_told_by_its_content_not_by_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "shot.txt"
    path.write_bytes(picture(kind))
    image = load_image(path)
    assert (image.media_type, image.name, size_px(image)) == (f"image/{kind.lower()}", "shot.txt", (300, 200))
    assert base64.b64decode(image.data) == path.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "no image that can be sent"),
        (b"\x89PNG\r\n\x1a\nrest", "cannot be read as an image"),
        (picture()[:200], "cannot be read as an image"),
        (b"", "no image"),
        (b"\xff\xd8\xff" + bytes(21 << 20), "larger than 20 MB"),
    ],
)
def test_what_is_no_image_is_refused_with_a_clear_word(data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        image_of(data, "a.png")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_image(tmp_path / "none.png")
    with pytest.raises(UsageError, match="is a folder"):
        load_image(tmp_path)


def images_of(request: Request) -> list[Image]:
    blocks = [block for message in request.messages for block in message.blocks]
    found = [block for block in blocks if isinstance(block, Image)]
    return found + [image for block in blocks if isinstance(block, ToolResult) for image in block.images]


def test_large_images_are_made_as_small_as_the_server_wants_also_those_of_tools() -> None:
    image = image_of(picture("PNG", (900, 600)), "a.png")
    request = Request("", (user("look", [image]), Message("tool", (ToolResult("c1", "ok", images=(image,)),))))
    assert fitted(request, Rules()) == request
    for small in images_of(fitted(request, Rules(image_side_px=300))):
        assert (size_px(small), small.media_type, small.name) == ((300, 200), "image/png", "a.png")
    for small in images_of(fitted(request, Rules(image_bytes=20_000))):
        assert len(base64.b64decode(small.data)) <= 20_000
    assert fitted(request, Rules(image_side_px=300)) == fitted(request, Rules(image_side_px=300))


def test_what_fits_goes_as_it_is() -> None:
    request = Request("", (user("look", [image_of(picture("WEBP"))]),))
    assert fitted(request, Rules(image_side_px=300, image_bytes=1 << 20)) == request


def test_transparent_images_of_any_mode_can_be_made_smaller() -> None:
    for mode in ("RGBA", "LA", "P", "1", "L"):
        request = Request("", (user("look", [image_of(picture("PNG", (400, 400), mode))]),))
        (small,) = images_of(fitted(request, Rules(image_side_px=100, image_bytes=10_000)))
        assert size_px(small) == (100, 100)
