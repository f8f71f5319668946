"""A program that changes files as a turn does, to be killed; its arguments: a database, what it does, and a folder.

It prints a line when it may be killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.sessions.checkpoints.conftest import Session, run
from tui.sessions.store import Store

MANY = 400


def edit_and_hang(session: Session) -> None:
    session.recorder.before_files((1, 1), ["src/a.py", "made/new"])
    (session.folder / "src/a.py").write_text("half")
    (session.folder / "made").mkdir()
    (session.folder / "made/new").write_text("half")
    hang()


def command_and_hang(session: Session) -> None:
    session.command("echo 1 >> src/a.py; touch first")
    session.edit("second", b"2")
    (session.folder / "empty").write_text("the user's, in between")
    session.recorder.before_command((1, 3))
    run("rm -rf src; echo more >> empty; touch third", session.folder)
    hang()


def change_many(session: Session) -> None:
    session.command(f"for i in $(seq {MANY}); do echo $i > f$i; done; echo x > src/a.py")
    session.command("for f in f[0-9]*; do echo y > $f; done; rm f1*")
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        session.undoing.undo()
        session.undoing.redo()


def hang() -> None:
    print("ready", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    WHAT = {"edit": edit_and_hang, "command": command_and_hang, "many": change_many}
    store = Store.open(Path(sys.argv[1]))
    WHAT[sys.argv[2]](Session(store, Path(sys.argv[3])))
