"""Which addresses of the web may be reached: not those of this machine, its network or its provider's metadata."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from tui.tools.errors import ToolError

_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST, _NAT64 = IPv6Network("2000::/3"), IPv6Network("64:ff9b::/96")
_NEAR = [IPv4Network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]
"""Taken for global by Python, or by older ones: protocols' own and a provider's metadata, a relay, Azure's host."""


class UnknownHost(ToolError):
    """A name that leads nowhere, as seen from here."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address of the web, taken apart: `host` in lower case and ASCII, IPv6 without its brackets."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """`host:port`, as `fetch_allow` names it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def is_in(self, allowed: Collection[str]) -> bool:
        return self.place in {name.lower() for name in allowed}


def target_of(url: str) -> Target:
    """Take an address apart. Raises ToolError for one that is not plainly the address of a page.

    Two parsers have to agree on the host, for they are who is asked by others: the policy reads it with one, what
    connects with the other.
    """
    import httpx

    if not url.isprintable() or any(char.isspace() or char == "\\" for char in url):
        raise ToolError(
            "An address has no spaces, control characters or backslashes in it: write them as %20 and so on."
        )
    try:
        parts, parsed = urlsplit(url), httpx.URL(url)
        scheme, host, port = parts.scheme, parsed.raw_host.decode("ascii").lower(), parts.port
    except (ValueError, httpx.InvalidURL) as error:
        raise ToolError(f"That is not an address of the web: {error}.") from error
    if scheme not in _PORTS:
        raise ToolError("Only addresses that begin with http:// or https:// can be fetched.")
    if "@" in parts.netloc:
        raise ToolError("An address with a user name or password in it is not fetched.")
    if not host or parts.hostname not in (host, parsed.host):
        raise ToolError("That address has no host in it that is plain: write it in ASCII.")
    return Target(str(parsed.copy_with(fragment=None)), scheme, host, _PORTS[scheme] if port is None else port)


def refuse_hopeless(url: str, allowed: Collection[str]) -> None:
    """Raise ToolError for an address that will be refused however it is asked; no name is looked up for it."""
    target = target_of(url)
    if target.is_in(allowed):
        return
    name = target.host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        refuse_private(target, "127.0.0.1")
    with contextlib.suppress(OSError):  # 127.1, 0x7f000001 and 2130706433 lead there too
        refuse_private(target, socket.inet_ntoa(socket.inet_aton(name)))
    if ":" in name:
        refuse_private(target, name)


async def checked_addresses(target: Target, allowed: Collection[str]) -> list[str]:
    """The IP addresses of a target, each of which may be connected to. Raises ToolError where one may not.

    They are to be connected to as they are: looked up a second time, a name may lead elsewhere.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError) as error:
        raise UnknownHost(
            f"The host {target.host} is not known: {getattr(error, 'strerror', None) or error}."
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not target.is_in(allowed):
        for address in addresses:
            refuse_private(target, address)
    return addresses


def refuse_private(target: Target, address: str) -> None:
    """Raise ToolError unless `address`, where `target` leads, is on the internet for all to reach."""
    if not is_public(address):
        where = f"{address}, which is" if address != target.host else "an address that is"
        raise ToolError(
            f"{target.place} leads to {where} private, of this machine or not for the internet, and is not fetched. "
            f'The user can allow it with fetch_allow = ["{target.place}"] under [agent] in the settings.'
        )


def is_public(address: str) -> bool:
    """Whether an IP address is on the internet. What carries an IPv4 address inside is judged by that."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if (inner := _inner(ip)) is not None:
            return is_public(str(inner))
        return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip in _GLOBAL_UNICAST
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in _NEAR)


def _inner(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, 6to4 or NAT64 address leads to. Teredo's is not followed: it is not global."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour
