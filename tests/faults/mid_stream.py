"""Errors in the middle of a stream on each wire, and places that a server may send us to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.dialects import CHAT, MESSAGES, OLLAMA, RESPONSES, Dialect
from tests.faults.refusals import error


@dataclass(frozen=True)
class Broken:
    """An event in the middle of an answer that ends it."""

    name: str
    dialect: Dialect
    event: bytes
    kind: str
    says: str = ""


def _broken(name: str, dialect: Dialect, event: Any, kind: str, says: str = "") -> Broken:
    return Broken(f"{dialect.wire}: {name}", dialect, dialect.event(event), kind, says)


def _claude(type: str, message: str = "it said so") -> Any:
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "r"}


def _failed(code: str, message: str = "it said so") -> Any:
    return {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": message}}}


IN_MID_STREAM = [
    _broken("an error", CHAT, error("out of memory", code=500), "server", "out of memory"),
    _broken("an error in words", CHAT, {"error": "out of memory"}, "server", "out of memory"),
    _broken("an error in a list", CHAT, [error("quota", code=429)], "rate_limited", "quota"),
    _broken("a flat error", CHAT, {"object": "error", "message": "the worker died", "code": 500}, "server", "died"),
    _broken("a detail", CHAT, {"detail": "the worker died"}, "server", "died"),
    _broken("an overloaded one", CHAT, error("try later", type="overloaded_error"), "overloaded"),
    _broken("a rate", CHAT, error("slow down", type="rate_limit_error"), "rate_limited"),
    _broken(
        "an error in the choice",
        CHAT,
        {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "it died"}}]},
        "server",
        "it died",
    ),
    Broken(
        "chat-completions: an error as a field",
        CHAT,
        b'error: {"code":500,"message":"it died"}\n\n',
        "server",
        "it died",
    ),
    Broken(
        "chat-completions: an error as a named event",
        CHAT,
        b'event: error\ndata: {"error":{"message":"it died"}}\n\n',
        "server",
        "it died",
    ),
    _broken("overloaded", MESSAGES, _claude("overloaded_error"), "overloaded", "it said so"),
    _broken("the server's own", MESSAGES, _claude("api_error"), "server", "it said so"),
    _broken("a rate", MESSAGES, _claude("rate_limit_error"), "rate_limited"),
    _broken("a bad request", MESSAGES, _claude("invalid_request_error"), "bad_request", "it said so"),
    _broken("a key that ended", MESSAGES, _claude("authentication_error"), "auth"),
    _broken("an error without a type", MESSAGES, error("it died"), "server", "it died"),
    _broken("a failure", RESPONSES, _failed("server_error"), "server", "it said so"),
    _broken("a rate", RESPONSES, _failed("rate_limit_exceeded"), "rate_limited"),
    _broken(
        "a failure without words", RESPONSES, {"type": "response.failed", "response": {"status": "failed"}}, "server"
    ),
    _broken(
        "an error",
        RESPONSES,
        {"type": "error", "code": "server_error", "message": "it died", "param": None},
        "server",
        "it died",
    ),
    _broken("cancelled", RESPONSES, {"type": "response.cancelled", "response": {"status": "cancelled"}}, "server"),
    _broken("an error in words", OLLAMA, {"error": "llama runner process has terminated"}, "server", "terminated"),
    _broken("an error as an object", OLLAMA, error("it died"), "server", "it died"),
    _broken("a model that went away", OLLAMA, {"error": "model 'x' not found"}, "model_not_found"),
]

REDIRECTS = [
    "https://127.0.0.1:{port}{path}",
    "http://127.0.0.1:{other}{path}",
    "http://localhost:{port}{path}",
    "http://127.0.0.1.:{port}{path}",
    "http://[::1]:{port}{path}",
    "http://user:word@127.0.0.1:{other}{path}",
    "http://127.0.0.1:{port}@127.0.0.1:{other}{path}",
    "//127.0.0.1:{other}{path}",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{other}/",
    "javascript:alert(1)",
    "http://[oops{path}",
    "http://127.0.0.1:99999{path}",
    "http://127.0.0.1:{other}\x00{path}",
]
"""Where a server sends us, `other` being the port of a server that must not hear of it."""
