"""The markdown parser and the highlighter's lexers: what is slow to import and compile, so never while a key waits.

Until something is ready, callers get None and draw plainly; when it is, everyone who asked to be told is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

NESTING = 20
"""What is nested deeper the parser leaves out: more costs it dearly where brackets are nested for nothing."""
_SAMPLE = "```\nx\n```\n\n| a |\n|---|\n| *b* `c` [d](e) |\n"

_parser: MarkdownIt | None = None
_lexers: dict[str, Any] = {}
_loading: set[str] = set()
_waiting: list[Callable[[], None]] = []
_lock = threading.Lock()


def warm(languages: tuple[str, ...] = ("python", "bash", "json")) -> None:
    """Load the parser and the usual lexers. Blocks for about 100 ms: call it in a thread once the screen is ready."""
    _load_parser()
    for language in languages:
        if language not in _lexers:
            _load_lexer(language)


def when_ready(callback: Callable[[], None]) -> None:
    """Call `callback`, from some thread, each time that something became ready."""
    _waiting.append(callback)


def forget(callback: Callable[[], None]) -> None:
    if callback in _waiting:
        _waiting.remove(callback)


def parser() -> MarkdownIt | None:
    """The parser; None while it is being loaded."""
    if _parser is None:
        _start("", _load_parser)
    return _parser


def lexer(language: str) -> Any:
    """The lexer of a language; None while it is being loaded, and for languages without one."""
    if not language or language in _lexers:
        return _lexers.get(language)
    _start(language, lambda: _load_lexer(language))
    return None


def _start(name: str, load: Callable[[], None]) -> None:
    with _lock:
        if name in _loading:
            return
        _loading.add(name)
    threading.Thread(target=load, name=f"load {name or 'markdown'}", daemon=True).start()


def _load_parser() -> None:
    global _parser
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING}).enable(["table", "strikethrough"])
    made.validateLink = lambda url: True  # type: ignore[method-assign]  # what may be opened is decided at the click
    made.parse(_SAMPLE)
    _parser = made
    _tell()


def _load_lexer(language: str) -> None:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        made = get_lexer_by_name(language, stripnl=False, ensurenl=False)
        for _ in made.get_tokens_unprocessed("x = 1\n"):  # compiles its patterns
            pass
    except ClassNotFound:
        made = None
    _lexers[language] = made
    _tell()


def _tell() -> None:
    for callback in tuple(_waiting):
        callback()
