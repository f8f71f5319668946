"""Servers on one's own machine: Ollama, llama.cpp and vLLM."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.scripted.asked import Asked, Counted, is_reasoning
from tests.scripted.checks import Complaint, Demands
from tests.scripted.connection import Received
from tests.scripted.elements import Element, Json, Words
from tests.scripted.reply import Response, Usage, json_response
from tests.scripted.vendors.vendor import Model, Page, Vendor

DEFAULT_CONTEXT = 4096
"""Ollama's, on a machine with less than 24 GiB of video memory."""


class Ollama(Vendor):
    """Cuts what is longer than `num_ctx`, and tells nobody; `cuts` has what was lost.

    `tells_levels=False`: an older build, whose `/api/show` does not say what `think` may be.
    """

    wires = ("ollama",)
    models = (
        Model("qwen3:8b", images=False, window=40_960),
        Model("gpt-oss:20b", images=False, window=131_072),
        Model("gemma3:4b", thinking=False, tools=False, window=131_072),
        Model("llava:7b", thinking=False, tools=False, window=32_768),
    )
    cache = "none"

    def __init__(self, tells_levels: bool = True) -> None:
        super().__init__()
        self._tells_levels = tells_levels
        self.cuts: list[int] = []
        """Tokens at the beginning of a prompt that did not fit, one entry for each such request."""

    def thinks(self, asked: Asked) -> bool:
        return self.model(asked.body).thinking and asked.body.get("think") is not False

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"model '{id}' not found", 404)

    def ollama(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        model = self.model(body)
        if body.get("tools") and not model.tools:
            yield f"registry.ollama.ai/library/{model.id} does not support tools"
        if body.get("think") and not model.thinking:
            yield f'"{model.id}" does not support thinking'
        elif body.get("think") not in (None, *_levels(model)):
            yield f'think value "{body["think"]}" is not supported for this model'
        lost = len(request.raw) // 4 - (body.get("options") or {}).get("num_ctx", DEFAULT_CONTEXT)
        if lost > 0:
            self.cuts.append(lost)

    def pages(self) -> dict[str, Page]:
        return {
            "/api/tags": lambda request: json_response({"models": [_tag(model) for model in self.models]}),
            "/api/show": self._show,
            "/api/ps": lambda request: json_response({"models": [_tag(self.models[0]) | _LOADED]}),
            "/api/version": lambda request: json_response({"version": "0.21.0"}),
        }

    def _show(self, request: Received) -> Response:
        named = (request.body or {}).get("model", (request.body or {}).get("name"))
        model = next((model for model in self.models if model.id == named), None)
        if model is None:
            return json_response({"error": f"model '{named}' not found"}, 404)
        abilities = {"tools": model.tools, "vision": model.images, "thinking": model.thinking}
        info = {"general.architecture": "qwen3", "qwen3.context_length": model.window}
        capabilities = ["completion", *(name for name, able in abilities.items() if able)]
        parameters = 'temperature 0.6\nstop "<|im_end|>"'
        shown: Json = {"capabilities": capabilities, "model_info": info, "parameters": parameters}
        if self._tells_levels and model.thinking:
            values = _levels(model)
            shown["thinking"] = {"values": values, "default": values[-1]}
        return json_response(shown)


_LOADED = {"context_length": DEFAULT_CONTEXT, "size_vram": 5_000_000_000}


def _levels(model: Model) -> list[bool | str]:
    """What `think` may be."""
    if not model.thinking:
        return [False]
    return ["low", "medium", "high", True] if model.id.startswith("gpt-oss") else [False, True]


def _tag(model: Model) -> Json:
    details = {"family": "qwen3", "parameter_size": "8.2B", "quantization_level": "Q4_K_M"}
    return {"name": model.id, "model": model.id, "size": 5_200_000_000, "digest": "ab12", "details": details}


class LlamaCpp(Vendor):
    """One model under any name; `window` tokens in its slot."""

    wires = ("chat", "messages", "responses")
    key_headers = ("authorization", "x-api-key")

    def __init__(self, window: int = 32_768) -> None:
        super().__init__()
        self.window = window
        self.demands = Demands(context_tokens=window)

    def thinks(self, asked: Asked) -> bool:
        wish = asked.body.get("chat_template_kwargs") or {}
        return wish.get("enable_thinking", True) is not False and asked.body.get("reasoning_effort") != "none"

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        constrains = (body.get("response_format") or {}).get("type", "text") != "text"
        if body.get("tools") and (constrains or body.get("grammar") or body.get("json_schema")):
            yield "Cannot use custom grammar constraints with tools."

    def error(self, complaint: Complaint, request: Received) -> Response:
        if request.wire == "messages":
            return super().error(complaint, request)
        error = {"code": complaint.status, "message": complaint.message, "type": "invalid_request_error"}
        return json_response({"error": error | complaint.fields}, complaint.status)

    def pages(self) -> dict[str, Page]:
        names = ("tools", "tool_calls", "parallel_tool_calls", "system_role", "preserve_reasoning")
        caps = {f"supports_{name}": True for name in names} | {"requires_non_null_content": False}
        props = {
            "default_generation_settings": {"n_ctx": self.window},
            "total_slots": 1,
            "model_path": "/models/model.gguf",
            "modalities": {"vision": False, "audio": False},
            "chat_template_caps": caps,
        }
        meta = {"n_ctx_train": 131_072, "n_params": 8_000_000_000, "size": 5_000_000_000, "n_vocab": 150_000}
        model = {"id": "model.gguf", "object": "model", "owned_by": "llamacpp", "meta": meta}
        return {
            "/props": lambda request: json_response(props),
            "/v1/models": lambda request: json_response({"object": "list", "data": [model]}),
        }


class Vllm(Vendor):
    """`parser=False`: started without a parser of tool calls."""

    wires = ("chat", "responses", "messages")
    models = (Model("Qwen/Qwen3-8B", images=False, window=40_960),)
    key_headers = ("authorization",)

    def __init__(self, parser: bool = True) -> None:
        super().__init__()
        self._has_parser = parser

    def thinks(self, asked: Asked) -> bool:
        return (asked.body.get("chat_template_kwargs") or {}).get("enable_thinking", True) is not False

    def unknown_model(self, id: str) -> Complaint:
        return Complaint(f"The model `{id}` does not exist.", 404, {"type": "NotFoundError"})

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        if body.get("tools") and not self._has_parser and body.get("tool_choice", "auto") == "auto":
            yield '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        limit, window = body.get("max_tokens") or body.get("max_completion_tokens") or 0, self.model(body).window
        asked = len(json.dumps(body["messages"])) // 4 + limit
        if asked > window:
            start = f"This model's maximum context length is {window} tokens. However, you requested {asked} tokens"
            yield f"{start} ({asked - limit} in the messages, {limit} in the completion)."

    def error(self, complaint: Complaint, request: Received) -> Response:
        error = {"message": complaint.message, "type": "BadRequestError", "param": None, "code": complaint.status}
        return json_response({"error": error | complaint.fields}, complaint.status)

    def listed(self, model: Model) -> Json:
        return super().listed(model) | {"owned_by": "vllm", "max_model_len": model.window}

    def dress(self, element: Element, asked: Asked, call: int) -> list[Element]:
        if isinstance(element, Words) and is_reasoning(element):
            return [Words(element.pieces, ("reasoning",))]
        return [element]

    def count(self, counted: Counted) -> Usage | None:
        fields = {"prompt_tokens": counted.prompt, "completion_tokens": counted.completion}
        return Usage(fields | {"total_tokens": counted.prompt + counted.completion}, "last")
