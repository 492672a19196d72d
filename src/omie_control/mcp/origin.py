"""Where a tool call came from: transport, user agent, address and session, as far as the transport tells.

Nothing here trusts the caller more than it must: `X-Forwarded-For` counts only from a trusted proxy, and
the session of the modern protocol (a new one for every request) is never taken for a session.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmcp import Context
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request

from omie_control.domain.executions import Origin
from omie_control.domain.networks import Network, caller_address, trusted_networks

__all__ = ["caller_address", "origin_of", "origin_of_request", "trusted_networks"]

ERRAND_HEADER = "x-omie-control-tarefa"
SESSION_HEADER = "x-omie-session"
SESSION_MAX = 100
_USER_AGENT_MAX = 400


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
            request.client.host if request.client else None, ",".join(headers.getlist("x-forwarded-for")), trusted
        ),
        session_id=session[:SESSION_MAX] if session else None,
        errand=errand[:SESSION_MAX] if errand else None,
    )


def _client_name(context: Context) -> str | None:
    params = context.session.client_params
    if params is None:
        return None
    return f"{params.client_info.name}/{params.client_info.version}"[:_USER_AGENT_MAX]
