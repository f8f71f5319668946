"""What can go wrong with a connection, in our words: the only place that names the HTTP library's errors."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from tui.backends.errors import hint
from tui.backends.spec import BackendSpec
from tui.core.errors import BackendError, ConfigError
from tui.core.text import clean_line

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_ENDED = re.compile("disconnected|peer (unexpectedly )?closed", re.IGNORECASE)
"""Of the library's errors about the protocol those that only say that the connection ended too early."""

_QUOTED = re.compile(r"bytearray\(b(.*?)\)?$")


@contextmanager
def translated(spec: BackendSpec) -> Iterator[None]:
    """The HTTP library's errors become BackendErrors."""
    import httpx

    where = urlsplit(spec.base_url).netloc
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise timed_out(spec, "connect", spec.timeouts.connect) from error
    except httpx.ReadTimeout as error:
        raise timed_out(spec, "first_byte", spec.timeouts.first_byte) from error
    except httpx.WriteTimeout as error:
        raise timed_out(spec, "idle", spec.timeouts.idle) from error
    except httpx.ConnectError as error:
        raise _not_connected(error, spec, where) from error
    except httpx.ProxyError as error:
        raise _not_let_through(error, spec, where) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise BackendError("protocol", f"{spec.name}: {where} cannot be asked: {_words(error)}") from error
    except (
        httpx.LocalProtocolError,
        UnicodeEncodeError,
    ) as error:  # its words may hold a secret: they quote the header
        raise ConfigError(
            f"{spec.name}: a header, or the key, has characters that HTTP does not allow",
            "Look for line breaks and the like.",
            key=f"backends.{spec.name}.headers",
        ) from error
    except httpx.RemoteProtocolError as error:
        if not _ENDED.search(_words(error)):
            raise _no_http(error, spec, where) from error
        raise _broke(error, spec, where) from error
    except (httpx.TransportError, httpx.StreamError, httpx.DecodingError) as error:
        raise _broke(error, spec, where) from error


def _broke(error: Exception, spec: BackendSpec, where: str) -> BackendError:
    said = f"{spec.name}: the connection to {where} broke: {_words(error)}"
    return BackendError("network", said, hint("network", spec), retryable=True)


def _no_http(error: Exception, spec: BackendSpec, where: str) -> BackendError:
    words = _QUOTED.sub(r"\1", _words(error))
    said = f"{spec.name}: {where} does not answer as HTTP has it: {words}"
    return BackendError("protocol", said, hint("protocol", spec))


def _not_let_through(error: Exception, spec: BackendSpec, where: str) -> BackendError:
    words = _words(error)
    wants_password = "407" in words
    check = "It wants a password: http://USER:PASSWORD@HOST:PORT." if wants_password else "Is it the right one?"
    return BackendError("network", f"{spec.name}: the proxy did not let us through to {where}: {words}", check)


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
    is_set = next((name for name in PROXY_VARIABLES if os.environ.get(name) and not proxy), None)
    check = f"Is the proxy up that {is_set} names?" if is_set else "Is the network up?"
    return BackendError("network", f"{spec.name}: cannot connect to {way}: {_words(error)}", check, retryable=True)


def timed_out(spec: BackendSpec, name: Literal["connect", "first_byte", "idle"], seconds: float) -> BackendError:
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
