"""The program's log, for what no user should have to read on the screen. No key ever gets into it."""

from __future__ import annotations

import os
import re
import time
import traceback
from pathlib import Path

from tui.core.errors import MimoError
from tui.core.text import clean, clean_line
from tui.settings.paths import private_dir, state_dir

_LIMIT_BYTES = 1_000_000
"""The log is put aside as `mimo-tui.log.1` when it is longer; there are never more than these two."""

_MASK = "•••"
_secrets: set[str] = set()

# Keys by their look, for those that nobody registered: vendors' prefixes, what follows the words that announce a key
# in headers, JSON, TOML and reprs, tokens of three base64 parts, and passwords in URLs. Written so that the time for a
# long text grows with its length alone: a server may have sent it.
_KEY_LIKE = (
    r"(?<![A-Za-z0-9])(?:sk|tp|pk|rk|gsk|ghp|gho|xai|hf|AIza)[-_]?[A-Za-z0-9_\-]{12,}",
    r"(?<![A-Za-z0-9])(?:sk|tp)-[A-Za-z0-9_\-]{4,}",
    r"(?i)(?<=bearer )\s*[^\s\"',)}\]]+",
    r"(?i)(?<=basic )\s*[A-Za-z0-9+/=]{8,}",
    (
        r"(?i)(?<![a-z])(?P<name>(?:[a-z]{1,30}[-_]){0,5}(?:api[-_]?key|authorization|token|secret|password|cookie)"
        r"[\"']?\s*[:=,]\s*(?:b?[\"'])?)(?!bearer |basic )[^\s\"',)}\]]+"
    ),
    r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*",
    r"(?P<name>://)[^/\s@\"']+(?=@)",
)


def hide(secret: str) -> None:
    """From now on `secret` is masked in all that is logged, also as `repr`, JSON and URLs would write it."""
    import json
    from urllib.parse import quote

    if secret:
        plain = secret.encode("utf-8", "replace")
        _secrets.update((secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(plain, safe="")))


def without_secrets(text: str) -> str:
    """`text` without the secrets that were registered."""
    for secret in sorted(_secrets, key=len, reverse=True):  # the longest first: one may be the beginning of another
        text = text.replace(secret, _MASK)
    return text


def mask(text: str) -> str:
    """`text` without the secrets that were registered, and without what looks like a key."""
    text = without_secrets(text)
    for pattern in _KEY_LIKE:  # compiled by `re` when first used, not at the program's start
        text = re.sub(pattern, lambda found: (found.groupdict().get("name") or "") + _MASK, text)
    return text


def log_file() -> Path:
    return state_dir() / "mimo-tui.log"


def log(message: str) -> str:
    """Append `message`, masked, with the time. Returns a line that says where it is, or why it is nowhere.

    Never raises: it is what is called when something else has failed.
    """
    try:
        path = log_file()
        private_dir(path.parent)
        _append(path, _entry(message))
        return f"details are in {clean_line(str(path), 1000)}"
    except MimoError as error:
        return clean_line(f"there is no log: {error.message}", 1000)
    except OSError as error:
        return clean_line(f"there is no log: cannot write {error.filename}: {error.strerror}", 1000)


def log_crash(error: BaseException) -> str:
    """Log `error` with its traceback; like `log`, and says the error itself when the log cannot be written."""
    line = log("".join(traceback.format_exception(error)))
    if line.startswith("there is no log"):
        line = f"{clean_line(mask(traceback.format_exception_only(error)[-1]))} ({line})"
    return line


def _entry(message: str) -> str:
    entry = clean(mask(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {message.rstrip()}\n"))
    if any(secret in entry for secret in _secrets):  # made of the mask's or the cleaned text's own characters
        return ""
    return entry


def _append(path: Path, entry: str) -> None:
    if path.exists() and path.stat().st_size > _LIMIT_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(number, "ab") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(number, 0o600)  # it may have been made by hand
        file.write(entry.encode("utf-8", "replace"))
