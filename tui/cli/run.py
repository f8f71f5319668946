"""`mimo-tui run "PROMPT"`: answer one prompt and end."""

from __future__ import annotations

import argparse
import asyncio
import os
import stat
import sys
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.options import add_conversation_options, wishes_of
from tui.core.errors import UsageError
from tui.core.text import clean_line

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation

_WHY_CHARACTERS = 300
_DESCRIPTION = """\
Answer one prompt and end. Standard input, when it is a pipe or a file, is added to the prompt.
The answer goes to standard output, everything else to standard error."""
_EPILOG = """\
exit codes: 0 done; 1 the model could not be asked; 2 usage, configuration or a missing key;
3 done, but something was denied for want of an approval; 4 a limit was met; 130 interrupted"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "prompt", nargs="?", default="", metavar="PROMPT", help="what to ask, in quotes; standard input follows it"
    )
    parser.add_argument(
        "--image", action="append", default=[], type=Path, metavar="PATH", help="send this image along; may be repeated"
    )
    add_conversation_options(parser)
    parser.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    parser.add_argument("--policy", choices=["ask", "edits", "plan", "auto"], help="what runs unasked")
    parser.add_argument("--sandbox", choices=["on", "off"], help="run commands in a sandbox")
    parser.add_argument("--max-steps", type=_positive(int), metavar="N", help="end after so many requests to the model")
    parser.add_argument("--budget", type=_positive(float), metavar="USD", help="end when so much money is spent")
    parser.add_argument("--timeout", type=_positive(float), metavar="S", help="seconds for the whole turn")


def run(args: argparse.Namespace) -> int:
    piped = _piped()
    if not args.prompt.strip() and not piped.strip() and not args.image:
        raise UsageError("there is no prompt", 'Give one: mimo-tui run "What is in this folder?", or pipe text in.')

    from tui.agent.conversation import Conversation
    from tui.backends.embedded.catalogue import DEFAULT
    from tui.backends.embedded.pull import is_broken, model_path
    from tui.backends.images import load_image
    from tui.backends.resolve import presets
    from tui.headless.run import run as run_turn
    from tui.settings.config import load

    settings = load(Path.cwd(), presets())
    conversation = Conversation.open(settings, Path.cwd(), wishes_of(args))
    if conversation.spec() is None:
        if model_path(DEFAULT.name) is None:
            state = "broken" if is_broken(DEFAULT.name) else "not there"
            raise UsageError(
                f"no backend is set, and the built-in model is {state}",
                "Name one with --backend, set defaults.backend in the config file (mimo-tui config path), "
                "or fetch the built-in model: mimo-tui models pull",
            )
        conversation.use("embedded")
    prompt = "\n\n".join(part for part in (_expanded(args, conversation), piped) if part.strip())
    images = [load_image(path) for path in args.image]
    if images and (objection := conversation.objection_to(images)):
        raise UsageError(objection)
    return asyncio.run(run_turn(conversation, prompt, args.json, images))


def _expanded(args: argparse.Namespace, conversation: Conversation) -> str:
    """The prompt; for a command of the user's or of a trusted project its text, by the mode and model that it wants."""
    from tui.agent.project.custom_commands import called_in, why_unusable
    from tui.commands.registry import NAMES

    if (called := called_in(args.prompt, Path.cwd(), NAMES)) is None:
        if why := why_unusable(args.prompt, Path.cwd(), NAMES):
            raise UsageError(clean_line(why, _WHY_CHARACTERS), "To ask the model with these words, put a space first.")
        return str(args.prompt)
    command, words = called
    spec = conversation.spec()
    if command.model is not None and args.model is None and spec is not None:
        conversation.use(spec.name, command.model)
    if command.mode is not None and args.mode is None:
        conversation.mode = command.mode
    return command.text(words)


def _piped() -> str:
    """Standard input read to its end, when it is a pipe or a file."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:  # closed
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode)):
        return ""
    return sys.stdin.buffer.read().decode(errors="replace")


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not isfinite(value):
            raise argparse.ArgumentTypeError(
                f"must be a finite number, not {text}; leave it out where no limit is meant"
            )
        if value <= 0:
            raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
        return value

    parse.__name__ = kind.__name__  # argparse names it in its error
    return parse
