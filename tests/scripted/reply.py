"""Replies: a stream of chunks made of elements, or a plain response."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

from tests.scripted.elements import Break, Element, Interleaved, Json, ToolCall, text

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Usage:
    fields: Json | None
    place: Literal["last", "finish", "every", "choice", "x_groq", "none"]


def usage(
    prompt: int = 10,
    completion: int = 5,
    *,
    cached: int | None = None,
    reasoning: int | None = None,
    cost: float | None = None,
    style: Literal["openai", "deepseek", "kimi", "groq", "null_details"] = "openai",
    place: Literal["last", "finish", "every"] = "last",
) -> Usage:
    """Tokens as a server counts them, in a vendor's way of saying it.

    `place`: a last chunk without choices, the chunk with the finish reason, or every chunk (growing); Kimi and Groq
    have places of their own.
    """
    fields: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if cost is not None:
        fields["cost"] = cost
    if style == "null_details":
        return Usage(fields | {"prompt_tokens_details": None, "completion_tokens_details": None}, place)
    if reasoning is not None:
        fields["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    if cached is not None and style == "deepseek":
        fields |= {"prompt_cache_hit_tokens": cached, "prompt_cache_miss_tokens": prompt - cached}
    elif cached is not None and style == "kimi":
        fields["cached_tokens"] = cached
    elif cached is not None:
        fields["prompt_tokens_details"] = {"cached_tokens": cached}
    if style == "kimi":
        return Usage(fields, "choice")
    return Usage(fields, "x_groq" if style == "groq" else place)


NO_USAGE = Usage(None, "none")


@dataclass(frozen=True, slots=True)
class Response:
    """A plain HTTP response, or a fault in place of one."""

    status: int = 200
    body: bytes = b""
    headers: Json = field(default_factory=dict)
    broken: Break | None = None


def fault(
    what: int | Literal["reset", "stall", "cut_off"],
    body: Any = None,
    headers: Json | None = None,
    *,
    message: str = "",
    code: str | int | None = None,
    type: str = "",
) -> Response:
    """A refusal with a status, or no response at all. `body`: bytes or str as they are, else JSON, else an error object
    of `message`, `code` and `type`."""
    if isinstance(what, str):
        return Response(broken=Break(what))
    if body is None:
        body = {"error": {"message": message or HTTPStatus(what).phrase, "type": type or None, "code": code}}
    return json_response(body, what, headers)


def json_response(body: Any, status: int = 200, headers: Json | None = None) -> Response:
    """JSON (or str or bytes, as they are) in place of a stream."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else encode(body).encode()
    return Response(status, data, {"content-type": "application/json"} | (headers or {}))


def html(title: str = "502 Bad Gateway", status: int = 200) -> Response:
    """The page of a gateway, with any status."""
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(status, page.encode(), {"content-type": "text/html"})


def redirect(url: str, status: int = 307) -> Response:
    return Response(status, b"", {"location": url})


class Reply:
    """An answer of the model.

    `finish` "auto": tool_calls if there are any, else stop; None: no finish reason (with `done=False`: a stream cut
    short though its body ends cleanly). `usage` None: counted, sent if it is asked for. `done=False`: no [DONE].
    `cut`: the body in pieces of so many bytes wherever that falls. `rate`: chunks a second. `line_end`: of the events.
    `null_keys`: each delta carries every key. `stream=False`: one JSON object even to a request that wants a stream.
    `finish_with_last`: text and finish reason share a chunk.
    """

    def __init__(
        self,
        *elements: Element | str,
        finish: str | None = "auto",
        usage: Usage | None = None,
        done: bool = True,
        cut: int | None = None,
        rate: float | None = None,
        line_end: str = "\n",
        null_keys: bool = False,
        stream: bool = True,
        finish_with_last: bool = False,
        headers: Json | None = None,
    ) -> None:
        self.elements: Sequence[Element] = [text(part) if isinstance(part, str) else part for part in elements]
        if finish == "auto":
            calls = any(isinstance(element, ToolCall | Interleaved) for element in self.elements)
            finish = "tool_calls" if calls else "stop"
        self.finish, self.usage, self.done, self.stream = finish, usage, done, stream
        self.cut, self.rate, self.line_end, self.null_keys = cut, rate, line_end, null_keys
        self.finish_with_last, self.headers = finish_with_last, headers or {}
