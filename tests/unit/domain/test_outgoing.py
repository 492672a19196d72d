"""Where configured addresses may lead: every known way to write an inside address, and the operator's leave."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.outgoing import Outgoing, is_internal, origin_of
from omie_control.errors import InvalidInput

STRICT = Outgoing()
INSIDE = (
    *("http://127.0.0.1/", "http://127.8.9.1/", "https://0.0.0.0/", "https://10.1.2.3/", "https://172.31.0.1/"),
    *("https://192.168.0.1/", "http://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://198.18.0.1/"),
    *("https://224.0.0.1/", "https://255.255.255.255/", "https://192.0.0.192/", "https://240.0.0.1/"),
    *("https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/"),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[64:ff9b::7f00:1]/"),
    *("https://[2002:7f00:1::]/", "https://[2001::1]/", "https://[ff02::1]/", "https://[::127.0.0.1]/"),
    *("https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://printer.local/"),
    *("https://metadata.google.internal/", "https://intranet/", "https://127.0.0.1./"),
)
STRANGE = (
    # Numbers that some resolver reads as an address.
    *("https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0x7f.1/"),
    *("https://017700000001/", "https://127.0.0.1.0x1/", "https://1.1.1.08/", "https://exemplo.com.1/"),
    # Users, escapes and look-alikes, in which two readers see two hosts.
    *("https://u:p@omie.com.br/", "https://omie.com.br@127.0.0.1/", "https://@omie.com.br/", "https://a\\@b.com/"),
    *("https://127.0.0.1%2f.omie.com.br/", "https://omie.com.br\\.evil/", "https://omie.com.br /", "https://a\tb.com/"),
    *("https://①②⑦.0.0.1/", "https://omiе.com.br/", "https://[fe80::1%25eth0]/", "https://[::1/", "https://"),
    *("https://exemplo..com/", "https://-a.com/", "https://a.com..../", "https://a.com:99999/", "https://a.com:x/"),
    # Schemes that are none of the web.
    *("ftp://omie.com.br/", "file:///etc/passwd", "gopher://omie.com.br/", "//omie.com.br/", "omie.com.br", ""),
    *("https:/omie.com.br/", "javascript:alert(1)", "unix:///tmp/x", "https://" + "a" * 70 + ".com/"),
)
OUTSIDE = {
    "https://app.omie.com.br/api/v1/": ("app.omie.com.br", 443),
    "https://APP.OMIE.COM.BR.:8443/": ("app.omie.com.br", 8443),
    "http://8.8.8.8/": ("8.8.8.8", 80),
    "https://[2606:4700::1111]/": ("2606:4700::1111", 443),
    "https://[64:ff9b::808:808]/": ("64:ff9b::808:808", 443),
    "https://127.0.0.1.nip.io/": ("127.0.0.1.nip.io", 443),
    "https://xn--caf-dma.com.br/": ("xn--caf-dma.com.br", 443),
}


@pytest.mark.parametrize("url", INSIDE + STRANGE)
def test_what_leads_inside_or_is_written_strangely_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        STRICT.require(url)
    assert refused.value.code == "endereco_recusado"
    host = url.partition("://")[2].strip("/")
    assert not host or host not in refused.value.message, "an address may carry a password"


@pytest.mark.parametrize("port", [1, 22, 25, 81, 111, 445, 2375, 3306, 5432, 6379, 9200, 11211, 27017])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(InvalidInput, match="porta"):
        STRICT.require(f"https://app.omie.com.br:{port}/")


@pytest.mark.parametrize(("url", "origin"), OUTSIDE.items())
def test_the_open_internet_is_allowed(url: str, origin: tuple[str, int]) -> None:
    assert STRICT.require(url) == origin


def test_the_operator_allows_hosts_networks_and_what_the_environment_names() -> None:
    rule = Outgoing.allowing(("proxy.lan", "10.20.0.0/16", "[::1]", "192.168.7.9")).trusting("http://127.0.0.1:8000/x")
    for allowed in (
        *("https://proxy.lan:3128/", "https://10.20.3.4/", "https://[::1]/", "https://192.168.7.9/"),
        *("http://127.0.0.1:8000/", "https://[::ffff:10.20.3.4]/"),
    ):
        rule.require(allowed)
    for other in ("http://127.0.0.1:8001/", "https://10.21.0.1/", "https://192.168.7.8/", "https://[::2]/"):
        with pytest.raises(InvalidInput):
            rule.require(other)
    # A name inside is then judged by its address.
    rule.require("https://erp.corp/")
    assert rule.may_reach("erp.corp", ip_address("10.20.9.9"))
    assert not rule.may_reach("erp.corp", ip_address("10.99.9.9"))


@given(st.ip_addresses(v=4))
def test_an_address_within_another_counts_as_what_it_carries(address: object) -> None:
    number = int(ip_address(str(address)))
    carried = [ip_address(f"::ffff:{address}"), ip_address((0x64FF9B << 96) | number)]
    assert {is_internal(each) for each in carried} == {is_internal(ip_address(str(address)))}
    assert is_internal(ip_address((0x2002 << 112) | (number << 80)))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_outside(address: object) -> None:
    known = ip_address(str(address))
    # Python's own list is another in each of its versions: of an address within another only the inner one counts.
    known = getattr(known, "ipv4_mapped", None) or known
    if known.is_private or known.is_loopback or known.is_link_local or known.is_multicast or known.is_unspecified:
        assert is_internal(known)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/"):
        try:
            host, port = origin_of(url)
        except InvalidInput:
            continue
        assert host == host.lower().strip(".")
        assert 0 <= port <= 65535
