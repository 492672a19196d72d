"""The wire to the company's identity provider: small JSON documents, asked for with little patience.

Every connection passes the guard: the operator names the issuer, but its documents name further addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from omie_control.errors import InvalidInput, StorageDown
from omie_control.outgoing import Guard
from omie_control.telemetry import Event, tell

DOCUMENT_MAX = 1_000_000
_TIMEOUT_SECONDS = 5.0
_WHOLE_SECONDS = 8.0
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


UNAVAILABLE = "identidade_indisponivel"


class ProviderWire:
    """Asks one provider. Raises StorageDown (`UNAVAILABLE`) for whatever is no answer; the log says what it was."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def get(self, what: str, address: str) -> Mapping[str, Any]:
        """Return a JSON object; `what` names it for the log."""
        status, document = await self._ask(what, "GET", address)
        if status != 200:
            raise trouble(what, f"status {status}")
        return document

    async def post(
        self, what: str, address: str, form: Mapping[str, str], login: tuple[str, str] | None
    ) -> tuple[int, Mapping[str, Any]]:
        """Send a form, with a client's name and secret if it has one; return the status and the JSON object."""
        return await self._ask(what, "POST", address, form, login)

    async def _ask(
        self,
        what: str,
        method: str,
        address: str,
        form: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            async with (
                asyncio.timeout(_WHOLE_SECONDS),
                httpx2.AsyncClient(
                    transport=self._guard.transport(), timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
                ) as client,
                client.stream(method, address, data=form, auth=login, headers=_HEADERS) as answer,
            ):
                return answer.status_code, await _object(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, InvalidInput, TimeoutError, ValueError, TypeError) as exc:
            raise trouble(what, type(exc).__name__) from exc


def trouble(what: str, reason: str) -> StorageDown:
    """Tell that a document of the provider cannot be used, and make the error of it."""
    tell(Event.PROVIDER_FAILED, document=what, reason=reason)
    return unavailable()


def unavailable() -> StorageDown:
    """Make the error of a provider that is of no use now."""
    return StorageDown(
        "O provedor de identidade não responde.",
        hint="Tente de novo em instantes; se persistir, avise quem opera o sistema.",
        code=UNAVAILABLE,
    )


async def _object(answer: httpx2.Response) -> Mapping[str, Any]:
    if answer.headers.get("content-encoding", "identity") != "identity":
        # A few bytes could become as many as they like.
        raise ValueError("the document is compressed")
    body = bytearray()
    async for chunk in answer.aiter_raw(65_536):
        body += chunk
        if len(body) > DOCUMENT_MAX:
            raise ValueError("the document is too large")
    document = orjson.loads(body)
    if not isinstance(document, dict):
        raise TypeError("the document is no object")
    return document
