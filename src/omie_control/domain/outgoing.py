"""Where addresses that people configure may lead: to the open internet, and inside only where the operator says so.

An address inside (this machine, its network, the metadata service of a cloud) is reached by us and not by whoever
typed it: without this rule a configuration would be a way to look behind the firewall.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from omie_control.domain.networks import Address, Network, is_inside
from omie_control.errors import InvalidInput

PORTS = {"http": 80, "https": 443}
_URL_MAX = 2000
_HOST_MAX = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A host whose last label begins like a number is one to some resolver, whatever it looks like to us.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_INSIDE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "corp", "private")
# Low ports but those of the web, and those above on which something else than the web listens.
_LOW_PORTS_END = 1024
_OTHER_PORTS = frozenset(
    {1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 5060, 5061, 5432, 5900, 6000}
    | {6379, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 9042, 9200, 10080, 10250, 11211, 16379, 26379, 27017}
)
_INSIDE_4 = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
_OUTSIDE_6 = ip_network("2000::/3")
# Within it: protocols that carry other addresses (Teredo, 6to4), which nobody needs any more, and examples of books.
_INSIDE_6 = tuple(ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = ip_network("64:ff9b::/96")

Origin = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The rule: what is allowed inside by name and by network, and what the operator's environment names itself."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    trusted: frozenset[Origin] = field(default_factory=frozenset)

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> Outgoing:
        """Read what is allowed inside: hosts, addresses, networks. Raises ValueError for what is none of them."""
        hosts, networks = set(), list[Network]()
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]")))
            except ValueError:
                host = entry.lower().rstrip(".")
                if not is_name(host):
                    raise ValueError("esperados servidores, endereços ou redes, como proxy.lan,10.20.0.0/16") from None
                hosts.add(host)
        return cls(frozenset(hosts), tuple(networks))

    def trusting(self, *urls: str | None) -> Outgoing:
        """Return the rule with these addresses, host and port, beyond question."""
        return replace(self, trusted=self.trusted | {origin_of(url) for url in urls if url is not None})

    def require(self, url: str) -> Origin:
        """Return the host and port that a configured address leads to, as far as it can be told without asking DNS.

        Raises InvalidInput, which never repeats it.
        """
        origin = origin_of(url)
        if origin in self.trusted:
            return origin
        host, port = origin
        if (port < _LOW_PORTS_END and port not in PORTS.values()) or port in _OTHER_PORTS:
            raise refused("A porta do endereço não é de um serviço da web.")
        if not self.may_name(host):
            raise inside()
        return origin

    def may_name(self, host: str) -> bool:
        """Say whether a host may be asked for: an address outside, or a name that is none of the inside by its form."""
        address = address_in(host)
        if address is not None:
            return self.may_reach(host, address)
        if host in self.hosts or self.networks:
            # Where networks are allowed, a name is judged by what it turns out to be.
            return True
        return "." in host and not any(host == name or host.endswith(f".{name}") for name in _INSIDE_NAMES)

    def may_reach(self, host: str, address: Address) -> bool:
        """Say whether a connection to this address may be made for that host."""
        return host in self.hosts or not is_internal(address) or is_inside(address, self.networks)


def origin_of(url: str) -> Origin:
    """Return host (lower case, without brackets or a last dot) and port of an address of the web.

    Raises InvalidInput for any other scheme, for a user in it, and for hosts that different readers read differently.
    """
    text = url.strip()
    if len(text) > _URL_MAX or not text.isascii() or not text.isprintable() or set(text) & set(' \\"<>^`{|}'):
        raise refused("O endereço não é válido.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused("O endereço não é válido.") from None
    if parts.scheme not in PORTS:
        raise refused("O endereço precisa começar com https:// ou http://.")
    if "@" in parts.netloc:
        raise refused("O endereço não pode ter usuário nem senha.")
    plain = (host or "").removesuffix(".")
    if address_in(plain) is None and not is_name(plain):
        raise refused("O endereço não tem um servidor escrito de forma usual.")
    return plain, PORTS[parts.scheme] if port is None else port


def without_user(url: str) -> str:
    """Return the address of a proxy, which may carry its user and password, as what it leads to."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_name(host: str) -> bool:
    """Say whether a host is a name, and no number in disguise (2130706433, 0x7f.1, 0177.0.0.1)."""
    labels = host.split(".")
    return len(host) <= _HOST_MAX and all(map(_LABEL.fullmatch, labels)) and _NUMERIC.fullmatch(host) is None


def address_in(host: str) -> Address | None:
    """Return the address that a host is in its usual form, or None for a name."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    # A zone names an interface of this machine.
    return None if isinstance(found, IPv6Address) and found.scope_id is not None else found


def is_internal(address: Address) -> bool:
    """Say whether an address is anything but one of the open internet; one within another counts as what it carries."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in _INSIDE_4)
    if address.ipv4_mapped is not None:
        return is_internal(address.ipv4_mapped)
    if address in _NAT64:
        return is_internal(IPv4Address(int(address) & 0xFFFFFFFF))
    return address not in _OUTSIDE_6 or any(address in network for network in _INSIDE_6)


def inside() -> InvalidInput:
    """Say that an address leads inside, and who may let it: nothing of it is repeated."""
    return refused(
        "O endereço leva para dentro da rede deste servidor, e isso não foi permitido.",
        "Use um endereço público; ou quem opera o sistema o permite em OMIE_CONTROL_OUTGOING_ALLOWED.",
    )


def refused(message: str, hint: str = "Exemplo: https://app.omie.com.br/api/v1/.") -> InvalidInput:
    """Make the refusal of a configured address."""
    return InvalidInput(message, hint=hint, code="endereco_recusado")
