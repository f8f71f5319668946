"""`python -m tui`, and the command `mimo-tui`."""

import signal
import sys

# Until there is someone to answer ctrl+c it ends the program silently, not with a traceback out of some import.
if sys.platform != "win32":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from tui.cli import main


def run() -> int:
    """The program, from its command line to its exit code."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
