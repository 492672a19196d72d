"""One way to reach Valkey or Redis: short timeouts, no retries hidden in the client, whatever the address."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from omie_control.errors import InvalidInput

TIMEOUT_SECONDS = 1.0
_MAX_CONNECTIONS = 64

# What people write, and what the client library calls it.
_SINGLE = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss", "unix": "unix"}


def connect(url: str) -> Redis:
    """Return a client for a single server. Connects lazily; every wait ends after a second.

    Raises InvalidInput for an address of a form this build cannot use; the address itself, which may hold a
    password, is never repeated.
    """
    scheme = urlsplit(url).scheme
    if scheme not in _SINGLE:
        raise InvalidInput(
            f"O endereço do Valkey começa com '{scheme[:20]}://', que não é aceito.",
            hint="Use redis://, rediss://, valkey://, valkeys:// ou unix://.",
            code="bad_setting",
        )
    return Redis(connection_pool=_pool(_plain(url, _SINGLE[scheme])))


def _plain(url: str, scheme: str) -> str:
    return urlunsplit(urlsplit(url)._replace(scheme=scheme)) if scheme != "unix" else url


def _pool(url: str) -> BlockingConnectionPool:
    # A pooled socket that died while idle is replaced by the pool itself, so a retry would only make a
    # caller of a frozen server wait twice.
    return BlockingConnectionPool.from_url(
        url,
        max_connections=_MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
    )
