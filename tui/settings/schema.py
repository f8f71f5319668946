"""What can be set, as frozen records. None means not set: then the preset's value, or the program's own, counts.

msgspec Structs only because they are made quickly, and this is imported at each start: 15 of them take 0.2 ms and the
import 2.7, where frozen dataclasses take 10.
"""

from __future__ import annotations

import re
from datetime import date, time
from math import isfinite
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import urlsplit

from msgspec import Struct, structs

from tui.core.usage import Price

Mode = Literal["chat", "agent"]
Policy = Literal["ask", "edits", "plan", "auto"]


def given(record: Struct | None) -> dict[str, Any]:
    """The fields of a record that are set."""
    if record is None:
        return {}
    return {name: value for name, value in structs.asdict(record).items() if value is not None}


def above_zero(value: float) -> str | None:
    return None if value > 0 else "must be above 0"


def share(value: float) -> str | None:
    return None if 0.1 <= value <= 0.95 else "must be between 0.1 and 0.95"


def not_empty(value: Any) -> str | None:
    return None if value else "cannot be empty"


def backend_name(name: str) -> str | None:
    """It becomes a file's name and a part of a keyring's user name."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        return None
    return "a backend's name has only letters, digits, - and _ of ASCII"


def http_url(url: str) -> str | None:
    """An address of a server, as far as it can be judged without asking it."""
    try:
        parts = urlsplit(url)
        port_is_good = parts.port != 0
    except ValueError as error:
        return f"is not a URL: {error}"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must be a URL that begins with http:// or https://"
    if not port_is_good or not url.isascii() or not url.isprintable() or " " in url:
        return "is not a URL"
    return None


def base_url(url: str) -> str | None:
    parts = urlsplit(url) if http_url(url) is None else None
    if parts and (parts.username is not None or parts.password is not None):
        return "a key or password cannot be in the URL (see `credential`)"
    if parts and (parts.query or parts.fragment):
        return "cannot have a `?` or `#` part: what each request needs goes into `headers` or `body`"
    return http_url(url)


def http_headers(headers: dict[str, str]) -> str | None:
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            return f"{name!r} is not a header's name"
        if not (value.isascii() and value.isprintable()):
            return f"the value of {name} is not printable ASCII text on one line"
    return None


def json_value(value: Any) -> str | None:
    """Whether a value from TOML can be sent as JSON."""
    if isinstance(value, dict):
        return next((wrong for item in value.values() if (wrong := json_value(item))), None)
    if isinstance(value, list):
        return next((wrong for item in value if (wrong := json_value(item))), None)
    if isinstance(value, date | time):
        return "JSON has no dates: put it in quotes"
    if isinstance(value, float) and not isfinite(value):
        return "JSON has no such number"
    return None


def key_word(word: str) -> str | None:
    """Never repeats the word: who misunderstands the setting puts the key itself there."""
    if word in ("keyring", "none"):
        return None
    return 'must be "keyring", "none", { env = "..." } or { command = ["..."] }; a key itself is never in the file'


def key_source(source: KeySource) -> str | None:
    if len(source) != 1:
        return 'must be either { env = "..." } or { command = ["..."] }'
    return None


def how_to_reach(server: McpConfig) -> str | None:
    if (server.command is None) == (server.url is None):
        return "needs either `command` or `url`"
    if server.url is not None and (server.env or server.in_project):
        return "`env` and `in_project` are for a server that is a program"
    if server.command is not None and server.headers:
        return "`headers` are for a server that has a `url`"
    return None


def host_and_port(place: str) -> str | None:
    try:
        parts = urlsplit(f"//{place}")
        is_good = parts.hostname is not None and parts.port is not None and parts.netloc == place and "@" not in place
    except ValueError:
        is_good = False
    return None if is_good and http_url(f"http://{place}") is None else 'must be a host and its port: "127.0.0.1:8080"'


def where_to_search(search: WebSearch) -> str | None:
    return "needs the `url` of your SearXNG" if search.kind == "searxng" and search.url is None else None


def server_name(name: str) -> str | None:
    """It becomes a part of the names of its tools, where `__` separates."""
    if re.fullmatch(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", name) and len(name) <= 32:
        return None
    return "a server's name has up to 32 letters and digits of ASCII, with single - or _ between them"


PositiveInt = Annotated[int, above_zero]
Seconds = Annotated[float, above_zero]
Words = Annotated[tuple[str, ...], not_empty]
Body = Annotated[dict[str, Any], json_value]


class KeySource(TypedDict, total=False):
    """Another place for a key than the keyring."""

    env: Annotated[str, not_empty]
    """The environment variable that holds it."""
    command: Words
    """The program, and its arguments, that prints it on its first line."""


class Timeouts(Struct, frozen=True):
    """Seconds. None: the program's own."""

    connect: Seconds | None = None
    first_byte: Seconds | None = None
    """Until the first byte of the answer."""
    idle: Seconds | None = None
    """Between two bytes of it."""


