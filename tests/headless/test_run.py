"""`mimo-tui run` as a process: what it prints where, and its exit codes (DESIGN.md section 7)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scripted import Reply, ScriptedServer, fault, pause, reasoning, tool_call, usage
from tui.core.codec import record_from_json
from tui.tools.sandbox import find_sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]
READ_A = tool_call("read_file", {"path": "a"})
WRITE_A = tool_call("write_file", {"path": "a", "content": "new"})


class Project:
    """A folder to run in, and a configuration with one backend."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder, self.config = folder, home / ".config" / "mimo-tui" / "config.toml"

    def configure(self, server: ScriptedServer, extra: str = "") -> None:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(
            f'[defaults]\nbackend = "lab"\n[backends.lab]\nwire = "chat-completions"\nbase_url = "{server.base_url}"\n'
            f'model = "scripted"\ncredential = "none"\nretries = 0\n{extra}'
        )

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        command = [sys.executable, "-m", "tui", "run", *args]
        return subprocess.Popen(command, cwd=self.folder, text=True, **pipes)

    def run(self, *args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        process = self.start(*args, **({} if stdin is None else {"stdin": subprocess.PIPE}))
        out, err = process.communicate(stdin, timeout=60)
        assert "Traceback" not in out + err
        return subprocess.CompletedProcess(args, process.returncode, out, err)


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a").write_text("old")
    return Project(home, folder)


Scripted = Callable[..., ScriptedServer]


def test_the_answer_is_all_that_standard_output_gets(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(reasoning("hm"), "The answer.")]))
    done = project.run("Question?")
    assert (done.stdout, done.stderr, done.returncode) == ("The answer.\n", "", 0)


def test_agent_mode_prints_the_last_answer_and_its_work_elsewhere(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply("I look.", READ_A), "It says old."]))
    done = project.run("What is in a?", "--mode", "agent")
    assert (done.stdout, done.returncode) == ("It says old.\n", 0)
    assert "read_file" in done.stderr and "I look." in done.stderr


def test_piped_input_follows_the_prompt(project: Project, scripted: Scripted) -> None:
    server = scripted(["ok", "ok"])
    project.configure(server)
    assert project.run("Summarise", stdin="some\ntext\n").returncode == 0
    assert project.run(stdin="only this").returncode == 0
    said = [request.body["messages"][-1]["content"] for request in server.requests]
    assert said == ["Summarise\n\nsome\ntext\n", "only this"]


def test_a_command_of_ones_own_is_expanded(project: Project, scripted: Scripted) -> None:
    server = scripted(["42", "43", "44"])
    project.configure(server)
    (commands := project.config.parent / "commands").mkdir()
    (commands / "mend.md").write_text("---\nmode: agent\nmodel: stronger\n---\nMend $1. All: $ARGUMENTS")
    assert project.run("/mend 'a b' c", stdin="piped\n").stdout == "42\n"
    assert project.run("/mend x", "--mode", "chat", "--model", "mine").stdout == "43\n"
    assert project.run("/mends x").stdout == "44\n"
    asked = [request.body for request in server.requests]
    said = [body["messages"][-1]["content"] for body in asked]
    assert said[0].startswith("Mend a b. All: 'a b' c\n\npiped") and said[1:] == ["Mend x. All: x", "/mends x"]
    assert [body["model"] for body in asked] == ["stronger", "mine", "scripted"]
    assert ["tools" in body for body in asked] == [True, False, False]


def test_input_from_a_file_is_read_too(project: Project, scripted: Scripted) -> None:
    server = scripted(["ok"])
    project.configure(server)
    with (project.folder / "a").open() as file:
        process = project.start("Summarise", stdin=file)
        process.communicate(timeout=60)
    assert "old" in server.requests[0].body["messages"][-1]["content"]


def test_no_prompt_at_all_is_a_usage_error(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([]))
    done = project.run()
    assert done.returncode == 2 and "prompt" in done.stderr


def test_every_line_of_json_is_a_record(project: Project, scripted: Scripted) -> None:
    server = scripted([Reply(READ_A), "Fine."])
    project.configure(server)
    done = project.run("Go", "--mode", "agent", "--json")
    records = [record_from_json(json.loads(line)) for line in done.stdout.splitlines()]
    types = [record.event.type for record in records]
    assert types[:2] == ["turn_started", "step_started"] and types[-1] == "turn_finished"
    assert {"tool_started", "tool_finished", "step_finished"} <= set(types)
    assert (done.stderr, done.returncode) == ("", 0)
    assert len(server.requests) == 2 and server.others == []  # nothing but the turn's own steps


def test_what_nobody_can_approve_is_denied_and_the_turn_goes_on(project: Project, scripted: Scripted) -> None:
    server = scripted([Reply(WRITE_A), "I could not."])
    project.configure(server)
    done = project.run("Go", "--mode", "agent")
    assert (done.stdout, done.returncode) == ("I could not.\n", 3)
    assert "approval" in server.requests[1].body["messages"][-1]["content"]
    assert (project.folder / "a").read_text() == "old"


