"""Where a tool call came from: transport, user agent, address and session, as far as the transport tells.

Nothing here trusts the caller more than it must: `X-Forwarded-For` counts only from a trusted proxy, and
the session of the modern protocol (a new one for every request) is never taken for a session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from fastmcp import Context
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request

from omie_control.domain.executions import Origin
from omie_control.errors import InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ERRAND_HEADER = "x-omie-control-tarefa"
SESSION_HEADER = "x-omie-session"
SESSION_MAX = 100
_USER_AGENT_MAX = 400


def trusted_networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Read addresses and networks of trusted proxies, or raise InvalidInput naming the wrong one."""
    networks = []
    for name in names:
        try:
            networks.append(ip_network(name, strict=False))
        except ValueError as exc:
            raise InvalidInput(
                f"TRUSTED_PROXIES holds '{name[:60]}', which is no address or network.",
                hint="Example: 10.0.0.0/8,127.0.0.1.",
                code="bad_setting",
            ) from exc
    return tuple(networks)


def caller_address(peer: str | None, forwarded_for: str | None, trusted: Sequence[Network]) -> Address | None:
    """Return the caller's address: the nearest one in the chain that is not a trusted proxy of ours."""
    nearest = _address(peer)
    if nearest is None or not forwarded_for:
        return nearest
    for hop in reversed(forwarded_for.split(",")):
        if not _is_trusted(nearest, trusted):
            return nearest
        claimed = _address(hop.strip())
        if claimed is None:
            return nearest
        nearest = claimed
    return nearest


def origin_of_request(request: Request, trusted: Sequence[Network]) -> Origin:
    """Describe who sent an HTTP request, before it is known to be any call."""
    return _http_origin(request, trusted, None)


def origin_of(context: Context, trusted: Sequence[Network], process_session: str) -> Origin:
    """Describe the caller of the current tool call.

    `process_session` names the session of a stdio process, which serves one client for its whole life.
    """
    wire = context.request_context
    if wire is None:
        return Origin()
    is_modern = wire.protocol_version in MODERN_PROTOCOL_VERSIONS
    request = wire.request
    if request is not None:
        return _http_origin(request, trusted, None if is_modern else context.session_id)
    is_stdio = context.transport == "stdio"
    return Origin(
        transport="stdio" if is_stdio else "memory",
        user_agent=_client_name(context),
        session_id=process_session if is_stdio else None if is_modern else context.session_id,
    )


def _http_origin(request: Request, trusted: Sequence[Network], protocol_session: str | None) -> Origin:
    headers = request.headers
    errand = headers.get(ERRAND_HEADER) or headers.get(SESSION_HEADER)
    session = errand or protocol_session
    user_agent = headers.get("user-agent")
    return Origin(
        transport="http",
        user_agent=user_agent[:_USER_AGENT_MAX] if user_agent else None,
        ip_address=caller_address(
            request.client.host if request.client else None, headers.get("x-forwarded-for"), trusted
        ),
        session_id=session[:SESSION_MAX] if session else None,
        errand=errand[:SESSION_MAX] if errand else None,
    )


def _client_name(context: Context) -> str | None:
    params = context.session.client_params
    if params is None:
        return None
    return f"{params.client_info.name}/{params.client_info.version}"[:_USER_AGENT_MAX]


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


def _address(text: str | None) -> Address | None:
    if not text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # An IPv4 caller of a dual-stack socket is the same caller.
    return getattr(address, "ipv4_mapped", None) or address
