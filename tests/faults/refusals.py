"""Refusals in the forms of all vendors, a few lines each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """A reply with a status: the kind of error that it is, and words that its message has."""

    name: str
    status: int
    body: Any
    kind: str
    says: str = ""
    headers: tuple[str, ...] = ()

    @property
    def reply(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [
            f"HTTP/1.1 {self.status} X",
            f"content-length: {len(body)}",
            "connection: close",
            *self.headers,
            "",
            "",
        ]
        return "\r\n".join(lines).encode() + body


def error(message: str, **fields: Any) -> Any:
    return {"error": {"message": message, **fields}}


def _page(title: str) -> bytes:
    return f"<html><head><title>{title}</title></head><body>{'x' * 3000}</body></html>".encode()


_UPSTREAM = json.dumps(error("upstream is full", type="overloaded_error"))
REFUSALS = [
    Refusal(
        "MiMo, the words in param",
        400,
        error("Param Incorrect", code="400", param="`text` is not present"),
        "bad_request",
        "`text` is not present",
    ),
    Refusal(
        "MiMo, data before its JSON",
        400,
        b'data:{"error":{"message":"Param Incorrect","param":"tools contains duplicate names: ls"}}',
        "bad_request",
        "duplicate names",
    ),
    Refusal("MiMo, moderation", 421, error("Moderation Block"), "content_filtered"),
    Refusal("MiMo, moderation under 400", 400, error("Moderation Block", code="421"), "content_filtered"),
    Refusal("MiMo, risk control", 441, error("risk"), "content_filtered"),
    Refusal("MiMo, risk control under 400", 400, error("risk", code=441), "content_filtered"),
    Refusal(
        "MiMo, model", 400, error("Param Incorrect", param="Not supported model mimo-9"), "model_not_found", "mimo-9"
    ),
    Refusal("MiMo, key", 401, error("Invalid API Key", code="401", type="invalid_key"), "auth"),
    Refusal("MiMo, plan used up", 429, error("Too many requests", code="429"), "rate_limited"),
    Refusal(
        "DeepSeek, balance",
        402,
        error("Insufficient Balance", type="unknown_error", code="invalid_request_error"),
        "no_credit",
    ),
    Refusal(
        "DeepSeek, reasoning",
        400,
        error("The reasoning_content in the thinking mode must be passed back to the API."),
        "reasoning_replay",
    ),
    Refusal("DeepSeek, overloaded", 503, error("Server Overloaded"), "overloaded"),
    Refusal(
        "Claude, overloaded",
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"},
        "overloaded",
    ),
    Refusal(
        "Claude, credit",
        400,
        {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
        "no_credit",
    ),
    Refusal(
        "Claude, signature",
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "messages.1.content.0: Invalid `signature` in `thinking` block",
            },
        },
        "reasoning_replay",
    ),
    Refusal(
        "Claude, too large",
        413,
        {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}},
        "too_large",
    ),
    Refusal(
        "Claude, too long",
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"},
        },
        "context_overflow",
        "210000",
    ),
    Refusal(
        "Claude, permission",
        403,
        {"type": "error", "error": {"type": "permission_error", "message": "no"}},
        "permission",
    ),
    Refusal(
        "OpenAI, quota",
        429,
        error("You exceeded your current quota", type="insufficient_quota", code="insufficient_quota"),
        "no_credit",
    ),
    Refusal("OpenAI, rate", 429, error("Rate limit reached. Please try again in 20ms."), "rate_limited"),
    Refusal("OpenAI, too long", 400, error("too long", code="context_length_exceeded"), "context_overflow"),
    Refusal("OpenAI, parameter", 400, error("Unsupported parameter: 'top_k'", param="top_k"), "bad_request", "'top_k'"),
    Refusal("OpenAI, model", 404, error("The model `x` does not exist", code="model_not_found"), "model_not_found"),
    Refusal("OpenAI, policy", 400, error("rejected", code="content_policy_violation"), "content_filtered"),
    Refusal(
        "Kimi, overloaded",
        429,
        error("The engine is currently overloaded", type="engine_overloaded_error"),
        "overloaded",
    ),
    Refusal("Kimi, quota", 429, error("check your plan", type="exceeded_current_quota_error"), "no_credit"),
    Refusal(
        "Kimi, too long",
        400,
        error("Invalid request: Your request exceeded model token limit: 8192"),
        "context_overflow",
    ),
    Refusal("Kimi, filter", 400, error("high risk", type="content_filter"), "content_filtered"),
    Refusal("Qwen, unpaid", 400, {"code": "Arrearage", "message": "Access denied", "request_id": "r"}, "no_credit"),
    Refusal(
        "Qwen, inspection",
        400,
        {"code": "data_inspection_failed", "message": "Output data may be inappropriate"},
        "content_filtered",
    ),
    Refusal(
        "Qwen, throttled", 429, {"code": "Throttling.RateQuota", "message": "slow down"}, "rate_limited", "slow down"
    ),
    Refusal("Qwen, too long", 400, error("Range of input length should be [1, 30720]"), "context_overflow"),
    Refusal("OpenRouter, credit", 402, error("This request requires more credits", code=402), "no_credit"),
    Refusal(
        "OpenRouter, from behind",
        502,
        error("Provider returned error", code=502, metadata={"raw": _UPSTREAM, "provider_name": "P"}),
        "overloaded",
        "upstream is full",
    ),
    Refusal(
        "OpenRouter, no route",
        404,
        error("No endpoints found that support tool use", code=404),
        "model_not_found",
        "tool use",
    ),
    Refusal(
        "OpenRouter, moderation",
        403,
        error("flagged", metadata={"reasons": ["x"], "kind": "moderation"}),
        "content_filtered",
    ),
    Refusal(
        "Gemini, in a list",
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "quota",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [{"retryDelay": "17s"}],
                }
            }
        ],
        "rate_limited",
        "quota",
    ),
    Refusal(
        "Gemini, signature",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "Function call is missing a thought_signature",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        "reasoning_replay",
    ),
    Refusal(
        "Mistral, fields",
        422,
        {"detail": [{"loc": ["body", "messages", 0], "msg": "Extra inputs are not permitted"}]},
        "bad_request",
        "body.messages.0 Extra inputs",
    ),
    Refusal(
        "Groq, tokens a minute",
        413,
        error("Request too large for model on tokens per minute (TPM): Limit 6000"),
        "rate_limited",
        "6000",
    ),
    Refusal(
        "vLLM, flat",
        400,
        {"object": "error", "message": "This model's maximum context length is 8192 tokens.", "code": 400},
        "context_overflow",
        "8192",
    ),
    Refusal(
        "llama.cpp, loading",
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        "loading",
    ),
    Refusal(
        "llama.cpp, window",
        400,
        {
            "error": {
                "code": 400,
                "type": "exceed_context_size_error",
                "message": "request (9000 tokens) exceeds the available context size (4096 tokens)",
            }
        },
        "context_overflow",
    ),
    Refusal("llama.cpp, template", 500, error("Jinja Exception: Conversation roles must alternate"), "bad_request"),
    Refusal("Ollama, model", 404, {"error": "model 'x' not found"}, "model_not_found", "'x'"),
    Refusal("Ollama, queue", 503, {"error": "server busy, please try again"}, "overloaded", "server busy"),
    Refusal("FastAPI, words", 401, {"detail": "Not authenticated"}, "auth", "Not authenticated"),
    Refusal("a gateway's page", 502, _page("502 Bad Gateway"), "server", "502 Bad Gateway"),
    Refusal("a sign-in page", 403, _page("Attention required!"), "permission", "Attention required!"),
    Refusal("Cloudflare's number", 524, b"error code: 524", "server", "524"),
    Refusal("a proxy that wants a password", 407, b"", "bad_request"),
    Refusal("nothing but a number", 500, b"", "server"),
    Refusal("a number that is none", 999, b"", "server"),
    Refusal("a redirect to nowhere", 300, b"", "protocol"),
    Refusal("a method that is not allowed", 405, b"", "bad_request"),
    Refusal("a timeout of the server", 408, b"", "server"),
    Refusal("gone", 410, error("this model was retired"), "bad_request", "retired"),
    Refusal("too early, and to be tried again", 425, b"", "bad_request", headers=("x-should-retry: true",)),
    Refusal("JSON within a string", 400, json.dumps(error("twice quoted")), "bad_request", "twice quoted"),
    Refusal("JSON that is cut", 400, b'{"error":{"message":"cut of', "bad_request", "cut of"),
    Refusal("a number in place of an object", 400, 7, "bad_request"),
    Refusal("null", 400, None, "bad_request"),
    Refusal("an empty list", 400, [], "bad_request"),
    Refusal(
        "wrong types all over",
        400,
        {"error": {"message": {"a": 1}, "code": [], "param": 7, "type": {}, "metadata": "x"}},
        "bad_request",
    ),
    Refusal("what is no text", 500, bytes(range(256)) * 10, "server"),
    Refusal("escape sequences", 400, error("\x1b[2J\x1b]0;owned\x07red"), "bad_request", "red"),
    Refusal("a refusal of a megabyte", 400, b'{"error":{"message":"' + b"a" * 1_000_000 + b'"}}', "bad_request"),
    Refusal("a refusal that is very deep", 400, b'{"error":' * 50_000, "bad_request"),
    Refusal(
        "a number that is very long", 400, b'{"error":{"message":"long","code":' + b"9" * 9000 + b"}}", "bad_request"
    ),
]
