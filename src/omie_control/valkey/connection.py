"""One way to reach Valkey or Redis: short timeouts, no retries hidden in the client, whatever the address."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from omie_control.errors import InvalidInput
from omie_control.valkey.address import Address, read_address
from omie_control.valkey.cluster import Cluster
from omie_control.valkey.sentinel import MasterPool, Sentinels

TIMEOUT_SECONDS = 1.0
_MAX_CONNECTIONS = 64
_SENTINEL_SECONDS = 0.5


def connect(url: str) -> Redis:
    """Return a client for a server, for the master that sentinels name, or for a cluster.

    Connects lazily; every wait ends after a second. A cluster's client has every command that names a key and a
    scan of all keys, and no pipelines. Raises InvalidInput for an address that cannot be used; the address itself,
    which may hold a password, is never repeated.
    """
    address = read_address(url)
    try:
        return _client(address)
    except (TypeError, ValueError) as exc:
        raise InvalidInput(
            "O endereço do Valkey traz uma opção desconhecida ou inválida depois do '?'.",
            hint="Veja as opções no guia docs/how-to/external-servers.md.",
            code="bad_setting",
        ) from exc


def _client(address: Address) -> Redis:
    if address.form == "single":
        pool = BlockingConnectionPool.from_url(address.url, **_pooled())
    elif address.form == "sentinel":
        pool = _master_pool(address)
    else:
        options, tls = _options(address)
        return Cluster(address.hosts, tls=tls, options=options | _pooled())
    # An option that no connection knows should stop the start, not each connection.
    pool.make_connection()  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)


def _master_pool(address: Address) -> MasterPool:
    options, tls = _options(address)
    shared = {name: value for name, value in options.items() if name.startswith("ssl_")}
    login = {"username": address.sentinel_username, "password": address.sentinel_password}
    sentinels = Sentinels(address.hosts, address.service, tls=tls, options=shared | login | _timed(_SENTINEL_SECONDS))
    return MasterPool(sentinels, tls=tls, **(options | _pooled()))


def _options(address: Address) -> tuple[dict[str, Any], bool]:
    options: dict[str, Any] = {**parse_url(address.url)}
    for part in ("host", "port"):
        options.pop(part, None)
    return options, options.pop("connection_class", None) is SSLConnection


def _pooled() -> dict[str, Any]:
    return {"max_connections": _MAX_CONNECTIONS, "timeout": TIMEOUT_SECONDS, **_timed(TIMEOUT_SECONDS)}


def _timed(seconds: float) -> dict[str, Any]:
    # A pooled socket that died while idle is replaced by the pool itself, so a retry would only make a
    # caller of a frozen server wait twice.
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "driver_info": None,
    }
