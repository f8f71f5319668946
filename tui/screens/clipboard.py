"""The image on the system's clipboard, read with the programs that each system has for it. It blocks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tui.backends.images import image_of, media_type
from tui.core.errors import UsageError
from tui.core.messages import Image

_LIMIT_S = 5.0
_KINDS = ("image/png", "image/jpeg", "image/webp", "image/gif")


def image() -> Image:
    """Raises UsageError when there is none, or no program that can tell."""
    data, program = _mac() if sys.platform == "darwin" else _linux()
    if not data or media_type(data) is None:
        asked = f"Asked with {program}. Copy an image first, or attach a file: /attach PATH."
        raise UsageError("there is no image on the clipboard", asked)
    return image_of(data)


def _linux() -> tuple[bytes, str]:
    """What is there, and which program said so. Wayland first: there xclip sees only what X programs copied."""
    if "WAYLAND_DISPLAY" in os.environ and shutil.which("wl-paste"):
        return _offered(("wl-paste", "--list-types"), ("wl-paste", "--no-newline", "--type")), "wl-paste"
    if "DISPLAY" in os.environ and shutil.which("xclip"):
        xclip = ("xclip", "-selection", "clipboard", "-o", "-t")
        return _offered((*xclip, "TARGETS"), xclip), "xclip"
    if "WAYLAND_DISPLAY" in os.environ:
        raise _no_program("wl-paste", "wl-clipboard")
    if "DISPLAY" in os.environ:
        raise _no_program("xclip", "xclip")
    raise UsageError(
        "there is no image on the clipboard: no desktop is known here",
        "wl-paste reads it where WAYLAND_DISPLAY is set, xclip where DISPLAY is. A file is attached with /attach PATH.",
    )


def _offered(list_kinds: Sequence[str], take: Sequence[str]) -> bytes:
    """What the clipboard has in the first kind of ours that it offers."""
    offered = _run(list_kinds).decode("utf-8", "replace").split()
    kind = next((kind for kind in _KINDS if kind in offered), None)
    return _run((*take, kind)) if kind else b""


def _mac() -> tuple[bytes, str]:
    if shutil.which("pngpaste"):
        return _run(("pngpaste", "-")), "pngpaste"
    told = _run(("osascript", "-e", "the clipboard as «class PNGf»")).decode("utf-8", "replace")
    match = re.search(r"PNGf([0-9A-Fa-f]+)", told)  # it prints the bytes in hexadecimal
    return (bytes.fromhex(match[1]) if match and len(match[1]) % 2 == 0 else b""), "osascript"


def _run(command: Sequence[str]) -> bytes:
    """What it prints; nothing when it fails, which is how these programs say that there is nothing."""
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return ended.stdout if ended.returncode == 0 else b""


def _no_program(program: str, package: str) -> UsageError:
    return UsageError(
        f"the clipboard cannot be read: {program} is not installed",
        f"Install {package} with your system's packages, or attach a file: /attach PATH.",
    )