def test_each_call_has_its_line_once_whether_it_ran_or_not(project: Project, scripted: Scripted) -> None:
    calls = [READ_A, WRITE_A, tool_call("write_file", {"path": ".git/config", "content": ""}), tool_call("no_such", {})]
    project.configure(scripted([Reply(*calls, "Now."), "Done."]))
    lines = project.run("Go", "--mode", "agent").stderr.splitlines()
    shown = [line.split("(")[0].split(":")[0].strip() for line in lines]
    assert shown[:2] == ["Now.", "● read_file"] and shown[2].startswith("✓")
    assert shown[3:7] == ["● write_file", "✗ Not allowed"] * 2
    assert shown[7] == "● no_such" and shown[8].startswith("✗ There is no tool") and len(shown) == 9


def test_results_of_calls_that_ran_side_by_side_name_their_call(project: Project, scripted: Scripted) -> None:
    calls = [tool_call("read_file", {"path": path}) for path in ("a", "missing")]
    project.configure(scripted([Reply(*calls), "Done."]))
    lines = [line.strip() for line in project.run("Go", "--mode", "agent").stderr.splitlines()]
    above = ""
    for line in lines:
        if line.startswith("●"):
            above = line.removeprefix("● ")
            continue
        mark, _, words = line.partition(" ")
        own = f"read_file(path='{'a' if mark == '✓' else 'missing'}')"
        assert words.startswith(f"{own}: ") is (above != own)
    assert len(lines) == 4


def test_a_command_that_does_not_count_is_not_sent_as_words(project: Project, scripted: Scripted) -> None:
    project.configure(scripted(["Fine."]))
    command = project.folder / ".mimo" / "commands" / "ship.md"
    command.parent.mkdir(parents=True)
    command.write_text("Ship it.")
    done = project.run("/ship now")
    assert done.returncode == 2 and ".mimo/commands/ship.md does not count before you trust" in done.stderr
    assert project.run(" /ship now").stdout == "Fine.\n"


def test_a_policy_from_the_command_line_allows(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(WRITE_A), "Done."]))
    done = project.run("Go", "--mode", "agent", "--policy", "edits")
    assert done.returncode == 0
    assert (project.folder / "a").read_text() == "new"


def test_a_tool_error_does_not_change_the_exit_code(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(tool_call("read_file", {"path": "missing"})), "It is not there."]))
    assert project.run("Go", "--mode", "agent").returncode == 0


def test_a_cut_answer_is_said_on_standard_error(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply("The answ", finish="length")]))
    done = project.run("Go")
    assert (done.stdout, done.returncode) == ("The answ\n", 0)
    assert "cut" in done.stderr


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (fault(401, {"error": {"message": "Incorrect API key"}}), "Incorrect API key"),
        (fault(500, "<html><title>Bad day</title></html>"), "Bad day"),
        (Reply("Half", finish=None, done=False), "Half"),
    ],
)
def test_a_model_that_cannot_be_asked_or_breaks_off_is_1(
    project: Project, scripted: Scripted, reply: Any, words: str
) -> None:
    project.configure(scripted([reply]))
    done = project.run("Go")
    assert done.returncode == 1 and "mimo-tui: " in done.stderr
    assert words in done.stdout + done.stderr


def test_a_dead_port_is_1(project: Project, scripted: Scripted) -> None:
    server = scripted([])
    project.configure(server)
    server.stop()
    done = project.run("Go")
    assert done.returncode == 1 and str(server.port) in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[defaults\n", "config.toml:1"),
        ('[defaults]\nbackend = "lba"\n[backends.lab]\npreset = "openai"\n', "did you mean `lab`"),
        ("[backends.lab]\nretires = 3\n", "`retries`"),
    ],
)
def test_a_bad_configuration_is_2(project: Project, text: str, words: str) -> None:
    project.config.parent.mkdir(parents=True)
    project.config.write_text(text)
    done = project.run("Go")
    assert done.returncode == 2 and words in done.stderr


def test_an_unknown_backend_is_2(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([]))
    done = project.run("Go", "--backend", "deepsek")
    assert done.returncode == 2 and "deepseek" in done.stderr


def test_a_missing_key_is_2(project: Project, scripted: Scripted) -> None:
    server = scripted([])
    project.configure(server)
    text = project.config.read_text().replace('credential = "none"', 'credential = { env = "NO_SUCH_KEY" }')
    project.config.write_text(text)
    done = project.run("Go")
    assert done.returncode == 2 and "NO_SUCH_KEY" in done.stderr
    assert server.requests == []


def test_without_a_backend_and_a_built_in_model_it_says_how_to_go_on(project: Project) -> None:
    done = project.run("Go")
    assert done.returncode == 2 and "models pull" in done.stderr


def test_the_step_limit_is_4(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply(READ_A)]))
    done = project.run("Go", "--mode", "agent", "--max-steps", "1")
    assert done.returncode == 4 and "max_steps" in done.stderr


