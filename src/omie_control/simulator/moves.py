"""How the simulator fails when it is told to: instead of the work (`perform`), or after it (`spoil`)."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cache

from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse

from omie_control.simulator.clock import Clock
from omie_control.simulator.envelope import Refusal, Request
from omie_control.simulator.faults import Move, Plan
from omie_control.simulator.rules import Rules

_MEGABYTE = 1024 * 1024
_BOMB_MEGABYTES = 64
_FLOOD_MEGABYTES = 48
_HANG_SECONDS = 3600.0
_HANGING = frozenset({Move.TIMEOUT_BEFORE, Move.TIMEOUT_AFTER, Move.SILENT})
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


async def perform(plan: Plan, clock: Clock, rules: Rules, request: Request, http: HttpRequest) -> Response:
    """Fail without having executed anything."""
    return await spoil(plan, None, clock, rules, request, http)


async def spoil(
    plan: Plan, good: Response | None, clock: Clock, rules: Rules, request: Request, http: HttpRequest
) -> Response:
    """Fail after the work was done; `good` is the answer that the caller will not get as it is."""
    move = plan.move
    if move in _HANGING:
        return await _hang(http)
    if move is Move.RESET:
        return await _reset(http)
    refusal = _refusal(plan, clock, rules, request)
    if refusal is not None:
        raise refusal
    return _answer(move, good if good is not None else Response(b"{}", media_type="application/json"))


def _refusal(plan: Plan, clock: Clock, rules: Rules, request: Request) -> Refusal | None:
    match plan.move:
        case Move.BROKEN:
            return Refusal("Server", "SOAP-ERROR: Broken response from Application Server (BG)")
        case Move.REPEATED:
            again = f"{clock.now():%H:%M:%S}"
            return Refusal(
                "Client-8020",
                "ERROR: Esta requisição já foi processada ou está sendo processada e você pode tentar novamente às "
                f"{again}. (1)",
            )
        case Move.BLOCK:
            return rules.block(request, rules.limits.block_seconds)
        case Move.RATE:
            return Refusal("", "Too many requests", 429)
        case Move.ERROR:
            return Refusal("Server", "ERROR: Erro interno do servidor")
    return None


def _answer(move: Move, good: Response) -> Response:
    body = bytes(good.body)
    match move:
        case Move.HTML:
            return Response(_GATEWAY_PAGE, status_code=502, media_type="text/html")
        case Move.EMPTY:
            return Response(b"")
        case Move.CUT_JSON:
            return Response(body[: max(1, len(body) // 2)], media_type="application/json")
        case Move.LATIN1:
            text = json.dumps(json.loads(body), ensure_ascii=False).encode("latin-1", "replace")
            return Response(text, media_type="application/json; charset=iso-8859-1")
        case Move.GZIP_BOMB:
            return Response(_bomb(), media_type="application/json", headers={"Content-Encoding": "gzip"})
        case Move.HUGE:
            return StreamingResponse(_flood(), media_type="application/json")
    return good


@cache
def _bomb() -> bytes:
    return gzip.compress(b'{"a":"' + b" " * (_BOMB_MEGABYTES * _MEGABYTE) + b'"}', 1)


async def _flood() -> AsyncIterator[bytes]:
    yield b'{"a":"'
    for _ in range(_FLOOD_MEGABYTES):
        yield b" " * _MEGABYTE
    yield b'"}'


async def _hang(http: HttpRequest) -> Response:
    """Say nothing until the caller leaves."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_HANG_SECONDS):
            while (await http.receive())["type"] != "http.disconnect":
                pass
    return Response(status_code=504)


async def _reset(http: HttpRequest) -> Response:
    """Drop the connection in the middle of nothing, as a dying server does."""
    transport = getattr(getattr(http.receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
    return Response(status_code=502)
