"""`python -m tui`, and the command `mimo-tui`."""

# The interpreter's own part of `signal`, which is there at once: the module itself takes milliseconds to import, in
# which ctrl+c would print a traceback.
import _signal
import sys

# Until there is someone to answer ctrl+c it ends the program silently, not with a traceback out of some import.
if sys.platform != "win32":
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from tui.cli import main


def run() -> int:
    """The program, from its command line to its exit code."""
    try:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
