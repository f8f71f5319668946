"""Servers that are helpful, and servers that are not, each a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import tomli_w

from tests.mcp.conftest import ROOT, Servers, helpful, hostile, processes_of
from tui.settings.config import load
from tui.settings.paths import state_dir
from tui.settings.schema import McpConfig
from tui.settings.trust import trust
from tui.tools.mcp.servers import McpServers

pytestmark = pytest.mark.slow


async def _state(servers: Servers, name: str, state: str) -> None:
    async with asyncio.timeout(20):
        while (server := servers.servers.get(name)) is None or server.state != state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_results_of_all_kinds_come_through(servers: Servers) -> None:
    await servers.start(help=helpful())
    assert (await servers.call("mcp__help__add", a=2, b=3)).content == "5"
    failed = await servers.call("mcp__help__fail")
    assert failed.is_error and "fail" in failed.content
    assert (await servers.call("mcp__help__picture")).images[0].media_type == "image/png"
    assert servers.servers.get("help").era.startswith("2026-07-28")


async def test_no_key_is_in_its_environment_but_those_that_were_named(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-servers")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    await servers.start(help=helpful(env={"MY_TOKEN": "given-on-purpose"}))
    said = (await servers.call("mcp__help__environment")).content
    assert "MY_TOKEN=given-on-purpose" in said
    assert "sk-not-for-servers" not in said and "DBUS" not in said


async def test_it_runs_in_the_project_only_when_that_is_wanted(servers: Servers) -> None:
    await servers.start(help=helpful(), near=helpful(in_project=True))
    assert f"folder={servers.folder}\n" not in (await servers.call("mcp__help__environment")).content
    assert f"folder={servers.folder}\n" in (await servers.call("mcp__near__environment")).content


async def test_a_call_that_is_stopped_is_stopped_in_the_server_too(servers: Servers) -> None:
    await servers.start(help=helpful())
    path, pieces = servers.folder / "said", list[str]()
    call = asyncio.create_task(servers.call("mcp__help__slow", pieces, path=str(path)))
    async with asyncio.timeout(20):
        while not (pieces and path.exists()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        call.cancel()
        while path.read_text() != "told to stop":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert "a third is done" in pieces[0]


async def test_only_the_tools_that_were_named_are_used(servers: Servers) -> None:
    assert await servers.start(help=helpful(tools=("add", "nothing"))) == ["mcp__help__add"]
    assert any("no tool 'nothing'" in line for line in servers.servers.get("help").log.last)


async def test_names_and_schemas_of_a_hostile_server_are_made_harmless(servers: Servers) -> None:
    names = await servers.start(bad=hostile("names"))
    assert len(names) == 6 and names == sorted(names) and len(set(names)) == 6
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    tools = {tool.name: tool for tool in await servers.servers.tools({})}
    orders = next(tool for tool in tools.values() if "IGNORE" in tool.description)
    assert "\x1b" not in orders.description and len(orders.description) <= 2000
    assert all(tool.parameters["type"] == "object" for tool in tools.values())
    assert "$ref" not in str([tool.parameters for tool in tools.values()])
    assert "pattern" not in str(tools["mcp__bad__d"].parameters)
    assert len(str(tools["mcp__bad__huge"].parameters)) < 20_000
    assert (await servers.call("mcp__bad__d", x=1, y="a" * 50)).content == "done"


async def test_what_is_no_message_is_skipped_and_noted(servers: Servers) -> None:
    await servers.start(bad=hostile("chatty"))
    assert (await servers.call("mcp__bad__act")).content == "done"
    assert any("Welcome to my server!" in line for line in servers.servers.get("bad").log.last)


async def test_a_message_without_end_ends_the_server_not_the_program(servers: Servers) -> None:
    await servers.start(bad=hostile("endless"))
    before = psutil.Process().memory_info().rss
    outcome = await servers.call("mcp__bad__act")
    assert outcome.is_error and "started again" in outcome.content
    assert psutil.Process().memory_info().rss - before < 100_000_000


async def test_a_call_that_is_never_answered_is_given_up(servers: Servers) -> None:
    await servers.start(bad=hostile("mute", call_timeout=0.2))
    assert "no sign of life for 0.2 s" in (await servers.call("mcp__bad__act")).content


async def test_broken_characters_and_images_do_no_harm(servers: Servers) -> None:
    await servers.start(bad=hostile("odd"))
    outcome = await servers.call("mcp__bad__act")
    outcome.content.encode()
    assert "half" in outcome.content and "cannot be shown" in outcome.content


async def test_changes_of_the_tools_are_told_once_and_count_after_a_reload(servers: Servers) -> None:
    config = hostile("changes")
    assert await servers.start(bad=config) == ["mcp__bad__act"]
    await servers.call("mcp__bad__act")
    await servers.call("mcp__bad__act")
    assert len([words for words in servers.told if "changed its tools" in words]) == 1
    assert [tool.name for tool in await servers.servers.tools({"bad": config})] == ["mcp__bad__act"]
    new = helpful(tools=("add",))
    await servers.servers.reload({"other": new})
    assert await servers.start(other=new) == ["mcp__other__add"]


async def test_one_of_2026_tells_its_changes_and_its_resources_are_read_anew(servers: Servers) -> None:
    await servers.start(help=helpful())
    server = servers.servers.get("help")
    await servers.call("mcp__help__grow")
    async with asyncio.timeout(20):
        while not server.is_stale or not any("changed its tools" in words for words in servers.told):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        while len(server.offer.resources) < 2:
            await server.refresh()
            await asyncio.sleep(0.01)
    assert "notes://tomorrow" in [resource.uri for resource in server.offer.resources]
    assert "mcp__help__grown" not in [tool.name for tool in await servers.servers.tools({})]


async def test_one_that_dies_at_its_start_is_given_up_and_its_log_is_masked(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.tools.mcp.server._FIRST_PAUSE_S", 0.01)
    assert await servers.start(bad=hostile("dies")) == []
    await _state(servers, "bad", "failed")
    assert "no licence found" in servers.servers.get("bad").why
    log = (state_dir() / "mcp" / "bad.log").read_text()
    assert "no licence found" in log and "abcdefghijklmnop" not in log


async def test_one_that_was_switched_off_says_so_and_can_be_started_again(servers: Servers) -> None:
    await servers.start(help=helpful())
    await servers.servers.switch_off("help")
    assert "switched off" in (await servers.call("mcp__help__add", a=1, b=1)).content
    await servers.servers.restart("help")
    assert (await servers.call("mcp__help__add", a=1, b=1)).content == "2"


async def test_prompts_become_text(servers: Servers) -> None:
    await servers.start(help=helpful())
    assert [name for name, _ in servers.servers.prompts()] == ["help:review"]
    text = await servers.servers.prompt_text("help", "review", '"the plan" very long')
    assert text == "Please review the plan in a very long way."


@pytest.mark.parametrize("how", ["http", "sse"])
async def test_one_at_an_address_is_used_killed_and_used_again(servers: Servers, how: str) -> None:
    def started(*words: str) -> tuple[subprocess.Popen[str], int]:
        process = _started([sys.executable, "-m", "tests.mcp.helpful", how, *words])
        port = int(process.stdout.readline())
        assert any("running on" in line for line in process.stderr)
        return process, port

    process, port = started()
    try:
        path = "mcp" if how == "http" else "sse"
        config = McpConfig(
            url=f"http://127.0.0.1:{port}/{path}", headers={"Authorization": "Bearer some-token-of-mine"}
        )
        await servers.start(far=config)
        assert (await servers.call("mcp__far__add", a=1, b=2)).content == "3", servers.told
        process.send_signal(signal.SIGKILL)
        process.communicate()
        lost = await servers.call("mcp__far__add", a=1, b=2)
        assert lost.is_error and "far" in lost.content
        process, _ = started(str(port))
        await _state(servers, "far", "ready")
        assert (await servers.call("mcp__far__add", a=1, b=2)).content == "3"
    finally:
        process.kill()
        process.communicate()


async def test_servers_end_with_the_program_even_when_it_is_killed(home: Path) -> None:
    code = """
