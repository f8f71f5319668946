"""What fills the model's window, part by part: mostly estimated from characters, since servers count only the whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tui.agent.project.project import MEMORY, NOTES, SKILLS, WORKSPACE
from tui.agent.prompt import system_prompt
from tui.core.codec import dumps
from tui.core.compaction import is_opening
from tui.core.messages import Block, Context, Image, Message, Reasoning, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation

_CHARACTERS_A_TOKEN = 4
_IMAGE_TOKENS = 1000
_TITLES = {NOTES: "project notes", MEMORY: "memory", SKILLS: "skills", WORKSPACE: "workspace"}
_ORDER = (
    "system prompt", "tools", "workspace", "project notes", "memory", "skills", "date, folder and the like",
    "summary", "your words", "answers", "reasoning", "calls", "results of tools", "images",
)  # fmt: skip


class Part(NamedTuple):
    """Something that is sent with each request."""

    name: str
    tokens: int
    """Estimated."""


class WindowUse(NamedTuple):
    """What the next request would hold, so far."""

    parts: list[Part]
    total: int
    is_counted: bool
    """The server counted the total in its last reply; else it is estimated too."""
    window: int | None
    """Tokens; None: not known."""


def window_use(conversation: Conversation) -> WindowUse:
    """What fills the window of a conversation now. Blocking. Raises MimoError for a backend that cannot be used."""
    spec = conversation.spec()
    sizes: Counter[str] = Counter()
    sizes["system prompt"] = len(
        (spec.system_prompt if spec else None) or system_prompt(conversation.mode, conversation.folder)
    )
    if tools := conversation.history.body.get("tools"):
        sizes["tools"] = len(dumps(tools))
    for message in conversation.history.messages:
        for block in message.blocks:
            name, size = _measured(message, block)
            sizes[name] += size
            if isinstance(block, ToolResult):
                sizes["images"] += len(block.images) * _IMAGE_TOKENS * _CHARACTERS_A_TOKEN
    estimated = sum(sizes.values()) / _CHARACTERS_A_TOKEN
    counted = conversation.context_tokens
    scale = counted / estimated if counted and estimated else 1.0
    parts = [Part(name, round(sizes[name] / _CHARACTERS_A_TOKEN * scale)) for name in _ORDER if sizes[name]]
    total = counted or round(estimated)
    return WindowUse(parts, total, bool(counted), spec.context_window if spec else None)


def _measured(message: Message, block: Block) -> tuple[str, int]:
    """The part that a block belongs to, and its size in characters."""
    match block:
        case Context(text=text) if is_opening(message) and block is message.blocks[0]:
            return "summary", len(text)
        case Context(text=text):
            return next((name for title, name in _TITLES.items() if title in text), _ORDER[6]), len(text)
        case Text(text=text):
            return ("answers" if message.role == "assistant" else "your words"), len(text)
        case Reasoning(text=text):
            return "reasoning", len(text)
        case ToolCall():
            return "calls", len(block.name) + len(dumps(block.arguments))
        case ToolResult(content=content):
            return "results of tools", len(content)
        case Image():
            return "images", _IMAGE_TOKENS * _CHARACTERS_A_TOKEN
