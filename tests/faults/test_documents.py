"""What a server may say of its models: any JSON in place of any field is a list of models, or is passed over."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.faults.asking import KEY, outcome_of, spec_of
from tests.faults.dialects import CHAT, DIALECTS, OLLAMA, Dialect
from tests.faults.raw_server import RawServer
from tests.faults.streams import HTML, endless, whole
from tests.faults.test_fields import ODD, places, replaced
from tui.backends.backend import Backend
from tui.backends.models import listed, ollama_info, with_props
from tui.backends.spec import ModelInfo
from tui.core.errors import BackendError

LISTS: list[Any] = [
    {"object": "list", "data": [{"id": "a", "created": 1, "max_model_len": 8, "meta": {"n_ctx_train": 8, "n_ctx": 4}}]},
    {
        "data": [
            {
                "id": "a",
                "context_length": 8,
                "top_provider": {"max_completion_tokens": 2, "context_length": 8},
                "pricing": {"prompt": "0.1", "completion": "0.2", "input_cache_read": "0"},
                "architecture": {"input_modalities": ["text", "image"]},
                "supported_parameters": ["tools", "reasoning"],
            }
        ]
    },
    {"data": [{"id": "a", "max_input_tokens": 8, "capabilities": {"image_input": {"supported": True}}}]},
    {"models": [{"name": "a", "model": "a", "details": {"family": "x"}}]},
]
SHOWN = {
    "capabilities": ["completion", "tools"],
    "model_info": {"general.architecture": "x", "x.context_length": 8},
    "parameters": "num_ctx 4",
    "thinking": {"values": [True, False], "default": True},
}
PROPS = {
    "default_generation_settings": {"n_ctx": 4},
    "modalities": {"vision": True},
    "chat_template_caps": {"supports_tool_calls": True},
}


@pytest.mark.parametrize("document", LISTS, ids=["vllm", "openrouter", "claude", "ollama"])
def test_odd_values_in_each_field_of_a_list(document: Any) -> None:
    for path in places([document]):
        for odd in ODD if path else ():
            (changed,) = json.loads(json.dumps(replaced([document], path, odd)))
            for model in listed(changed):
                assert isinstance(model.id, str)


def test_odd_values_in_each_field_of_what_is_shown_of_a_model() -> None:
    for make, document in ((ollama_info, SHOWN), (with_props, PROPS)):
        for path in places([document]):
            for odd in ODD if path else ():
                (changed,) = json.loads(json.dumps(replaced([copy.deepcopy(document)], path, odd)))
                info = (
                    ollama_info("a", changed, changed) if make is ollama_info else with_props(ModelInfo("a"), changed)
                )
                assert info.context_window is None or 0 < info.context_window < 1e15


def _json(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


BODIES = {
    "a page": (HTML, "protocol"),
    "nothing": (b"", "protocol"),
    "cut": (b'{"data":[{"id":"a"', "protocol"),
    "very deep": (b"[" * 100_000, "protocol"),
    "a number without end": (b"9" * 100_000, "protocol"),
}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.wire)
@pytest.mark.parametrize("name", BODIES)
async def test_a_list_that_is_none_is_an_error(dialect: Dialect, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    body, kind = BODIES[name]
    with RawServer([_json(body)]) as server:
        backend = Backend(spec_of(dialect, server))
        with pytest.raises(BackendError) as raised:
            await backend.list_models()
        await backend.aclose()
    assert raised.value.kind == kind and KEY not in raised.value.message + raised.value.raw


async def test_a_list_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    with RawServer([b"HTTP/1.1 200 OK\r\n\r\n[", endless(b'"x",' * 9999)]) as server:
        backend = Backend(spec_of(CHAT, server))
        with pytest.raises(BackendError) as raised:
            await backend.list_models()
        await backend.aclose()
    assert raised.value.kind == "protocol"


async def test_an_ollama_that_does_not_tell_of_its_model_answers_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    for document in (b"", b"[]", b"null", HTML, b'{"model_info": 7, "parameters": {}}', b"\xff"):
        with RawServer([whole(OLLAMA, OLLAMA.events())], shown=_json(document)) as server:
            outcome = await outcome_of(spec_of(OLLAMA, server))
        assert (outcome.kind, outcome.text) == (None, "Hello"), document
