"""What happened to a server or a call, in a line."""

from __future__ import annotations

from tui.core.text import clean_line
from tui.settings.log import mask


def progress_words(done: float, total: float | None, message: str | None) -> str:
    share = f"{done:g} of {total:g}" if total else f"{done:g}"
    return f"{share}{f': {clean_line(message)}' if message else ''}\n"


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def holds(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether it is of a kind, or a group with one in it."""
    if isinstance(error, BaseExceptionGroup):
        return any(holds(inner, kind) for inner in error.exceptions)
    return isinstance(error, kind)


def error_words(error: BaseException) -> str:
    """Of a group the first error; masked."""
    error = _leaf(error)
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ValueError) and hasattr(error, "errors"):  # pydantic's, which say much
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return clean_line(f"it said what the protocol does not allow: {place}: {first['msg']}", 300)
    return clean_line(mask(str(error)), 300) or type(error).__name__
