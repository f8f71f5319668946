"""HTTP for one backend: one client, three time limits, no way for a key to another server, errors in our words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin

from tui import __version__
from tui.backends.body import Body, unpacked
from tui.backends.connection_errors import PROXY_VARIABLES, timed_out, translated
from tui.backends.errors import explain
from tui.backends.json_body import json_body
from tui.backends.limit import Limit
from tui.backends.spec import BackendSpec
from tui.core.errors import BackendError, ConfigError, UsageError
from tui.core.messages import Json
from tui.core.text import clean_line
from tui.settings.credentials import origin_of

if TYPE_CHECKING:
    import httpx

ERROR_LIMIT_BYTES = 256 * 1024
DOCUMENT_LIMIT_BYTES = 8 * 1024 * 1024
REDIRECTS = 3
DRAIN_S = 0.05
KEEP_ALIVE_S = 60.0
"""A connection is kept this long for the next step; the server may close it earlier, which is noticed."""


class Response:
    """A response that has begun: its head is here, its body is read by `chunks`."""

    def __init__(self, response: httpx.Response, body: Body, spec: BackendSpec) -> None:
        self._body = body
        self._spec = spec
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises BackendError when it stalls or breaks off."""
        limits = self._spec.timeouts
        name: Literal["first_byte", "idle"] = "first_byte"
        limit_s = limits.first_byte
        limit = Limit()
        try:
            with translated(self._spec):
                while (piece := await limit.wait(self._body.take(), limit_s)) is not None:
                    name, limit_s = "idle", limits.idle
                    yield piece
        except TimeoutError as error:
            raise timed_out(self._spec, name, limit_s) from error
        finally:
            limit.close()

    async def drain(self) -> None:
        """Read what may follow the end mark, so that the connection can be used again; not for long."""
        with suppress(TimeoutError, BackendError):
            async with asyncio.timeout(DRAIN_S):
                with translated(self._spec):
                    while await self._body.take() is not None:
                        pass

    async def text(self, limit_bytes: int) -> str:
        """The body, or as much of it as the limit allows."""
        body = b""
        async with aclosing(self.chunks()) as chunks:
            async for piece in chunks:
                body += piece
                if len(body) > limit_bytes:
                    break
        return body[:limit_bytes].decode("utf-8", "replace")


