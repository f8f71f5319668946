"""`mimo-tui sessions`: what was said before, to see, read and delete."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tui.core.codec import dumps, record_to_json
from tui.core.errors import SessionError, UsageError
from tui.core.text import clean, clean_line

if TYPE_CHECKING:
    from tui.sessions.checkpoints.undoing import Result, Undoing
    from tui.sessions.store import SessionInfo, Store

T = TypeVar("T")
_HEAD = ("ID", "AGE", "TURNS", "FOLDER", "TITLE")
_NARROWEST_TITLE = 20


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|show|diff|undo|redo|delete")
    listing = commands.add_parser("list", help="show all sessions, the last used first")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    showing = commands.add_parser("show", help="print a session")
    showing.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    showing.add_argument("--json", action="store_true", help="every event as a line of JSON, like `run --json`")
    comparing = commands.add_parser("diff", help="print what a session has changed in its folder, as a patch")
    comparing.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    undoing = commands.add_parser("undo", help="take back what the last turn of a session changed in its folder")
    undoing.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    undoing.add_argument("--turn", type=int, metavar="N", help="take back this turn and all after it")
    redoing = commands.add_parser("redo", help="bring back what was taken back last")
    redoing.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    deleting = commands.add_parser("delete", help="delete a session")
    deleting.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    deleting.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    from tui.sessions.store import Store

    store = Store.open()
    try:
        match args.command:
            case "list":
                return _list(store, args.json)
            case "show":
                return _show(store, args.id, args.json)
            case "diff":
                return _diff(store, args.id)
            case "undo":
                turn = args.turn
                return _put_back(
                    store, args.id, lambda undoing: undoing.undo() if turn is None else undoing.undo_from(turn)
                )
            case "redo":
                return _put_back(store, args.id, lambda undoing: undoing.redo(), "Brought back")
            case _:
                return _delete(store, args.id, args.yes)
    finally:
        store.close()


def _list(store: Store, as_json: bool) -> int:
    sessions = store.list()
    if as_json:
        for info in sessions:
            print(dumps(_values(info)))
    elif not sessions:
        print("There are no sessions yet.")
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in table([_HEAD, *(_row(info) for info in sessions)], width):
            print(line)
    return 0


def _show(store: Store, prefix: str, as_json: bool) -> int:
    info = store.find(prefix)
    records = store.records(info.id)
    if as_json:
        for record in records:
            print(dumps(record_to_json(record)))
    else:
        from tui.sessions.readable import readable

        print(f"{clean_line(info.title)}\n{info.id} · {clean_line(str(info.folder))}")
        for line in readable(records):
            print(line)
    return 0


def _diff(store: Store, prefix: str) -> int:
    """To a terminal cleaned, elsewhere to the byte, for `git apply`."""
    from tui.agent.keeper import Keeper
    from tui.agent.patches import patch_of

    info = store.find(prefix)
    patches = [patch_of(change) for change in _reaching(Keeper(store, info.id, info.folder).undoing.session_changes)]
    for patch in patches:
        note = f"{patch.path}: {patch.what}\n"  # of what was not kept there is no patch
        if sys.stdout.isatty():
            print(clean(patch.text or note), end="")
        else:
            sys.stdout.buffer.write(patch.data or note.encode("utf-8", "surrogateescape"))
    if not patches:
        print(f"The files of {clean_line(str(info.folder))} are as they were before.", file=sys.stderr)
    return 0


def _put_back(store: Store, prefix: str, work: Callable[[Undoing], Result], did: str = "Took back") -> int:
    from tui.agent.keeper import Keeper
    from tui.agent.patches import summary

    info = store.find(prefix)
    store.claim(info.id)
    keeper = Keeper(store, info.id, info.folder)
    result = _reaching(lambda: keeper.put_back(work))
    print(clean_line(summary(result, did)[0], 2000))
    return 1 if result.left or result.failed else 0


def _reaching(work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        raise SessionError(f"the files of the session's folder cannot be reached: {error}") from error


def _delete(store: Store, prefix: str, is_sure: bool) -> int:
    info = store.find(prefix)
    if not is_sure:
        if not sys.stdin.isatty():
            raise UsageError("deleting a session is not done unasked, and nobody is here to be asked", "Give --yes.")
        turns = "1 turn" if info.turns == 1 else f"{info.turns} turns"
        print(f"{info.id}  {clean_line(info.title)} ({turns}, {clean_line(str(info.folder))})")
        if not _confirmed("Delete this session? It cannot be brought back. [y/N] "):
            print("Nothing was deleted.")
            return 1
    from tui.tools.kept_outputs import forget_outputs

    store.delete(info.id)
    forget_outputs(info.id)
    print(f"Session {info.id} is deleted.")
    return 0


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _values(info: SessionInfo) -> dict[str, object]:
    return {
        "id": info.id,
        "title": info.title,
        "folder": str(info.folder),
        "created": info.created,
        "updated": info.updated,
        "turns": info.turns,
        "interrupted": info.interrupted,
    }


def _row(info: SessionInfo) -> tuple[str, ...]:
    home, folder = str(Path.home()), str(info.folder)
    if folder == home or folder.startswith(f"{home}/"):
        folder = f"~{folder[len(home) :]}"
    title = clean_line(info.title) + (" (interrupted)" if info.interrupted else "")
    return info.id, age(time.time() - info.updated), str(info.turns), clean_line(folder), title


def age(seconds: float) -> str:
    """How long ago, in one unit."""
    for unit, length_s in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length_s:
            return f"{int(seconds // length_s)} {unit}"
    return "now"


def table(rows: Sequence[tuple[str, ...]], width: int | None) -> list[str]:
    """Rows as aligned lines of at most `width` cells (None: as wide as need be): the last two columns give way."""
    from rich.cells import cell_len, set_cell_size

    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if width is not None:
        *others, folder, title = widths
        free = width - sum(others) - 2 * len(others) - 2
        widths[-2] = max(6, min(folder, free - min(title, max(_NARROWEST_TITLE, free // 2))))
        widths[-1] = max(1, min(title, free - widths[-2]))
    lines = []
    for row in rows:
        cells = [
            cell if cell_len(cell) <= size else set_cell_size(cell, size - 1) + "…"
            for cell, size in zip(row, widths, strict=True)
        ]
        padded = [cell + " " * (size - cell_len(cell)) for cell, size in zip(cells, widths, strict=True)]
        lines.append(clean("  ".join(padded)).rstrip())
    return lines
