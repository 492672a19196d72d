"""Omie's envelope: requests in, answers and faults out, with the oddities of the real one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response


class Refusal(Exception):
    """A fault that Omie answers with; `code` without its SOAP prefix, empty when Omie sends none."""

    def __init__(self, code: str, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it came: which method, by whom, from where, with what."""

    service: str
    call: str
    app_key: str
    app_secret: str
    param: dict[str, Any]
    ip: str

    @property
    def endpoint(self) -> str:
        """Name the method as records do."""
        return self.service + self.call


def read_request(service: str, body: bytes, ip: str) -> Request:
    """Read a request's body, or refuse it as Omie does."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal("", "JSON request with SyntaxError") from None
    if not isinstance(envelope, dict):
        raise Refusal("", "Invalid JSON Object")
    param = envelope.get("param")
    if isinstance(param, list) and len(param) == 1:
        param = param[0]
    return Request(
        service=service,
        call=str(envelope.get("call", "")),
        app_key=str(envelope.get("app_key", "")),
        app_secret=str(envelope.get("app_secret", "")),
        param=param if isinstance(param, dict) else {},
        ip=ip,
    )


def encode(data: Any) -> bytes:
    """Write JSON as Omie does: everything beyond ASCII as an escape."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def answer(data: Any, *, running: int = 1) -> Response:
    """Answer with success."""
    return Response(encode(data), media_type="application/json", headers={"X-Omie-ParallelRateLimit": f"{running}/4"})


def answer_refusal(refusal: Refusal) -> Response:
    """Answer with a fault, as body and as header."""
    is_soap = refusal.code.startswith(("Client", "Server"))
    body = {"faultstring": refusal.text, "faultcode": f"SOAP-ENV:{refusal.code}" if is_soap else refusal.code}
    number = refusal.code.rpartition("-")[2]
    plain = refusal.text.encode("ascii", "ignore").decode()
    headers = {"OmieAPI-Error": f"{number} - {plain}"} if number.isdigit() else {}
    return Response(encode(body), status_code=refusal.status, media_type="application/json", headers=headers)
