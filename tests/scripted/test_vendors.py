"""The servers of the vendors take what their vendor takes, and refuse what it refuses: Chat Completions and Ollama."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.scripted import Reply, ScriptedServer, reasoning, tool_call
from tests.scripted.test_wires import PATHS, QUESTION, ask, events
from tests.scripted.vendors import (
    VENDORS,
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
    Unknown,
    Vendor,
    Vllm,
)

Start = Callable[..., ScriptedServer]
Body = dict[str, Any]

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SEE = {"role": "user", "content": [{"type": "text", "text": "what is this"}, IMAGE]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "a.py"}
OFF = {"thinking": {"type": "disabled"}}
NAMED = {"type": "function", "function": {"name": "ls"}}
DUMMY = {"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}}


def call(id: str = "c1", **fields: Any) -> Body:
    return {"id": id, "type": "function", "function": {"name": "ls", "arguments": "{}"}} | fields


def turn(id: str = "c1", **fields: Any) -> list[Body]:
    """A tool-using turn and a new question, as PROTOCOLS has it under Sequences."""
    calling = {"role": "assistant", "content": "", "tool_calls": [call(id)]} | fields
    answer = {"role": "assistant", "content": "a.py"}
    return [QUESTION, calling, RESULT | {"tool_call_id": id}, answer, {"role": "user", "content": "thanks"}]


def tool(schema: Body, name: str = "ls") -> Body:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"} | schema}}


THOUGHT = {"reasoning_content": "need ls"}
GOOD: list[tuple[type[Vendor], list[Body], Body]] = [
    (Mimo, turn(**THOUGHT), {}),
    (Mimo, turn(), OFF),
    (Mimo, turn(**THOUGHT), {"tool_choice": "required"}),
    (Mimo, [SEE], {}),
    (DeepSeek, turn(**THOUGHT), {}),
    (DeepSeek, turn(reasoning_content=" "), {}),
    (DeepSeek, [QUESTION], OFF | {"tool_choice": "required"}),
    (Kimi, turn(**THOUGHT), {}),
    (Kimi, [QUESTION], {"model": "kimi-k3", "tool_choice": "required", "no_such_field": 1}),
    (Gemini, [*turn(tool_calls=[call(**DUMMY), call("c2")])[:2], RESULT, RESULT | {"tool_call_id": "c2"}], {}),
    (Mistral, turn("abcdef123"), {}),
    (Qwen, turn(), {}),
    (Qwen, [QUESTION], {"enable_thinking": False, "tool_choice": "required"}),
    (OpenRouter, turn(), OFF),
    (OpenAI, turn(content=None), {"max_completion_tokens": 99}),
    (OpenAI, [{"role": "developer", "content": "be brief"}, QUESTION], {}),
    (LlamaCpp, turn(), {"tools": [tool({})]}),
    (Vllm, turn(reasoning="need ls"), {}),
    (Unknown, turn(), {}),
]
BAD: list[tuple[type[Vendor], list[Body], Body, str]] = [
    (Mimo, turn(), {}, "reasoning_content in the thinking mode must be passed back"),
    (Mimo, turn(reasoning="need ls"), {}, "must be passed back"),
    (Mimo, turn(content="<think>need ls</think>"), {}, "must be passed back"),
    (Mimo, turn(reasoning_content=""), {}, "must be passed back"),
    (Mimo, turn(**THOUGHT, content=None), {}, "`text` is not present"),
    (Mimo, [*turn(**THOUGHT)[:2], RESULT | {"content": [{"type": "text", "text": "a"}]}], {}, "`text` is not set"),
    (Mimo, [QUESTION], {"tools": [tool({}), tool({})]}, "tools contains duplicate names: ls"),
    (Mimo, [SEE], {"model": "mimo-v2.6-pro-ultraspeed"}, "image"),
    (Mimo, [QUESTION], {"model": "mimo-v2-pro"}, "Unsupported model mimo-v2-pro"),
    (Mimo, [QUESTION], {"max_completion_tokens": 131_073}, "max_completion_tokens"),
    (DeepSeek, turn(), {}, "The `reasoning_content` in the thinking mode must be passed back to the API."),
    (DeepSeek, turn(reasoning_content=""), {}, "must be passed back"),
    (DeepSeek, [QUESTION], {"tool_choice": "required"}, "Thinking mode does not support this tool_choice"),
    (DeepSeek, [QUESTION], {"tool_choice": NAMED}, "Thinking mode does not support this tool_choice"),
    (DeepSeek, [QUESTION], {"response_format": {"type": "json_object"}}, "json"),
    (DeepSeek, [SEE], {"model": "deepseek-v4-pro"}, "image_url"),
    (Kimi, turn(), {}, "reasoning_content is missing in assistant tool call message at index 1"),
    (Kimi, [QUESTION], {"model": "kimi-k2.6", "tool_choice": "required"}, "incompatible with thinking enabled"),
    (Kimi, [QUESTION], {"model": "kimi-k2.7-code"} | OFF, "thinking"),
    (Kimi, [QUESTION], {"tools": [tool({"properties": {"a": {"type": "string", "anyOf": []}}})]}, "anyOf"),
    (Gemini, turn(), {}, "Function call is missing a thought_signature in functionCall parts"),
    (Gemini, turn(tool_calls=[call(extra_content={"google": {"thought_signature": "x"}})]), {}, "not valid"),
    (Gemini, [QUESTION], {"thinking": {"type": "enabled"}}, "thinking"),
    (Gemini, [QUESTION], {"tools": [tool({"required": ["a"]})]}, "not defined"),
    (Gemini, [QUESTION], {"tools": [tool({"properties": {"a": {"type": "array"}}})]}, "items"),
    (Gemini, [QUESTION], {"tools": [tool({"properties": {"a": {"enum": [1]}}})]}, "enum"),
    (Mistral, turn("c1"), {}, "Tool call id was c1 but must be a-z, A-Z, 0-9, with a length of 9."),
    (Mistral, [*turn("abcdef123")[:3], QUESTION], {}, "Unexpected role 'user' after role 'tool'"),
    (Mistral, turn("abcdef123", **THOUGHT), {}, "extra_forbidden"),
    (Qwen, [QUESTION], {"tool_choice": "required"}, "required or object in thinking mode"),
    (Qwen, [QUESTION], {"stream": False}, "enable_thinking"),
    (Qwen, [QUESTION], {"response_format": {"type": "json_object"}}, "json"),
    (OpenRouter, [SEE], {"model": "text/only"}, "No endpoints found that support image input"),
    (OpenAI, [QUESTION], {"max_tokens": 9}, "Use 'max_completion_tokens' instead"),
    (OpenAI, [QUESTION], {"enable_thinking": True}, "Unrecognized request argument supplied: enable_thinking"),
    (OpenAI, [QUESTION], {"temperature": 0.2}, "temperature"),
    (OpenAI, [QUESTION], {"reasoning_effort": "minimal"}, "minimal"),
    (OpenAI, turn("c" * 41), {}, "too long"),
    (LlamaCpp, [QUESTION], {"tools": [tool({})], "grammar": "x"}, "Cannot use custom grammar constraints with tools."),
    (LlamaCpp, [{"role": "user", "content": "a" * 200_000}], {}, "exceeds the available context size (32768 tokens)"),
    (Vllm, [QUESTION], {"max_tokens": 40_960}, "This model's maximum context length is 40960 tokens"),
    (DeepSeek, [{"role": "developer", "content": "x"}, QUESTION], {}, "developer"),
]


def model_of(vendor: Vendor) -> str:
    return vendor.models[0].id if vendor.models else "scripted"


@pytest.mark.parametrize(("kind", "messages", "fields"), GOOD)
def test_what_a_vendor_takes_is_answered(
    scripted: Start, kind: type[Vendor], messages: list[Body], fields: Body
) -> None:
    server = scripted(["fine"], vendor=(vendor := kind()))
    response = ask(server, "chat", *messages, **({"model": model_of(vendor)} | fields))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(("kind", "messages", "fields", "words"), BAD)
def test_what_a_vendor_refuses_is_refused_in_its_words(
    scripted: Start, kind: type[Vendor], messages: list[Body], fields: Body, words: str
) -> None:
    server = scripted(vendor=(vendor := kind()))
    response = ask(server, "chat", *messages, **({"model": model_of(vendor)} | fields))
    assert 400 <= response.status_code < 500 and words in response.text, response.text


@pytest.mark.parametrize("name", VENDORS)
def test_every_vendor_refuses_another_key_and_a_call_without_result(scripted: Start, name: str) -> None:
    server = scripted(vendor=(vendor := VENDORS[name]()), key="right")
    wire, model = vendor.wires[0], model_of(vendor)
    assert ask(server, wire, model=model).status_code in (400, 401)
    key = {"authorization": "Bearer right", "anthropic-version": "2023-06-01"}
    body: Body = {"model": model, "max_tokens": 9, "messages": turn()[:2]}
    if wire == "messages":
        body["messages"] = [QUESTION, {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "a"}]}]
    response = httpx.post(server.root + PATHS[wire], json=body, headers=key)
    assert response.status_code == 400 and server.requests[1].refused == 400


# Words in odd places


def test_mimo_hides_its_words_in_param_behind_the_prefix_of_a_stream(scripted: Start) -> None:
    server = scripted(vendor=Mimo())
    streamed, plain = (ask(server, "chat", *turn(), model="mimo-v2.6-pro", stream=stream) for stream in (True, False))
    assert streamed.text.startswith('data:{"error":{"code":"400","message":"Param Incorrect","param":"The reasoning')
    assert plain.json()["error"]["param"].startswith("The reasoning_content")
    assert ask(server, "chat", SEE, model="mimo-v2.6-pro-ultraspeed").status_code == 404


@pytest.mark.parametrize("header", [{"api-key": "k"}, {"authorization": "Bearer k"}])
def test_mimo_takes_its_key_under_two_headers(scripted: Start, header: dict[str, str]) -> None:
    server = scripted(["fine"], vendor=Mimo(), key="k")
    body = {"model": "mimo-v2.6-pro", "messages": [QUESTION]}
    assert httpx.post(server.root + PATHS["chat"], json=body, headers=header).status_code == 200


def test_gemini_puts_its_errors_in_an_array(scripted: Start) -> None:
    (error,) = ask(scripted(vendor=Gemini()), "chat", *turn(), model="gemini-3.8-flash").json()
    assert error["error"]["status"] == "INVALID_ARGUMENT"


# Own calls


def test_gemini_signs_the_first_call_of_a_step_and_wants_that_signature_back(scripted: Start) -> None:
    server = scripted([Reply(tool_call("ls"), tool_call("cat")), "fine"], vendor=Gemini())
    answer = ask(server, "chat", model="gemini-3.8-flash")
    found = [part for event in events(answer) for part in event["choices"][0]["delta"].get("tool_calls") or []]
    calls = [part for part in found if "id" in part]
    (signature,) = [part["extra_content"] for part in found if "extra_content" in part]
    assert not any("index" in part for part in calls) and '"finish_reason":"stop"' in answer.text

    def replay(**fields: Any) -> int:
        first, second = ({**part, "function": {"name": "ls", "arguments": "{}"}} for part in calls)
        results = [RESULT | {"tool_call_id": part["id"]} for part in calls]
        calling = {"role": "assistant", "content": "", "tool_calls": [first | fields, second]}
        return ask(server, "chat", QUESTION, calling, *results, model="gemini-3.8-flash").status_code

    assert [replay(), replay(**DUMMY), replay(extra_content=signature)] == [400, 400, 200]


def test_openrouter_wants_its_details_back_as_they_came(scripted: Start) -> None:
    server = scripted([Reply(reasoning("hm"), tool_call("ls")), "fine"], vendor=OpenRouter())
    model = "xiaomi/mimo-v2.6-pro"
    answer = ask(server, "chat", model=model)
    deltas = [event["choices"][0]["delta"] for event in events(answer) if event["choices"]]
    details = next(part["reasoning_details"] for part in deltas if "reasoning_details" in part)
    id = next(part["tool_calls"][0]["id"] for part in deltas if part.get("tool_calls"))
    assert ": OPENROUTER PROCESSING" in answer.text
    lost = ask(server, "chat", *turn(id), model=model)
    assert "cannot be modified" in lost.json()["error"]["metadata"]["raw"]
    assert ask(server, "chat", *turn(id, reasoning_details=details), model=model).status_code == 200


def test_an_unknown_server_complains_of_one_thing_at_a_time(scripted: Start) -> None:
    server = scripted(["fine"], vendor=(vendor := Unknown("max_completion_tokens", "no_stream_options")))
    fields: Body = {"max_tokens": 9, "stream_options": {"include_usage": True}}
    assert "max_completion_tokens" in ask(server, "chat", **fields).text
    assert "stream_options" in ask(server, "chat", stream_options={}).text
    assert ask(server, "chat", max_completion_tokens=9).status_code == 200
    assert vendor.refused == ["max_completion_tokens", "no_stream_options"]


# Ollama

THINKING = {"role": "assistant", "content": "", "thinking": "need ls"}
CALLS = {"tool_calls": [{"id": "c1", "function": {"index": 0, "name": "ls", "arguments": {}}}]}
RESULT_OF_LS = {"role": "tool", "tool_name": "ls", "content": "a.py"}


@pytest.mark.parametrize(
    ("messages", "fields", "words"),
    [
        ([QUESTION, THINKING | CALLS, RESULT_OF_LS], {"think": True}, ""),
        ([QUESTION | {"images": ["AAAA"]}], {"model": "llava:7b"}, ""),
        ([QUESTION, THINKING | CALLS, RESULT], {}, "tool_name"),
        ([SEE], {}, "cannot unmarshal"),
        ([QUESTION | {"images": ["data:image/png;base64,AAAA"]}], {}, "base64"),
        (
            [QUESTION, {"role": "assistant", "content": "", "tool_calls": [call()]}, RESULT_OF_LS],
            {},
            "cannot unmarshal",
        ),
        ([QUESTION], {"model": "gemma3:4b", "tools": [tool({})]}, "does not support tools"),
        ([QUESTION], {"think": "high"}, 'think value "high" is not supported for this model'),
        ([QUESTION], {"model": "gpt-oss:20b", "think": "high"}, ""),
        ([QUESTION], {"model": "gemma3:4b", "think": True}, '"gemma3:4b" does not support thinking'),
        ([QUESTION], {"model": "no:1b"}, "model 'no:1b' not found"),
    ],
)
def test_ollama_takes_and_refuses(scripted: Start, messages: list[Body], fields: Body, words: str) -> None:
    server = scripted(["fine"], vendor=Ollama(), may_complain=True)
    response = ask(server, "ollama", *messages, **({"model": "qwen3:8b"} | fields))
    assert (words in response.json()["error"]) if words else response.status_code == 200


def test_ollama_cuts_a_long_prompt_without_a_word(scripted: Start) -> None:
    server = scripted(["fine", "fine"], vendor=(vendor := Ollama()))
    long = {"role": "user", "content": "a" * 40_000}
    assert ask(server, "ollama", long, model="qwen3:8b").status_code == 200
    assert ask(server, "ollama", long, model="qwen3:8b", options={"num_ctx": 32_768}).status_code == 200
    assert len(vendor.cuts) == 1


# Pages


def test_models_are_listed_as_each_vendor_lists_them(scripted: Start) -> None:
    def listed(vendor: Vendor) -> Body:
        return httpx.get(f"{scripted(vendor=vendor).base_url}/models").json()["data"][0]

    assert listed(Gemini())["id"] == "models/gemini-3.8-flash"
    assert listed(Kimi())["context_length"] == 1_048_576 and listed(Kimi())["supports_image_in"]
    assert listed(Vllm())["max_model_len"] == 40_960
    assert listed(OpenRouter())["pricing"]["prompt"] == "0.000000435"
    assert listed(LlamaCpp())["meta"]["n_ctx_train"] == 131_072


def test_ollama_and_llama_cpp_have_pages_of_their_own(scripted: Start) -> None:
    root = scripted(vendor=Ollama()).root
    assert httpx.get(f"{root}/api/tags").json()["models"][0]["name"] == "qwen3:8b"
    shown = httpx.post(f"{root}/api/show", json={"model": "qwen3:8b"}).json()
    assert shown["capabilities"] == ["completion", "tools", "thinking"]
    assert shown["model_info"]["qwen3.context_length"] == 40_960
    assert httpx.get(f"{root}/api/ps").json()["models"][0]["context_length"] == 4096
    assert httpx.get(f"{root}/api/version").json()["version"]
    props = httpx.get(f"{scripted(vendor=LlamaCpp(8192)).root}/props").json()
    assert props["default_generation_settings"]["n_ctx"] == 8192
