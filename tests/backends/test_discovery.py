"""What a server says of its model is gone by, where the user has not said otherwise; and its list can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from tests.backends.asking import HELLO, reply_of, spec_for
from tests.scripted import ScriptedServer, fault, json_response
from tests.scripted.connection import Received
from tests.scripted.reply import Response
from tests.scripted.vendors import Claude, LlamaCpp, Ollama
from tui.backends import discovery
from tui.backends.backend import Backend
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec, ModelInfo, Rules
from tui.core.usage import Price
from tui.settings import schema
from tui.settings.config import BackendConfig, Settings

Start = Callable[..., ScriptedServer]


async def discovered(spec: BackendSpec) -> BackendSpec:
    backend = Backend(spec)
    await backend.discover()
    await backend.aclose()
    return backend.spec


async def models_of(spec: BackendSpec) -> list[ModelInfo]:
    backend = Backend(spec)
    try:
        return await backend.list_models()
    finally:
        await backend.aclose()


def at(server: ScriptedServer, preset: str, **fields: Any) -> BackendSpec:
    """A preset's backend at the scripted server."""
    base_url = fields.pop("base_url", server.base_url)
    config = BackendConfig(preset=preset, base_url=base_url, credential="none", **fields)
    return resolve(Settings(backends={"lab": config}), "lab")


def page(content: Any) -> Callable[[Received], Response]:
    return lambda request: json_response(content)


# llama.cpp


async def test_llama_cpp_tells_its_window_and_whether_it_sees(scripted: Start) -> None:
    spec = await discovered(at(scripted(vendor=LlamaCpp(window=8192)), "llama-cpp"))
    assert (spec.context_window, spec.rules.images, spec.sources["context_window"]) == (8192, False, "server")
    assert spec.price == Price(0, 0)


async def test_a_llama_cpp_server_without_a_preset_is_known_by_its_list(scripted: Start) -> None:
    spec = await discovered(spec_for(scripted(vendor=LlamaCpp(window=8192)), model="any"))
    assert spec.context_window == 8192


# Ollama


async def test_ollama_is_asked_with_the_models_own_window(scripted: Start) -> None:
    server = scripted(["Hi"], vendor=Ollama())
    spec = at(server, "ollama", model="qwen3:8b")
    assert (await reply_of(spec)).message.text == "Hi"
    assert server.requests[0].body["options"]["num_ctx"] == 40_960


async def test_ollama_is_asked_with_the_users_window_and_for_nothing_else(scripted: Start) -> None:
    server = scripted(["Hi"], vendor=Ollama())
    await reply_of(at(server, "ollama", model="qwen3:8b", context_window=9000))
    assert server.requests[0].body["options"]["num_ctx"] == 9000 and not server.others


async def test_what_an_ollama_model_cannot_do_is_not_asked_of_it(scripted: Start) -> None:
    spec = await discovered(at(scripted(vendor=Ollama()), "ollama", model="gemma3:4b", thinking="high"))
    assert spec.rules.thinking == {} and not spec.rules.native_tools and spec.rules.images is True
    assert spec.context_window == 65_536  # it could take 131,072, and memory with them
    blind = {"capabilities": ["completion", "tools"], "model_info": {}}
    spec = await discovered(at(scripted(routes={"/api/show": page(blind)}), "ollama", model="x"))
    assert spec.rules.images is False and spec.rules.native_tools and spec.context_window is None


@pytest.mark.parametrize(
    ("parameters", "loaded", "window"),
    [
        ("stop x\nnum_ctx                        24000", 4096, 24_000),
        ("", 40_000, 40_000),  # as it is loaded already
        ("", 4096, 65_536),
        (None, None, 65_536),
    ],
)
async def test_the_window_of_an_ollama_model(
    scripted: Start, parameters: str | None, loaded: int | None, window: int
) -> None:
    show = {"parameters": parameters, "model_info": {"general.architecture": "g", "g.context_length": 262_144}}
    running = {"models": [{"name": "m:latest", "context_length": loaded}] if loaded else []}
    server = scripted(routes={"/api/show": page(show), "/api/ps": page(running)})
    assert (await discovered(at(server, "ollama", model="m"))).context_window == window


async def test_the_levels_that_an_ollama_model_has_are_those_that_are_asked_for(scripted: Start) -> None:
    async def levels(values: list[Any]) -> Any:
        server = scripted(routes={"/api/show": page({"thinking": {"values": values}, "model_info": {}})})
        return (await discovered(at(server, "ollama", model="m"))).rules.thinking

    assert await levels([False]) == {"off": {"think": False}}
    assert (await levels([False, True]))["high"] == {"think": True}
    told = await levels(["low", "medium", "high"])
    assert "off" not in told and (told["low"], told["max"]) == ({"think": "low"}, {"think": "high"})


# Anthropic


async def test_anthropic_tells_the_limits_of_a_model_and_how_its_thinking_is_switched(scripted: Start) -> None:
    server = scripted(vendor=Claude())
    spec = await discovered(at(server, "anthropic", base_url=server.root, model="claude-opus-5-5"))
    assert spec.context_window and spec.output_limit and spec.rules.images
    assert "off" not in spec.rules.thinking and "high" in spec.rules.thinking
    haiku = await discovered(at(server, "anthropic", base_url=server.root, model="claude-haiku-5-5"))
    assert haiku.rules.thinking["off"] == {"thinking": {"type": "disabled"}}