class Rules(TypedDict, total=False):
    """How a server wants its requests: what the user knows better than the preset. `backends.spec.Rules` explains."""

    replay_reasoning: Literal["none", "tool_calls", "all"]
    reasoning_required: bool
    reasoning_key: Annotated[str, not_empty]
    reasoning_fill: str
    foreign_reasoning: Literal["omit", "text"]
    unsigned_thinking: bool
    dummy_signature: str
    thinking: dict[Literal["off", "low", "medium", "high", "max"], Body]
    tool_choice_while_thinking: bool
    max_tokens_field: Annotated[str, not_empty]
    stream_usage: bool
    unknown_fields: tuple[str, ...]
    system_role: Literal["system", "developer", "user"]
    empty_content: Literal["null", "", " "]
    response_format: Literal["json_schema", "json_object", "none"]
    stateless: bool
    cache_marks: bool
    key_header: str
    native_tools: bool
    tool_schema: Literal["full", "subset"]
    call_ids: Literal["any", "nine"]
    assistant_before_user: bool
    images: bool
    images_in_results: bool
    image_side_px: PositiveInt
    image_bytes: PositiveInt
    props: bool


class BackendConfig(Struct, frozen=True):
    """A backend of the user's own, or what is to be different with a preset's."""

    preset: str | None = None
    """What it starts from; None: the preset of its own name, if there is one."""
    wire: Literal["chat-completions", "messages", "responses", "ollama"] | None = None
    base_url: Annotated[str, base_url] | None = None
    model: Annotated[str, not_empty] | None = None
    credential: Annotated[str, key_word] | Annotated[KeySource, key_source] | None = None
    """Where its key is; None is the keyring."""
    context_window: PositiveInt | None = None
    """Tokens."""
    max_output: PositiveInt | None = None
    """Tokens."""
    price: Price | None = None
    thinking: Literal["off", "low", "medium", "high", "max"] | None = None
    strategy: Literal["auto", "native", "constrained", "text"] | None = None
    """How it is asked for tool calls."""
    timeouts: Timeouts | None = None
    retries: int | None = None
    """How often a failed request is sent again; 0 is never."""
    proxy: Annotated[str, http_url] | None = None
    ca_file: Annotated[str, not_empty] | None = None
    """Certificates to trust, in PEM; a relative path begins at the folder of the config file. Absolute once loaded."""
    headers: Annotated[dict[str, str], http_headers] | None = None
    body: Body | None = None
    """Merged into each request."""
    rules: Rules | None = None
    fallback: tuple[str, ...] = ()
    """Backends to ask instead, in this order, when this one cannot be."""


class ModelConfig(Struct, frozen=True):
    """What the user knows of a model, whichever backend it is asked through; above the catalogue and the server."""

    context_window: PositiveInt | None = None
    """Tokens."""
    max_output: PositiveInt | None = None
    """Tokens."""
    price: Price | None = None
    images: bool | None = None
    """Whether it sees."""
    rules: Rules | None = None


class Defaults(Struct, frozen=True):
    """What a new conversation begins with."""

    backend: str | None = None
    model: str | None = None
    mode: Mode = "chat"


class ModeConfig(Struct, frozen=True):
    """What is different in one mode."""

    backend: str | None = None
    model: str | None = None
    theme: str | None = None


