"""A reply as it was meant: calls that are nearly right, and calls that came as text, or as part of the reasoning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from tui.agent.strategies.mending import mend
from tui.agent.strategies.quoting import heard
from tui.agent.strategies.spotting import Spotted, spot, told
from tui.backends.spec import Reply, Request, ToolSpec
from tui.core.events import CUT, Repaired
from tui.core.messages import Block, Message, Reasoning, Text, ToolCall

_NOT_WHOLE = (*CUT, "content_filter", "pause", "interrupted", "error", "refusal")
"""Replies that ended so are not mended: what looks like a call in them is cut, or was not to be."""


def repaired(reply: Reply, request: Request) -> tuple[Reply, list[Repaired]]:
    """The reply with its calls mended, and what was mended; the same reply when nothing was. Blocking."""
    tools = request.tools
    if reply.finish_reason in _NOT_WHOLE or reply.finish_reason.startswith("repetition"):
        return reply, []
    if reply.message.tool_calls:
        return _with_mended_calls(reply, tools)
    if reply.message.text.strip():
        return _with_calls_of_text(reply, request)
    return _with_calls_of_reasoning(reply, request)


def _with_mended_calls(reply: Reply, tools: Sequence[ToolSpec]) -> tuple[Reply, list[Repaired]]:
    blocks: list[Block] = []
    repairs = []
    for block in reply.message.blocks:
        if isinstance(block, ToolCall):
            block, repair = mend(block, tools)
            repairs += [repair] if repair else []
        blocks.append(block)
    return (_with_blocks(reply, blocks, reply.finish_reason), repairs) if repairs else (reply, [])


def _with_calls_of_text(reply: Reply, request: Request) -> tuple[Reply, list[Repaired]]:
    """Looks at the last text alone: what a call is not the last of was said about one."""
    blocks = list(reply.message.blocks)
    at = max(i for i, block in enumerate(blocks) if isinstance(block, Text))
    last = blocks[at]
    assert isinstance(last, Text)
    if not (spotted := spot(last.text, request.tools, heard=heard(request))):
        return reply, []
    said: list[Block] = [replace(last, text=spotted.before)] if spotted.before else []
    blocks[at : at + 1] = said
    return _with_blocks(reply, [*blocks, *spotted.calls], "tool_calls"), [_told(spotted, "its text")]


def _with_calls_of_reasoning(reply: Reply, request: Request) -> tuple[Reply, list[Repaired]]:
    """Only where nothing else came, and only calls in tags: a model thinks of many calls that it does not make.

    The reasoning stays as it is, for it is to go back so.
    """
    thoughts = [block for block in reply.message.blocks if isinstance(block, Reasoning)]
    if not thoughts or not (spotted := spot(thoughts[-1].text, request.tools, only_tagged=True, heard=heard(request))):
        return reply, []
    blocks: list[Block] = [block for block in reply.message.blocks if not isinstance(block, Text)]
    return _with_blocks(reply, [*blocks, *spotted.calls], "tool_calls"), [_told(spotted, "its reasoning")]


def _told(spotted: Spotted, where: str) -> Repaired:
    names = ", ".join(dict.fromkeys(call.name for call in spotted.calls))
    return Repaired(f"a call of {names} that the model wrote into {where}", spotted.written, told(spotted.calls))


def _with_blocks(reply: Reply, blocks: Sequence[Block], finish_reason: str) -> Reply:
    message: Message = replace(reply.message, blocks=tuple(blocks))
    return structs.replace(reply, message=message, finish_reason=finish_reason)