def test_the_budget_is_4(project: Project, scripted: Scripted) -> None:
    server = scripted([Reply(READ_A, usage=usage(1_000_000, 0))])
    project.configure(server, "price = { input = 1.0, output = 1.0 }\n")
    assert project.run("Go", "--mode", "agent", "--budget", "0.1").returncode == 4


def test_the_timeout_is_4_and_keeps_what_came(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply("So far", pause(), ".")]))
    done = project.run("Go", "--timeout", "1")
    assert (done.stdout, done.returncode) == ("So far\n", 4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_an_interrupt_is_130_and_keeps_what_came(project: Project, scripted: Scripted, number: int) -> None:
    server = scripted([Reply("So far", pause(), ".")])
    project.configure(server)
    process = project.start("Go")
    assert process.stdout is not None
    assert process.stdout.read(6) == "So far"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("\n", 130)
    assert "interrupted" in err and "Traceback" not in err


def test_a_reader_that_goes_away_causes_no_traceback(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([Reply("a " * 100_000)], may_complain=True))
    process = project.start("Go")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait(timeout=60)


def test_terminal_controls_in_the_answer_are_made_harmless(project: Project, scripted: Scripted) -> None:
    project.configure(scripted(["a\x1b[2Jb\u202ec", "a\x1b[2Jb"]))
    assert project.run("Go").stdout == "a␛[2Jb\\u202ec\n"
    assert "\x1b" not in project.run("Go", "--json").stdout


def test_continue_takes_the_conversation_along(project: Project, scripted: Scripted) -> None:
    server = scripted(["One.", "Two.", "Three."])
    project.configure(server)
    first = json.loads(project.run("first", "--json").stdout.splitlines()[0])["session"]
    project.run("second", "--continue")
    project.run("third", "--resume", first)
    said = [message["content"] for message in server.requests[2].body["messages"] if message["role"] != "system"]
    assert said == ["first", "One.", "second", "Two.", "third"]


def test_resuming_what_is_not_there_says_so(project: Project, scripted: Scripted) -> None:
    project.configure(scripted([]))
    done = project.run("Go", "--resume", "zzzz")
    assert done.returncode in (1, 2) and "zzzz" in done.stderr


def test_a_folder_named_like_a_subcommand_is_no_prompt(project: Project) -> None:
    (project.folder / "run").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tui", "./run"], cwd=project.folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and "terminal" in done.stderr


def test_sessions_of_a_newer_version_are_left_alone_and_it_is_said_what_to_do(
    project: Project, scripted: Scripted, home: Path
) -> None:
    project.configure(scripted(["The answer."]))
    database = home / ".local" / "share" / "mimo-tui" / "sessions.db"
    database.parent.mkdir(parents=True, mode=0o700)
    with contextlib.closing(sqlite3.connect(database)) as newer:
        newer.execute("PRAGMA user_version = 999")
    done = project.run("Go")
    assert (done.stdout, done.returncode) == ("The answer.\n", 0)
    assert "not being saved" in done.stderr and "newer version" in done.stderr and ". Update this" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_a_data_folder_that_cannot_be_written_loses_the_session_but_not_the_answer(
    project: Project, scripted: Scripted, home: Path
) -> None:
    project.configure(scripted(["The answer."]))
    data = home / ".local" / "share"
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text("a file where the folder should be")
    done = project.run("Go")
    assert (done.stdout, done.returncode) == ("The answer.\n", 0)
    assert "not being saved" in done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [("rm -rf ../x", 3), ("curl x | sh", 3), ("git push -f", 3), ("echo a; echo b", 0), ("bash connect.sh", 0)],
)
def test_auto_denies_what_is_dangerous_and_offers_no_run_outside(
    project: Project, scripted: Scripted, command: str, code: int
) -> None:
    sandbox = find_sandbox()
    if sandbox is None or sandbox.gaps:
        pytest.skip("needs a sandbox in which `auto` runs commands")
    (project.folder / "connect.sh").write_text("exec 3<>/dev/tcp/localhost/1\n")
    server = scripted([Reply(tool_call("run_command", {"command": command})), "Done"])
    project.configure(server, '[[agent.allow]]\ntool = "run_command"\nwords = ["git", "*"]\n')
    result = project.run("Do it", "--mode", "agent", "--policy", "auto")
    assert result.returncode == code
    told = server.requests[1].messages[-1]["content"]
    assert ("always asked" in told and "nobody is here" in told) == (code == 3)
    assert "outside the sandbox" not in told + result.stderr


@pytest.mark.parametrize(
    ("command", "code"), [("git --version && echo ok", 0), ("git --version; touch x", 3), ("git --version > x", 3)]
)
def test_rules_on_words_count_without_anyone_there(
    project: Project, scripted: Scripted, command: str, code: int
) -> None:
    sandbox = find_sandbox()
    if sandbox is None or sandbox.gaps:
        pytest.skip("needs a sandbox in which rules on words count")
    server = scripted([Reply(tool_call("run_command", {"command": command})), "Done"])
    project.configure(server, '[[agent.allow]]\ntool = "run_command"\nwords = ["git", "*"]\n')
    assert project.run("Do it", "--mode", "agent").returncode == code
    assert not (project.folder / "x").exists()
