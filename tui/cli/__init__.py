"""The command line: which subcommand is meant, and the place where an error becomes a message and an exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tui import __version__
from tui.core.errors import MimoError, UsageError
from tui.core.text import clean

# Each is a module here with `configure(parser)` and `run(args) -> exit code`; only the one that is used is imported.
SUBCOMMANDS = {
    "run": "answer one prompt and end",
    "backends": "list, add, show, test and remove backends",
    "keys": "set, check and remove keys in the system keyring",
    "sessions": "list, show and delete sessions, see and undo what they changed",
    "models": "list, fetch and remove the built-in models",
    "config": "show where settings come from, and check them",
    "trust": "let a project's notes, skills and hooks count",
    "doctor": "show what works on this machine",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code. Nothing that goes wrong reaches the user as a traceback."""
    args = list(sys.argv[1:] if argv is None else argv)
    name = args.pop(0) if args and args[0] in SUBCOMMANDS else "open"
    module = importlib.import_module(f"tui.cli.{name}")
    parser = argparse.ArgumentParser(
        prog="mimo-tui" if name == "open" else f"mimo-tui {name}",
        description=SUBCOMMANDS.get(name) or "Chat with models and let them act, in the terminal.",
    )
    module.configure(parser)
    if name == "open":
        parser.add_argument("--version", action="version", version=f"mimo-tui {__version__}")
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        lines = [f"  mimo-tui {subcommand:<10} {words}" for subcommand, words in SUBCOMMANDS.items()]
        parser.epilog = "\n".join(["subcommands, each with a --help of its own:", *lines])
    try:
        if name == "open" and args:
            _refuse_misspelled(args[0])
        return int(module.run(parser.parse_args(args)))
    except MimoError as error:
        show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # what read our output is gone: say nothing more
        return 1
    except Exception as error:
        from tui.settings.log import log_crash

        print(f"mimo-tui: something went wrong that should not: {log_crash(error)}", file=sys.stderr)
        return 1


def _refuse_misspelled(word: str) -> None:
    """Raise UsageError for what is no folder and nearly a subcommand, before its arguments are taken for options."""
    from tui.settings.names import nearest

    if not word.startswith("-") and not Path(word).exists() and (meant := nearest(word, SUBCOMMANDS)):
        raise UsageError(f"{word} is not a folder, did you mean `mimo-tui {meant}`?", "mimo-tui --help lists all.")


def show_error(error: MimoError) -> None:
    """Print what happened and what to do, cleaned, to standard error."""
    print(f"mimo-tui: {clean(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"  {clean(error.hint)}", file=sys.stderr)
