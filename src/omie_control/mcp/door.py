"""The HTTP door in front of FastMCP: what cannot be a call is turned away here, with a text that says why.

A body over the limit is read to its end and thrown away, so that the caller gets the answer and not a broken
connection; nothing of it is kept. Callers without a valid token are counted and told by sample.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import orjson
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omie_control.domain.protected_resource import MCP, announced
from omie_control.errors import ControlError, Overloaded, StorageDown
from omie_control.mcp.faults import say
from omie_control.mcp.refusals import Sampler
from omie_control.telemetry import Event, tell

MAX_BODY = 2 * 1024 * 1024
# More than this is not even read to be thrown away.
_MAX_DRAIN = 64 * 1024 * 1024
_STORAGE_DOWN = -32050
_TOO_MANY = -32051


class Door:
    """ASGI middleware, outermost of the MCP application. `announces`: who is refused is told where to get a token."""

    def __init__(
        self, app: ASGIApp, max_body: int = MAX_BODY, *, announces: bool = False, public_url: str | None = None
    ) -> None:
        self._app = app
        self._announces = announces
        self._public_url = public_url
        self._max_body = max_body
        self._unknown = Sampler(per_minute=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            refusal, receive = await self._read(scope, receive)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._note_unknown(scope)
                self._announce(scope, message)
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except StorageDown as error:
            await _answer(503, _STORAGE_DOWN, error)(scope, receive, send)
        except Overloaded as error:
            self._note_unknown(scope)
            await _answer(429, _TOO_MANY, error, {"Retry-After": "60"})(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> tuple[Response | None, Receive]:
        """Take the body in, up to the limit, and hand back a `receive` that plays it again."""
        declared = Headers(scope=scope).get("content-length", "")
        is_too_big = declared.isdecimal() and int(declared) > self._max_body
        body = bytearray()
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None, _playing(bytes(body), message, receive)
            chunk = message.get("body", b"")
            size += len(chunk)
            is_too_big = is_too_big or size > self._max_body
            if is_too_big:
                body.clear()
            else:
                body.extend(chunk)
            if size > _MAX_DRAIN or not message.get("more_body", False):
                break
        if is_too_big:
            return _TOO_BIG, receive
        return (None if _is_text(body) else _NOT_TEXT), _playing(bytes(body), None, receive)

    def _announce(self, scope: Scope, message: Message) -> None:
        """Say where the identity provider is named: clients find their way to a token by it (RFC 9728)."""
        if not self._announces:
            return
        headers = MutableHeaders(raw=message["headers"])
        root = (self._public_url or str(Request(scope).base_url)).rstrip("/")
        headers["WWW-Authenticate"] = announced(headers.get("WWW-Authenticate", "Bearer"), root, MCP)
        message["headers"] = headers.raw

    def _note_unknown(self, scope: Scope) -> None:
        if self._unknown.takes():
            client = scope.get("client")
            tell(
                Event.ACCESS_REFUSED,
                face="mcp",
                reason="no valid token",
                ip=client[0] if client else None,
                more=self._unknown.flush(),
            )


def _playing(body: bytes, last: Message | None, receive: Receive) -> Receive:
    waiting: deque[Message] = deque([{"type": "http.request", "body": body, "more_body": last is not None}])
    if last is not None:
        waiting.append(last)

    async def play() -> Message:
        return waiting.popleft() if waiting else await receive()

    return play


def _is_text(body: bytearray) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _answer(status: int, code: int, error: ControlError, headers: Mapping[str, str] | None = None) -> Response:
    """Answer as JSON-RPC does: clients of both eras show its message."""
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": say(error), "data": {"code": error.code}}}
    return Response(orjson.dumps(body), status_code=status, headers=headers, media_type="application/json")


_TOO_BIG = _answer(
    413,
    INVALID_REQUEST,
    ControlError("O pedido passa de 2 MB.", hint="Divida o pedido em partes menores.", code="grande_demais"),
)
_NOT_TEXT = _answer(
    400,
    PARSE_ERROR,
    ControlError("O pedido não é texto UTF-8.", hint="Envie JSON em UTF-8.", code="dado_invalido"),
)
