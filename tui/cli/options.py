"""The options that opening the program and `run` share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.agent.wishes import Wishes


def add_conversation_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mode", choices=["chat", "agent"], help="talk, or let the model work with tools")
    parser.add_argument("--backend", metavar="NAME", help="a backend of the config file, or a preset")
    parser.add_argument("--model", metavar="ID", help="another model than the one that is set for the backend")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--continue", dest="continue_last", action="store_true", help="go on with the latest session here"
    )
    which.add_argument("--resume", dest="session", metavar="ID", help="go on with this session")


def wishes_of(args: argparse.Namespace) -> Wishes:
    """What was asked for on the command line, options that this subcommand has not left out."""
    from tui.agent.wishes import Wishes

    given = vars(args) | {"timeout_s": getattr(args, "timeout", None)}
    return Wishes(**{name: given[name] for name in Wishes.__dataclass_fields__ if name in given})
