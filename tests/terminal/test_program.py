"""The whole program in a real terminal: start, keys, paste, resize, suspend, signals, and every way to its end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scripted import Reply, ScriptedServer, pause, text, tool_call
from tests.terminal.terminal import Terminal
from tui.settings.config import config_file

pytestmark = pytest.mark.slow

Model = Callable[..., ScriptedServer]
LEFT_ALT_SCREEN = b"\x1b[?1049l"
READY = "/ commands"
STREAM = [element for number in range(2000) for element in (pause(0.01), text(f"and {number}\n"))]
WRITE = tool_call("write_file", {"path": "new.txt", "content": "hello\n"})
KEYS = {
    "ctrl+j": "\n",
    "alt+enter": "\x1b\r",
    "shift+enter, kitty": "\x1b[13;2u",
    "shift+enter, xterm": "\x1b[27;2;13~",
}


def test_one_types_reads_the_answer_and_leaves(folder: Path, model: Model) -> None:
    model("Hello, **you**.")
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("hi\r")
        terminal.until_shown("hi", "Hello, you.")
        terminal.type("\x11")
        assert terminal.until_ended() == 0
        assert LEFT_ALT_SCREEN in terminal.output


def test_keys_that_are_struck_before_the_screen_is_there_are_not_lost(folder: Path, model: Model) -> None:
    model()
    with Terminal(folder=folder) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.output, "the program takes over the terminal")
        terminal.type("early")
        terminal.until_shown("▌ early")


def test_a_paste_of_many_lines_is_one_message(folder: Path, model: Model) -> None:
    server = model("Read.")
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.paste("one\ntwo\n\tthree")
        terminal.until_shown("three")
        terminal.type("\r")
        terminal.until_shown("Read.")
        assert server.requests[0].messages[-1]["content"] == "one\ntwo\n\tthree"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_line_can_be_broken_in_every_terminal(folder: Path, model: Model, key: str) -> None:
    server = model("Read.")
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type(f"one{key}two")
        terminal.until_shown("▌ two")
        terminal.type("\r")
        terminal.until_shown("Read.")
        assert server.requests[0].messages[-1]["content"] == "one\ntwo"


def test_it_follows_the_windows_size(folder: Path, model: Model) -> None:
    model()
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.resize(40, 10)
        terminal.until(lambda: "lab/scripted" in terminal.screen.splitlines()[-1], "the status line is at the bottom")


def test_ctrl_z_suspends_it_and_it_comes_back(folder: Path, model: Model) -> None:
    model()
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("\x1a")
        terminal.until(lambda: _state(terminal.pid) == "T", "it is stopped")
        terminal.until(lambda: LEFT_ALT_SCREEN in terminal.output, "the terminal is as it was")
        terminal.signal(signal.SIGCONT)
        terminal.until(lambda: terminal.output.count(b"\x1b[?1049h") == 2, "it is back")
        terminal.type("still here")
        terminal.until_shown("still here")


@pytest.mark.parametrize("delay_ms", [0, 60, 120, 180, 240, 300])
def test_ctrl_c_while_it_starts_prints_no_traceback(folder: Path, model: Model, delay_ms: int) -> None:
    model()
    with Terminal(folder=folder) as terminal:
        terminal.wait_ms(delay_ms)
        while not terminal.has_ended:
            terminal.type("\x03")
            terminal.wait_ms(50)
        # Before the program's first line Python itself may print one, about its own modules.
        assert b"/tui/" not in terminal.output, terminal.output[-3000:].decode(errors="replace")


def test_ctrl_c_stops_an_answer_and_twice_more_ends_the_program(folder: Path, model: Model) -> None:
    model(Reply(text("on and on"), pause()), may_complain=True)
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("go\r")
        terminal.until_shown("on and on")
        terminal.type("\x03")
        terminal.until_shown("interrupted")
        terminal.type("\x03")
        terminal.until_shown("ctrl+c again")
        terminal.type("\x03")
        assert terminal.until_ended() == 0
        assert b"Traceback" not in terminal.output


@pytest.mark.parametrize("keys", ["xyz", "yes", "/new"])
def test_text_that_comes_in_one_read_answers_no_question(folder: Path, model: Model, keys: str) -> None:
    model(Reply(WRITE), "It is written.")
    with Terminal("--mode", "agent", folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("go\r")
        terminal.until_shown("y once")
        terminal.type(keys)
        terminal.until_shown(f"▌ {keys}", "y once")
        terminal.wait_ms(300)
        assert "y once" in terminal.screen
        assert not (folder / "new.txt").exists()
        terminal.type("\x19")
        terminal.wait_ms(300)
        terminal.type("y")
        terminal.until_shown("It is written.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_the_terminal_as_it_was_and_what_came_stored(
    folder: Path, model: Model, number: signal.Signals
) -> None:
    model(Reply(text("kept for later"), pause()), may_complain=True)
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("go\r")
        terminal.until_shown("kept for later")
        terminal.signal(number)
        terminal.until_ended()
        assert LEFT_ALT_SCREEN in terminal.output
        assert b"Traceback" not in terminal.output
    with Terminal("--continue", folder=folder) as terminal:
        terminal.until_shown("go", "kept for later")


@pytest.mark.parametrize(
    ("replies", "shown"),
    [
        ([[text("kept for later"), *STREAM]], "kept for later"),
        ([[text("kept for later"), WRITE]], "y once"),
        ([[text("kept for later"), pause()]], "kept for later"),
    ],
    ids=["while an answer streams", "while a question waits", "while the server is silent"],
)
def test_it_ends_with_its_terminal_and_what_came_is_stored(
    folder: Path, model: Model, replies: list[list[Any]], shown: str
) -> None:
    model(*(Reply(*elements) for elements in replies), may_complain=True)
    with Terminal("--mode", "agent", folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("go\r")
        terminal.until_shown("kept for later", shown)
        terminal.hang_up()
        terminal.until_ended()
    with Terminal("--continue", folder=folder) as terminal:
        terminal.until_shown("go", "kept for later")


def test_it_ends_with_its_terminal_right_after_the_start(home: Path, folder: Path) -> None:
    with Terminal(folder=folder) as terminal:
        terminal.until_shown("Who should answer?")
        terminal.hang_up()
        terminal.until_ended()


def test_a_thread_that_hangs_does_not_hold_it_back_at_its_end(folder: Path, model: Model) -> None:
    model(backend='credential = { command = ["sleep", "25"] }')
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("hi\r")
        terminal.until_shown("working")
        terminal.type("\x11")
        assert terminal.until_ended() == 0


def test_after_kill_9_the_turn_is_there_marked_as_interrupted(folder: Path, model: Model) -> None:
    model("first answer", Reply(text("second"), pause()), may_complain=True)
    with Terminal(folder=folder) as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("one\r")
        terminal.until_shown("first answer", READY)
        terminal.type("two\r")
        terminal.until_shown("second")
        terminal.signal(signal.SIGKILL)
        terminal.until_ended()
    with Terminal("--continue", folder=folder) as terminal:
        terminal.until_shown("one", "first answer", "two", "nterrupted")


def test_a_mistake_in_the_config_file_is_said_before_anything_is_drawn(folder: Path, model: Model) -> None:
    model(config="retires = 3")
    with Terminal(folder=folder) as terminal:
        assert terminal.until_ended() == 2
        assert b"\x1b[?1049h" not in terminal.output
        assert str(config_file()) in terminal.screen.replace("\n", "")
        assert "retries" in terminal.screen


def test_an_unknown_theme_on_the_command_line_is_refused(folder: Path, model: Model) -> None:
    model()
    with Terminal("--theme", "papper", folder=folder) as terminal:
        assert terminal.until_ended() == 2
        assert "paper" in terminal.screen
        assert b"\x1b[?1049h" not in terminal.output


def test_without_colours_everything_is_still_there(folder: Path, model: Model) -> None:
    model("Hello.")
    with Terminal(folder=folder, NO_COLOR="1") as terminal:
        terminal.until_shown(READY, "lab/scripted")
        terminal.type("hi\r")
        terminal.until_shown("Hello.")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
