"""Where a call came from: an address is believed only from a proxy we trust."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from starlette.requests import Request

from omie_control.errors import InvalidInput
from omie_control.mcp.origin import caller_address, origin_of_request, trusted_networks
from omie_control.web.auth import origin_of as web_origin

PROXIES = trusted_networks(("10.0.0.0/8", "fd00::/8"))


def test_without_a_proxy_the_peer_is_the_caller() -> None:
    assert caller_address("203.0.113.7", None, PROXIES) == ip_address("203.0.113.7")


def test_a_stranger_cannot_claim_another_address() -> None:
    assert caller_address("203.0.113.7", "198.51.100.1", PROXIES) == ip_address("203.0.113.7")


def test_a_trusted_proxy_names_the_caller() -> None:
    assert caller_address("10.1.2.3", "198.51.100.1", PROXIES) == ip_address("198.51.100.1")


def test_what_the_caller_itself_put_in_front_is_not_believed() -> None:
    assert caller_address("10.1.2.3", "1.1.1.1, 198.51.100.1, 10.9.9.9", PROXIES) == ip_address("198.51.100.1")


def test_a_chain_of_proxies_alone_ends_at_its_farthest() -> None:
    assert caller_address("10.1.2.3", "10.7.7.7", PROXIES) == ip_address("10.7.7.7")


def test_rubbish_in_the_header_leaves_the_nearest_address_we_know() -> None:
    assert caller_address("10.1.2.3", "1.1.1.1, <script>", PROXIES) == ip_address("10.1.2.3")


@pytest.mark.parametrize("hop", ["198.51.100.1:4711", "[2001:db8::1]:4711", "[2001:db8::1]", "2001:db8::1"])
def test_a_port_behind_an_address_is_no_part_of_it(hop: str) -> None:
    plain = ip_address("198.51.100.1" if "." in hop else "2001:db8::1")
    assert caller_address("10.1.2.3", f"1.1.1.1, {hop}", PROXIES) == plain


@pytest.mark.parametrize("face", ["mcp", "web"])
@pytest.mark.parametrize(
    ("lines", "caller"),
    [
        (["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        # Some proxies add a line of their own below the caller's.
        (["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        (["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        # What cannot be read is no reason to believe what stands in front of it.
        (["1.1.1.1, unknown"], "10.1.2.3"),
        (["1.1.1.1", ""], "10.1.2.3"),
        ([], "10.1.2.3"),
    ],
)
def test_every_face_believes_the_nearest_proxy_alone(face: str, lines: list[str], caller: str) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    request = Request({"type": "http", "headers": headers, "client": ("::ffff:10.1.2.3", 1)})
    proxies = ("10.0.0.0/8",)
    origin = web_origin(request, proxies) if face == "web" else origin_of_request(request, trusted_networks(proxies))
    assert origin.ip_address == ip_address(caller)


def test_an_ipv4_caller_on_an_ipv6_socket_is_the_same_caller() -> None:
    assert caller_address("::ffff:203.0.113.7", None, PROXIES) == ip_address("203.0.113.7")


def test_a_peer_without_an_address_is_nobody() -> None:
    assert caller_address("testclient", "198.51.100.1", PROXIES) is None


def test_a_wrong_proxy_is_named_at_the_start() -> None:
    with pytest.raises(InvalidInput, match="not-a-network"):
        trusted_networks(("not-a-network",))
