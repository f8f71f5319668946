"""What a server offers: tools, resources and prompts, read page by page and made harmless."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tui.core.messages import Json
from tui.core.text import clean_line
from tui.tools.mcp.names import tool_name
from tui.tools.mcp.schemas import description_of, parameters_of

if TYPE_CHECKING:
    from mcp.client.client import Client

    from tui.settings.schema import McpConfig

MOST_TOOLS = 128
_MOST_ENTRIES = 1000
_MOST_PAGES = 50
_NAME_CHARACTERS = 300
_URI_CHARACTERS = 2000


class ToolInfo(NamedTuple):
    """`name` is the server's, `shown` the model's."""

    name: str
    shown: str
    description: str
    parameters: Json


class ResourceInfo(NamedTuple):
    uri: str
    name: str


class PromptInfo(NamedTuple):
    """`arguments` are its names in order, those that must be given first as the server has them."""

    name: str
    description: str
    arguments: tuple[str, ...]
    required: tuple[str, ...]


class Offer(NamedTuple):
    tools: tuple[ToolInfo, ...] = ()
    resources: tuple[ResourceInfo, ...] = ()
    prompts: tuple[PromptInfo, ...] = ()
    left_out: tuple[str, ...] = ()
    """Sentences about tools that the model does not get."""


async def read_offer(client: Client, server: str, config: McpConfig) -> Offer:
    """Raises what the package raises."""
    able = client.server_capabilities
    found = await _pages(client.list_tools, "tools") if able.tools is not None else []
    tools, left_out = await asyncio.to_thread(_tools, server, config.tools, found)
    listed = await _pages(client.list_resources, "resources") if able.resources is not None else []
    resources = tuple(
        ResourceInfo(uri, clean_line(entry.title or entry.name))
        for entry in listed
        if (uri := str(entry.uri)).isprintable() and " " not in uri and len(uri) <= _URI_CHARACTERS
    )
    prompts = await _pages(client.list_prompts, "prompts") if able.prompts is not None else []
    return Offer(tools, resources, tuple(map(_prompt, prompts)), left_out)


async def _pages(ask: Callable[..., Awaitable[Any]], key: str) -> list[Any]:
    """All entries; a list without end is read for a while."""
    entries: list[Any] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await ask(cursor=cursor)
        entries += getattr(page, key)
        if not page.next_cursor or page.next_cursor == cursor or len(entries) >= _MOST_ENTRIES:
            break
        cursor = page.next_cursor
    return entries[:_MOST_ENTRIES]


def _tools(
    server: str, wanted: Sequence[str] | None, found: Sequence[Any]
) -> tuple[tuple[ToolInfo, ...], tuple[str, ...]]:
    """Sorted by name, so that the order is the same each time, however the server lists them."""
    tools: dict[str, ToolInfo] = {}
    left_out = []
    for entry in sorted(found, key=lambda entry: str(entry.name)):
        if wanted is not None and entry.name not in wanted:
            continue
        shown = tool_name(server, entry.name)
        if not entry.name or len(entry.name) > _NAME_CHARACTERS or shown in tools:
            left_out.append(f"a tool is left out for its name: {clean_line(entry.name, 80)!r}")
        elif len(tools) >= MOST_TOOLS:
            left_out.append(f"only the first {MOST_TOOLS} of {len(found)} tools are used: name them in `tools`")
            break
        else:
            about = description_of(entry.description or entry.title)
            tools[shown] = ToolInfo(entry.name, shown, about, parameters_of(entry.input_schema))
    names = {entry.name for entry in found}
    left_out += [f"there is no tool {clean_line(name, 80)!r}" for name in wanted or () if name not in names]
    return tuple(tools[name] for name in sorted(tools)), tuple(left_out)


def _prompt(entry: Any) -> PromptInfo:
    arguments = entry.arguments or []
    required = tuple(argument.name for argument in arguments if argument.required)
    names = tuple(argument.name for argument in arguments)
    return PromptInfo(entry.name, clean_line(entry.description or entry.title or ""), names, required)
