"""Asking a server for its models, and for what it knows of one. What the answers mean is in `models`."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import structs

from tui.backends.models import is_llama_cpp, listed, nested, ollama_info, with_props
from tui.backends.spec import BackendSpec, ModelInfo
from tui.core.errors import BackendError
from tui.core.messages import Json

LIMIT_S = 3.0
"""For all that is asked of a server before the first question."""
MUST_ASK = ("ollama",)
"""Wires on which each request says how large the context is, so the server is asked for it before the first."""
_PAGES = {"messages": "/v1/models", "ollama": "/api/tags"}
"""Where the list of models is, behind the base URL; elsewhere it is `/models`."""
_MOST_PAGES = 20
_NO_PAGE = ("model_not_found", "permission", "auth", "protocol", "bad_request")
"""Errors of a server that does not have a page."""


_KINDS = {"llamacpp": "llama-cpp", "vllm": "vllm", "sglang": "sglang"}
"""Whose models they are, as these servers say it, and their presets."""


class Page(Protocol):
    """Gets a JSON document from behind the base URL, or the server's root; with a body it is a POST."""

    async def __call__(self, path: str, *, at_root: bool = False, body: Json | None = None) -> Any: ...


def root_of(base_url: str) -> str:
    """The address without the part that one of several protocols is under."""
    return base_url.removesuffix("/v1").removesuffix("/anthropic")


async def list_models(page: Page, spec: BackendSpec) -> list[ModelInfo]:
    """The models that the server offers, sorted by id. Raises BackendError."""
    path = spec.models_page or _PAGES.get(spec.wire, "/models")
    answer = await page(path, at_root=bool(spec.models_page))
    found = {model.id: model for model in listed(answer)}
    for _ in range(_MOST_PAGES):  # Anthropic's comes in several
        last = nested(answer, "last_id")
        if nested(answer, "has_more") is not True or not isinstance(last, str):
            break
        answer = await page(f"{path}?limit=1000&after_id={last}", at_root=bool(spec.models_page))
        found |= {model.id: model for model in listed(answer)}
    models = sorted(found.values(), key=lambda model: model.id)
    if len(models) == 1 and (spec.rules.props or is_llama_cpp(answer)):
        models = [with_props(models[0], await props(page))]
    return models


async def look_up(page: Page, spec: BackendSpec) -> ModelInfo | None:
    """What the server says of the spec's model; None if it says nothing. Raises BackendError."""
    model = spec.model or ""
    if spec.wire == "ollama":
        show = await page("/api/show", body={"model": model})
        return ollama_info(model, show, await _if_there(page, "/api/ps"))
    models = await list_models(page, spec)
    found = next((info for info in models if info.id == model), None)
    if found is None and len(models) == 1 and spec.local:  # started with one model, it takes any name
        found = structs.replace(models[0], id=model)
    return found


async def kind_of(page: Page) -> str:
    """The preset of a server whose list of models says what it is; else empty. Raises BackendError."""
    answer = await _if_there(page, "/models")
    owners = {nested(entry, "owned_by") for entry in nested(answer, "data") or ()}
    return next((preset for owner, preset in _KINDS.items() if owner in owners), "")


async def props(page: Page) -> Any:
    """llama.cpp's page about its model, which is not under /v1; None if there is none."""
    return await _if_there(page, "/props", at_root=True)


async def _if_there(page: Page, path: str, *, at_root: bool = False) -> Any:
    try:
        return await page(path, at_root=at_root)
    except BackendError as error:
        if error.kind in _NO_PAGE:
            return None
        raise
