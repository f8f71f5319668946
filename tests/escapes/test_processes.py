"""Ways to outlive a command, and to take more of the machine than it may."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.confined import Place, end
from tests.tools.running import outcome_of
from tests.tools.test_escapes import processes_with
from tui.tools.run_command import RunCommand

pytestmark = pytest.mark.slow

HIDING = {
    "in the background": "sleep {tag} &",
    "a session of its own": "setsid sleep {tag} & disown",
    "without hangups": "nohup sleep {tag} >/dev/null 2>&1 &",
    "forked twice": "(setsid nohup sleep {tag} >/dev/null 2>&1 &)",
    "forked twice, environment cleared": "(env -i setsid sh -c 'sleep {tag} & sleep {tag}' >/dev/null 2>&1 &)",
    "a chain of sessions": "env -i setsid setsid sh -c '(setsid sh -c \"(setsid sleep {tag} &)\" &)' >/dev/null 2>&1",
    "a process namespace": "unshare -Urpf --kill-child=no sh -c 'setsid sleep {tag} &' >/dev/null 2>&1; "
    "(unshare -Urpf setsid sleep {tag} >/dev/null 2>&1 &)",
    "ignoring signals": "(trap '' TERM HUP INT; env -i setsid sleep {tag} >/dev/null 2>&1 &)",
    "another name": "(exec -a sh sleep {tag} &)",
    "stopped": "sleep {tag} & kill -STOP $!; setsid sleep {tag} & kill -STOP $!",
    "its parent gone": "sh -c 'sleep {tag} & kill -9 $$'; (sh -c 'env -i setsid sleep {tag} & kill -9 $$' &)",
    "the reaper attacked": "(env -i setsid sleep {tag} >/dev/null 2>&1 &); kill -9 0; kill -9 $PPID",
}


@pytest.mark.parametrize("attempt", HIDING.values(), ids=HIDING.keys())
def test_nothing_outlives_a_command(place: Place, attempt: str) -> None:
    tag = f"1000.{os.getpid()}"
    place.run(attempt.format(tag=tag))
    assert not processes_with(tag)


@pytest.mark.parametrize("attempt", ["sleep {tag}", "(env -i setsid sleep {tag} &); trap '' TERM; sleep {tag}"])
def test_nothing_outlives_the_time_that_it_may_take(place: Place, attempt: str) -> None:
    tag = f"1001.{os.getpid()}"
    result = place.run(attempt.format(tag=tag), timeout_s=0.3)
    assert result.detail["timed_out"] and not processes_with(tag)


def test_nothing_outlives_the_program(place: Place) -> None:
    os.mkfifo(place.project / "fifo")
    place.own()
    pid, output = place.start(
        "(env -i setsid sh -c 'exec 9> fifo; sleep 1000' &) ; exec 9> fifo; echo ready >&9; sleep 1000"
    )
    with (place.project / "fifo").open() as file:
        assert file.readline() == "ready\n"
        end(pid)
        assert file.read() == ""  # all that had it open has ended
    os.close(output)


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="orphans can be kept below one process on Linux only")
@pytest.mark.parametrize("attempt", [HIDING[name] for name in HIDING if name != "the reaper attacked"])
async def test_nothing_outlives_a_command_without_a_sandbox(folder: Path, attempt: str) -> None:
    tag = f"1002.{os.getpid()}"
    await outcome_of(RunCommand(), folder, command=attempt.format(tag=tag))
    assert not processes_with(tag)


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_fork_bomb_ends_with_its_command(place: Place, bystander: subprocess.Popen[bytes]) -> None:
    """Small, by a limit of its own: root's processes are not counted."""
    tag = f"1003.{os.getpid()}"
    bomb = f"ulimit -u 200; n=0; f() {{ n=$((n+1)); [ $n -gt 6 ] || {{ f & f; }}; exec sleep {tag}; }}; f"
    result = place.run(bomb, timeout_s=1)
    assert result.detail["timed_out"] and not processes_with(tag)
    assert bystander.poll() is None


def test_there_are_limits(place: Place) -> None:
    result = place.run("ulimit -c; ulimit -u; ulimit -Sd; ulimit -Sf; ulimit -u 100000000; ulimit -u")
    lines = result.content.splitlines()
    assert lines[0] == "0" and all(line.isdigit() for line in lines[:4])
    assert place.user == 0 or lines[-2] == lines[1]  # only root may raise it


def test_memory_has_a_limit(place: Place) -> None:
    code = "b = bytearray(int(open('/proc/meminfo').read().split()[1]) * 1024 * 9 // 10); print('got it')"
    result = place.run(f'python3 -c "{code}"')
    assert "MemoryError" in result.content and "got it" not in result.content


def test_a_file_cannot_fill_the_disk(place: Place) -> None:
    state = os.statvfs(place.project)
    result = place.run(f"truncate -s {state.f_bavail * state.f_frsize} sparse; stat -c %s sparse; rm -f sparse")
    assert str(state.f_bavail * state.f_frsize) not in result.content.splitlines()


def test_a_flood_of_output_is_cut(place: Place) -> None:
    result = place.run("yes $'\\e]0;evil\\a\\e[2J' | head -c 20000000; echo end")
    assert len(result.content) < 40_000 and "\x1b" not in result.content and "end" in result.content
