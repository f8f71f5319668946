"""Whether a text ends in a call that was meant as one, and which: strict, for what is found here will be run.

A call counts where it is the last thing that was said, or where a tagged one is the first. It does not count in code,
in quotes, in a quotation, or behind words that speak of an example.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from tui.agent.strategies import tagged, untagged
from tui.agent.strategies.base import TEXT_CALL
from tui.agent.strategies.foreign import translated
from tui.agent.strategies.loose_json import NotJson
from tui.agent.strategies.mending import as_object, fit, tool_of
from tui.agent.strategies.quoting import Heard, is_quoted
from tui.agent.strategies.shapes import Written
from tui.backends.spec import ToolSpec
from tui.core.codec import dumps
from tui.core.messages import Json, ToolCall

_LIMIT_CHARACTERS = 1_000_000
_CANDIDATES = 20
_END_TOKENS = re.compile(
    r"(?:\s|<\|(?:im_end|eot_id|eom_id|end|call|return|endoftext)\|>|</s>|<｜end▁of▁sentence｜>)+\Z"
)
_EXPLAINS = re.compile(
    r"\b(examples?|e\.\s?g\.|for instance|such as|syntax|format|looks? like|would (?:be|look|call|use|write|run)"
    r"|could (?:call|use|write|run)|you (?:can|could|would|should|may|might)|(?:do not|don't|never) (?:run|call|use|do)"
    r"|instead of|not allowed|wrong|incorrect)\b",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"\b(says?|said|saying|contain(?:s|ed|ing)?|reads|adds|shows?|quot(?:es?|ed|ing)|lines?(?!\s*\d)"
    r"|(?:did|do) not|(?:did|do)n['’]?t|never|not run|would|could|instead of|for example|e\.\s?g\.|such as)(?!\w)",
    re.IGNORECASE,
)
"""Words of a quotation, or of what is not done: no call follows them in their paragraph, or on the next line."""
_INTENDS = re.compile(
    r"(?:let me|let's|i will|i['’]ll|i am going to|i['’]m going to|now|next|first|so)\b", re.IGNORECASE
)
"""A sentence that begins so is the model's own: what was told before it does not count."""
_QUOTES = "\"'`“”‘’«»„(>"


class Spotted(NamedTuple):
    before: str
    """What was said before the calls."""
    calls: tuple[ToolCall, ...]
    written: str
    """The calls as they stood there, and what followed them."""
    start: int
    end: int
    """Where the calls alone are in the text."""


def spot(
    text: str, tools: Sequence[ToolSpec], *, only_tagged: bool = False, heard: Sequence[Heard] = ()
) -> Spotted | None:
    """The calls that a text ends with; None when it ends with none, or with one of a tool that is not there.

    What stands in one of the texts `heard` is no call: a model that repeats a file or a page does not make those in it.
    """
    if not tools or len(text) > _LIMIT_CHARACTERS:
        return None
    whole = _END_TOKENS.sub("", text)
    found = _tagged(whole, text, tools, may_go_on=not only_tagged)
    if found is None and not only_tagged:
        found = _untagged(whole, text, tools)
    if found is not None and any(is_quoted(call, tools, heard) for call in found.calls):
        return None
    return found


def _tagged(whole: str, text: str, tools: Sequence[ToolSpec], *, may_go_on: bool) -> Spotted | None:
    starts = [match.start() for match in tagged.START.finditer(whole)]
    for start in [*starts[:_CANDIDATES], *starts[_CANDIDATES:][-_CANDIDATES:]]:
        before = whole[:start]
        if not _is_said(before):
            continue
        parsed = tagged.parse(whole, start)
        if parsed is None or (whole[parsed.end :].strip() and (before.strip() or not may_go_on)):
            continue
        calls = [_call(written, tools) for written in parsed.calls]
        if all(calls):
            return Spotted(before.rstrip(), tuple(filter(None, calls)), text[start:], start, parsed.end)
    return None


def _untagged(whole: str, text: str, tools: Sequence[ToolSpec]) -> Spotted | None:
    found = untagged.ending(whole)
    if found is None or not _is_said(whole[: found.start]):
        return None
    calls = [_call(written, tools, is_tagged=False) for written in found.calls]
    if not all(calls):
        return None
    return Spotted(
        whole[: found.start].rstrip(), tuple(filter(None, calls)), text[found.start :], found.start, len(whole)
    )


def _is_said(before: str) -> bool:
    """Whether what follows these words is said by the model itself, and not shown or quoted."""
    line = before.rpartition("\n")[2]
    if line.lstrip().startswith(">") or line.count("`") % 2 or (line.rstrip() or " ")[-1] in _QUOTES:
        return False
    if len(re.findall(r"^\s{0,3}(?:```|~~~)", before, re.MULTILINE)) % 2:
        return False
    said = before.rstrip().rpartition("\n")[2]
    if _EXPLAINS.search(re.split(r"(?<=[.!?])\s+(?=[A-Z])", said)[-1]):
        return False
    begins_a_paragraph = re.search(r"\n[ \t]*\n\s*\Z", before)
    nearest = said if begins_a_paragraph else re.split(r"\n[ \t]*\n", before.rstrip())[-1]
    last = re.split(r"(?<=[.!?])\s+", nearest.rstrip())[-1]
    return not _TELLS.search(last if _INTENDS.match(last) else nearest)


def _call(written: Written, tools: Sequence[ToolSpec], *, is_tagged: bool = True) -> ToolCall | None:
    """The call; None when its tool is not there. One without tags has to fit the tool's schema to be one at all."""
    tool = tool_of(written.name, tools, may_be_misspelt=is_tagged)
    if tool is None:
        return None
    id, raw = f"{TEXT_CALL}{uuid.uuid4().hex[:12]}", None
    try:
        arguments = as_object(written.arguments) if isinstance(written.arguments, str) else written.arguments
        arguments = _with_names(tool, arguments, written)
    except NotJson:
        arguments, raw = {}, str(written.arguments)
    fitted = fit(tool, translated(written.name, arguments)) if raw is None else None
    if fitted is None and not is_tagged:
        return None
    return ToolCall(id, tool.name, arguments if fitted is None else fitted, raw)


def _with_names(tool: ToolSpec, arguments: Json, written: Written) -> Json:
    """The arguments, those without a name under the names that the schema has in their places."""
    names = list(tool.parameters.get("properties", {}))
    if not written.places:
        return arguments
    if len(written.places) > len(names):
        raise NotJson("too many arguments")
    return dict(zip(names, written.places, strict=False)) | arguments


def told(calls: Sequence[ToolCall]) -> str:
    """The calls, for people."""
    return "\n".join(f"{call.name} {dumps(call.arguments) if call.raw is None else call.raw}" for call in calls)
