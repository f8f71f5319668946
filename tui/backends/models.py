"""Which models a server offers and what it says of them. Pure: the answers of servers in, values out.

Fields by server, from their documents and source (read on 2026-11-25): vLLM `max_model_len`; OpenRouter
`context_length`, `top_provider`, `pricing`, `architecture`, `supported_parameters`; Kimi `context_length`,
`supports_image_in`; Groq `context_window`; Mistral `max_context_length`, `capabilities`; LM Studio's `/api/v0/models`;
llama.cpp `meta`, `/props`; Anthropic `max_input_tokens`, `max_tokens`, `capabilities`; Ollama `/api/tags`, `/api/show`,
`/api/ps`. What is missing or of another type is not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from tui.backends.spec import BackendSpec, ModelInfo
from tui.core.messages import Json
from tui.core.usage import Price

_NO_CHAT = re.compile(
    r"(^|[-_/.:])(tts|asr|stt|whisper|embed|embedding|embeddings|rerank|reranker|moderation|transcribe|dall-e|sora)"
    r"([-_.:/\d]|$)",
    re.IGNORECASE,
)
"""Names of models that speak, listen or measure: servers list them beside those that answer."""
_OLLAMA_WINDOW = 65_536
"""Tokens. Ollama takes memory for the whole window at once; its documents ask for 64k at least for agents."""
_OLLAMA_ENOUGH = 32_768
"""A model that is loaded with this much stays so: another window would have it loaded anew."""
_LEVELS: dict[str, tuple[str | bool, ...]] = {
    "off": (False, "none"),
    "low": ("low", "minimal", True),
    "medium": ("medium", True),
    "high": ("high", True),
    "max": ("max", "xhigh", "high", True),
}
"""For each level the values that say it, the best first."""


def listed(answer: Any) -> list[ModelInfo]:
    """A list of models in any of the known shapes, sorted by id; what has no id, or cannot answer, is left out."""
    entries = answer.get("data", answer.get("models")) if isinstance(answer, dict) else answer
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        id = entry.get("id", entry.get("name")) if isinstance(entry, dict) else None
        if isinstance(id, str) and id and not _is_of_another_kind(id, entry):
            id = id.removeprefix("models/")  # Gemini
            found[id] = _info(id, entry)
    return sorted(found.values(), key=lambda model: model.id)


def is_llama_cpp(answer: Any) -> bool:
    """Whether a list of models is llama.cpp's, which has more to say on `/props`."""
    return any(nested(entry, "owned_by") == "llamacpp" for entry in nested(answer, "data") or ())


def with_props(info: ModelInfo, props: Any) -> ModelInfo:
    """What llama.cpp's `/props` says of the model that is loaded: the context of one slot, not what it was made for."""
    return structs.replace(
        info,
        context_window=_count(nested(props, "default_generation_settings", "n_ctx")) or info.context_window,
        images=_first_bool(nested(props, "modalities", "vision"), info.images),
        tools=_first_bool(nested(props, "chat_template_caps", "supports_tool_calls"), info.tools),
    )


def ollama_info(model: str, show: Any, ps: Any) -> ModelInfo:
    """What Ollama's `/api/show` says of a model, and `/api/ps` if it is loaded."""
    about = nested(show, "model_info") or {}
    own = _count(nested(about, f"{nested(about, 'general.architecture')}.context_length"))
    fixed = re.search(r"^num_ctx\s+(\d{1,12})\b", str(nested(show, "parameters") or ""), re.MULTILINE)
    running = [entry for entry in _list(nested(ps, "models")) if nested(entry, "name") in (model, f"{model}:latest")]
    loaded = _count(nested(running[0], "context_length")) if running else None
    window = own and min(own, _OLLAMA_WINDOW)
    if fixed:
        window = int(fixed[1])
    elif loaded and loaded >= min(own or _OLLAMA_ENOUGH, _OLLAMA_ENOUGH):
        window = loaded
    able = nested(show, "capabilities")
    can = (lambda word: word in able) if isinstance(able, list) else (lambda word: None)
    thinks, values = can("thinking"), nested(show, "thinking", "values")
    levels = None
    if isinstance(values, list):
        thinks, levels = values != [False], _levels("think", values)
    elif thinks is False:
        levels = dict.fromkeys(_LEVELS)
    elif thinks and not str(nested(about, "general.architecture")).startswith(("gptoss", "gpt-oss")):
        levels = _levels("think", [False, True])  # builds that do not tell take names of levels from gpt-oss alone
    return ModelInfo(model, window, images=can("vision"), thinking=thinks, tools=can("tools"), levels=levels)


