"""Textual's driver for terminals, reading keys in a way of our own."""

from __future__ import annotations

import os
import selectors
import time
from codecs import getincrementaldecoder

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.screens.lone_keys import note_company

_LOOK_S = 0.1
"""How often it is looked whether the program has ended or gone to sleep."""


class QuickDriver(LinuxDriver):
    """Tells a lone ESC from the beginning of a sequence as soon as ESCDELAY has passed.

    Textual looks for that every 0.1 s only, so a key that is to stop a turn within 0.1 s would be late always. And what
    is no UTF-8 does not end the program, nor does it spin or wait for ever when the terminal is gone.
    """

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
                        self._app.call_later(self._app.action_quit)
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


def _until_due(parser: XTermParser) -> float:
    due = parser._timeout_time  # when what was begun will not be gone on with; None: nothing was begun
    return _LOOK_S if due is None else min(_LOOK_S, max(0.0, due - time.monotonic()))
