"""What a command says when the sandbox held it back, told from other failures; and how it is run outside, once."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.running import outcome_of
from tui.tools.base import Outcome, ToolContext
from tui.tools.blocked import why_blocked
from tui.tools.bubblewrap import find_bubblewrap
from tui.tools.desk import Desk
from tui.tools.landlock import find_landlock
from tui.tools.run_command import RunCommand
from tui.tools.sandbox import Sandbox
from tui.tools.start_command import StartCommand


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("touch: cannot touch '/etc/x': Read-only file system", "read-only"),
        ("OSError: [Errno 30] Read-only file system: '/opt/x'", "read-only"),
        ("Error: EROFS: read-only file system, open '/usr/lib/x'", "read-only"),
        ("curl: (6) Could not resolve host: example.org", "network"),
        ("connect: Network is unreachable", "network"),
        ("npm ERR! getaddrinfo EAI_AGAIN registry.example", "network"),
        ("curl: (6) Couldn't resolve host 'example.org'", "network"),
        ("wget: unable to resolve host address 'example.org'", "network"),
        ("pip: [Errno -3] Temporary failure in name resolution", "network"),
        ("error: failed to lookup address information: Try again", "network"),
        ("go: dial tcp: lookup proxy.example: no such host", "network"),
        ("E: Temporary failure resolving 'deb.example.org'", "network"),
        ("connect to localhost port 8080: Connection refused", "network"),
        ("cat: /home/ada/.ssh/id: Permission denied", "outside of the folder"),
        ("PermissionError: [Errno 13] Permission denied: '/var/lib/x'", "outside of the folder"),
        ("fatal: could not create leading directories of '../tree/.git': Permission denied", "outside of the folder"),
        ("error: could not write config file .git/config: Device or resource busy", ".git/config"),
        ("error: could not write config file /a/.git/config: Operation not permitted", ".git/config"),
        ("OSError: [Errno 16] Device or resource busy: '.git/hooks' -> 'x'", ".git/config"),
        ("mv: cannot move '.git' to 'x': Device or resource busy", ".git/config"),
        ("rm: cannot remove 'mnt': Device or resource busy", None),
        ("cp: .github/hooks: Device or resource busy", None),
        ("see .git/config\nserial port: Device or resource busy", None),
        ("error: could not lock config file .git/config: File exists", None),
        ("./run.sh: Permission denied", None),
        ("AssertionError: 1 != 2", None),
        ("", None),
    ],
)
def test_a_failure_by_the_sandbox_is_told_from_others(folder: Path, output: str, reason: str | None) -> None:
    found = why_blocked(output, folder, network=False)
    assert (found is None) if reason is None else (found is not None and reason in found)


@pytest.mark.parametrize(
    ("command", "exit_code", "output", "is_blocked"),
    [
        ("curl -s https://example.org/x", 6, "", True),
        ("curl -s http://192.0.2.1/x", 7, "", True),
        ("wget -q https://example.org", 4, "", True),
        ("curl https://example.org | wc -c", 0, "curl: (6) Could not resolve host: example.org\n0", True),
        ("curl https://example.org | wc", 0, "  0     0 --:--:--     0curl: (6) Could not resolve host: x", True),
        ("pip download six", 1, "ERROR: Could not find a version of six (from versions: none)", True),
        ("npm install", 143, "", True),
        ("npm test", 143, "", False),
        ("cat log | wc -l", 0, "3", False),
        ("curl -s http://127.0.0.1:8000/", 7, "", True),
        ("curl http://[::1]:8000", 7, "Failed to connect to ::1 port 8000: Couldn't connect", True),
        ("./check", 7, "", False),
    ],
)
def test_a_silent_failure_is_told_by_its_exit_code(
    folder: Path, command: str, exit_code: int, output: str, is_blocked: bool
) -> None:
    assert bool(why_blocked(output, folder, False, command, exit_code)) is is_blocked


async def test_a_server_of_the_machine_that_is_not_reached_is_explained(folder: Path, sandbox: Sandbox) -> None:
    if sandbox.name != "bubblewrap":
        pytest.skip("only in bubblewrap each command has a network of its own")
    command = "exec 3<>/dev/tcp/127.0.0.1/9"
    alone = await outcome_of(RunCommand(), folder, sandbox=sandbox, command=command)
    assert "network" in alone.detail["sandbox_blocked"]
    assert "a network of its own" in alone.content and "background" not in alone.content
    desk = Desk()
    try:
        started = await outcome_of(StartCommand(), folder, sandbox=sandbox, desk=desk, command="echo up; sleep 60")
        assert "no other command can connect" in started.content
        beside = await outcome_of(RunCommand(), folder, sandbox=sandbox, desk=desk, command=command)
    finally:
        await desk.close()
    assert "sandbox_blocked" not in beside.detail
    assert "in the background runs" in beside.content and "agent.network = true" in beside.content


def test_what_is_denied_in_the_folder_itself_is_not_by_the_sandbox(folder: Path) -> None:
    assert why_blocked(f"cat: {folder}/x: Permission denied", folder, network=False) is None


def test_with_the_network_on_it_is_not_what_was_missing(folder: Path) -> None:
    assert why_blocked("Could not resolve host: example.org", folder, network=True) is None


async def test_a_command_that_was_held_back_says_so_and_can_run_outside_once(
    folder: Path, home: Path, sandbox: Sandbox
) -> None:
    command = "mkdir ~/outside"
    inside = await outcome_of(RunCommand(), folder, sandbox=sandbox, command=command)
    assert inside.is_error and "read-only" in inside.detail["sandbox_blocked"]
    context = ToolContext(folder, sandbox, 20).outside_the_sandbox()
    outcomes = [part async for part in RunCommand().run({"command": command}, context) if isinstance(part, Outcome)]
    assert not outcomes[0].is_error and outcomes[0].detail["sandbox"] is None
    assert "sandbox_blocked" not in outcomes[0].detail and (home / "outside").is_dir()


@pytest.fixture
def repository(folder: Path) -> Path:
    """The project under git, with a commit."""
    git = "git -c user.name=Ada -c user.email=ada@example.org"
    subprocess.run(f"git init -q -b main && {git} commit -q --allow-empty -m x", shell=True, cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("find", [find_bubblewrap, find_landlock])
@pytest.mark.parametrize(
    "command",
    [
        "git config user.name Ada",
        "git remote add origin http://127.0.0.1/x",
        "git checkout -q -b topic --track main",  # ends well, whatever it could not write
        "echo echo > .git/hooks/pre-commit",
        "mv .git/hooks .git/other",
    ],
)
async def test_a_change_of_what_is_kept_in_git_is_told(
    repository: Path, find: Callable[[], tuple[Sandbox | None, str]], command: str
) -> None:
    box, why = find()
    if box is None:
        pytest.skip(why)
    outcome = await outcome_of(RunCommand(), repository, sandbox=box, command=command)
    assert "sandbox_blocked" in outcome.detail, outcome.content
    assert "never .git/hooks, .git/config" in outcome.content
    quiet = await outcome_of(RunCommand(), repository, sandbox=box, command="git status")
    assert "sandbox_blocked" not in quiet.detail


async def test_a_failure_of_its_own_is_none_of_the_sandboxs(folder: Path, sandbox: Sandbox) -> None:
    assert "sandbox_blocked" not in (await outcome_of(RunCommand(), folder, sandbox=sandbox, command="false")).detail
