"""The wire to Omie: one call, sent once, measured, and its answer deciphered.

Sending again, waiting for room and remembering answers are other layers' work. Neither bodies nor credentials
are ever logged; what is told of a call is its endpoint, times, sizes and codes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from opentelemetry.trace import SpanKind

from omie_control import __version__
from omie_control.domain.companies import Credentials
from omie_control.domain.executions import Call
from omie_control.errors import ControlError
from omie_control.omie import protocol
from omie_control.omie.body import BodyTooBig, BodyUnreadable, read_capped
from omie_control.omie.catalog import Method
from omie_control.omie.facts import facts_of
from omie_control.omie.protocol import Payload
from omie_control.outgoing import Guard
from omie_control.telemetry import Event, span, tell

# Shorter than what servers usually grant an idle connection: reusing one they are about to close loses a call.
_IDLE_SECONDS = 4.0
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"omie-control/{__version__}",
}
_MS = 1000


class TooLate(Exception):
    """The caller may not send this call any more; nothing of it has left."""


@dataclass(slots=True)
class _Attempt:
    """One HTTP request while it runs: what is known so far."""

    method: Method
    request_size: int
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)
    was_sent: bool = False
    status: int | None = None
    response_size: int = 0
    fault_code: str | None = None
    success: bool = False
    may_leave: Callable[[], bool] | None = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Notice the moment from which Omie may have heard of the call. Raises TooLate when it must not."""
        if event.endswith("send_request_headers.started"):
            if self.may_leave is not None and not self.may_leave():
                raise TooLate
            self.was_sent = True

    def as_call(self) -> Call:
        """Return the attempt as its row of metrics."""
        return Call(
            endpoint=self.method.endpoint,
            at=self.at,
            response_time_ms=round((time.monotonic() - self.began) * _MS),
            status_code=self.status,
            success=self.success,
            request_size_bytes=self.request_size,
            response_size_bytes=self.response_size,
            fault_code=self.fault_code,
        )


