"""What a server's refusal means: from status, headers and body to a BackendError. The same for all HTTP wires."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tui.backends.spec import BackendSpec
from tui.backends.waiting import SEARCHED_LIMIT, wanted_wait_s
from tui.core.errors import BackendError, BackendErrorKind
from tui.core.text import clean_line
from tui.settings.log import without_secrets

RAW_LIMIT = 20_000
"""Characters of a reply that are kept with the error."""

_DEEPEST = 3
"""Replies within replies that are looked into."""

RETRYABLE: frozenset[str] = frozenset({"rate_limited", "overloaded", "server", "network", "timeout", "loading"})

_NEVER_AGAIN = ("content_filtered", "bad_request", "context_overflow", "too_large", "reasoning_replay")
"""The same words would meet the same answer, whatever the server advises."""

_SAYS: dict[str, str] = {
    "auth": "the key was not accepted",
    "permission": "this key may not do that",
    "no_credit": "the account has no credit left",
    "rate_limited": "too many requests",
    "overloaded": "the server is overloaded",
    "server": "the server failed",
    "loading": "the model is still being loaded",
    "bad_request": "the server refused the request",
    "model_not_found": "there is no such model or address",
    "context_overflow": "the conversation is longer than the model can take",
    "too_large": "the request is too large",
    "content_filtered": "the server's content filter refused it",
    "reasoning_replay": "the server misses, or does not accept, the reasoning of earlier answers",
    "protocol": "the answer cannot be understood",
}

# The texts of each kind, over the whole body in lower case; the first that fits wins. Where two would fit, the order
# matters: a filtered, too long or unpaid request is often dressed as a 400, 403 or 429 of another kind.
_TEXTS: dict[BackendErrorKind, tuple[str, ...]] = {
    "reasoning_replay": (
        r"reasoning_content.{0,80}(must be passed back|is missing|missing in)",
        r"missing .?reasoning_content",
        r"expected .{0,3}thinking.{0,5} or .{0,3}redacted_thinking",
        r"must start with a thinking block",
        r"thinking.{0,40}must be passed back",
        r"invalid .{0,3}signature.{0,3} in .{0,3}thinking",
        r"bound to a different conversation",
        r"encrypted content.{0,80}could not be verified",
        r"property .?reasoning(_content)?.? is unsupported",
        r"thought_signature",
    ),
    "content_filtered": (r"content_filter", r"data_inspection_failed", r"content_policy_violation"),
    "rate_limited": (r"tokens per minute", r"request too large for .{0,80}tpm"),
    "context_overflow": (
        r"context[_ ]length[_ ]exceeded",
        r"maximum context length",
        r"exceeds? the context window",
        r"context window exceeds",
        r"model_context_window_exceeded",
        r"input tokens exceed the configured limit",
        r"longer than the model.?s context length",
        r"requested token count exceeds",
        r"maximum (input|prompt) length is",
        r"prompt (is )?too long",
        r"input length and .?max_tokens.? exceed",
        r"exceeded model token limit",
        r"input (token length |is )too long",
        r"range of input length should be",
        r"exceeds the maximum number of tokens allowed",
        r"exceed_context_size_error",
        r"context size has been exceeded",
        r"exceeds the available context size",
        r"input length exceeds",
        r"too large for model with \d+ maximum context",
        r"reduce the length of the messages",
        r"current length is .{0,40} while limit is",
        r"prompt tokens .{0,20}exceed model maximum",
        r"tokens \+ .?max_new_tokens.? must be",
        r"greater than the context length",
        r"context length is only \d+ tokens",
        r"exceed.{0,40}(context|max(imum)?[ _](input[ _])?(length|tokens))",
    ),
    "no_credit": (
        r"insufficient.balance",
        r"insufficient_quota",
        r"exceeded_current_quota",
        r"billing_error",
        r"arrearage",
        r"credit balance is too low",
        r"requires more credits",
    ),
    "model_not_found": (
        r"model_not_found",
        r"(not supported|unsupported) model",
        r"model .{0,120}(not found|does not exist)",
    ),
    "auth": (
        r"invalid_api_key",
        r"authentication_error",
        r"incorrect_api_key",
        r"(invalid|incorrect) api.key",
        r"user not found",
    ),
    "loading": (r"loading model", r"is_sleeping\W+true"),
    "overloaded": (r"overloaded", r"insufficient_system_resource"),
}
_NOT_OVERFLOW = re.compile(r"string_above_max_length|max_(completion_)?tokens.{0,40}must be less than")
_INVALID = re.compile(
    r"invalid_(request|prompt|(base64_)?image)|image_(too|file|parse)|(empty|unsupported|download)_image"
)
"""Codes of what is wrong with the request, where no status says so: in the stream of Responses."""
_TEMPLATE = re.compile(r"jinja|template|roles must alternate|tool_choice")

_STATUS: dict[int, BackendErrorKind] = {
    401: "auth",
    402: "no_credit",
    403: "permission",
    404: "model_not_found",
    408: "server",
    409: "server",
    413: "too_large",
    421: "content_filtered",  # MiMo's moderation, and its risk control
    441: "content_filtered",
    429: "rate_limited",
    503: "overloaded",
    529: "overloaded",
}


class Said(Struct, frozen=True):
    """What an error reply says, from whatever shape it has."""

    message: str
    status: int
    """The HTTP status, or the one that the body names in its place."""
    text: str
    """All of it in lower case, to look for signs in."""


def explain(status: int, headers: Mapping[str, str], body: str, spec: BackendSpec) -> BackendError:
    """The error that a reply is. `status` 200: it came in the body of a reply that had begun well.

    `headers` have lower-case names. Keys that the server echoes are masked here, before anything is cut.
    """
    body = without_secrets(body)
    said = read_error(status, body)
    kind = _kind(said)
    wait_s = wanted_wait_s(headers, body)
    again = headers.get("x-should-retry", "").strip().lower()
    retryable = kind in RETRYABLE or (kind == "no_credit" and wait_s is not None)
    if again in ("true", "false") and said.status not in (400, 401) and kind not in _NEVER_AGAIN:
        retryable = again == "true"
    told = f" (HTTP {status})" if status != 200 else ""
    detail = f": {said.message}" if said.message else ""
    return BackendError(
        kind,
        f"{spec.name}: {_SAYS[kind]}{told}{detail}",
        hint(kind, spec),
        retryable=retryable,
        retry_after_s=wait_s,
        raw=body[:RAW_LIMIT],
    )


def hint(kind: str, spec: BackendSpec) -> str:
    """What to do about an error of this kind with this server; a sentence or two, or nothing."""
    ways = {
        "auth": _about_the_key(spec),
        "no_credit": f"See the account's page: {spec.key_page}"
        if spec.key_page
        else "Add credit, or ask another backend.",
        "model_not_found": f"`mimo-tui backends models {spec.name}` lists its models; the address is {spec.base_url}.",
        "local_server_down": "" if spec.embedded else f"Is it started? Its address is set to {spec.base_url}.",
        "permission": "Is the model open to this key, and the service offered where you are?",
        "rate_limited": "Ask again in a while, or go on with another backend.",
        "overloaded": "Ask again in a while, or go on with another backend.",
        "server": "Ask again. If it stays so, the fault is at the server: another backend can go on.",
        "network": "Ask again to go on.",
        "loading": "A large model takes minutes. Ask again then.",
        "too_large": "Send fewer or smaller images and files, or begin a new session.",
        "content_filtered": "The same words would be refused again: say it in others.",
        "reasoning_replay": "Begin a new session, or go on with another backend.",
        "context_overflow": "Begin a new session, or choose a model with a larger context window.",
        "bad_request": "What was sent can be seen in the trace.",
        "protocol": f"Is the address right? It is {spec.base_url}.",
    }
    return " ".join(part for part in (spec.hints.get(kind, ""), ways.get(kind, "")) if part)


def _about_the_key(spec: BackendSpec) -> str:
    page = f" Keys are made at {spec.key_page}" if spec.key_page else ""
    if spec.credential == "none":
        return f'It is set to use no key: to give one, set `credential = "keyring"` for {spec.name}.'
    if isinstance(spec.credential, dict):
        source = ", ".join(f"{way} = {value!r}" for way, value in spec.credential.items())
        return f"The key comes from {{ {source} }}: see `credential` of {spec.name}.{page}"
    return f"Set it with `mimo-tui keys set {spec.name}`.{page}"


def read_error(status: int, body: str) -> Said:
    """Read an error body: the usual objects, one in an array, JSON in a string, `data:` before it, HTML, plain text."""
    text = body.strip().lstrip("\ufeff")
    while text.startswith("data:"):  # MiMo answers a refused stream so
        text = text.removeprefix("data:").strip()
    value = _json(text.partition("\n")[0]) or _json(text)
    if value is None:
        return Said(_plain(text), status, text[:SEARCHED_LIMIT].lower())
    error = _object(value)
    inner = _object(error.get("error")) or error
    words = [clean_line(word, 500) for word in dict.fromkeys(_words(inner)) if word.strip()]
    return Said(": ".join(words[:3]), _named_status(status, inner), text[:SEARCHED_LIMIT].lower())


def _words(error: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """The sentences in an error object, the most telling ones of all servers; `param` is where MiMo puts them."""
    metadata = _object(error.get("metadata"))
    param = error.get("param")
    if isinstance(param, str) and " " not in param:  # elsewhere it is a field's name
        param = None
    for value in (error.get("message"), param, error.get("detail"), error.get("error"), error.get("msg")):
        if isinstance(value, str):
            yield from _within(value)
        elif isinstance(value, dict) and depth < _DEEPEST:
            yield from _words(value, depth + 1)
        elif isinstance(value, list):
            for item in value:
                place = _object(item).get("loc")
                where = ".".join(str(part) for part in place) if isinstance(place, list) else ""
                yield f"{where} {_object(item).get('msg', '')}".strip() if isinstance(item, dict) else str(item)
    if (raw := metadata.get("raw")) and depth < _DEEPEST:  # a gateway, and what the server behind it said
        inner = _json(raw) if isinstance(raw, str) else raw
        if said := _object(_object(inner).get("error")) or _object(inner):
            yield from _words(said, depth + 1)
        else:
            yield str(raw)
    if not any(error.get(key) for key in ("message", "detail", "error")):
        yield from (str(error[key]) for key in ("type", "code") if error.get(key))


def _within(message: str) -> Iterator[str]:
    """A message, or what it says when it is the whole reply of another server behind this one."""
    inner = _object(_json(message)) if message.lstrip()[:1] in ("{", "[") else {}
    words = list(_words(_object(inner.get("error")) or inner, _DEEPEST)) if inner else []
    yield from words or (message,)


def _kind(said: Said) -> BackendErrorKind:
    status = said.status
    if status in (421, 441):
        return "content_filtered"
    for kind, texts in _TEXTS.items():
        if re.search("|".join(texts), said.text) and not (
            kind == "context_overflow" and _NOT_OVERFLOW.search(said.text)
        ):
            return kind
    if status == 403 and re.search(r"api.?key|credential|unauthori[sz]ed", said.text):
        return "auth"
    if status == 403 and "moderation" in said.text:
        return "content_filtered"
    if status >= 500 and _TEMPLATE.search(said.text):  # a bad request in truth: the same again would fail the same way
        return "bad_request"
    if status in _STATUS:
        return _STATUS[status]
    if 300 <= status < 400:  # a redirect without a place to go
        return "protocol"
    if 400 <= status < 500:
        return "bad_request"
    if re.search(r"rate_limit|resource_exhausted|too many requests", said.text):
        return "rate_limited"
    return "bad_request" if _INVALID.search(said.text) else "server"


def _named_status(status: int, error: dict[str, Any]) -> int:
    """Some servers put the true status into the body of a 200 or 400: MiMo's 421, OpenRouter's 429."""
    code = error.get("code", error.get("status"))
    try:
        named = int(code) if isinstance(code, int | str) else 0
    except ValueError:
        named = 0
    return named if status in (200, 400) and 400 <= named <= 599 else status


def _plain(text: str) -> str:
    """Of a page its title, of plain text the beginning."""
    if text[:1] == "<":
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return f"a web page{f' titled {clean_line(title[1])!r}' if title else ''} instead of a reply"
    return clean_line(text, 300)


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
        return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> dict[str, Any]:
    """A dict, also if it is the first thing in a list; an empty one for anything else."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}
