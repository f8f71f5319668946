"""Messages and the blocks they are made of: what a conversation consists of, whatever wire carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Role = Literal["system", "user", "assistant", "tool"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made a message. What may be replayed to whom is decided by comparing origins."""

    backend: str
    base_url: str
    model: str
    wire: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words that the user, the model or the program said. Raw: not yet cleaned for the terminal."""

    type: ClassVar[str] = "text"
    text: str
    extra: Json | None = None
    """What the vendor sent with it and wants back, verbatim (Responses: `phase`)."""


@dataclass(frozen=True, slots=True)
class Context(Text):
    """What the program adds to the user's words for the model: the date, the state of the folder. People are not shown
    it as the user's own."""

    type: ClassVar[str] = "context"
    lasts: bool = False
    """It is said again when what came before is summarised: what is known of the project, not what was so that day."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought, kept so that it can be given back exactly as its vendor demands."""

    type: ClassVar[str] = "reasoning"
    text: str
    key: str = "reasoning_content"
    """The key of the wire it came under, and goes back under."""
    signature: str | None = None
    data: Json | None = None
    """What the vendor sent beside or instead of the text, verbatim; of a block unknown to us, all of it."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture, as base64 text."""

    type: ClassVar[str] = "image"
    media_type: str
    data: str
    name: str = ""
    """The file's name, for people; empty for one that was pasted."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asks for."""

    type: ClassVar[str] = "tool_call"
    id: str
    name: str
    arguments: Json
    raw: str | None = None
    """The arguments as they came, when they were not a JSON object; `arguments` is empty then."""
    extra: Json | None = None
    """What the vendor sent with the call and wants back, verbatim."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool said, for the model."""

    type: ClassVar[str] = "tool_result"
    call_id: str
    content: str
    is_error: bool = False
    images: tuple[Image, ...] = ()


Block = Text | Context | Reasoning | Image | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a conversation. `origin` says which model made it; None for what the user or a tool said."""

    role: Role
    blocks: tuple[Block, ...]
    origin: Origin | None = None

    @property
    def text(self) -> str:
        """The text blocks, joined, as the model gets them."""
        return "".join(block.text for block in self.blocks if isinstance(block, Text))

    @property
    def words(self) -> str:
        """The text without what the program added."""
        return "".join(block.text for block in self.blocks if isinstance(block, Text) and block.type == "text")

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))


def user(text: str, images: Sequence[Image] = ()) -> Message:
    """What the user said: the images they attached, then their words."""
    return Message("user", (*images, Text(text)))