def informed(spec: BackendSpec, info: ModelInfo) -> BackendSpec:
    """The spec with what the server says of its model, where neither the user nor the preset has said it.

    A window that an error of the same server told stays if it is the smaller one; not so on this machine, where
    the server may have been started anew with another.
    """
    told: Json = {}
    sources = dict(spec.sources)

    def is_open(name: str, *closed: str) -> bool:
        return name not in spec.set_by_user and sources.get(name) not in closed

    window, known = info.context_window, spec.context_window
    is_less = (
        bool(window and known and known < window) and sources.get("context_window") == "learned" and not spec.local
    )
    if window and not is_less and is_open("context_window", "preset"):
        told["context_window"] = window
    if info.max_output and is_open("output_limit"):
        told["output_limit"] = info.max_output
    if info.price and is_open("price", "preset"):
        told["price"] = info.price
    rules: Json = {}
    if info.images is not None and is_open("images", "learned"):
        rules["images"] = info.images
    if info.tools is False and is_open("native_tools", "learned"):
        rules["native_tools"] = False
    if info.levels is not None and is_open("thinking", "learned"):
        rules["thinking"] = _with_told(spec.rules.thinking, info.levels)
    sources |= dict.fromkeys([*told, *rules], "server")
    return structs.replace(spec, **told, rules=structs.replace(spec.rules, **rules), sources=sources)


def _with_told(known: Json, told: dict[str, Json | None]) -> Json:
    """Thinking levels as the server told; where it only confirms the switch, with all that is known to go with it."""
    levels: dict[str, Json | None] = {**known, **told}
    for level, fields in told.items():
        switch = nested(fields, "thinking", "type")
        if switch is not None and switch == nested(known, level, "thinking", "type"):
            levels[level] = known[level]
    return {level: fields for level, fields in levels.items() if fields is not None}


def nested(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _info(id: str, entry: Json) -> ModelInfo:
    able: Any = entry.get("capabilities")
    kinds = nested(entry, "architecture", "input_modalities")
    parameters = entry.get("supported_parameters")
    return ModelInfo(
        id,
        context_window=_first_count(
            entry.get("loaded_context_length"),
            entry.get("max_model_len"),
            entry.get("context_length"),
            entry.get("context_window"),
            entry.get("max_context_length"),
            entry.get("max_input_tokens"),
            nested(entry, "meta", "n_ctx_train"),
        ),
        max_output=_first_count(
            nested(entry, "top_provider", "max_completion_tokens"),
            entry.get("max_completion_tokens"),
            entry.get("max_tokens"),
        ),
        images=_first_bool(
            "image" in kinds if isinstance(kinds, list) else None,
            entry.get("supports_image_in"),
            nested(able, "image_input", "supported"),
            nested(able, "vision"),
            {"vlm": True, "llm": False}.get(str(entry.get("type"))),
        ),
        thinking=_first_bool(
            entry.get("supports_reasoning"),
            nested(able, "thinking", "supported"),
            "reasoning" in parameters if isinstance(parameters, list) else None,
        ),
        tools=_first_bool(
            "tools" in parameters if isinstance(parameters, list) else None,
            nested(able, "function_calling"),
            "tool_use" in able if isinstance(able, list) else None,
        ),
        price=_price(entry.get("pricing")),
        levels=_anthropic_levels(nested(able, "thinking", "types")),
    )


def _is_of_another_kind(id: str, entry: Json) -> bool:
    return (
        _NO_CHAT.search(id) is not None
        or entry.get("type") == "embeddings"
        or entry.get("lifecycle") == "retired"
        or nested(entry, "capabilities", "completion_chat") is False
    )


def _anthropic_levels(types: Any) -> dict[str, Json | None] | None:
    """How thinking is switched off, if at all; how deep it is the preset knows."""
    if not isinstance(types, dict):
        return None
    ways = [way for way in ("disabled", "between_tools") if nested(types, way, "supported") is True]
    return {"off": {"thinking": {"type": ways[0]}} if ways else None}


def _levels(field: str, values: Sequence[Any]) -> dict[str, Json | None]:
    """The levels by what a server takes in `field`; None for one that it does not have."""
    best = {level: [way for way in ways if way in values] for level, ways in _LEVELS.items()}
    return {level: {field: ways[0]} if ways else None for level, ways in best.items()}


def _price(pricing: Any) -> Price | None:
    """OpenRouter's: texts, USD a token; below 0 where it depends on what is chosen."""
    names = ("prompt", "completion", "input_cache_read", "input_cache_write")
    amounts = [_number(nested(pricing, name)) for name in names]
    input, output, cached, written = [None if amount is None else round(amount * 1e6, 6) for amount in amounts]
    return None if input is None or output is None else Price(input, output, cached, written)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1 else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1e12 else None


def _first_count(*values: Any) -> int | None:
    return next((count for value in values if (count := _count(value))), None)


def _first_bool(*values: Any) -> bool | None:
    return next((value for value in values if isinstance(value, bool)), None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
