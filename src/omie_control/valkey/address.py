"""What an address of Valkey says: one server, the sentinels that watch one, or the nodes of a cluster.

`redis[s]|valkey[s]://[user:password@]host[:port][/db]`, `unix://…`;
`…+sentinel://[user:password@]host[:port],…/service[/db]`, `…+cluster://[user:password@]host[:port],…`.
The doubled `s` is TLS. What follows `?` goes to the client library as it is, such as `ssl_ca_certs=/path`; only
`sentinel_username` and `sentinel_password` are read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from omie_control.errors import InvalidInput

Host = tuple[str, int]
Form = Literal["single", "sentinel", "cluster"]

# What people write, and what the client library calls it.
_LIBRARY = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss"}
_PORTS: dict[Form, int] = {"sentinel": 26379, "cluster": 6379}
_FORMS: dict[str, Form] = {"": "single", "sentinel": "sentinel", "cluster": "cluster"}
SCHEMES = ("unix", *(f"{plain}+{form}" if form else plain for form in _FORMS for plain in _LIBRARY))
_EXAMPLES = {
    "single": "valkey://:senha@servidor:6379/0",
    "sentinel": "valkey+sentinel://:senha@sentinela1:26379,sentinela2:26379/servico/0",
    "cluster": "valkey+cluster://:senha@no1:6379,no2:6379",
}


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """An address, taken apart. `url` leads to one server in the client library's words: the only one, or any."""

    form: Form
    url: str
    hosts: tuple[Host, ...] = ()
    service: str = ""
    sentinel_username: str | None = None
    sentinel_password: str | None = None


def read_address(url: str) -> Address:
    """Take an address apart. Raises InvalidInput, which never repeats it: it may hold a password."""
    scheme, slashes, rest = url.partition("://")
    if not slashes or scheme not in SCHEMES:
        raise InvalidInput(
            f"O endereço do Valkey começa com '{scheme[:20] if slashes else ''}://', que não é aceito.",
            hint=f"Use {', '.join(f'{each}://' for each in SCHEMES[:-1])} ou {SCHEMES[-1]}://.",
            code="bad_setting",
        )
    if scheme == "unix":
        return Address("single", url)
    plain, _, suffix = scheme.partition("+")
    form = _FORMS[suffix]
    try:
        return _single(_LIBRARY[plain], rest) if form == "single" else _several(form, _LIBRARY[plain], rest)
    except ValueError:
        raise InvalidInput(
            "O endereço do Valkey está incompleto ou malformado.",
            hint=f"A forma é {_EXAMPLES[form]}; caracteres especiais da senha vão escritos como %40.",
            code="bad_setting",
        ) from None


def _single(scheme: str, rest: str) -> Address:
    url = f"{scheme}://{rest}"
    # Read for its complaint: the port of an address is only looked at when somebody asks for it.
    _ = urlsplit(url).port
    return Address("single", url)


def _several(form: Form, scheme: str, rest: str) -> Address:
    before, _, query = rest.partition("?")
    place, _, path = before.partition("/")
    login, at, listed = place.rpartition("@")
    hosts = tuple(_host(each, _PORTS[form]) for each in listed.split(",") if each.strip())
    parts = [unquote(part) for part in path.split("/") if part]
    service = parts.pop(0) if form == "sentinel" and parts else ""
    database = parts.pop(0) if parts else "0"
    if not hosts or parts or not database.isdigit() or (form == "sentinel") != bool(service):
        raise ValueError
    options = dict(parse_qsl(query, keep_blank_values=True))
    username, password = options.pop("sentinel_username", None), options.pop("sentinel_password", None)
    tail = f"?{urlencode(options)}" if options else ""
    host, port = hosts[0]
    named = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{login}{at}{named}:{port}/{database}{tail}"
    return Address(form, url, hosts, service, username, password)


def _host(text: str, port: int) -> Host:
    parts = urlsplit(f"//{text.strip()}")
    if not parts.hostname:
        raise ValueError
    return parts.hostname, parts.port or port
