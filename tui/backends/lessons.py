"""The refusals that are known, in the vendors' own words, and the rule that each of them teaches.

Sources: PROTOCOLS 1.1, 2.2, 2.3, 3.3 and 4.4, which name the vendors' pages and the public threads with these texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tui.backends.refusal import NOT_KNOWN, Refusal, parts_of
from tui.backends.spec import BackendSpec
from tui.core.messages import Json

Taught = tuple[str, Any]
"""A rule, and the value that the server seems to want."""
Finder = Callable[[Refusal, Json, BackendSpec], Iterator[Taught]]
"""Looks for one kind of refusal; what it gives is tried in that order."""

REASONING_KEYS = ("reasoning_content", "reasoning_details", "reasoning_text", "reasoning")
NEVER_LEFT_OUT = frozenset(
    {"model", "messages", "input", "system", "instructions", "tools", "stream", "stream_options"}
)
"""Without these it would be another request."""
_THINKING_FIELDS = ("think", "thinking", "reasoning", "reasoning_effort", "enable_thinking", "thinking_budget")
MISSING_REASONING = (
    r"reasoning_content.{0,80}(must be passed back|is missing|missing in)",
    r"missing .?reasoning_content",
    r"thinking is enabled but reasoning",
    r"thinking.{0,40}must be passed back",
    r"expected .{0,3}thinking.{0,5} or .{0,3}redacted_thinking",
    r"must start with a thinking block",
)


def _tools(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if body.get("tools") and (
        refusal.says(
            r"does not support (tools|tool use|tool calling|function calling)\b",
            r"(tool use|tool calling|function calling).{0,3} is not supported",
            r"no endpoints found that support tool use",
            r"tools? (param )?requires? --jinja",
            r"tool choice requires --enable-auto-tool-choice",
        )
        or refusal.refuses_field("tools")
    ):
        yield "native_tools", False


def _tool_choice(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if "tool_choice" in body and (
        refusal.says(
            rf"tool_choice.{{0,80}}({NOT_KNOWN}|incompatible)",
            rf"({NOT_KNOWN}|incompatible).{{0,40}}tool_choice",
            r"thinking may not be enabled when tool_choice",
        )
        or refusal.refuses_field("tool_choice")
    ):
        yield "tool_choice_while_thinking", False
        yield "unknown_fields", (*spec.rules.unknown_fields, "tool_choice")


def _tool_schema(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if body.get("tools") and refusal.says(
        r"when using anyof, type should be defined",
        r"function_declarations\[\d+\]",
        r"enum.{0,20}(type_string|string type)",
        r"items: missing field",
        r"property is not defined",
        r"proto field is not repeating",
        r"invalid (json )?schema for (function|tool)",
        r"(input_schema|function\.parameters).{0,60}(does not support|is invalid|not a valid|not valid|unsupported)",
        r"moonshot flavored json schema",
        r"tools.{0,40}schema.{0,40}(invalid|not valid|unsupported)",
    ):
        yield "tool_schema", "subset"


def _call_ids(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if refusal.says(r"tool.call.?id.{0,120}length of 9"):
        yield "call_ids", "nine"


def _user_after_tool(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if refusal.says(r"(unexpected|invalid) role .?user.? after role .?tool"):
        yield "assistant_before_user", True


def _reasoning_not_taken(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    sent = {key for part in parts_of(body) for key in REASONING_KEYS if key in part}
    if any(refusal.refuses_field(key, within=True) for key in sent if key not in body):
        if spec.rules.reasoning_required:
            yield "reasoning_required", False
        yield "replay_reasoning", "none"


def _reasoning_missing(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if not refusal.says(*MISSING_REASONING):
        return
    rules = spec.rules
    if spec.wire == "messages":
        if refusal.says(r"must be passed back", r"is missing"):
            yield "reasoning_required", True
            yield "unsigned_thinking", True
        if rules.replay_reasoning == "none":
            yield "replay_reasoning", "tool_calls"
        yield "replay_reasoning", "all"
        return
    named = re.search(r"\breasoning_content\b|\breasoning\b", refusal.text)
    if named and named[0] != rules.reasoning_key and rules.reasoning_required:
        yield "reasoning_key", named[0]
    yield "reasoning_required", True
    if rules.replay_reasoning == "none":
        yield "replay_reasoning", "tool_calls"
    yield "replay_reasoning", "all"
    yield "reasoning_fill", " "


def _reasoning_not_valid(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    """What was signed or encrypted for another conversation, model or account: nothing of it goes along any more."""
    if refusal.says(
        r"invalid .{0,3}signature.{0,3} in .{0,3}thinking",
        r"bound to a different conversation",
        r"thinking.{0,120}cannot be modified",
        r"encrypted.content.{0,120}could not be verified",
        r"item .{0,120}of type .?reasoning.{0,40}without its required",
        r"without its required .?reasoning",
        r"item with id .?rs_.{0,120}not found",
    ):
        yield "replay_reasoning", "none"


def _thought_signature(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if refusal.says(r"missing .{0,20}thought_signature") and not spec.rules.dummy_signature:
        yield "dummy_signature", "skip_thought_signature_validator"


def _images(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if not _has_images(body) or refusal.says(
        r"(image|media)[ _]?(format|type|url)? .{0,40}(too large|exceed|format|corrupt|mime|media.type)"
    ):
        return  # one image is at fault, not the model
    if refusal.says(
        rf"(images?|vision|multi.?modal)\b.{{0,60}}({NOT_KNOWN}|not enabled|only supported by)",
        rf"({NOT_KNOWN}|no endpoints found that support|not enabled for).{{0,40}}(image|vision|multi.?modal)",
        r"not a multimodal model",
        r"at most 0 image",
        r"image_url.{0,10} is only supported",
        r"unknown variant .?image_url",
        r"missing data required for image",
        r"content must be a string",
        r"unexpected item type in content",
    ):
        yield "images", False


def _images_not_found(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    """MiMo's answer to an image for a model that cannot see is a 404; one that names the model means the model."""
    if _has_images(body) and not refusal.says(r"model", r"\b(url|path|route|page|html)\b"):
        yield "images", False