async def test_a_list_in_several_pages_is_read_to_its_end(scripted: Start) -> None:
    pages = [
        {"data": [{"id": "b"}], "has_more": True, "last_id": "b"},
        {"data": [{"id": "a"}, {"id": "old", "lifecycle": "retired"}], "has_more": False, "last_id": "a"},
    ]
    server = scripted(routes={"/v1/models": lambda request: json_response(pages.pop(0))})
    spec = spec_for(server.root, wire="messages")
    assert [model.id for model in await models_of(spec)] == ["a", "b"] and not pages


# Lists of other servers


async def test_a_list_tells_windows_limits_prices_and_abilities(scripted: Start) -> None:
    router = {
        "id": "v/m",
        "context_length": 1000,
        "top_provider": {"max_completion_tokens": 100},
        "pricing": {"prompt": "0.0000004", "completion": "0.000002", "input_cache_read": "0.0000001"},
        "architecture": {"input_modalities": ["text", "image"]},
        "supported_parameters": ["tools", "reasoning"],
    }
    auto = {"id": "v/auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    kimi = {"id": "kimi", "context_length": 262144, "supports_image_in": True, "supports_reasoning": True}
    odd = {"id": "odd", "context_length": "many", "pricing": [], "architecture": 3, "capabilities": 7, "meta": None}
    found = {model.id: model for model in await models_of(spec_for(scripted(models=[router, auto, kimi, odd])))}
    assert found["v/m"] == ModelInfo("v/m", 1000, 100, True, True, True, Price(0.4, 2.0, 0.1))
    assert found["v/auto"].price is None
    assert (found["kimi"].context_window, found["kimi"].images, found["kimi"].thinking) == (262144, True, True)
    assert found["odd"] == ModelInfo("odd")


async def test_models_that_speak_listen_or_measure_are_not_offered(scripted: Start) -> None:
    ids = ["mimo-v2.6-pro", "mimo-v2.6-tts", "mimo-v2.6-asr", "nomic-embed-text:latest", "whisper-1", "estts", "rasr"]
    assert [model.id for model in await models_of(spec_for(scripted(models=ids)))] == ["estts", "mimo-v2.6-pro", "rasr"]


async def test_lm_studio_tells_more_on_a_page_of_its_own(scripted: Start) -> None:
    models = [
        {"id": "a", "type": "vlm", "max_context_length": 32768, "loaded_context_length": 4096},
        {"id": "b", "type": "embeddings"},
        {"id": "c", "type": "llm", "max_context_length": 8192, "capabilities": ["tool_use"]},
    ]
    server = scripted(routes={"/api/v0/models": page({"data": models})})
    assert await models_of(at(server, "lm-studio")) == [
        ModelInfo("a", 4096, images=True),
        ModelInfo("c", 8192, images=False, tools=True),
    ]


async def test_the_second_endpoint_of_a_vendor_has_the_list_of_its_first(scripted: Start) -> None:
    server = scripted(models=["mimo-v2.6-pro"])
    spec = at(server, "xiaomi-mimo-anthropic", base_url=f"{server.root}/anthropic")
    assert [model.id for model in await models_of(spec)] == ["mimo-v2.6-pro"]


# What is above and below it


async def test_what_the_user_says_is_above_the_server_and_what_the_catalogue_says_below(scripted: Start) -> None:
    told = {"id": "mimo-v2.6-pro", "context_length": 5000, "supports_image_in": False, "max_tokens": 77}
    server = scripted(models=[told])
    spec = await discovered(at(server, "xiaomi-mimo"))
    assert (spec.context_window, spec.rules.images, spec.output_limit) == (5000, False, 77)
    mine = at(server, "xiaomi-mimo", context_window=9, rules=schema.Rules(images=True))
    spec = await discovered(mine)
    assert (spec.context_window, spec.rules.images) == (9, True)


async def test_a_smaller_window_that_an_error_told_stays(scripted: Start) -> None:
    server = scripted(models=[{"id": "scripted", "context_length": 100_000}])
    learned = spec_for(server, context_window=60_000, sources={"context_window": "learned"}, local=False)
    assert (await discovered(learned)).context_window == 60_000
    assert (await discovered(structs.replace(learned, context_window=200_000))).context_window == 100_000
    assert (await discovered(structs.replace(learned, local=True))).context_window == 100_000


async def test_a_server_is_asked_once(scripted: Start) -> None:
    server = scripted()
    backend = Backend(spec_for(server))
    await backend.discover()
    await backend.discover()
    await backend.aclose()
    assert len(server.others) == 1


@pytest.mark.parametrize(
    "answer", [fault(404), fault(500), fault(401), json_response([1, "x", None]), json_response({"data": {"id": 3}})]
)
async def test_a_server_that_says_nothing_changes_nothing(scripted: Start, answer: Response) -> None:
    spec = spec_for(scripted(routes={"/v1/models": lambda request: answer}), context_window=7)
    assert await discovered(spec) == spec
    spec = spec_for(scripted(routes={"/api/show": lambda request: answer}).root, wire="ollama", context_window=7)
    assert (await discovered(spec)).context_window == 7


async def test_a_server_that_is_not_there_or_hangs_is_not_waited_for(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec_for("http://127.0.0.1:1/v1")
    assert await discovered(spec) == spec
    monkeypatch.setattr(discovery, "LIMIT_S", 0.2)
    hanging = spec_for(scripted(routes={"/v1/models": lambda request: fault("stall")}))
    assert await discovered(hanging) == hanging


async def test_an_unknown_price_stays_unknown(scripted: Start) -> None:
    spec = await discovered(spec_for(scripted()))
    assert spec.price is None
    assert (await reply_of(spec_for(scripted(["Hi"])), HELLO)).usage.cost is None
    assert Rules().images is None
