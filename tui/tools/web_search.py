"""The tool `web_search`: titles, addresses and pieces of pages, from the search engine that the user has set."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from tui.core.errors import CredentialError
from tui.core.messages import Json
from tui.settings.credentials import credential_for, key_variable
from tui.settings.schema import WebSearch
from tui.tools.base import Outcome, ToolContext
from tui.tools.errors import ToolError
from tui.tools.web.addresses import target_of
from tui.tools.web.fetch import TIMEOUT_S, read_body, send
from tui.tools.web.page_text import seen

MOST = 10
_LIMIT_BYTES = 2 * 1024 * 1024
_SNIPPET_CHARACTERS = 600
ENGINES = {"brave": "https://api.search.brave.com/res/v1/web/search", "tavily": "https://api.tavily.com/search"}
"""Those with an address of their own: Web Search API of Brave, Search API of Tavily (their documents of 2026-11)."""


class _Request(NamedTuple):
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None


class WebSearchTool:
    name = "web_search"
    description = "Search the web: titles, addresses and short pieces of up to 10 pages. fetch_url gets a whole page."
    parameters: Json = {
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 400, "description": "A few words."}},
        "required": ["query"],
        "additionalProperties": False,
    }
    effect: Literal["network"] = "network"

    def __init__(self, config: WebSearch) -> None:
        self._config = config

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        try:
            return (
                f"search with {self._config.kind} ({target_of(search_url(self._config)).place}):\n{arguments['query']}"
            )
        except ToolError as error:
            return str(error)

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await _results(self._config, arguments["query"])
        except TimeoutError:
            yield Outcome(f"The search took longer than {TIMEOUT_S:g} s, so it was given up.", is_error=True)
        except ToolError as error:
            yield Outcome(str(error), is_error=True)
        else:
            yield Outcome("\n\n".join(found) or "Nothing was found.", detail={"results": len(found)})


def search_url(config: WebSearch) -> str:
    """Where queries go: the user's address, where `/search` may be left out for SearXNG, or the vendor's own."""
    url = config.url or ENGINES[config.kind]
    return f"{url.rstrip('/')}/search" if config.kind == "searxng" and not url.endswith("/search") else url


async def _results(config: WebSearch, query: str) -> list[str]:
    """What was found, each as the text that the model gets. Raises ToolError."""
    request = await asyncio.to_thread(_request, config, query)
    target = target_of(request.url)
    async with send(request.method, target, (target.place,), request.headers, request.body) as response:
        body, is_cut = await read_body(response, _LIMIT_BYTES)
        if response.status_code != 200:
            raise ToolError(_refusal(config, response.status_code))
    try:
        return [] if is_cut else list(filter(None, map(_shown, _items(config, json.loads(body))[:MOST])))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise ToolError(f"{config.kind} did not answer with search results. {_WAY}") from error


_WAY = "The user can look at `web_search` under [agent] in the settings."


def _request(config: WebSearch, query: str) -> _Request:
    """Blocking: the key may be in the keyring."""
    headers, url = {"Accept": "application/json"}, search_url(config)
    key = _key(config)
    match config.kind:
        case "searxng":
            headers |= {"Authorization": f"Bearer {key}"} if key else {}
            return _Request("GET", f"{url}?{urlencode({'q': query, 'format': 'json'})}", headers)
        case "brave":
            headers |= {"X-Subscription-Token": key}
            return _Request("GET", f"{url}?{urlencode({'q': query, 'count': MOST})}", headers)
        case "tavily":
            headers |= {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            return _Request("POST", url, headers, json.dumps({"query": query, "max_results": MOST}).encode())


def _key(config: WebSearch) -> str:
    """Raises ToolError when it cannot be had; empty where none is needed."""
    source = config.credential
    if source is None and config.kind == "searxng":
        return ""
    try:
        secret = credential_for(config.kind, search_url(config), source)
    except CredentialError as error:
        way = (
            f"The user can set it with `mimo-tui keys set {config.kind}`, or say where it is: credential = "
            f'{{ env = "{key_variable(config.kind)}" }} in `web_search` under [agent] in the settings.'
        )
        raise ToolError(f"The search has no key: {error.message}. {way}") from error
    return secret.reveal() if secret else ""


def _refusal(config: WebSearch, status: int) -> str:
    if status in (401, 403):
        why = "the key is missing or wrong"
        if config.kind == "searxng":
            why = "it does not answer in JSON: `formats` under `search` in its settings.yml needs json"
        return f"{config.kind} refuses the search (status {status}): {why}. {_WAY}"
    if status in (402, 429, 432, 433):
        return f"{config.kind} allows no more searches for now (status {status}). Go on without, or try again later."
    if 300 <= status < 400:
        return f"{config.kind} redirects elsewhere (status {status}), which is not followed. {_WAY}"
    return f"{config.kind} could not search (status {status}). {_WAY}"


def _items(config: WebSearch, answer: Any) -> list[Any]:
    found = (answer.get("web") or {}).get("results", []) if config.kind == "brave" else answer["results"]
    if not isinstance(found, list):
        raise TypeError("no list")
    return found


def _shown(item: Mapping[str, Any]) -> str:
    """Empty for what has no address."""
    url, title = str(item.get("url") or ""), str(item.get("title") or "")
    if not url.startswith(("http://", "https://")):
        return ""
    piece = " ".join(_plain(str(item.get("description") or item.get("content") or "")).split())
    lines = (" ".join(_plain(title).split())[:200] or url, seen(url)[:1000], piece[:_SNIPPET_CHARACTERS])
    return "\n".join(filter(None, lines))


def _plain(text: str) -> str:
    """Without the marks that some set around what was searched for."""
    import html
    import re

    return seen(html.unescape(re.sub(r"</?(?:b|strong|em|i|mark|span)\b[^>]{0,100}>", "", text)))