def _has_images(body: Json) -> bool:
    kinds = ("image_url", "input_image", "image")
    return any(part.get("type") in kinds or part.get("images") for part in parts_of(body))


def _system_role(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    messages = body.get("messages")
    roles = {part.get("role") for part in messages if isinstance(part, dict)} if isinstance(messages, list) else set()
    if "developer" in roles and refusal.says(
        rf"role.{{0,60}}developer|developer.{{0,40}}(role|is not one of|{NOT_KNOWN}|not enabled)|variant .?developer",
    ):
        yield "system_role", "system"
        yield "system_role", "user"
    elif "system" in roles and refusal.says(
        rf"system.{{0,3}} (role|messages?|prompts?|instructions?).{{0,20}}({NOT_KNOWN}|not enabled)",
        r"developer instruction is not enabled",
        r"role.{0,60}does not support .?system",
        r"(unexpected|invalid|unsupported|unknown) role.{0,12}system",
    ):
        yield "system_role", "user"
        yield "system_role", "developer"


def _response_format(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    asks = "response_format" in body or "format" in body or "format" in _inner(body, "text", "output_config")
    field = r"(response.?format|json_schema|text\.format|output_config\.format)"
    if (
        asks
        and not refusal.says(r"must contain the word .?json")
        and refusal.says(
            rf"{field}.{{0,80}}({NOT_KNOWN}|unavailable|must be|invalid)",
            rf"({NOT_KNOWN}|invalid).{{0,60}}{field}",
            r"unknown variant .?json_schema",
            r"invalid schema for",
        )
    ):
        if spec.rules.response_format == "json_schema":
            yield "response_format", "json_object"
        yield "response_format", "none"


def _inner(body: Json, *names: str) -> Json:
    found: Json = {}
    for name in names:
        value = body.get(name)
        found |= value if isinstance(value, dict) else {}
    return found


def _max_tokens_field(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    names = ("max_tokens", "max_completion_tokens")
    for field, other in (names, names[::-1]):
        if field in body and (refusal.refuses_field(field) or refusal.says(rf"use .?{other}.? instead")):
            yield "max_tokens_field", other


def _stream_usage(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if "stream_options" in body and (
        refusal.says("stream_options") or any("stream_options" in p for p in refusal.places)
    ):
        yield "stream_usage", False


def _stream(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if (
        spec.wire == "chat-completions"
        and body.get("stream")
        and refusal.says(
            r"stream(ing)?.{0,3} (is )?(not supported|unsupported)",
            r"does not support stream",
            r"must be verified to stream",
        )
    ):
        yield "unknown_fields", (*spec.rules.unknown_fields, "stream")


def _thinking(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    known = {name for level in spec.rules.thinking.values() for name in level} | set(_THINKING_FIELDS)
    fields = sorted(known & body.keys())
    if fields and refusal.says(
        r"does not support (disabling |enabling )?(thinking|reasoning)\b",
        r"\b(thinking|reasoning)( mode)?.{0,3} is not supported",
        r"\bthink value .{0,12} is not supported",  # Ollama: a level, to a model that has none
        *(
            rf"{NOT_KNOWN}.{{0,30}}{re.escape(name)}\.\w+|{re.escape(name)}\.[\w.]+.{{0,50}}{NOT_KNOWN}"
            for name in fields
        ),
    ):
        yield "unknown_fields", (*spec.rules.unknown_fields, *fields)


def _empty_content(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    calling = [part for part in parts_of(body) if part.get("tool_calls")]
    is_mimo = refusal.says(r"`?text`? is not (present|set)")
    has_empty = any(part.get("content") in (None, "", " ") for part in calling)
    if has_empty and (
        is_mimo
        or refusal.says(
            r"content.{0,60}(null|none|empty|required|must be a string|valid string|missing)",
            r"(null|none|empty|missing).{0,40}content",
        )
    ):
        if spec.rules.empty_content is None:
            yield "empty_content", ""
        if not is_mimo:
            yield "empty_content", " "
    if is_mimo and calling:  # it says so of missing reasoning, too
        yield "reasoning_required", True
        yield "empty_content", " "


def _cache_marks(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    if refusal.refuses_field("cache_control", within=True):
        yield "cache_marks", False


def _unknown_field(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[Taught]:
    for name in body:
        if name not in NEVER_LEFT_OUT and refusal.refuses_field(name):
            yield "unknown_fields", (*spec.rules.unknown_fields, name)


FINDERS: tuple[Finder, ...] = (
    _tools,
    _tool_choice,
    _tool_schema,
    _call_ids,
    _user_after_tool,
    _reasoning_not_taken,
    _reasoning_not_valid,
    _reasoning_missing,
    _thought_signature,
    _images,
    _system_role,
    _response_format,
    _max_tokens_field,
    _stream_usage,
    _stream,
    _thinking,
    _empty_content,
    _cache_marks,
    _unknown_field,
)
"""For a request that was refused; the more telling ones come first."""
NOT_FOUND_FINDERS: tuple[Finder, ...] = (_tools, _images, _images_not_found, _reasoning_not_valid)
"""For a 404, which some send for what a model cannot do."""
FAILED_FINDERS: tuple[Finder, ...] = (_tools, _images, _system_role)
"""For a 5xx that is a bad request in truth."""
FOR_THIS_CONVERSATION: tuple[Finder, ...] = (_reasoning_not_valid,)
"""They speak of what was said so far: newer reasoning is taken, and still demanded."""
