"""The numbers that servers name when something is too long: the model's window, and the most that it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tui.backends.refusal import Refusal
from tui.backends.spec import BackendSpec
from tui.core.messages import Json

_OUTPUT_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_ABOUT_OUTPUT = re.compile(
    r"max_(completion_|output_|new_)?tokens|maxoutputtokens|num_predict|(completion|output) tokens"
)
_OUTPUT_LIMITS = (
    (r"range[^\d\n]{0,60}\[\s*\d+\s*,\s*(\d+)\s*\]", 0),
    (r"to (\d+) \(exclusive\)", -1),
    (r"at most \D{0,3}(\d+)", 0),
    (r"> (\d+), which is the maximum", 0),
    (r"(?:less than or equal to|no more than|(?:not|cannot) exceed|<=|up to) \D{0,3}(\d+)", 0),
    (r"between \d+ and (\d+)", 0),
    (r"(?:less|smaller|lower) than \D{0,3}(\d+)", -1),
    (r"maximum (?:value|allowed|output|number)[^\d\n]{0,60}?(\d+)", 0),
)
_WINDOWS = (
    r"maximum (?:context|input|prompt) length (?:is|of) (\d+)",
    r"available context size \((\d+)",
    r"prompt is too long: \d+ tokens > (\d+)",
    r"exceed context limit: \d+ \+ \d+ > (\d+)",
    r"exceeded model token limit: (\d+)",
    r"range of input length should be \[\d+, (\d+)\]",
    r"maximum number of tokens allowed \((\d+)",
    r"configured limit of (\d+)",
    r"while limit is (\d+)",
    r"model maximum \((\d+)",
    r"model with (\d+) maximum context",
    r"context length (?:is only|of(?: only)?) (\d+)",
    r"maximum context length[^\d\n]{0,20}(\d+)",
    r"exceeds the limit of (\d+)",
)
_DIGITS = 12
_OWN_SHARE = (
    r"your request has (\d+) input tokens",
    r"\((\d+) in the (?:messages|prompt|input)[^)]*\d+ in the (?:completion|output)",
    r"\((\d+) of text input[^)]*\d+ in the output",
)


def limits_told(refusal: Refusal, body: Json, spec: BackendSpec) -> Iterator[tuple[str, Any]]:
    """What of the limits a refusal teaches, as a rule and its value; `context_window` if the conversation is too long.

    An output limit that only together with this conversation is above the window is no fact about the model: the field
    is left out then, and the server gives what is left.
    """
    field = next((name for name in _OUTPUT_FIELDS if isinstance(body.get(name), int)), None)
    if field and (limit := _output_limit(refusal)) and limit < body[field]:
        yield "max_output", limit
    window = _first(_WINDOWS, refusal.text) or refusal.numbers.get("n_ctx")
    if not window or window < 16:
        return
    share = _first(_OWN_SHARE, refusal.text)
    if field and field in ("max_tokens", "max_completion_tokens") and share and share < window * 0.9:
        yield "unknown_fields", (*spec.rules.unknown_fields, field)
        return
    yield "context_window", window


def _output_limit(refusal: Refusal) -> int | None:
    for line in refusal.text.splitlines():
        if _ABOUT_OUTPUT.search(line) and "context length" not in line:
            for pattern, more in _OUTPUT_LIMITS:
                if found := re.search(pattern, line):
                    return int(found[1][:_DIGITS]) + more or None
    return None


def _first(patterns: tuple[str, ...], text: str) -> int | None:
    for pattern in patterns:
        if found := re.search(pattern, text):
            return int(found[1][:_DIGITS])
    return None
