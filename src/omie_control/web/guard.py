"""What every request passes before a page sees it: known host, own origin, a small body; and the headers after.

Plain ASGI, so that a stream is never buffered. The Host check is what stops DNS rebinding; the Origin check is
the first of two defences against forged forms (the second is the CSRF token of `auth.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omie_control.web.api.problems import is_api, refusal

MAX_BODY_BYTES = 64 * 1024
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def allowed_hosts(host: str, public_url: str | None) -> frozenset[str]:
    """Name the hosts (without port) that a browser may call us by: loopback, the bound address, the public one."""
    names = set(_LOOPBACK)
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, never bound
        names.add(f"[{host}]" if ":" in host else host.lower())
    if public_url is not None:
        public = urlsplit(public_url).hostname or ""
        names.add(f"[{public}]" if ":" in public else public)
    return frozenset(names)


class Guard:
    """Wraps the web application. `hosts` are names without a port; `public_url` is the one trusted foreign origin.

    `roomier`: beginnings of paths whose bodies may be larger than `max_body`, in bytes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str],
        public_url: str | None = None,
        max_body: int = MAX_BODY_BYTES,
        roomier: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._public_origin = _origin(public_url) if public_url else None
        self._is_secure = bool(public_url and public_url.startswith("https:"))
        self._max_body = max_body
        self._roomier = roomier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; hand on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, self._dress(send))
            return
        await self._app(scope, _Limited(receive, self._room(scope["path"])), self._dress(send))

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        match = _HOST.fullmatch(host)
        if match is None or match[1].lower() not in self._hosts:
            return _no(scope, "Este endereço não é atendido aqui.", 421)
        if scope["method"] not in _SAFE_METHODS and not self._is_own(headers, host):
            return _no(scope, "O pedido veio de outra origem e foi recusado.", 403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._room(scope["path"]):
            return _no(scope, "O pedido é maior que o limite.", 413)
        return None

    def _room(self, path: str) -> int:
        return next((room for prefix, room in self._roomier.items() if path.startswith(prefix)), self._max_body)

    def _is_own(self, headers: Headers, host: str) -> bool:
        # Browsers send Origin with every POST; a program without a browser sends neither and carries no cookie
        # that somebody else could make it send.
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        return origin == self._public_origin or origin in (f"http://{host}", f"https://{host}")

    def _dress(self, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if self._is_secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                message["headers"] = headers.raw
            await send(message)

        return dressed


class _Limited:
    """Counts a body without a Content-Length while it comes in."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise HTTPException(413)
        return message


def _no(scope: Scope, text: str, status: int) -> ASGIApp:
    if is_api(scope["path"]):
        return refusal(Request(scope), text, status)
    return PlainTextResponse(text, status)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
