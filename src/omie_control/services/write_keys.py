"""What makes one write the same as another: its key, its content, the code that carries it; and its sealed parts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from omie_control.domain.json_text import read_json
from omie_control.domain.sealing import canonical, open_sealed, seal
from omie_control.errors import InvalidInput
from omie_control.omie.catalog import Method
from omie_control.omie.lookups import CODE_LENGTH
from omie_control.omie.protocol import Payload
from omie_control.services.recording import Handle

KEY_MAX = 200
# The mark, on an execution's row, that it sends its writes under keys only: without a key of its own it sent nothing.
KEYED = "escrita:"
_CODE_PREFIX = "oc-"
# What a key is unique in: company, process type, key.
Scope = tuple[UUID, str, str]


def marked(key: str | None) -> str:
    """Return what `Request.idempotency_key` of an execution says whose writes all go under keys."""
    return f"{KEYED}{key or 'auto'}"[:KEY_MAX]


def require_key(key: str) -> str:
    """Return a caller's key, or raise InvalidInput for one that cannot be told from others."""
    text = key.strip()
    if not text or len(text) > KEY_MAX or not text.isprintable():
        raise InvalidInput(
            f"chave_idempotencia: use de 1 a {KEY_MAX} caracteres visíveis.",
            hint='Exemplo: "pedido-4711-cliente".',
        )
    return text


def derived_key(handle: Handle, method: Method, param: Mapping[str, Any]) -> str:
    """Make the key of a write that came without one: what is written, by which tool, within which errand named."""
    parts = [handle.request.process_type, method.endpoint, param, handle.request.origin.errand or ""]
    return f"auto-{hashlib.sha256(canonical(parts)).hexdigest()}"


def integration_code(scope: Scope, first_try: UUID | None) -> str:
    """Make the code that carries a key to Omie: the same for the same key, so that a retry finds its first try.

    A derived key means another write once it has expired, so its code is made anew with each `first_try`.
    """
    seed = [str(scope[0]), *scope[1:], "" if first_try is None else str(first_try)]
    text = base64.b32encode(hashlib.sha256(canonical(seed)).digest()).decode().lower()
    return _CODE_PREFIX + text[: CODE_LENGTH - len(_CODE_PREFIX)]


def digest_of(method: Method, param: Mapping[str, Any]) -> bytes:
    """Reduce what is written to what tells it from anything else."""
    return hashlib.sha256(canonical([method.endpoint, param])).digest()


def payload_of(told: Mapping[str, Any]) -> Payload:
    """Read an answer as it was kept."""
    return Payload(told["data"], told["status"], fault_code=told["fault_code"])


def open_part(key: bytes, sealed: bytes, scope: Scope, part: str) -> Any:
    """Open the `request`, the `before` or the `answer` of a key."""
    return read_json(open_sealed(key, sealed, aad(scope, part)))


def seal_answer(key: bytes, payload: Payload, scope: Scope) -> bytes:
    """Seal an answer for its key; it comes back as it was, with its fields in their order."""
    told = {"status": payload.status_code, "fault_code": payload.fault_code, "data": payload.data}
    return seal(key, as_bytes(told), aad(scope, "answer"))


def aad(scope: Scope, part: str) -> bytes:
    """Name the place that a sealed part belongs to: it opens nowhere else."""
    return b"idempotency_keys/" + canonical([str(scope[0]), *scope[1:], part])


def as_bytes(value: Any) -> bytes:
    """Write a value of JSON with its fields in their order."""
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        # Lone surrogates and the like, as Omie's answers may hold.
        return json.dumps(value, default=str).encode()
