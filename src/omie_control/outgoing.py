"""Connections to addresses that people configure: made only to where the rule of `domain.outgoing` lets them lead.

The name is asked for once and the connection goes to the very address that was looked at, so that a name which
answers differently a moment later (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

import httpcore2
import httpx2

from omie_control.domain.networks import Address
from omie_control.domain.outgoing import Outgoing, address_in, inside, origin_of

Resolve = Callable[[str, int], Awaitable[list[str]]]
_RESOLVE_SECONDS = 5.0


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, in the order to try them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Guard:
    """Holds the rule for one process, and makes transports that keep to it."""

    def __init__(self, rule: Outgoing, resolve: Resolve = resolve) -> None:
        self.rule = rule
        self._resolve = resolve

    def trust(self, url: str) -> None:
        """Let connections be made to the host and port of an address that came from nobody's hands but ours."""
        if origin_of(url) not in self.rule.trusted:
            self.rule = self.rule.trusting(url)

    async def require(self, url: str) -> None:
        """Raise InvalidInput for an address that leads inside. A name that nobody knows now passes: see `connect`."""
        host, port = self.rule.require(url)
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                await self.addresses(host, port)
        except (OSError, TimeoutError, UnicodeError):
            return

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return where a connection may be made to. Raises InvalidInput when any of it lies inside, and OSError."""
        plain = host.lower().removesuffix(".")
        literal = address_in(plain)
        found = [str(literal)] if literal is not None else await self._resolve(plain, port)
        if (plain, port) in self.rule.trusted:
            return found
        # One inside among others outside is a trick as well: which of them answers is for the sender to choose.
        if not self.rule.may_name(plain) or not all(self.rule.may_reach(plain, _address(each)) for each in found):
            raise inside()
        return found

    def transport(self, limits: httpx2.Limits | None = None, proxy: str | None = None) -> httpx2.AsyncHTTPTransport:
        """Make a transport whose every connection, also to a proxy, is looked at."""
        return _Guarded(_Backend(self), limits or httpx2.Limits(), None if proxy is None else httpx2.Proxy(proxy))


def _address(text: str) -> Address:
    return ip_address(text.partition("%")[0])


class _Backend(httpcore2.AsyncNetworkBackend):
    """Opens connections to the addresses that were looked at, the first that answers."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect; TLS is spoken above this and keeps asking for the certificate of the name."""
        try:
            async with asyncio.timeout(timeout):
                found = await self._guard.addresses(host, port)
        except TimeoutError as exc:
            raise httpcore2.ConnectTimeout("the name was not resolved in time") from exc
        except (OSError, UnicodeError) as exc:
            raise httpcore2.ConnectError("the name cannot be resolved") from exc
        failed: Exception = httpcore2.ConnectError("the name has no address")
        for address in found:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as exc:
                failed = exc
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Guarded(httpx2.AsyncHTTPTransport):
    """A transport over a pool of its own making: the library's takes no backend."""

    def __init__(
        self, backend: httpcore2.AsyncNetworkBackend, limits: httpx2.Limits, proxy: httpx2.Proxy | None
    ) -> None:
        # Not the base's: it would open a pool that nobody guards. Should its name there ever change, nothing is sent.
        tls = httpx2.create_ssl_context()
        if proxy is None:
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=backend,
            )
        else:
            self._pool = httpcore2.AsyncHTTPProxy(
                proxy_url=str(proxy.url),
                proxy_auth=proxy.raw_auth,
                proxy_headers=proxy.headers.raw,
                ssl_context=tls,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=backend,
            )
