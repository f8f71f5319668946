"""What a backend is made of, as values: how to reach it, what that server wants, what is asked and what comes back.

msgspec Structs only because they are made quickly, and this is imported at each start: as frozen dataclasses they
take 7 ms, so 0.3.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from tui.core.messages import Json, Message, Origin
from tui.core.usage import Price, Usage

Strategy = Literal["native", "constrained"]


class Rules(Struct, frozen=True):
    """How a server wants its requests. Filled from the preset, then from the user's `rules` table; last wins."""

    replay_reasoning: Literal["none", "tool_calls", "all"] = "tool_calls"
    """Which assistant messages of the same origin take their reasoning along."""
    reasoning_required: bool = False
    """Refuses tool-call messages without reasoning (MiMo, DeepSeek, Kimi): those without their own are filled."""
    reasoning_key: str = "reasoning_content"
    """Where filled-in reasoning goes; reasoning of the same origin goes back under the key it came under."""
    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    """Understands `stream_options.include_usage`."""
    empty_content: str | None = None
    """The `content` of an assistant message that has tool calls alone. In TOML `"null"` is None."""
    response_format: Literal["json_schema", "json_object"] = "json_schema"
    """How an answer is constrained; with `json_object` the schema goes into the system prompt."""
    native_tools: bool = True
    """Understands `tools`; without, the strategy `auto` is `constrained`."""
    props: bool = False
    """Has llama.cpp's `/props`, which says whether the model's template knows tools, and how large the context is."""
    thinking: dict[str, Json] = {}
    """For each thinking level the body fields that ask for it; a level that is not here cannot be chosen."""


class Timeouts(Struct, frozen=True):
    """Seconds. `first_byte` runs until the first byte of the response's body, `idle` between bytes after that."""

    connect: float = 10
    first_byte: float = 600
    idle: float = 60


class BackendSpec(Struct, frozen=True):
    """Everything that is needed to ask one model, and nothing secret."""

    name: str
    preset: str
    """The preset it was made from; empty for a server of the user's own."""
    wire: str
    base_url: str
    """Without a slash at its end. For the embedded model a fixed name: its address changes at each start."""
    model: str | None
    rules: Rules = Rules()
    strategy: Literal["auto", "native", "constrained"] = "auto"
    context_window: int | None = None
    """Tokens; None when not known."""
    max_output: int | None = None
    """Tokens; None: nothing is sent and the server decides."""
    price: Price | None = None
    thinking: str | None = None
    """One of the levels in `rules.thinking`. None: nothing is sent and the server decides."""
    timeouts: Timeouts = Timeouts()
    retries: int = 4
    proxy: str | None = None
    ca_file: str | None = None
    headers: dict[str, str] = {}
    body: Json = {}
    """Fields that are merged into each request."""
    credential: str | dict[str, Any] | None = None
    """Where the key is, as `settings.credentials` has it. None: the keyring, but a local server may have none."""
    local: bool = False
    """The server is on this machine."""
    embedded: bool = False
    """The server is a child process of ours, started when first used."""
    key_page: str = ""
    """Where a key for it can be made."""
    hints: dict[str, str] = {}
    """For a kind of BackendError, what to do about it with this server."""
    system_prompt: str | None = None
    """The system prompt that this model needs in place of ours."""

    @property
    def origin(self) -> Origin:
        return Origin(self.name, self.base_url, self.model or "", self.wire)


class ToolSpec(Struct, frozen=True):
    """A tool as the model is told of it; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Json


class Request(Struct, frozen=True):
    """One question to a model: the whole conversation so far. Calls without a result are the caller's to close."""

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    schema: Json | None = None
    """Constrain the answer to this JSON schema; not together with `tools`."""
    body: Json = {}
    """Fields of this request alone, above those of the backend."""


class Sent(Struct, frozen=True):
    """A request went out: where to, and its body."""

    url: str
    body: Json


class Reply(Struct, frozen=True):
    """The whole answer. `finish_reason` is stop, length, tool_calls, content_filter or the server's own word."""

    message: Message
    usage: Usage
    finish_reason: str


class ModelInfo(Struct, frozen=True):
    """A model that the server offers; `context_window` in tokens, None when it does not say."""

    id: str
    context_window: int | None = None
