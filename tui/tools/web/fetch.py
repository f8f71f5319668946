"""Fetch a page: the address that was checked is the one that is connected to, with limits on size and time.

Nothing of the user's goes along: no cookies, no credentials, no settings of theirs but a proxy and certificates.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from tui import __version__
from tui.core.errors import BackendError
from tui.core.text import clean_line
from tui.tools.errors import ToolError
from tui.tools.web.addresses import Target, UnknownHost, checked_addresses, is_public, refuse_private, target_of

if TYPE_CHECKING:
    import ssl

    import httpx

LIMIT_BYTES = 5 * 1024 * 1024
"""Of a page, unpacked; the rest is not read."""
TIMEOUT_S = 20.0
"""For all of it: looking the name up, redirects, the last byte."""
REDIRECTS = 5
USER_AGENT = f"mimo-tui/{__version__} (a person's program that reads single pages)"

_ACCEPT = "text/html,application/xhtml+xml,text/markdown,text/plain,application/json,application/xml;q=0.9,*/*;q=0.5"


@dataclass(frozen=True, slots=True)
class Page:
    """What an address gave, at the end of its redirects."""

    target: Target
    status: int
    content_type: str
    body: bytes
    is_cut: bool
    """There was more than `LIMIT_BYTES`."""
    leads_to: Target | None = None
    """A redirect to another host, which was not followed: then there is no body."""


async def fetch(url: str, allowed: Collection[str], timeout_s: float = TIMEOUT_S) -> Page:
    """The page at `url`. `allowed` are hosts (`host:port`) that may be private, and be redirected to.

    A redirect to another host is for the model to ask for anew, so that it is judged like any address: a host that is
    allowed could else hand on to anybody what stands in the address. Raises ToolError.
    """
    target = target_of(url)
    try:
        async with asyncio.timeout(timeout_s):
            for _ in range(REDIRECTS + 1):
                page, location = await _one(target, allowed)
                if location is None:
                    return page
                following = _following(target, location)
                if not _may_follow(target, following, allowed):
                    await checked_addresses(following, allowed)  # one that is refused anyway is said to be
                    return Page(target, page.status, "", b"", False, following)
                target = following
    except TimeoutError as error:
        raise ToolError(f"{target.place} took longer than {timeout_s:g} s, so it was given up.") from error
    raise ToolError(f"{clean_line(url)} was redirected more than {REDIRECTS} times, so it was given up.")


def _following(target: Target, location: str) -> Target:
    try:
        return target_of(urljoin(target.url, location.strip()))
    except (ToolError, ValueError) as error:
        raise ToolError(f"{target.place} redirects to {clean_line(location)!r}: {error}") from error


def _may_follow(target: Target, following: Target, allowed: Collection[str]) -> bool:
    hosts = {target.host.removeprefix("www."), following.host.removeprefix("www.")}
    return len(hosts) == 1 or following.is_in(allowed)


async def _one(target: Target, allowed: Collection[str]) -> tuple[Page, str | None]:
    """One request. The place a redirect names, beside the page; None for any other answer."""
    async with send("GET", target, allowed, {"Accept": _ACCEPT}) as response:
        location = response.headers.get("location") if response.has_redirect_location else None
        body, is_cut = (b"", False) if location is not None else await read_body(response, LIMIT_BYTES)
        content_type = response.headers.get("content-type", "")
        return Page(target, response.status_code, content_type, body, is_cut), location


@asynccontextmanager
async def send(
    method: str, target: Target, allowed: Collection[str], headers: dict[str, str], body: bytes | None = None
) -> AsyncIterator[httpx.Response]:
    """The answer to one request to a target that is checked first; its body is not read. Raises ToolError."""
    import httpx

    proxy = _proxy(target)
    ways: list[tuple[str, dict[str, Any]]]
    if proxy is None or (target.is_in(allowed) and await _is_private(target, allowed)):
        proxy = None
        ways = [_pinned(target, address) for address in await checked_addresses(target, allowed)]
    else:
        await _check_name(target, allowed)
        ways = [(target.url, {})]
    common = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", "Host": _host_header(target)}
    context = await asyncio.to_thread(_certificates)
    try:
        client = httpx.AsyncClient(verify=context, trust_env=False, proxy=proxy, timeout=None)  # noqa: S113
    except (ValueError, ImportError) as error:
        raise ToolError(f"The proxy of the environment cannot be used: {error}.") from error
    async with client:
        response = await _first(client, method, ways, common | headers, body, target)
        try:
            yield response
        except httpx.HTTPError as error:
            raise ToolError(f"{target.place} broke off: {_words(error)}.") from error
        finally:
            await response.aclose()


async def _first(
    client: httpx.AsyncClient,
    method: str,
    ways: list[tuple[str, dict[str, Any]]],
    headers: dict[str, str],
    body: bytes | None,
    target: Target,
) -> httpx.Response:
    """The head of the answer, over the first of the ways that can be connected."""
    import httpx

    last: Exception | None = None
    for url, extensions in ways:
        request = client.build_request(method, url, headers=headers, content=body, extensions=extensions)
        try:
            return await client.send(request, stream=True)
        except httpx.ConnectError as error:
            last = error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ToolError(f"{target.place} could not be asked: {_words(error)}.") from error
    raise ToolError(f"{target.place} cannot be connected to: {_words(last)}.")


async def read_body(response: httpx.Response, limit_bytes: int) -> tuple[bytes, bool]:
    """The body, unpacked, and whether there is more than the limit. Raises ToolError."""
    from tui.backends.body import unpacked

    pieces, size = [], 0
    try:
        async for piece in unpacked(response.aiter_raw(), response.headers.get("content-encoding", "")):
            pieces.append(piece)
            size += len(piece)
            if size > limit_bytes:
                break
    except BackendError as error:
        raise ToolError(f"The page cannot be read: {error.message}.") from error
    return b"".join(pieces)[:limit_bytes], size > limit_bytes


def _pinned(target: Target, address: str) -> tuple[str, dict[str, Any]]:
    """The address in place of the name; the name is still what a certificate is checked against."""
    import httpx

    address = address.partition("%")[0]
    return str(httpx.URL(target.url).copy_with(host=address)), {"sni_hostname": target.host}


def _host_header(target: Target) -> str:
    is_usual = (target.scheme, target.port) in (("http", 80), ("https", 443))
    return target.place.rpartition(":")[0] if is_usual else target.place


def _proxy(target: Target) -> str | None:
    """The proxy of the environment for this target."""
    from urllib.request import getproxies, proxy_bypass  # not for the start of the program

    if proxy_bypass(target.place):
        return None
    proxies = getproxies()
    found = proxies.get(target.scheme) or proxies.get("all")
    return found if found is None or "://" in found else f"http://{found}"


async def _check_name(target: Target, allowed: Collection[str]) -> None:
    """What can be checked where a proxy looks names up: the name, and where it leads as seen from here, if anywhere."""
    if not target.is_in(allowed) and f".{target.host}".endswith((".localhost", ".local", ".internal")):
        refuse_private(target, target.host)
    with suppress(UnknownHost):
        await checked_addresses(target, allowed)


async def _is_private(target: Target, allowed: Collection[str]) -> bool:
    """Whether a target is near, where no proxy would find it."""
    try:
        return not all(is_public(address) for address in await checked_addresses(target, allowed))
    except UnknownHost:
        return False


@cache
def _certificates() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _words(error: Exception | None) -> str:
    return clean_line(str(error) or type(error).__name__, 200)
