"""What a server answers, as words and images for the model. It is data: nothing in it is an order to the program."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

from tui.core.errors import UsageError
from tui.core.messages import Image
from tui.tools.base import Outcome

_MOST_IMAGES = 8


def outcome_of(result: Any, server: str, sees_images: bool | None) -> Outcome:
    """The outcome of a call from the package's `CallToolResult`. Blocking: images are looked at. Raises nothing."""
    texts, images = parts_of(result.content, sees_images)
    if result.structured_content is not None and not any(part.type == "text" for part in result.content):
        texts.append(json.dumps(result.structured_content, ensure_ascii=False))
    content = sendable("\n".join(texts)) or ("Shown to you." if images else "It answered with nothing.")
    return Outcome(content, bool(result.is_error), {"server": server}, tuple(images))


def parts_of(blocks: Iterable[Any], sees_images: bool | None) -> tuple[list[str], list[Image]]:
    """The texts of content blocks in order, and the images; what cannot be shown is named."""
    texts: list[str] = []
    images: list[Image] = []
    for block in blocks:
        if block.type == "text":
            texts.append(block.text)
        elif block.type == "image":
            texts += _image(block.data, block.mime_type, sees_images, images)
        elif block.type == "resource_link":
            about = f": {block.description}" if block.description else ""
            texts.append(f"[resource {block.uri} ({block.name}){about}]")
        elif block.type == "resource":
            texts += resource_texts(block.resource, sees_images, images)
        else:
            texts.append(f"[{block.type}, {getattr(block, 'mime_type', 'of an unknown kind')}: it cannot be shown]")
    return texts, images


def resource_texts(resource: Any, sees_images: bool | None, images: list[Image]) -> list[str]:
    """The contents of a resource; an image is added to `images`."""
    if (text := getattr(resource, "text", None)) is not None:
        return [f"[{resource.uri}]\n{text}"]
    kind = resource.mime_type or "data"
    if kind.startswith("image/"):
        return [f"[{resource.uri}]", *_image(resource.blob, kind, sees_images, images)]
    return [f"[{resource.uri}: {kind}, about {len(resource.blob) * 3 // 4:,} bytes: it cannot be shown]"]


def sendable(text: str) -> str:
    """`text` without halves of characters, which no request can carry."""
    return text.encode("utf-8", "replace").decode()


def _image(data: str, kind: str, sees_images: bool | None, images: list[Image]) -> list[str]:
    from tui.backends.images import image_of

    if sees_images is False:
        return [f"[an image ({kind}), which you cannot see]"]
    if len(images) >= _MOST_IMAGES:
        return [f"[an image ({kind}), one too many to be shown]"]
    try:
        images.append(image_of(base64.b64decode(data, validate=True)))
    except (UsageError, binascii.Error, ValueError):
        return [f"[an image ({kind}) that cannot be shown]"]
    return []
