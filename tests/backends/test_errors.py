"""A refusal in any server's words becomes a kind, a message with the true text, and what to do."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from msgspec import structs

from tui.backends.errors import explain, hint
from tui.backends.resolve import resolve
from tui.backends.spec import BackendSpec
from tui.core.errors import BackendErrorKind
from tui.settings.config import Settings

LAB = BackendSpec("lab", "", "chat-completions", "http://lab/v1", "m")
MIMO = resolve(Settings(), "xiaomi-mimo")


def error(message: str = "", **fields: Any) -> str:
    return json.dumps({"error": {"message": message, **fields}})


KINDS: list[tuple[str, int, str]] = [
    ("auth", 401, error("Invalid API Key")),
    ("auth", 401, ""),
    ("auth", 403, error("your api key is not valid here")),
    ("permission", 403, error("region not supported", type="permission_error")),
    ("no_credit", 402, error("Insufficient Balance")),
    ("no_credit", 429, error("You exceeded your current quota", code="insufficient_quota")),
    ("no_credit", 400, error("Your credit balance is too low to access the API")),
    ("no_credit", 429, error("", type="exceeded_current_quota_error")),
    ("model_not_found", 404, error("The model `x` does not exist", code="model_not_found")),
    ("model_not_found", 400, error("Param Incorrect", param="Not supported model mimo-v2", code="400")),
    ("model_not_found", 404, '{"error":"model \'x\' not found"}'),
    ("model_not_found", 404, "404 page not found"),
    ("content_filtered", 421, error("blocked")),
    ("content_filtered", 400, error("Param Incorrect", param="moderation", code="421")),
    ("content_filtered", 400, error("risk", code="441")),
    ("content_filtered", 400, error("no", code="data_inspection_failed")),
    (
        "reasoning_replay",
        400,
        error("Param Incorrect", param="The reasoning_content in the thinking mode must be passed back to the API."),
    ),
    (
        "reasoning_replay",
        400,
        error("thinking is enabled but reasoning_content is missing in assistant tool call message"),
    ),
    ("reasoning_replay", 400, error("Missing `reasoning_content` field in the assistant message at message index 3")),
    ("context_overflow", 400, error("This model's maximum context length is 8192 tokens. You requested 9000")),
    (
        "context_overflow",
        400,
        '{"object":"error","message":"This model\'s maximum context length is 8192 tokens.","code":400}',
    ),
    (
        "context_overflow",
        400,
        error("request (9000 tokens) exceeds the available context size", type="exceed_context_size_error"),
    ),
    ("context_overflow", 400, error("Invalid request: Your request exceeded model token limit: 8192")),
    ("context_overflow", 400, error("Param Incorrect", param="input exceed max length")),
    ("context_overflow", 500, error("prompt too long; exceeded max context length by 4 tokens")),
    ("bad_request", 400, error("max_tokens (9) must be less than the maximum context length")),
    ("bad_request", 400, error("string too long", code="string_above_max_length")),
    ("bad_request", 422, '{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}'),
    ("bad_request", 500, error("tools param requires --jinja flag")),
    ("bad_request", 405, ""),
    ("too_large", 413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
    ("rate_limited", 429, error("Rate limit reached")),
    ("rate_limited", 429, error("Request too large for m in organization o on tokens per minute (TPM)")),
    ("rate_limited", 429, '[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]'),
    ("overloaded", 503, error("Server Overloaded")),
    ("overloaded", 529, error("Overloaded", type="overloaded_error")),
    ("overloaded", 429, error("The engine is currently overloaded", type="engine_overloaded_error")),
    ("loading", 503, error("Loading model", type="unavailable_error", code=503)),
    ("server", 500, error("boom")),
    ("server", 502, "<html><title>502 Bad Gateway</title></html>"),
    ("server", 524, ""),
    ("server", 408, ""),
]


@pytest.mark.parametrize(("kind", "status", "body"), KINDS, ids=[f"{kind}-{i}" for i, (kind, *_) in enumerate(KINDS)])
def test_refusals_are_told_apart(kind: str, status: int, body: str) -> None:
    assert explain(status, {}, body, LAB).kind == kind


def test_only_what_may_work_the_next_time_is_tried_again() -> None:
    for kind, status, body in KINDS:
        again = kind in ("rate_limited", "overloaded", "loading", "server")
        assert explain(status, {}, body, LAB).retryable == again, (kind, status)


def test_a_server_may_say_itself_whether_to_try_again_but_never_for_a_refused_key() -> None:
    assert not explain(500, {"x-should-retry": "false"}, "", LAB).retryable
    assert explain(409, {"x-should-retry": "true"}, "", LAB).retryable
    for status in (400, 401):
        assert not explain(status, {"x-should-retry": "true"}, "", LAB).retryable


def test_what_the_server_asks_for_in_other_words_is_not_asked_for_again_in_the_same() -> None:
    for status, body in ((421, ""), (413, ""), (422, ""), (500, error("jinja"))):
        assert not explain(status, {"x-should-retry": "true"}, body, LAB).retryable


def test_credit_that_will_be_there_again_is_waited_for() -> None:
    assert explain(402, {"retry-after": "3"}, error("in flight budget"), LAB).retryable
    assert not explain(402, {}, error("Insufficient Balance"), LAB).retryable


@pytest.mark.parametrize("kind", [kind for kind in get_args(BackendErrorKind) if kind != "timeout"])
def test_every_kind_comes_with_what_to_do(kind: str) -> None:
    assert hint(kind, LAB)


def test_the_true_text_is_shown_wherever_it_stands() -> None:
    shown = {
        error("Param Incorrect", param="`text` is not set", code="400"): "`text` is not set",
        "data:" + error("Param Incorrect", param="tools contains duplicate names: ls"): "duplicate names: ls",
        "data: " + error("no") + "\n\ndata: [DONE]\n\n": "no",
        json.dumps(error("quoted twice")): "quoted twice",
        error(
            "Provider returned error", metadata={"raw": error("upstream says no"), "provider_name": "P"}
        ): "upstream says no",
        '{"detail":"Not authenticated"}': "Not authenticated",
        '{"detail":[{"loc":["body","x"],"msg":"field required"}]}': "body.x field required",
        '{"code":"InvalidParameter","message":"bad thing","request_id":"1"}': "bad thing",
        '{"error":"plain words"}': "plain words",
        '{"error":{"error":{"message":"in a box in a box"}}}': "in a box in a box",
        '{"detail":["one thing","another"]}': "one thing: another",
        '{"msg":"short of words","code":1113}': "short of words",
        error(error("said behind it")): "request (HTTP 400): said behind it",
        error("P", metadata={"raw": "plain words of it"}): "plain words of it",
        error("P", metadata={"raw": [{"error": {"message": "from a list"}}]}): "from a list",
        json.dumps([{"error": {"message": "first"}}, {"error": {"message": "second"}}]): "first",
        '{"error":{"message":"","type":"strange_error"}}': "strange_error",
        "no JSON at all": "no JSON at all",
        "<!DOCTYPE html><html><TITLE>\nDown for\nwork</TITLE></html>": "'Down for work'",
    }
    for body, text in shown.items():
        assert text in explain(400, {}, body, LAB).message, body


def test_the_message_says_who_and_what() -> None:
    assert explain(429, {}, error("slow down"), LAB).message == "lab: too many requests (HTTP 429): slow down"


def test_a_field_named_by_a_server_is_not_taken_for_its_words() -> None:
    assert explain(400, {}, error("Unsupported parameter", param="max_tokens"), LAB).message.endswith(
        "Unsupported parameter"
    )


def test_the_reply_is_kept_with_the_error() -> None:
    assert explain(400, {}, "x" * 50_000, LAB).raw == "x" * 20_000


def test_a_refused_key_is_met_with_what_to_do() -> None:
    hint = explain(401, {}, "", MIMO).hint
    assert "sk- and tp-" in hint and "mimo-tui keys set xiaomi-mimo" in hint and MIMO.key_page in hint
    assert 'credential = "keyring"' in explain(401, {}, "", structs.replace(LAB, credential="none")).hint
    assert "LAB_KEY" in explain(401, {}, "", structs.replace(LAB, credential={"env": "LAB_KEY"})).hint


def test_a_missing_model_is_met_with_the_list_of_models() -> None:
    hint = explain(404, {}, "", LAB).hint
    assert "mimo-tui backends models lab" in hint and "http://lab/v1" in hint


def test_the_servers_wish_comes_with_the_error() -> None:
    assert explain(429, {"retry-after": "7"}, "", LAB).retry_after_s == 7


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"error":' * 5000,
        "[]",
        "{}",
        '""',
        "null",
        "\x00\xff",
        '{"error":[1]}',
        '{"detail":[{"loc":null}]}',
        '{"error":{"message":{"a":1},"code":[]}}',
    ],
)
def test_nonsense_is_explained_too(body: str) -> None:
    assert explain(500, {}, body, LAB).kind == "server"
