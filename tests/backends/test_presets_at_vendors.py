"""A preset asks its vendor, as strict as it is, for all that a conversation needs without being refused once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.backends.asking import reply_of
from tests.scripted import Reply, ScriptedServer, reasoning, text, tool_call
from tests.scripted.vendors import (
    Claude,
    DeepSeek,
    Gemini,
    Kimi,
    LlamaCpp,
    Mimo,
    Mistral,
    Ollama,
    OpenAI,
    OpenRouter,
    Qwen,
    Vllm,
)
from tui.backends.backend import Backend
from tui.backends.presets import presets
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec, Request, ToolSpec
from tui.core.messages import Image, Message, ToolResult, user
from tui.settings.config import BackendConfig, Settings

Start = Callable[..., ScriptedServer]

VENDORS: dict[str, Callable[[], Any]] = {
    "xiaomi-mimo": Mimo,
    "xiaomi-mimo-anthropic": Mimo,
    "deepseek": DeepSeek,
    "deepseek-anthropic": DeepSeek,
    "anthropic": Claude,
    "openai": OpenAI,
    "openai-chat": OpenAI,
    "kimi": Kimi,
    "kimi-coding": Kimi,
    "qwen": Qwen,
    "openrouter": OpenRouter,
    "gemini": Gemini,
    "mistral": Mistral,
    "ollama": Ollama,
    "llama-cpp": LlamaCpp,
    "vllm": Vllm,
}
TOOL = ToolSpec("read_file", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
DOT = Image(
    "image/png", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CALLS = Reply(reasoning("I look"), tool_call("read_file", {"path": "a"}), tool_call("read_file", {"path": "b"}))
SAYS = Reply(reasoning("I know"), text("It says hello."))


def cases() -> list[Any]:
    """Each preset with each model that its vendor's server knows and that can call tools."""
    found = []
    for name, vendor in VENDORS.items():
        models = [model.id for model in vendor().models if model.tools and "-tts" not in model.id]
        found += [pytest.param(name, model, id=f"{name}-{model}") for model in models or [presets()[name].model]]
    return found


def at(server: ScriptedServer, name: str, model: str, level: str | None) -> BackendSpec:
    base_url = server.root if presets()[name].wire in ("messages", "ollama") else server.base_url
    config: Any = BackendConfig(preset=name, base_url=base_url, model=model, credential="none", thinking=level)  # type: ignore[arg-type]
    return resolve(Settings(backends={"lab": config}), "lab")


async def answered(spec: BackendSpec, said: list[Message], **wishes: Any) -> None:
    """Go on until the model says something; its messages and the results are added to what was said."""
    while True:
        reply = await reply_of(spec, Request("You help.", tuple(said), tools=(TOOL,), **wishes))
        said.append(reply.message)
        if not reply.message.tool_calls:
            return
        results = [ToolResult(call.id, "a result") for call in reply.message.tool_calls]
        said.append(Message("tool", tuple(results)))


@pytest.mark.parametrize(("name", "model"), cases())
async def test_a_preset_is_never_refused_by_its_vendor(scripted: Start, home: Any, name: str, model: str) -> None:
    levels = list(at(scripted(), name, model, None).rules.thinking)
    for level in [None, *levels[:1], *levels[-1:]]:
        server = scripted([CALLS, SAYS, CALLS, SAYS, SAYS], vendor=VENDORS[name]())
        backend = Backend(at(server, name, model, level))
        await backend.discover()  # as it is before the first turn
        await backend.aclose()
        spec = backend.spec
        said = [user("please look")]
        await answered(spec, said)
        said.append(user("and this one, please look", [] if spec.rules.images is False else [DOT]))
        await answered(spec, said, tool_choice="required")
        said.append(user("as JSON"))
        await reply_of(spec, Request("You help.", tuple(said), schema=SCHEMA))
        refused = [(level, request.refused, request.body) for request in server.requests if request.refused]
        assert not refused
