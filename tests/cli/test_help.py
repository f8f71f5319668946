"""What `--help` says, and what is said of a command line that cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli import SUBCOMMANDS, main

Out = pytest.CaptureFixture[str]


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(str(end.value.code))


def test_the_help_has_a_line_for_each_subcommand(capsys: Out) -> None:
    assert ended("--help") == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    for name, words in SUBCOMMANDS.items():
        assert ["mimo-tui", name, words] in lines


@pytest.mark.parametrize("option", ["--mode {chat,agent}", "--model ID", "--max-steps N", "--budget USD", "PROMPT"])
def test_an_option_of_run_is_explained(option: str, capsys: Out) -> None:
    assert ended("run", "--help") == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(n for n, line in enumerate(lines) if line.strip().startswith(option))
    assert lines[place].strip() != option or lines[place + 1].startswith(" " * 20)


@pytest.mark.parametrize(
    "words",
    [
        *(("keys", word) for word in ("set", "status", "remove")),
        *(("backends", word) for word in ("test", "models", "remove", "show")),
        ("models", "remove"),
    ],
)
def test_a_command_says_what_it_does_in_its_own_help(words: tuple[str, str], capsys: Out) -> None:
    assert ended(*words, "--help") == 0
    usage, description, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith("usage:") and not description.startswith("positional")


def test_a_key_set_for_nobody_names_only_what_is_missing(capsys: Out) -> None:
    assert ended("keys", "set") == 2
    assert capsys.readouterr().err.endswith("required: BACKEND\n")


@pytest.mark.parametrize("words", [["sesions"], ["sesions", "list", "--json"]])
def test_a_misspelled_subcommand_is_met_with_the_nearest(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "sesions is not a folder, did you mean `mimo-tui sessions`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--timeout", "inf", "must be a finite number, not inf; leave it out where no limit is meant"),
        ("--budget", "nan", "must be a finite number, not nan"),
        ("--budget", "0", "must be above 0, not 0"),
        ("--max-steps", "-1", "must be above 0, not -1"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_the_reason(
    option: str, value: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["run", f"{option}={value}", "Go"])
    assert f"argument {option}: {why}" in capsys.readouterr().err
