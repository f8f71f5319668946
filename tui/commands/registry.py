"""The one list of what the user can tell the program to do: slash commands, palette, keys and help are made from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.core.errors import UsageError
from tui.settings.names import nearest

_LINE = re.compile(r"/([a-z][a-z0-9-]*!?|\?)(?:\s+(.*))?", re.DOTALL)


class Front(Protocol):
    """What the commands work on: the main screen."""

    def show_help(self) -> None: ...
    def switch_mode(self, mode: str) -> None: ...
    def choose_backend(self, name: str) -> None: ...
    def choose_model(self, model: str) -> None: ...
    def start_session(self) -> None: ...
    def choose_session(self, session: str) -> None: ...
    def choose_theme(self, name: str) -> None: ...
    def toggle_trace(self) -> None: ...
    def focus_question(self) -> None: ...
    def stop_turn(self) -> None: ...
    def go_on(self) -> None: ...
    def attach(self, path: str) -> None: ...
    def choose_policy(self, name: str) -> None: ...
    def show_rules(self) -> None: ...
    def undo(self, turns: str) -> None: ...
    def undo_all(self) -> None: ...
    def redo(self) -> None: ...
    def show_changes(self, what: str) -> None: ...
    def show_servers(self, words: str) -> None: ...
    def edit_memory(self, words: str) -> None: ...
    def show_trust(self) -> None: ...
    def write_notes(self) -> None: ...
    def show_window(self) -> None: ...
    def compact(self) -> None: ...
    def show_jobs(self, words: str) -> None: ...
    def plan(self, task: str) -> None: ...
    def send_words(self, words: str) -> None: ...
    def set_up_backend(self) -> None: ...
    def leave(self) -> None: ...
    @property
    def more_commands(self) -> Sequence[Command]:
        """Those that are no part of the program: the user's own, the project's, and the skills."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """Something the program does when told, in whatever way it is told."""

    name: str
    help: str
    """One line, as it is shown beside the name."""
    run: Callable[[Front, str], None]
    """Called with the words after the name (stripped, empty when there are none)."""
    argument: str = ""
    """What may follow the name, as help shows it; empty: nothing may."""
    aliases: tuple[str, ...] = ()
    key: str = ""
    """In Textual's words, several separated by commas; empty: no key."""


COMMANDS: tuple[Command, ...] = (
    Command("help", "show the commands and keys", lambda front, _: front.show_help(), aliases=("?",), key="f1"),
    Command(
        "mode",
        "switch between chat and agent",
        lambda front, words: front.switch_mode(words),
        "[chat|agent]",
        key="shift+tab",
    ),
    Command(
        "backend", "choose, add, test and edit who answers", lambda front, words: front.choose_backend(words), "[NAME]"
    ),
    Command("model", "choose a model of the backend", lambda front, words: front.choose_model(words), "[ID]"),
    Command("new", "start a new session", lambda front, _: front.start_session(), aliases=("clear",)),
    Command(
        "sessions",
        "go on with an earlier session",
        lambda front, words: front.choose_session(words),
        "[ID]",
        aliases=("resume",),
    ),
    Command("theme", "choose the colours", lambda front, words: front.choose_theme(words), "[NAME]"),
    Command("trace", "show or hide the steps", lambda front, _: front.toggle_trace(), key="ctrl+t"),
    Command("answer", "go to the question that waits", lambda front, _: front.focus_question(), key="ctrl+y"),
    Command("stop", "stop the turn, keeping what came", lambda front, _: front.stop_turn(), key="escape"),
    Command("continue", "let an answer that broke off go on", lambda front, _: front.go_on()),
    Command("policy", "choose what runs unasked", lambda front, words: front.choose_policy(words), "[NAME]"),
    Command("rules", "take back what is always allowed", lambda front, _: front.show_rules()),
    Command("undo", "take back what the last turn changed", lambda front, words: front.undo(words), "[TURNS]"),
    Command("undo!", "take it back over what changed since", lambda front, _: front.undo_all()),
    Command("redo", "bring back what was taken back", lambda front, _: front.redo()),
    Command("diff", "show what the session has changed", lambda front, words: front.show_changes(words), "[turn]"),
    Command("attach", "send an image with the next message", lambda front, words: front.attach(words), "PATH"),
    Command(
        "mcp",
        "show the servers of tools, or start them anew",
        lambda front, words: front.show_servers(words),
        "[reload]",
    ),
    Command("plan", "plan first, before anything is changed", lambda front, words: front.plan(words), "[TASK]"),
    Command("context", "show what fills the window, part by part", lambda front, _: front.show_window()),
    Command("compact", "shorten the conversation before the next message", lambda front, _: front.compact()),
    Command(
        "jobs",
        "show or end what runs in the background",
        lambda front, words: front.show_jobs(words),
        "[stop NUMBER]",
    ),
    Command("trust", "show what this folder brings, and let it count", lambda front, _: front.show_trust()),
    Command("init", "have an AGENTS.md written for this project", lambda front, _: front.write_notes()),
    Command(
        "memory",
        "see and change what is remembered for later sessions",
        lambda front, words: front.edit_memory(words),
        "[everywhere]",
    ),
    Command("setup", "add a vendor, a server or the built-in model", lambda front, _: front.set_up_backend()),
    Command("quit", "leave", lambda front, _: front.leave(), aliases=("exit", "q"), key="ctrl+q"),
)


NAMES = frozenset(name for command in COMMANDS for name in (command.name, *command.aliases))
"""What no command of the user's can be called."""


def find(name: str, commands: Iterable[Command] = COMMANDS) -> Command:
    """The command of that name or alias. Raises UsageError with the nearest name for one that there is not."""
    commands = tuple(commands)
    for command in commands:
        if name == command.name or name in command.aliases:
            return command
    meant = nearest(name, [word for command in commands for word in (command.name, *command.aliases)])
    message = f"there is no command /{name}" + (f", did you mean /{meant}?" if meant else "")
    raise UsageError(message, "/help lists them all.")


def parse(text: str) -> tuple[str, str] | None:
    """The name and the words of a slash command; None for what is meant for the model (a path is no command)."""
    match = _LINE.fullmatch(text.strip())
    return (match[1], (match[2] or "").strip()) if match else None


def run(text: str, front: Front) -> bool:
    """Do what a slash command says. False when `text` is none. Raises UsageError when it cannot be done."""
    parsed = parse(text)
    if parsed is None:
        return False
    command = find(parsed[0], (*COMMANDS, *front.more_commands))
    if parsed[1] and not command.argument:
        raise UsageError(f"/{command.name} takes no argument", f"/{command.name}: {command.help}")
    command.run(front, parsed[1])
    return True
