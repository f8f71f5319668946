"""Whether what serves the built-in model is installed: xllamacpp, which only the extra brings."""

from __future__ import annotations

import importlib.util
import shlex
import sys

from tui.backends.embedded.catalogue import EXTRA
from tui.core.errors import ModelFileError


def has_engine() -> bool:
    """Whether xllamacpp is there. Does not import it, which is what takes long."""
    return importlib.util.find_spec("xllamacpp") is not None


def check_engine() -> None:
    """Raise ModelFileError, with the command that installs it, unless a model could be served."""
    if not has_engine():
        raise ModelFileError(
            "the built-in model needs xllamacpp, which is not installed", f"Install it: {install_command()}"
        )


def install_command() -> str:
    """What to type so that this Python gets all that the built-in model needs."""
    python = shlex.quote(sys.executable)
    pip = f"{python} -m pip" if importlib.util.find_spec("pip") else f"pip --python {python}"
    return f"{pip} install {shlex.quote(EXTRA)}"
