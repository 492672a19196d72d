"""Addresses and networks: where a caller is, and where a token may be used from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

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
