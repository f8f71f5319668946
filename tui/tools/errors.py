"""Why a tool cannot do what it was asked, as plain sentences for the model."""

from __future__ import annotations

import errno
import os

_SENTENCES = {
    errno.ENOENT: "There is no such file or folder",
    errno.EACCES: "Permission is denied",
    errno.EPERM: "The system does not allow it",
    errno.EISDIR: "It is a folder",
    errno.ENOTDIR: "A part of the path is a file, not a folder",
    errno.EEXIST: "Something that is not a folder is in the way",
    errno.ENAMETOOLONG: "The name is too long",
    errno.ELOOP: "Symbolic links lead in a circle",
    errno.EROFS: "The file system is read-only",
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EFBIG: "The file is too large",
    errno.ENXIO: "It is a device or socket that cannot be opened",
}


class ToolError(Exception):
    """A call cannot be carried out. The message is a plain sentence for the model; it never leaves this package."""


def explain(error: Exception) -> str:
    """One plain sentence for the model."""
    if isinstance(error, OSError):
        sentence = _SENTENCES.get(error.errno or 0, error.strerror or str(error) or "The system refused")
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        return f"{sentence}: {name}" if name else f"{sentence}."
    return str(error)
