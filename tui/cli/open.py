"""`mimo-tui [DIR]`: open the program."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tui.cli.options import add_conversation_options, wishes_of
from tui.core.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="where to work")
    add_conversation_options(parser)
    parser.add_argument("--theme", metavar="NAME", help="how it looks; /theme in the program shows them all")


def run(args: argparse.Namespace) -> int:
    if not args.folder.is_dir():
        raise UsageError(
            f"{args.folder} is not a folder", "Name a folder, or a subcommand: mimo-tui --help lists them."
        )
    # The screen is drawn on standard error, as Textual does it.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("this needs a terminal", 'Without one, use: mimo-tui run "PROMPT"')
    os.chdir(args.folder)

    from tui.app import run_app

    return run_app(Path.cwd(), wishes_of(args), args.theme)
