"""Signing in at a server at an address: OAuth 2.1 with PKCE, as the package does it. Tokens go into the keyring."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tui.core.errors import MimoError
from tui.settings.credentials import Secret, origin_of
from tui.settings.log import hide
from tui.settings.named_keys import named_key, set_named_key
from tui.tools.mcp.connection import SignInNeeded

if TYPE_CHECKING:
    from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
    from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

SIGN_IN_S = 300.0
"""So long a person may take in their browser."""
_REQUEST_BYTES = 16 * 1024
_CALLBACK = "/callback"
_PAGE = "<!doctype html><title>mimo-tui</title><p>That was all: go back to the terminal, and close this page."


class Tokens:
    """The package's `TokenStorage`: in the keyring, for this server at this address; without one, for this run only."""

    def __init__(self, server: str, url: str) -> None:
        self._name = f"oauth:{server}@{origin_of(url)}"
        self._held: dict[str, str] = {}
        with contextlib.suppress(MimoError, ValueError):
            self._held = dict(json.loads(named_key(self._name).reveal()))

    @property
    def are_there(self) -> bool:
        return "tokens" in self._held

    async def get_tokens(self) -> OAuthToken | None:
        from mcp.shared.auth import OAuthToken

        return OAuthToken.model_validate_json(self._held["tokens"]) if self.are_there else None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        for secret in (tokens.access_token, tokens.refresh_token or ""):
            hide(secret)
        await self._keep("tokens", tokens)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        from mcp.shared.auth import OAuthClientInformationFull

        kept = self._held.get("client")
        return OAuthClientInformationFull.model_validate_json(kept) if kept else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        await self._keep("client", client_info)

    async def _keep(self, what: str, model: Any) -> None:
        self._held[what] = model.model_dump_json(exclude_none=True)
        with contextlib.suppress(MimoError):
            await asyncio.to_thread(set_named_key, self._name, Secret(json.dumps(self._held)))

    @property
    def port(self) -> int:
        """Where the browser is sent back to; the same as when this program was registered at the server."""
        uris = json.loads(self._held.get("client", "{}")).get("redirect_uris") or []
        return (urlsplit(str(uris[0])).port if uris else None) or _free_port()


def kept_sign_in(server: str, url: str) -> OAuthClientProvider | None:
    """What signs requests with the tokens of an earlier sign-in; None when there are none. Blocking."""
    tokens = Tokens(server, url)
    return _provider(url, tokens, tokens.port, None) if tokens.are_there else None


def new_sign_in(server: str, url: str, open_page: Callable[[str], Awaitable[None]]) -> OAuthClientProvider:
    """What has the user sign in, in the page that `open_page` shows them, when the server wants it. Blocking."""
    tokens = Tokens(server, url)
    return _provider(url, tokens, tokens.port, open_page)


def _provider(
    url: str, tokens: Tokens, port: int, open_page: Callable[[str], Awaitable[None]] | None
) -> OAuthClientProvider:
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    is_asked_for, way_back = open_page is not None, _WayBack(port)

    async def redirect(address: str) -> None:
        nonlocal is_asked_for
        if open_page is None or not is_asked_for:
            raise SignInNeeded
        is_asked_for = False  # a second time, later, they would wonder where the page comes from
        if urlsplit(address).scheme not in ("http", "https"):
            raise MimoError("the server's sign-in page is not at an address of the web", "Ask who runs the server.")
        await way_back.open()  # before the page: who is signed in already is sent back at once
        try:
            await open_page(address)
        except BaseException:
            way_back.close()
            raise

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "mimo-tui",
            "redirect_uris": [f"http://127.0.0.1:{port}{_CALLBACK}"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
    )
    return OAuthClientProvider(url, metadata, tokens, redirect, way_back.answer)


class _WayBack:
    """Where the browser comes back to: the loopback address and nowhere else."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen from now on. Raises OSError when the port is taken."""
        self._came: asyncio.Future[AuthorizationCodeResult] = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def answer(self) -> AuthorizationCodeResult:
        """What the browser brings. Raises TimeoutError when it does not come."""
        try:
            async with asyncio.timeout(SIGN_IN_S):
                return await self._came
        finally:
            self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from mcp.client.auth import AuthorizationCodeResult

        with contextlib.suppress(OSError, ValueError, TimeoutError, IndexError):
            async with asyncio.timeout(10):
                line = (await reader.readline())[:_REQUEST_BYTES].decode("ascii", "replace")
            address = urlsplit(line.split()[1])
            if address.path != _CALLBACK:  # a browser also asks for an icon, and a page could ask for anything
                raise ValueError(address.path)
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Length: {len(_PAGE)}\r\n\r\n{_PAGE}".encode())
            await writer.drain()
            if asked.keys() & {"code", "error"} and not self._came.done():
                code, state, issuer = asked.get("code", ""), asked.get("state"), asked.get("iss")
                self._came.set_result(AuthorizationCodeResult(code=code, state=state, iss=issuer))
        writer.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
