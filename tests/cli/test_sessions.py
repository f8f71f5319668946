"""`mimo-tui sessions`, as typed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.sessions.making import Stream
from tui.cli import main
from tui.cli.sessions import age, table
from tui.core.codec import record_from_json
from tui.core.errors import ErrorInfo
from tui.core.events import TextDelta, TurnFailed
from tui.core.messages import Text, ToolCall
from tui.sessions.store import Store


@pytest.fixture
def store(home: Path) -> Store:
    return Store.open()


def add(store: Store, *, folder: Path = Path("/project")) -> Stream:
    stream = Stream(store.create(folder).id)
    store.append(stream.session, stream.work())
    return stream


def test_list_shows_what_there_is(store: Store, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "list"]) == 0
    assert capsys.readouterr().out == "There are no sessions yet.\n"
    whole, cut = add(store, folder=home / "src"), add(store)
    store.append(cut.session, [cut.ask("Go on")])
    assert main(["sessions", "list"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "AGE", "TURNS", "FOLDER", "TITLE"]
    assert first.split("  ")[0] == cut.session
    assert first.endswith("2      /project  Read a.txt (interrupted)")
    assert second.split("  ")[0] == whole.session
    assert second.endswith("1      ~/src     Read a.txt")


def test_list_as_json_is_one_object_a_line(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stream = add(store)
    assert main(["sessions", "list", "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    values = json.loads(line)
    assert values.pop("created") > 1e9
    assert values == {
        "id": stream.session,
        "title": "Read a.txt",
        "folder": "/project",
        "updated": 1013.0,
        "turns": 1,
        "interrupted": False,
    }


def test_show_prints_the_conversation_to_read(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stream = add(store)
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(1000))
    assert main(["sessions", "show", stream.session[:5]]) == 0
    assert capsys.readouterr().out == (
        f"""\
Read a.txt
{stream.session} · /project

── you · {began}
Read a.txt

── m · lab
┆ I should look.

Let me see.
→ read_file(path="a.txt")
✓ read_file
  one
It says one.
"""
    )


def test_show_says_how_a_turn_ended_and_cuts_long_output(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stream = Stream(store.create(Path("/project")).id)
    turn = stream.work()
    turn[9] = stream.record(type(turn[9].event)("c1", True, "line\n" * 50, 0.1, {}))
    failed = [stream.ask("Again"), stream.record(TurnFailed(ErrorInfo("auth", "the key is wrong")))]
    store.append(stream.session, [*turn, *failed, stream.ask("And again"), stream.begin()])
    assert main(["sessions", "show", stream.session]) == 0
    out = capsys.readouterr().out
    assert "✗ read_file\n" + "  line\n" * 40 + "  … 10 more lines" in out
    assert "! failed: the key is wrong\n" in out
    assert out.endswith("! interrupted\n")


def test_nothing_that_a_model_wrote_reaches_the_terminal_as_it_is(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "a\x1b]0;x\x07\u202eb\r"
    stream = Stream(store.create(Path(f"/{evil}"), evil).id)
    call = ToolCall(evil, evil, {evil: evil})
    store.append(
        stream.session,
        [stream.ask(evil), stream.begin(), stream.finish(Text(evil), call), stream.record(TextDelta(evil))],
    )
    assert main(["sessions", "show", stream.session]) == 0
    assert main(["sessions", "show", stream.session, "--json"]) == 0
    assert main(["sessions", "list"]) == 0
    assert not set("\x1b\x07\r\u202e") & set(capsys.readouterr().out)


def test_show_as_json_prints_the_lines_of_the_live_turn(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stream = add(store)
    assert main(["sessions", "show", stream.session, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [record_from_json(json.loads(line)) for line in lines] == store.records(stream.session)


def test_delete_needs_a_word(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stream = add(store)
    assert main(["sessions", "delete", stream.session]) == 2
    assert "--yes" in capsys.readouterr().err
    assert store.list()
    assert main(["sessions", "delete", stream.session, "--yes"]) == 0
    assert store.list() == []


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("\x04", 1), ("y\n", 0)])
def test_delete_asks_on_a_terminal(store: Store, answer: str, code: int) -> None:
    stream = add(store)
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "tui", "sessions", "delete", stream.session], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 1000)
    os.write(ours, answer.encode())
    assert child.wait() == code
    os.close(ours)
    assert b"Read a.txt (1 turn, /project)" in said
    assert len(store.list()) == code


def test_an_unknown_session_is_an_error_that_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sessions", "show", "nothing"]) == 2
    assert capsys.readouterr().err == (
        "mimo-tui: there is no session 'nothing'\n  See which there are: mimo-tui sessions list\n"
    )


def test_a_session_that_is_open_elsewhere_is_not_deleted(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    stream = add(store)
    store.claim(stream.session)
    assert main(["sessions", "delete", stream.session, "--yes"]) == 1
    assert "open in another mimo-tui" in capsys.readouterr().err


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_table_is_as_wide_as_the_terminal_at_most(width: int) -> None:
    rows = [("abc234", "5 min", "17", "/a/long/folder/名前" * 3, "タイトル" * 10), ("abc235", "1 d", "1", "~/x", "Hi")]
    lines = table(rows, width)
    assert all(cell_len(line) <= width for line in lines)
    assert lines[0].startswith("abc234  5 min  17  /a/l")
    assert lines[1].endswith("Hi")


@pytest.mark.parametrize(("seconds", "words"), [(-3, "now"), (59, "now"), (60, "1 min"), (7300, "2 h"), (1e6, "11 d")])
def test_ages_have_one_unit(seconds: float, words: str) -> None:
    assert age(seconds) == words