import asyncio, sys
from pathlib import Path
from tests.mcp.conftest import hostile
from tui.tools.mcp.servers import McpServers

async def main():
    await McpServers(Path.cwd(), print).tools({"bad": hostile("mute")})
    print("ready", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""
    program = _started([sys.executable, "-c", code])
    try:
        assert any("ready" in line for line in program.stdout)
        below = psutil.Process(program.pid).children(recursive=True)
        assert any("tests.mcp.hostile" in process.cmdline() for process in below)
    finally:
        os.kill(program.pid, signal.SIGKILL)
        program.communicate()
    _, alive = await asyncio.to_thread(psutil.wait_procs, below, 10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


async def test_nothing_is_left_running_after_the_end(servers: Servers) -> None:
    await servers.start(bad=hostile("silent", timeout=0.1), help=helpful())
    assert processes_of("tests.mcp.helpful")
    await servers.servers.close()
    assert not processes_of("tests.mcp.helpful") and not processes_of("tests.mcp.hostile")
    assert isinstance(servers.servers, McpServers)


async def test_one_of_a_project_is_not_started_again_when_its_files_have_changed(servers: Servers) -> None:
    (servers.folder / ".mimo").mkdir()
    program = servers.folder / "srv.py"
    program.write_text("import runpy\nrunpy.run_module('tests.mcp.helpful', run_name='__main__')\n")
    own = {"command": [sys.executable, "srv.py"], "in_project": True, "env": {"PYTHONPATH": str(ROOT)}}
    (servers.folder / ".mimo" / "config.toml").write_text(tomli_w.dumps({"mcp": {"own": own}}))
    trust(servers.folder)
    mcp = load(servers.folder).mcp
    assert await servers.start(**mcp), servers.told
    with program.open("a") as file:
        file.write("# as the model could\n")
    await servers.servers.restart("own")
    server = servers.servers.get("own")
    assert server
    await server.settled()
    assert server.state == "failed" and "the folder has changed since you trusted it" in server.why
    assert "the folder has changed since you trusted it" in servers.told[-1]
    assert not processes_of("srv.py")
