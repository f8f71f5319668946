"""The child process that serves the model: one for all who ask, and it never outlives the program.

Most of it is shown with a stand-in for xllamacpp, which takes no time to load; what the real one does is in
test_real_model.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tui.backends.embedded import server
from tui.backends.embedded.catalogue import DEFAULT
from tui.backends.embedded.process import Address, ensure_started, stop
from tui.backends.embedded.pull import model_path, models_dir
from tui.core.errors import ModelFileError
from tui.settings.paths import state_dir

PATIENCE_S = 20

PARENT = """
import asyncio, sys
from tui.backends.embedded.process import ensure_started
async def main():
    started = asyncio.create_task(ensure_started(sys.argv[1]))
    if sys.argv[2] == "ready":
        await started
    print(flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def process_of(address: Address) -> psutil.Process:
    return psutil.Process(int(address.base_url.split(":")[2].removesuffix("/v1")))


async def test_callers_at_the_same_time_share_one_server(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    first, *others = await asyncio.gather(*(ensure_started(name) for _ in range(5)))
    assert others == [first] * 4
    assert await ensure_started(name) == first
    assert len(psutil.Process().children()) == 1


async def test_each_model_has_a_server_and_a_key_of_its_own(standin_model: Callable[[str], str]) -> None:
    one, other = await ensure_started(standin_model("load")), await ensure_started(standin_model("noise"))
    assert one.base_url != other.base_url
    assert one.key != other.key


async def test_a_server_that_died_is_replaced(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    first = await ensure_started(name)
    process_of(first).kill()
    process_of(first).wait(PATIENCE_S)
    second = await ensure_started(name)
    assert process_of(second).is_running()
    assert second.key != first.key


async def test_stop_ends_the_server_and_the_next_wish_starts_another(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    process = process_of(await ensure_started(name))
    stop()
    assert not process.is_running()
    assert process_of(await ensure_started(name)).is_running()


async def test_stop_while_loading_ends_the_wait_with_an_error(standin_model: Callable[[str], str]) -> None:
    waiting = asyncio.create_task(ensure_started(standin_model("hang")))
    await child_of(psutil.Process())
    stop()
    with pytest.raises(ModelFileError):
        await waiting
    assert not psutil.Process().children()


async def test_a_cancelled_wait_does_not_end_the_start_for_others(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    impatient, patient = asyncio.create_task(ensure_started(name)), asyncio.create_task(ensure_started(name))
    await asyncio.sleep(0)
    impatient.cancel()
    assert process_of(await patient).is_running()


def test_the_server_outlives_the_loop_and_the_thread_that_asked_for_it(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    addresses: list[Address] = []
    thread = threading.Thread(target=lambda: addresses.append(asyncio.run(ensure_started(name))))
    thread.start()
    thread.join()
    assert asyncio.run(ensure_started(name)) == addresses[0]
    assert process_of(addresses[0]).is_running()


def test_a_loop_that_ends_before_the_start_leaves_no_traceback(
    standin_model: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    name = standin_model("load")

    async def give_up() -> None:
        waiting = asyncio.create_task(ensure_started(name))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(give_up())
    assert process_of(asyncio.run(ensure_started(name))).is_running()
    assert capfd.readouterr().err == ""


async def test_what_libraries_print_does_not_disturb_the_address(standin_model: Callable[[str], str]) -> None:
    assert process_of(await ensure_started(standin_model("noise"))).is_running()


async def test_the_key_and_the_users_keys_are_not_to_be_seen_on_the_process(
    standin_model: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-of-the-user")
    address = await ensure_started(standin_model("load"))
    process = process_of(address)
    assert "DEEPSEEK_API_KEY" not in process.environ()
    assert address.key not in str(process.environ()) + str(process.cmdline()) + repr(address)


async def test_a_file_that_was_cut_is_called_broken(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    (models_dir() / f"{name}.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelFileError, match="is broken") as caught:
        await ensure_started(name)
    assert caught.value.hint == f"Fetch it again: mimo-tui models pull {name}"


async def test_a_model_that_is_not_there_says_how_to_get_it(home: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        await ensure_started(DEFAULT.name)
    assert caught.value.hint == f"mimo-tui models pull {DEFAULT.name}"


async def test_a_missing_xllamacpp_says_what_to_install(
    standin_model: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = standin_model("load")
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('libc is too old')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ModelFileError, match="libc is too old") as caught:
        await ensure_started(name)
    assert "mimo-terminal[local]" in caught.value.hint


async def test_a_file_that_cannot_be_loaded_is_told_with_the_end_of_the_log(
    standin_model: Callable[[str], str],
) -> None:
    with pytest.raises(ModelFileError, match="tensor is missing") as caught:
        await ensure_started(standin_model("raise"))
    assert "\x1b" not in caught.value.message
    assert "mimo-tui models remove raise-model" in caught.value.hint
    assert not psutil.Process().children()


async def test_a_server_that_ends_while_loading_is_an_error_and_the_next_wish_tries_again(
    standin_model: Callable[[str], str],
) -> None:
    name = standin_model("die")
    for _ in range(2):
        with pytest.raises(ModelFileError, match="ended with 7"):
            await ensure_started(name)


async def test_a_log_folder_that_cannot_be_written_is_an_error_of_ours(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    (state_dir() / f"embedded-{name}.log").mkdir(parents=True)
    with pytest.raises(ModelFileError, match=r"cannot be started.*embedded-load-model\.log"):
        await ensure_started(name)


async def test_the_log_is_new_at_each_start_and_only_the_users(standin_model: Callable[[str], str]) -> None:
    log = state_dir() / "embedded-raise-model.log"
    for _ in range(2):
        with pytest.raises(ModelFileError):
            await ensure_started(standin_model("raise"))
        assert log.read_text().count("tensor is missing") == 1
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("wish", "moment"),
    [
        ("load", "ready"),
        pytest.param(
            "hang", "loading", marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals it")
        ),
    ],
)
def test_the_server_dies_with_its_parent(standin_model: Callable[[str], str], wish: str, moment: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, standin_model(wish), moment], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    child = asyncio.run(child_of(psutil.Process(parent.pid)))
    parent.kill()
    parent.communicate()
    wait_for_end_of(child)


def test_the_server_ends_when_the_pipe_from_its_parent_does(standin_model: Callable[[str], str]) -> None:
    """What holds where the kernel sends no signal: here the parent itself lives on."""
    wanted = {"parent": os.getpid(), "path": str(model_path(standin_model("load"))), "name": "", "key": ""}
    child = subprocess.Popen([sys.executable, server.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None and child.stdout is not None
    with child.stdout, child.stdin:
        child.stdin.write(json.dumps({**wanted, "threads": 1, "context": 1}).encode() + b"\n")
        child.stdin.flush()
        assert b"http" in child.stdout.readline()
    assert child.wait(PATIENCE_S) == 0


def test_the_server_ends_at_once_when_its_parent_died_before_it_looked(standin_model: Callable[[str], str]) -> None:
    wanted = {"parent": 0, "path": str(model_path(standin_model("hang"))), "name": "", "key": ""}
    line = json.dumps({**wanted, "threads": 1, "context": 1}).encode() + b"\n"
    child = subprocess.run([sys.executable, server.__file__], input=line, stdout=subprocess.PIPE, timeout=PATIENCE_S)
    assert child.stdout == b""


async def child_of(process: psutil.Process) -> psutil.Process:
    """The process's server, as soon as there is one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for child in process.children():
                if "server.py" in " ".join(child.cmdline()):
                    return child
            await asyncio.sleep(0.005)


def wait_for_end_of(process: psutil.Process) -> None:
    """Until a process that is not our child runs no more; init may take its time to fetch its status."""
    patient_until = time.monotonic() + PATIENCE_S
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < patient_until, f"{process} is still there"
            time.sleep(0.005)
