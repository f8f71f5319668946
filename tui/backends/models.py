"""Which models a server offers, and what it says of them."""

from __future__ import annotations

from typing import Any

from tui.backends.spec import ModelInfo


def listed(answer: Any) -> list[ModelInfo]:
    """A list of models in any of the known shapes, sorted by id; what has no id is left out."""
    entries = answer.get("data") if isinstance(answer, dict) else answer
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(id, str) and id:
            windows = (
                entry.get("max_model_len"),  # vLLM
                entry.get("context_length"),  # OpenRouter, Kimi
                entry.get("max_context_length"),  # LM Studio
                nested(entry, "meta", "n_ctx_train"),  # llama.cpp
            )
            id = id.removeprefix("models/")  # Gemini
            found[id] = ModelInfo(id, next((n for n in windows if isinstance(n, int) and n > 0), None))
    return sorted(found.values(), key=lambda model: model.id)


def nested(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
