"""Servers of this machine are found by themselves, and what is none is not taken for one."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.scripted import ScriptedServer, fault, html
from tests.scripted.vendors import LlamaCpp, Ollama
from tui.backends.local import USUAL, LocalServer, find_local_servers
from tui.backends.presets import presets
from tui.backends.spec import ModelInfo

Start = Callable[..., ScriptedServer]


def usual(name: str, server: ScriptedServer) -> LocalServer:
    return LocalServer("vllm", name, server.base_url)


async def test_servers_that_list_models_are_found_with_them(scripted: Start) -> None:
    first, second = scripted(models=["qwen3:8b", "gemma"]), scripted(models=["m"])
    found = await find_local_servers([usual("a", first), usual("b", second)])
    assert [(server.name, server.base_url) for server in found] == [("a", first.base_url), ("b", second.base_url)]
    assert found[0].models == (ModelInfo("gemma"), ModelInfo("qwen3:8b"))
    assert not first.requests and "authorization" not in first.others[0].headers


async def test_ollama_is_found_on_its_own_wire(scripted: Start) -> None:
    (found,) = await find_local_servers([LocalServer("ollama", "ollama", scripted(vendor=Ollama()).root)])
    assert found.preset == "ollama" and "qwen3:8b" in [model.id for model in found.models]


async def test_a_server_on_anothers_port_gets_the_preset_of_what_it_says_it_is(scripted: Start) -> None:
    server = scripted(vendor=LlamaCpp(window=8192))
    (found,) = await find_local_servers([usual("vllm", server)])
    assert (found.preset, found.name) == ("llama-cpp", f"llama-cpp-{server.port}")
    assert found.base_url == server.base_url and found.models[0].context_window == 8192


def test_the_usual_places_are_those_of_the_presets() -> None:
    for server in USUAL:
        preset = presets()[server.preset]
        assert preset.local and (server.base_url == preset.base_url or server.name != server.preset)


async def test_a_server_of_another_kind_is_not_found(scripted: Start) -> None:
    servers = [
        scripted(routes={"/v1/models": lambda request: html("My site", 200)}),
        scripted(routes={"/v1/models": lambda request: fault(404)}),
        scripted(models=[]),
    ]
    assert await find_local_servers([usual("x", server) for server in servers]) == []


async def test_a_port_where_nobody_listens_is_no_server() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert await find_local_servers([LocalServer("", "x", f"http://127.0.0.1:{port}/v1")]) == []
