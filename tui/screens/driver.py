"""Textual's driver for terminals, reading keys in a way of our own."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from codecs import getincrementaldecoder
from typing import IO, TYPE_CHECKING, Any, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.screens.lone_keys import note_company

if TYPE_CHECKING:
    from textual.app import App

    from tui.screens.window import MimoApp

_LOOK_S = 0.1
"""How often it is looked whether the program has ended or gone to sleep."""


class QuickDriver(LinuxDriver):
    """Tells a lone ESC from the beginning of a sequence as soon as ESCDELAY has passed.

    Textual looks for that every 0.1 s only, so a key that is to stop a turn within 0.1 s would be late always. And what
    is no UTF-8 does not end the program, nor does it spin or wait for ever when the terminal is gone.
    """

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast("Any", _Screen(cast("IO[str]", self._file)))

    def run_input_thread(self) -> None:
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                text = ""
                if selector.select(_until_due(parser)):
                    data = self._read()
                    if not data:
                        self._app.call_later(cast("MimoApp", self._app).hang_up)
                        return
                    text = decode(data)
                messages = [*(parser.feed(text) if text else ()), *parser.tick()]
                note_company([message for message in messages if isinstance(message, events.Key)])
                for message in messages:
                    self.process_message(message)

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""


class _Screen:
    """What is drawn on. A write that fails must not end the thread that writes, or the others wait for it for ever."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.fileno = file.fileno

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone; that ends the program where keys are read
            self._file.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._file.flush()


def _until_due(parser: XTermParser) -> float:
    due = parser._timeout_time  # when what was begun will not be gone on with; None: nothing was begun
    return _LOOK_S if due is None else min(_LOOK_S, max(0.0, due - time.monotonic()))
