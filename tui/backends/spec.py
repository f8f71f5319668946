"""What a backend is made of, as values: how to reach it, what that server wants, what is asked and what comes back.

msgspec Structs only because they are made quickly, and this is imported at each start: as frozen dataclasses they
take 7 ms, so 0.3.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from tui.core.messages import Json, Message, Origin
from tui.core.usage import Price, Usage

Strategy = Literal["native", "constrained", "text"]


class Rules(Struct, frozen=True):
    """How a server wants its requests: from the preset, the catalogue's model, what the server taught, then the user.

    Last wins. The wires read them; what a wire does not speak of has no effect there.
    """

    # Reasoning (PROTOCOLS: reasoning, what must go back)
    replay_reasoning: Literal["none", "tool_calls", "all"] = "tool_calls"
    """Which assistant messages of the same origin take their reasoning along."""
    reasoning_required: bool = False
    """Refuses tool-call messages without reasoning (MiMo, DeepSeek, Kimi): those without their own are filled."""
    reasoning_key: str = "reasoning_content"
    """Where filled-in reasoning goes; reasoning of the same origin goes back under the key it came under."""
    reasoning_fill: str = ""
    """What stands for reasoning where there is none to fill in; empty: words on what was called."""
    foreign_reasoning: Literal["omit", "text"] = "omit"
    """What becomes of another origin's reasoning; `text`: it goes along as words of the answer, if the user wishes."""
    unsigned_thinking: bool = False
    """Messages: takes, and wants, thinking blocks without a signature (MiMo, DeepSeek, Kimi)."""
    dummy_signature: str = ""
    """What stands for the thought signature of another origin's call (Gemini); empty: calls have none."""
    thinking: dict[str, Json] = {}
    """For each thinking level the body fields that ask for it; a level that is not here cannot be chosen."""
    tool_choice_while_thinking: bool = True
    """Takes a `tool_choice` other than `auto` while thinking; without, it is left out then."""

    # Fields
    max_tokens_field: str = "max_tokens"
    stream_usage: bool = True
    """Understands `stream_options.include_usage`."""
    unknown_fields: tuple[str, ...] = ()
    """Fields of the body, by name, that the server refuses: they are left out of every request."""
    system_role: Literal["system", "developer", "user"] = "system"
    """Who says the system prompt; `user`: it is put before the first message of the user."""
    empty_content: str | None = None
    """The `content` of an assistant message that has tool calls alone. In TOML `"null"` is None."""
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    """How an answer is constrained; without schemas the schema goes into the system prompt."""
    stateless: bool = False
    """Responses: keeps nothing, knows no `store` and no encrypted reasoning."""
    cache_marks: bool = False
    """Messages: caches the prefix up to a mark (`cache_control`)."""
    key_header: str = ""
    """The header that carries the key, bare; empty: as the wire has it, mostly `Authorization: Bearer`."""

    # Tools
    native_tools: bool = True
    """Understands `tools`; without, the strategy `auto` is `constrained`, or `text` where answers cannot be that."""
    tool_schema: Literal["full", "subset"] = "full"
    """`subset`: schemas are brought to what all servers take (Gemini, Kimi)."""
    call_ids: Literal["any", "nine"] = "any"
    """`nine`: ids of tool calls are nine letters and digits (Mistral)."""
    assistant_before_user: bool = False
    """Refuses a user's message right behind a tool's result (Mistral): one of the assistant goes between."""

    # Images
    images: bool | None = None
    """Whether the model sees; None: not known, it is tried."""
    images_in_results: bool = False
    """Takes images in a tool's result; without, they follow it as the user's."""
    image_side_px: int | None = None
    """The longest side that is taken; larger images are made smaller before they are sent."""
    image_bytes: int | None = None
    """The most bytes of one image, before base64."""

    # Its own pages
    props: bool = False
    """Has llama.cpp's `/props`, which says whether the model's template knows tools, and how large the context is."""


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
    strategy: Literal["auto", "native", "constrained", "text"] = "auto"
    context_window: int | None = None
    """Tokens; None when not known."""
    max_output: int | None = None
    """Tokens; None: nothing is sent and the server decides."""
    output_limit: int | None = None
    """Tokens: the most that the model can answer with; None when not known. It is not sent by itself."""
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
    models_page: str = ""
    """Where the list of its models is, from the root of the server; empty: where the wire has it."""
    hints: dict[str, str] = {}
    """For a kind of BackendError, what to do about it with this server."""
    system_prompt: str | None = None
    """The system prompt that this model needs in place of ours."""
    set_by_user: tuple[str, ...] = ()
    """Rules, and `context_window` and `max_output`, that the user has set: no refusal teaches another value."""
    sources: dict[str, str] = {}
    """Who said a rule, `context_window`, `output_limit`, `max_output`, `price`, `thinking_level`; see `resolve`."""

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
    tool_choice: Literal["auto", "required"] | None = None
    """`required`: a tool has to be called. None: nothing is sent."""
    body: Json = {}
    """Fields of this request alone, above those of the backend."""


class Sent(Struct, frozen=True):
    """A request went out: where to, its body, and its headers with `•••` for what may be secret."""

    url: str
    body: Json
    headers: dict[str, str] = {}


class Reply(Struct, frozen=True):
    """The whole answer.

    `finish_reason` is stop, length, window_full, tool_calls, content_filter or the server's own word.
    """

    message: Message
    usage: Usage
    finish_reason: str


class ModelInfo(Struct, frozen=True):
    """A model that the server offers. What it does not say is None."""

    id: str
    context_window: int | None = None
    """Tokens."""
    max_output: int | None = None
    """Tokens."""
    images: bool | None = None
    thinking: bool | None = None
    tools: bool | None = None
    price: Price | None = None
    levels: dict[str, Json | None] | None = None
    """Thinking levels as in `Rules.thinking`, those that it tells of; None for one that the model does not have."""
