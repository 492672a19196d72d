"""Addresses and networks: where a caller is, and where a token may be used from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from omie_control.errors import InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_MAX = 50


def require_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks such as 203.0.113.7 or 10.0.0.0/8. Raises InvalidInput naming the wrong one."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ip_network(text.strip()))
        except ValueError:
            raise InvalidInput(
                f"'{text[:60]}' não é um endereço IP nem uma rede.", hint="Exemplos: 203.0.113.7 ou 10.20.0.0/16."
            ) from None
    if len(networks) > _MAX:
        raise InvalidInput(f"São redes demais; o máximo é {_MAX}.")
    return tuple(networks)


def is_inside(address: Address | None, networks: Sequence[Network]) -> bool:
    """Say whether an address lies in one of the networks; nobody knows where an unknown one lies."""
    if address is None:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain.version == network.version and plain in network for network in networks)


def trusted_networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks of trusted proxies, or raise InvalidInput naming the wrong one."""
    networks = []
    for name in names:
        try:
            networks.append(ip_network(name, strict=False))
        except ValueError as exc:
            raise InvalidInput(
                f"TRUSTED_PROXIES contém '{name[:60]}', que não é um endereço nem uma rede.",
                hint="Exemplo: 10.0.0.0/8,127.0.0.1.",
                code="bad_setting",
            ) from exc
    return tuple(networks)


def caller_address(peer: str | None, forwarded_for: str | None, trusted: Sequence[Network]) -> Address | None:
    """Return the caller's address: the nearest one in the chain that is not a trusted proxy of ours.

    `forwarded_for`: every line of X-Forwarded-For, joined by commas in their order; some proxies append to the
    caller's own line, others add one of theirs. Beyond a hop that cannot be read nothing is believed.
    """
    nearest = _address(peer)
    for hop in reversed((forwarded_for or "").split(",")):
        if nearest is None or not is_inside(nearest, trusted):
            return nearest
        claimed = _address(_without_port(hop.strip()))
        if claimed is None:
            return nearest
        nearest = claimed
    return nearest


def _without_port(hop: str) -> str:
    """Take off the port that some proxies write behind an address."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _address(text: str | None) -> Address | None:
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    # An IPv4 caller of a dual-stack socket is the same caller.
    return getattr(address, "ipv4_mapped", None) or address