class Client:
    """The connections to one server. `close` it; what is sent through it goes to the origin of `base_url` alone."""

    def __init__(self, spec: BackendSpec) -> None:
        self._spec = spec
        self._made: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[Response]:
        """Send a request; the response, once its head is there, whatever its status. Leaving closes the connection.

        Redirects within the origin are followed as long as the method stays; others raise BackendError.
        """
        for _ in range(REDIRECTS + 1):
            response = await self._head(method, url, headers, body)
            try:
                if not response.has_redirect_location:
                    coming = Body(unpacked(_on_the_wire(response), response.headers.get("content-encoding", "")))
                    try:
                        yield Response(response, coming, self._spec)
                    finally:
                        await coming.close()
                    return
                url = self._followed(url, response, method)
            finally:
                await response.aclose()
        raise BackendError("protocol", f"{self._spec.name}: the server redirects in a circle")

    async def _head(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> httpx.Response:
        """Send a request and wait for the head of its response, however slowly its lines come, for `first_byte`."""
        client = await self._client()
        first_byte_s = self._spec.timeouts.first_byte
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as limit:

                async def watch(event: str, info: Json) -> None:
                    if event.endswith("send_request_body.complete") and not limit.expired():
                        limit.reschedule(loop.time() + first_byte_s)

                with translated(self._spec):
                    extensions = {"trace": watch}
                    request = client.build_request(
                        method, url, headers=dict(headers), content=body, extensions=extensions
                    )
                    response = await client.send(request, stream=True)
        except TimeoutError as error:
            raise timed_out(self._spec, "first_byte", first_byte_s) from error
        # From here on `chunks` watches the time: another limit before the first byte than after it.
        del request.extensions["trace"]
        request.extensions["timeout"]["read"] = None
        return response

    async def get_json(self, url: str, headers: Mapping[str, str], body: Json | None = None) -> Any:
        """A JSON document; with a `body` it is asked for by POST. Raises BackendError for anything else."""
        import json

        method, content = ("GET", None) if body is None else ("POST", json_body(body))
        async with self.send(method, url, headers, content) as response:
            is_good = 200 <= response.status < 300
            text = await response.text(DOCUMENT_LIMIT_BYTES if is_good else ERROR_LIMIT_BYTES)
            if not is_good:
                raise explain(response.status, response.headers, text, self._spec)
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            said = f"{self._spec.name}: {url} does not answer with JSON: {clean_line(text, 80)!r}"
            raise BackendError("protocol", said, f"Is the address right? It is {self._spec.base_url}.") from error

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()
            self._made = None

    async def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            # Importing and loading certificates takes 100 ms and more, in which the screen would stand still.
            made = await asyncio.to_thread(_make_client, self._spec)
            if self._made is not None:  # another request was faster
                await made.aclose()
                return self._made
            self._made = made
        return self._made

    def _followed(self, url: str, response: httpx.Response, method: str) -> str:
        """Where a redirect leads, if it may be followed."""
        location, name = response.headers["location"], self._spec.name
        try:
            target = urljoin(url, location)
        except ValueError:
            target = location
        if not _is_same_origin(target, self._spec.base_url):
            shown = clean_line(target.partition("?")[0])
            raise BackendError(
                "protocol",
                f"{name}: the server redirects to another one, {shown}, which was not asked and was sent no key",
                _moved_hint(self._spec),
            )
        if method != "GET" and response.status_code not in (307, 308):
            raise BackendError(
                "protocol",
                f"{name}: the server redirects the request to {clean_line(target)} in a way that would lose its body",
                "Set base_url to the address that it means.",
            )
        return target


def _moved_hint(spec: BackendSpec) -> str:
    """A key in the keyring is kept for one address; one from elsewhere goes where base_url points."""
    key = f", and its key with `mimo-tui keys set {spec.name}`" if spec.credential in (None, "keyring") else ""
    return f"If that is the right address, set it as base_url{key}."


def warm() -> None:
    """Do now what the first request would else wait for: import the HTTP library, load the certificates. Blocks."""
    _tls_context(None)


def _make_client(spec: BackendSpec) -> httpx.AsyncClient:
    import httpx

    limits = spec.timeouts
    try:
        return httpx.AsyncClient(
            headers={"User-Agent": f"mimo-tui/{__version__}", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(connect=limits.connect, read=limits.first_byte, write=limits.idle, pool=None),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            verify=_certificates(spec),
            proxy=spec.proxy,
            trust_env=not spec.local,  # a proxy of the environment cannot reach what is local to this machine
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        way = "SOCKS needs the package `socksio`, installed beside this program." if "socksio" in str(error) else ""
        said = "it is a SOCKS proxy, and the package for these is not here" if way else str(error)
        where = f"backends.{spec.name}.proxy" if spec.proxy else " or ".join(PROXY_VARIABLES)
        raise ConfigError(f"the proxy cannot be used: {said}", way or "It is http://HOST:PORT.", key=where) from error


def _certificates(spec: BackendSpec) -> ssl.SSLContext:
    """What is trusted. For plain HTTP nothing at all, which is made at once and which no certificate could pass."""
    if not spec.base_url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return _tls_context(spec.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificates in {spec.ca_file} cannot be read: {error}",
            "It is a file in PEM.",
            key=f"backends.{spec.name}.ca_file",
        ) from error


@cache
def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    """The usual certificates, and the user's own."""
    import httpx

    context = httpx.create_ssl_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _is_same_origin(url: str, base_url: str) -> bool:
    try:
        return origin_of(url) == origin_of(base_url)
    except UsageError:
        return False


def _on_the_wire(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body without the layers of the library, which unpack it without a limit and cost as much as HTTP itself."""
    import httpx

    assert isinstance(response.stream, httpx.AsyncByteStream)
    return aiter(response.stream)