class AllowRule(Struct, frozen=True):
    """Calls of a tool that run unasked."""

    tool: Annotated[str, not_empty]
    words: Words | None = None
    """A command's words; `*` at the end stands for any that follow."""
    command: Annotated[str, not_empty] | None = None
    """A command, exactly."""
    host: Annotated[str, not_empty] | None = None
    """Of a tool that fetches from an address: only this host."""
    folder: Annotated[str, not_empty] | None = None
    """Only while working in this folder; None is everywhere."""


class WebSearch(Struct, frozen=True):
    """Who is asked by the tool `web_search`."""

    kind: Literal["searxng", "brave", "tavily"]
    url: Annotated[str, base_url] | None = None
    """None: the vendor's own, where there is one."""
    credential: Annotated[str, key_word] | Annotated[KeySource, key_source] | None = None
    """Where its key is; None is the keyring, for those that need one."""


class AgentConfig(Struct, frozen=True):
    """What agent mode may do."""

    policy: Policy = "ask"
    sandbox: Literal["on", "off"] = "on"
    network: bool = False
    """Whether commands have the network inside the sandbox."""
    max_steps: PositiveInt = 200
    """A turn."""
    budget: Annotated[float, above_zero] | None = None
    """USD a turn; None is no limit."""
    max_tokens: PositiveInt | None = None
    """Sent and received, a turn; None is no limit."""
    timeout: Seconds | None = None
    """Of a turn; None is no limit."""
    compact_at: Annotated[float, share] = 0.8
    """The share of the model's window at which a conversation is made shorter."""
    command_timeout: Seconds = 120.0
    """Seconds."""
    allow: tuple[AllowRule, ...] = ()
    fetch_allow: tuple[Annotated[str, host_and_port], ...] = ()
    """Hosts (`host:port`) that `fetch_url` reaches unasked, and though they are private."""
    web_search: Annotated[WebSearch, where_to_search] | None = None
    """None: the tool is not offered."""
    workspace: Annotated[str, not_empty] | None = None
    """`openclaw`, or the path of a folder with files like those: read when a session begins. None: not read."""


class KeyringEntry(TypedDict):
    """A value that is in the keyring."""

    keyring: Annotated[str, not_empty]


class McpConfig(Struct, frozen=True):
    """A server of tools: a program to start, or an address."""

    command: Words | None = None
    """A relative path of the program begins at the folder of the config file."""
    url: Annotated[str, http_url] | None = None
    env: dict[str, str | KeyringEntry] = {}
    """What the program finds in its environment beside harmless names."""
    headers: dict[str, str | KeyringEntry] = {}
    """Sent with each request to `url`."""
    enabled: bool = True
    tools: tuple[Annotated[str, not_empty], ...] | None = None
    """Those of its tools that the model gets, by the server's own names; None is all."""
    in_project: bool = False
    """Whether the program is started in the project's folder; else it is in that of the config file."""
    timeout: Seconds = 15.0
    """How long the first turn waits for it. Seconds."""
    call_timeout: Seconds = 600.0
    """How long a call may take without a sign of progress. Seconds."""


class Hook(Struct, frozen=True):
    """A program of the user's that is run when something happens."""

    on: Literal["before_tool", "after_tool", "turn_finished", "session_started"]
    command: Words
    """A relative path of the program begins at the folder of the config file. Absolute once loaded."""
    timeout: Seconds = 60.0
    """Seconds."""
    tool: Annotated[str, not_empty] | None = None
    """Only for calls of this tool; None is all of them."""
    sandbox: bool = False
    """Whether it runs inside the sandbox of commands. One that a project brings always does."""


class UiConfig(Struct, frozen=True):
    language: str = "auto"
    theme: str | None = None
    """None: the mode's own."""


class Settings(Struct, frozen=True):
    """Everything that is set, with the program's own values for what is not."""

    defaults: Defaults = Defaults()
    backends: dict[Annotated[str, backend_name], BackendConfig] = {}
    models: dict[Annotated[str, not_empty], ModelConfig] = {}
    """By the model's id."""
    modes: dict[Mode, ModeConfig] = {}
    agent: AgentConfig = AgentConfig()
    ui: UiConfig = UiConfig()
    mcp: dict[Annotated[str, server_name], Annotated[McpConfig, how_to_reach]] = {}
    hooks: tuple[Hook, ...] = ()
