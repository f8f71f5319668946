"""The errors that a user can meet, as a tree.

    MimoError                 kind, message, hint, exit_code
    ├── UsageError            the command line or a setting cannot be used          2
    │   └── ConfigError       ... with file, line and key                           2
    ├── CredentialError       no key, or no way to it                               2
    ├── BackendError          the model could not be asked, or broke off            1
    ├── SessionError          a session or its database cannot be used              1
    │   └── NoSessionError    there is none of that name                            2
    └── ModelFileError        the embedded model is missing, broken or not fetched  1

A failing tool and malformed model output are not errors but values: they go back to the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

BackendErrorKind = Literal[
    "auth",
    "permission",
    "no_credit",
    "rate_limited",
    "overloaded",
    "server",
    "network",
    "timeout",
    "local_server_down",
    "loading",
    "bad_request",
    "model_not_found",
    "context_overflow",
    "too_large",
    "content_filtered",
    "reasoning_replay",
    "protocol",
]


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as a value: what events, `--json` and the screen carry."""

    kind: str
    message: str
    hint: str = ""


class MimoError(Exception):
    """Something went wrong that the user can understand: what happened, and in `hint` what to do now."""

    exit_code: ClassVar[int] = 1
    kind: str = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def info(self) -> ErrorInfo:
        return ErrorInfo(self.kind, self.message, self.hint)

    @property
    def told(self) -> str:
        """The message and the hint as sentences."""
        end = "" if self.message.endswith((".", "?", "!")) else "."
        return f"{self.message}{end} {self.hint}".strip()


class UsageError(MimoError):
    exit_code = 2
    kind = "usage"


class ConfigError(UsageError):
    """A setting cannot be used. The message starts with `file:line: key:`, as far as they are known."""

    kind = "config"

    def __init__(
        self, message: str, hint: str = "", *, file: Path | None = None, line: int | None = None, key: str = ""
    ) -> None:
        place = f"{file}:{line}" if file and line else str(file or "")
        super().__init__(": ".join(part for part in (place, key, message) if part), hint)
        self.file, self.line, self.key = file, line, key


class CredentialError(MimoError):
    exit_code = 2
    kind = "credential"


class BackendError(MimoError):
    """The server refused, could not be reached, or said what cannot be understood.

    `raw` is the reply's body as it came (never with a key in it), `retry_after_s` the server's own wish, `learned` a
    rule that was learned of this error and that only the asker can act on.
    """

    kind: BackendErrorKind

    def __init__(
        self,
        kind: BackendErrorKind,
        message: str,
        hint: str = "",
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
        raw: str = "",
        learned: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.kind = kind
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.raw = raw
        self.learned = learned


class SessionError(MimoError):
    kind = "session"


class NoSessionError(SessionError):
    exit_code = 2


class ModelFileError(MimoError):
    kind = "model_file"