class OmieClient:
    """Keeps connections to Omie open and sends calls over them.

    `timeout_seconds` bounds a whole call, connecting and reading included. `guard` looks at every connection; without
    one, whoever made the client answers for the addresses.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float = 60.0,
        connect_seconds: float = 10.0,
        max_connections: int = 100,
        max_response_bytes: int = protocol.BODY_MAX_BYTES,
        proxy: str | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._base_url = base_url
        self._timeout_seconds = timeout_seconds
        self._connect_seconds = min(connect_seconds, timeout_seconds)
        self._max_connections = max_connections
        self._max_response_bytes = max_response_bytes
        self._proxy = proxy
        self._guard = guard
        self._http: httpx2.AsyncClient | None = None
        # Connections of before a change of proxy: calls may still be under way on them.
        self._left: list[httpx2.AsyncClient] = []

    async def open(self) -> None:
        """Get ready to send; no connection is made before the first call."""
        if self._http is None:
            limits = httpx2.Limits(
                max_connections=self._max_connections,
                max_keepalive_connections=self._max_connections,
                keepalive_expiry=_IDLE_SECONDS,
            )
            self._http = httpx2.AsyncClient(
                headers=_HEADERS,
                timeout=httpx2.Timeout(self._timeout_seconds, connect=self._connect_seconds),
                limits=limits,
                transport=None if self._guard is None else self._guard.transport(limits, self._proxy),
                proxy=None if self._guard is not None else self._proxy,
                trust_env=False,
            )

    async def close(self) -> None:
        """Close every connection; calls still running end as unanswered."""
        http, self._http = self._http, None
        left, self._left = [*self._left, http], []
        for each in left:
            if each is not None:
                await each.aclose()

    def go_through(self, proxy: str | None) -> None:
        """Send calls through a proxy from now on (None: directly); those under way end as they began."""
        if proxy == self._proxy:
            return
        self._proxy = proxy
        if self._http is not None:
            self._left.append(self._http)
            self._http = None

    def trust(self, base_url: str) -> None:
        """Let calls go to an address that no person typed into a configuration."""
        if self._guard is not None:
            self._guard.trust(base_url)

    async def call(
        self,
        credentials: Credentials,
        method: Method,
        param: Mapping[str, Any],
        *,
        base_url: str | None = None,
        on_call: Callable[[Call], None] | None = None,
        may_leave: Callable[[], bool] | None = None,
    ) -> Payload:
        """Send one call, once, and return what Omie answered.

        `on_call` hears of the attempt however it ends, cancelled ones too. `may_leave` has the last word when the
        connection stands and nothing was written to it yet. Raises what `protocol.decipher` raises;
        OmieUnreachable when it surely did not reach Omie, or is a read; Uncertain when a write may have.
        """
        body = protocol.encode(method.call, credentials, param)
        attempt = _Attempt(method, len(body), may_leave=may_leave)
        url = f"{(base_url or self._base_url).rstrip('/')}/{method.path}"
        with span("omie.call", kind=SpanKind.CLIENT, **{"omie.endpoint": method.endpoint}) as opened:
            tell(Event.CALL_SENT, endpoint=method.endpoint, request_size_bytes=len(body))
            try:
                status, headers, answer = await self._exchange(attempt, url, body)
                headers, answer = protocol.without_secret(credentials, headers, answer)
                return self._understood(attempt, protocol.decipher(method, status, headers, answer, param))
            except ControlError as error:
                self._note_refusal(attempt, error)
                raise
            finally:
                call = attempt.as_call()
                if call.status_code is not None:
                    opened.set_attribute("http.response.status_code", call.status_code)
                _tell_answered(call)
                if on_call is not None:
                    on_call(call)

    async def _exchange(self, attempt: _Attempt, url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._send(attempt, url, body)
        except (TimeoutError, httpx2.TimeoutException) as exc:
            cause = f"O Omie não respondeu em {self._timeout_seconds:g} segundos."
            raise protocol.no_answer(attempt.method, cause, was_sent=attempt.was_sent) from exc
        except TooLate as exc:
            cause = "O processo ficou parado antes de enviar a chamada, e ela não saiu."
            raise protocol.no_answer(attempt.method, cause, was_sent=False) from exc
        except BodyTooBig as exc:
            cause = "A resposta do Omie passou do tamanho que se pode ler com segurança."
            raise protocol.no_answer(attempt.method, cause, was_sent=True) from exc
        except BodyUnreadable as exc:
            cause = "A resposta do Omie veio com uma compressão que não se pode ler."
            raise protocol.no_answer(attempt.method, cause, was_sent=True) from exc
        except (httpx2.TransportError, httpx2.InvalidURL) as exc:
            cause = "A conexão com o Omie caiu." if attempt.was_sent else "Não foi possível conectar ao Omie."
            raise protocol.no_answer(attempt.method, cause, was_sent=attempt.was_sent) from exc

    async def _send(self, attempt: _Attempt, url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        if self._http is None:
            await self.open()
        assert self._http is not None
        request = self._http.stream("POST", url, content=body, extensions={"trace": attempt.trace})
        async with request as response:
            attempt.status = response.status_code
            encoding = response.headers.get("content-encoding", "")
            answer, attempt.response_size = await read_capped(response.aiter_raw(), encoding, self._max_response_bytes)
            return response.status_code, response.headers, answer

    @staticmethod
    def _understood(attempt: _Attempt, payload: Payload) -> Payload:
        attempt.success = True
        attempt.fault_code = payload.fault_code
        return payload

    @staticmethod
    def _note_refusal(attempt: _Attempt, error: ControlError) -> None:
        """Keep the fault's code for the metrics, and turn Omie's wait into an instant."""
        facts = facts_of(error)
        if facts is not None:
            attempt.fault_code = facts.fault_code
            error.until = facts.until(datetime.now(UTC))


def _tell_answered(call: Call) -> None:
    tell(
        Event.CALL_ANSWERED,
        endpoint=call.endpoint,
        response_time_ms=call.response_time_ms,
        status_code=call.status_code,
        success=call.success,
        fault_code=call.fault_code,
    )
