"""`mimo-tui trust`: let a project's notes, skills, hooks and settings count, or no more."""

from __future__ import annotations

import argparse
from pathlib import Path

from tui.core.errors import ConfigError, UsageError
from tui.core.text import clean, clean_line
from tui.settings.schema import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Let the notes, skills, commands, hooks and settings of a project count."
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="in the project; default: ."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--show", action="store_true", help="only show what it would be allowed to do")
    what.add_argument("--list", action="store_true", help="list the projects that are trusted")
    what.add_argument("--remove", action="store_true", help="trust it no more")


def run(args: argparse.Namespace) -> int:
    if args.list:
        return _list()
    if args.remove:  # also of a folder that is gone
        return _remove(args.folder)
    if not args.folder.is_dir():
        raise UsageError(f"{args.folder} is not a folder")
    return _trust(args.folder, only_shows=args.show)


def _trust(folder: Path, only_shows: bool) -> int:
    from tui.agent.project.offer import offer_of
    from tui.commands.registry import NAMES
    from tui.settings.project import project_root
    from tui.settings.trust import refuse_home, trust

    refuse_home(project_root(folder))
    offer = offer_of(folder, NAMES, _settings())
    if offer.errors:  # nothing of it counts, so there is nothing to agree to
        raise offer.errors[0]
    root = clean(str(offer.root))
    state = {"trusted": "is trusted", "changed": "has changed since it was trusted", "unknown": "is not trusted"}
    if not only_shows:
        print(f"{root} is allowed to, from now on:")
    else:
        print(f"{root} {state[offer.state]}. It {'is' if offer.state == 'trusted' else 'would be'} allowed to:")
    if news := offer.news():
        print(f"  {news}")
    for line in offer.lines():
        print(f"  {line}")
    if offer.is_empty:
        print("  (it brings nothing now; notes, skills and commands that come later would count)")
    if not only_shows:
        trust(folder, offer.fingerprint)
        print(f"Trusted. To take it back: mimo-tui trust --remove {root}")
    return 0


def _settings() -> Settings:
    """The user's own; those that nobody has set where they have mistakes, which keep nobody from looking."""
    from tui.backends.resolve import presets
    from tui.settings.config import load

    try:
        return load(None, presets())
    except ConfigError:
        return Settings()


def _list() -> int:
    from tui.settings.trust import trust_state, trusted_projects

    for project in trusted_projects():
        folder = Path(project.path)
        note = "" if trust_state(folder) == "trusted" else "  changed since: asked about again"
        if not folder.is_dir():
            note = "  not there any more"
        print(f"{project.when}  {clean_line(project.path, 500)}{note}")
    return 0


def _remove(folder: Path) -> int:
    from tui.settings.trust import distrust

    was_trusted = distrust(folder)
    print(f"{clean(str(folder))} {'is not trusted any more' if was_trusted else 'was not trusted'}.")
    return 0 if was_trusted else 1
