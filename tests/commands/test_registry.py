"""The registry of commands: one name, one help line, one handler for each, in whatever way it is called."""

from __future__ import annotations

import pytest

from tui.commands.registry import COMMANDS, Command, find, parse, run
from tui.core.errors import UsageError


class Recorder:
    """A front that notes what it was told."""

    more_commands = ()

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str):
        return lambda *words: self.calls.append((name, words))


def test_every_command_has_a_name_of_its_own_and_a_line_of_help() -> None:
    names = [word for command in COMMANDS for word in (command.name, *command.aliases)]
    keys = [command.key for command in COMMANDS if command.key]
    assert len(names) == len(set(names))
    assert len(keys) == len(set(keys))
    for command in COMMANDS:
        assert command.help and "\n" not in command.help and len(command.help) < 60


def test_the_promised_commands_are_there() -> None:
    assert {"help", "mode", "backend", "model", "new", "sessions", "theme", "quit"} <= {c.name for c in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_does_something(command: Command) -> None:
    front = Recorder()
    assert run(f"/{command.name}", front)
    assert len(front.calls) == 1


def test_the_words_after_the_name_reach_the_handler() -> None:
    front = Recorder()
    run("/mode   agent ", front)
    assert front.calls == [("switch_mode", ("agent",))]


def test_an_alias_is_as_good_as_the_name() -> None:
    assert find("?") is find("help")


@pytest.mark.parametrize("text", ["hello", "", "/usr/bin/env is what?", "//", "/ x", "what is /help"])
def test_what_is_no_command_is_left_for_the_model(text: str) -> None:
    assert parse(text) is None
    assert not run(text, Recorder())


def test_an_unknown_command_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        run("/sesions x", Recorder())
    assert caught.value.message == "there is no command /sesions, did you mean /sessions?"


def test_words_that_no_one_asked_for_are_not_passed_over() -> None:
    with pytest.raises(UsageError, match="/new takes no argument"):
        run("/new please", Recorder())
