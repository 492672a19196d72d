"""Every form of an address that people may write, and none that would be misread."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import parse_url

from omie_control.errors import InvalidInput
from omie_control.valkey import connect
from omie_control.valkey.address import SCHEMES, read_address

SECRET = "hunter2"


def test_sentinels_a_service_a_database_and_two_logins() -> None:
    read = read_address(
        "redis+sentinel://app:p%40ss@s1:26380,s2,[::1]:26381/omie-control/3?sentinel_username=olho&sentinel_password=v%26%40"
    )
    assert (read.form, read.service) == ("sentinel", "omie-control")
    assert read.hosts == (("s1", 26380), ("s2", 26379), ("::1", 26381))
    assert (read.sentinel_username, read.sentinel_password) == ("olho", "v&@")
    options = parse_url(read.url)
    assert (options["username"], options["password"], options["db"]) == ("app", "p@ss", 3)


def test_nodes_of_a_cluster_with_tls_and_its_options() -> None:
    read = read_address("valkeys+cluster://:x@a,b:7001?ssl_ca_certs=%2Fetc%2Fca.pem")
    assert (read.form, read.hosts) == ("cluster", (("a", 6379), ("b", 7001)))
    assert read.url.startswith("rediss://")
    assert {**parse_url(read.url)}["ssl_ca_certs"] == "/etc/ca.pem"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_gives_a_client_that_hides_the_password(scheme: str) -> None:
    place = f"app:{SECRET}@127.0.0.1" + ("/servico/0" if "sentinel" in scheme else "/0")
    client = connect(f"{scheme}:///tmp/x.sock?password={SECRET}" if scheme == "unix" else f"{scheme}://{place}")
    assert SECRET not in repr(client)
    is_tls = scheme.partition("+")[0] in {"rediss", "valkeys"}
    assert ("Tls" in client.connection_pool.connection_class.__name__.replace("SSL", "Tls")) is is_tls


@pytest.mark.parametrize(
    "url",
    [
        *("", "redis", f"http://{SECRET}@host", f"sentinel://{SECRET}@host", f"redis+sentinels://{SECRET}@host/s"),
        *(f"redis://{SECRET}@host:port", f"redis://:{SECRET}@[::1", f"redis://:{SECRET}@host?password_of={SECRET}"),
        *(f"redis+sentinel://:{SECRET}@host", f"redis+sentinel://:{SECRET}@host/service/zero"),
        *(f"redis+sentinel://:{SECRET}@/service", f"redis+sentinel://:{SECRET}@host/service/0/1"),
        *(f"redis+cluster://:{SECRET}@", f"redis+cluster://:{SECRET}@host:99999", f"redis+cluster://:{SECRET}@h/a"),
        *(f"redis+cluster://:{SECRET}@h?ssl_ca_certs=x", f"redis+cluster://:{SECRET}@h?socket_timeout={SECRET}"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once_and_never_repeated(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        connect(url)
    assert SECRET not in refused.value.for_people()
