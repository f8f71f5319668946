"""HTTP for one backend: one client, three time limits, no way for a key to another server, errors in our words."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from tui import __version__
from tui.backends.errors import explain, hint
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
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
KEEP_ALIVE_S = 60.0
"""A connection is kept this long for the next step; the server may close it earlier, which is noticed."""


class Response:
    """A response that has begun: its head is here, its body is read by `chunks`."""

    def __init__(self, response: httpx.Response, spec: BackendSpec) -> None:
        self._response = response
        self._spec = spec
        self._pieces = aiter(response.aiter_bytes())
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises BackendError when it stalls or breaks off."""
        limits = self._spec.timeouts
        name, limit_s = "first_byte", limits.first_byte
        limit = Limit()
        try:
            with _translated(self._spec):
                while (piece := await limit.wait(anext(self._pieces, None), limit_s)) is not None:
                    name, limit_s = "idle", limits.idle
                    yield piece
        except TimeoutError as error:
            raise _timeout(self._spec, name, limit_s) from error
        finally:
            limit.close()

    async def drain(self) -> None:
        """Read what may follow the end mark, so that the connection can be used again; not for long."""
        with suppress(TimeoutError, BackendError):
            async with asyncio.timeout(DRAIN_S):
                async for _ in self._pieces:
                    pass

    async def text(self, limit_bytes: int) -> str:
        """The body, or as much of it as the limit allows."""
        body = b""
        async for piece in self.chunks():
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
        client = await self._client()
        for _ in range(REDIRECTS + 1):
            with _translated(self._spec):
                request = client.build_request(method, url, headers=dict(headers), content=body)
                response = await client.send(request, stream=True)
            try:
                # From here on `chunks` watches the time: another limit before the first byte than after it.
                request.extensions["timeout"]["read"] = None
                if "," in response.headers.get("content-encoding", ""):  # a few bytes can become gigabytes so
                    raise BackendError(
                        "protocol", f"{self._spec.name}: the server compresses its answer more than once"
                    )
                if not response.has_redirect_location:
                    yield Response(response, self._spec)
                    return
                url = self._followed(url, response, method)
            finally:
                await response.aclose()
        raise BackendError("protocol", f"{self._spec.name}: the server redirects in a circle")

    async def get_json(self, url: str, headers: Mapping[str, str]) -> Any:
        """A JSON document. Raises BackendError for anything else."""
        import json

        async with self.send("GET", url, headers) as response:
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
                "If that is the right address, set it as base_url, and its key with `mimo-tui keys set`.",
            )
        if method != "GET" and response.status_code not in (307, 308):
            raise BackendError(
                "protocol",
                f"{name}: the server redirects the request to {clean_line(target)} in a way that would lose its body",
                "Set base_url to the address that it means.",
            )
        return target


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
        where = f"backends.{spec.name}.proxy" if spec.proxy else " or ".join(_PROXY_VARIABLES)
        raise ConfigError(f"the proxy cannot be used: {error}", "It is http://HOST:PORT.", key=where) from error


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


@contextmanager
def _translated(spec: BackendSpec) -> Iterator[None]:
    """The HTTP library's errors become ours: the only place that names them."""
    import httpx

    where = urlsplit(spec.base_url).netloc
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise _timeout(spec, "connect", spec.timeouts.connect) from error
    except httpx.ReadTimeout as error:
        raise _timeout(spec, "first_byte", spec.timeouts.first_byte) from error
    except httpx.WriteTimeout as error:
        raise _timeout(spec, "idle", spec.timeouts.idle) from error
    except httpx.ConnectError as error:
        raise _not_connected(error, spec, where) from error
    except httpx.ProxyError as error:
        raise BackendError(
            "network",
            f"{spec.name}: the proxy did not let us through to {where}: {_words(error)}",
            "Is it the right one?",
        ) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise BackendError("protocol", f"{spec.name}: {where} cannot be asked: {_words(error)}") from error
    except (httpx.TransportError, httpx.StreamError, httpx.DecodingError) as error:
        raise BackendError(
            "network", f"{spec.name}: the connection to {where} broke: {_words(error)}", retryable=True
        ) from error


def _not_connected(error: Exception, spec: BackendSpec, where: str) -> BackendError:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return BackendError(
            "network",
            f"{spec.name}: the certificate of {where} is not trusted: {_words(error)}",
            "Behind a proxy that opens TLS, name its certificate: `ca_file` of the backend.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        said = f"{spec.name}: no secure connection to {where}: {_words(error)}"
        return BackendError("network", said, "Does the server speak https, and not http?", retryable=not spec.local)
    if spec.local:
        said = f"{spec.name}: no server answers at {where}"
        return BackendError("local_server_down", said, hint("local_server_down", spec))
    proxy = spec.proxy.rpartition("@")[2].rpartition("/")[2] if spec.proxy else ""  # without its password
    way = f"{where} through the proxy {proxy}" if proxy else where
    is_set = next((name for name in _PROXY_VARIABLES if os.environ.get(name) and not proxy), None)
    check = f"Is the proxy up that {is_set} names?" if is_set else "Is the network up?"
    return BackendError("network", f"{spec.name}: cannot connect to {way}: {_words(error)}", check, retryable=True)


def _timeout(spec: BackendSpec, name: str, seconds: float) -> BackendError:
    says = {
        "connect": "no connection",
        "first_byte": "nothing came back",
        "idle": "the answer stopped, nothing more came",
    }[name]
    return BackendError(
        "timeout",
        f"{spec.name}: {says} within {seconds:g} s (the time limit `{name}`)",
        f"If it needs longer, set timeouts = {{ {name} = SECONDS }} for it.",
        retryable=True,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(error: BaseException) -> str:
    """The most telling words in a chain of errors: the library's own are often empty."""
    said = [clean_line(str(cause), 200) for cause in _causes(error)]
    return next((words for words in said if words), type(error).__name__)


def json_body(body: Json) -> bytes:
    """A body as bytes. Halves of characters, which no server takes, become `?`."""
    import json

    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
