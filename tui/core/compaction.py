"""A conversation made shorter: old results folded, old turns replaced by a summary. Pure, so that it comes out the
same for a turn that runs and for a session that is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.core.events import Compacted
from tui.core.messages import Block, Context, Message, Text, ToolResult

FOLDED_CHARACTERS = 200
"""Of a folded result its beginning is kept."""
QUOTED_TURNS = 3
"""The user's own words of so many last turns are kept as they are."""
_QUOTED_CHARACTERS = 4000
_HEAD = "[The earlier part of this conversation was summarised to save room. What matters of it:]"
_QUOTES = "[What the user said last, in their own words:]"


def compact(messages: Sequence[Message], event: Compacted) -> list[Message]:
    """The conversation as the model gets it from `event` on."""
    folded = [_folded(message, frozenset(event.folded)) for message in messages]
    if not event.summary:
        return folded
    kept = folded[len(folded) - event.kept :] if event.kept else []
    gone = messages[: len(messages) - event.kept]
    return [_opening(event.summary, gone), *kept]


def fold(text: str) -> str:
    """What stands for a result that is folded."""
    start = text[:FOLDED_CHARACTERS].rstrip()
    return (
        f"{start}\n[... {len(text) - len(start):,} more characters were folded to save room; call again if needed ...]"
    )


def is_long(text: str) -> bool:
    """Whether folding it saves anything."""
    return len(text) > 2 * FOLDED_CHARACTERS


def _opening(summary: str, gone: Sequence[Message]) -> Message:
    """The message that stands for what is gone: the summary, and the user's own words of the last turns in it."""
    quoted = [words for message in gone for words in _user_words(message)][-QUOTED_TURNS:]
    blocks: list[Block] = [Context(f"{_HEAD}\n{summary.strip()}")]
    blocks += [block for message in gone for block in message.blocks if isinstance(block, Context) and block.lasts]
    if quoted:
        blocks.append(Context(f"\n\n{_QUOTES}\n"))
        blocks += [Text(_shortened(words) + "\n") for words in quoted]
    return Message("user", tuple(blocks))


def _user_words(message: Message) -> list[str]:
    """What the user said in a message, and in those that it quotes."""
    if is_opening(message):
        return [block.text for block in message.blocks if isinstance(block, Text) and not isinstance(block, Context)]
    return [message.words] if message.role == "user" and message.words.strip() else []


def is_opening(message: Message) -> bool:
    """Whether a message stands for an earlier part that was summarised."""
    first = message.blocks[0] if message.blocks else None
    return isinstance(first, Context) and first.text.startswith(_HEAD)


def earlier_summary(messages: Sequence[Message]) -> str:
    """The summary that a conversation begins with; empty when none was made."""
    first = messages[0].blocks[0] if messages and is_opening(messages[0]) else None
    return first.text.removeprefix(_HEAD).strip() if isinstance(first, Context) else ""


def _shortened(words: str) -> str:
    words = words.strip()
    return words if len(words) <= _QUOTED_CHARACTERS else words[:_QUOTED_CHARACTERS] + " [...]"


def _folded(message: Message, ids: frozenset[str]) -> Message:
    if message.role != "tool" or not any(isinstance(b, ToolResult) and b.call_id in ids for b in message.blocks):
        return message
    blocks = tuple(
        replace(block, content=fold(block.content), images=())
        if isinstance(block, ToolResult) and block.call_id in ids and (is_long(block.content) or block.images)
        else block
        for block in message.blocks
    )
    return replace(message, blocks=blocks)
