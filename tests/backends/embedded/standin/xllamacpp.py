"""Stands in for xllamacpp in the child process: no model is loaded, and it does as the "model" file's text says.

`hang`: loading never ends and, like the real one, keeps the interpreter to itself. `raise`: loading fails.
`die`: the process ends while loading. `noise`: loading prints to standard output. Anything else: loaded at once.
The port that it names is its process's number: nothing listens there.
"""

import ctypes
import os
import sys
from pathlib import Path


class Anything:
    """Takes any attribute, as a stand-in for parameters."""

    def __getattr__(self, name: str) -> "Anything":
        value = self.__dict__[name] = Anything()
        return value


CommonParams = Anything


class Server:
    def __init__(self, params: Anything) -> None:
        wish = Path(params.model.path).read_text().removeprefix("GGUF").strip()
        if wish == "hang":
            ctypes.PyDLL(None).sleep(600)
        if wish == "raise":
            print("0.1 E load: \x1b[31mtensor is missing", file=sys.stderr)
            raise RuntimeError("Failed to init server")
        if wish == "die":
            os._exit(7)
        if wish == "noise":
            print("hello from a library")
        self.listening_address = f"http://127.0.0.1:{os.getpid()}"
