"""Answers as bytes: written once, sealed with the company's data key before they lie in Valkey, opened again.

Whatever does not open (another key, another place, cut, another build's form) is no answer, never an error.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from omie_control.domain.json_text import read_json
from omie_control.domain.sealing import canonical, open_body, open_sealed, seal, seal_body
from omie_control.errors import ControlError
from omie_control.omie.protocol import Payload
from omie_control.services.keys import Keys
from omie_control.valkey.cache import CacheKey

CLEAR_MAX_BYTES = 4 * 1024 * 1024
# Above it, compressing and opening would hold the loop for longer than a thread costs.
_INLINE_CLEAR = 256 * 1024
_INLINE_SEALED = 64 * 1024
_KEY_ID_BYTES = 16
_FORM = 1
# Up to here compressing saves Valkey little and costs each hit more than all the rest of its opening.
_PLAIN_MAX = 4 * 1024
_PLAIN, _PACKED = b"\x00", b"\x01"
_HEADER_BYTES = _KEY_ID_BYTES + 1


def write(payload: Payload) -> bytes:
    """Write an answer in its own order of fields."""
    facts = [_FORM, payload.status_code, payload.is_empty_page, payload.is_past_end, payload.fault_code, payload.data]
    try:
        return orjson.dumps(facts)
    except (orjson.JSONEncodeError, RecursionError):
        return canonical(facts)


def read(clear: bytes) -> Payload:
    """Read what `write` wrote: a copy of the caller's own."""
    return _payload(read_json(clear))


class Sealer:
    """Seals and opens answers, each bound to its company and question."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def seal(self, company: UUID, key: CacheKey, clear: bytes, at: datetime) -> bytes | None:
        """Seal an answer; None for one that is too big, or while no data key can be had."""
        if len(clear) > CLEAR_MAX_BYTES:
            return None
        try:
            data_key = self._keys.data_key(company, at) or await self._keys.ensure(company, at)
        except ControlError:
            return None
        if len(clear) <= _PLAIN_MAX:
            return data_key.id.bytes + _PLAIN + seal(data_key.key, clear, _aad(key, _PLAIN))
        if len(clear) > _INLINE_CLEAR:
            sealed = await asyncio.to_thread(seal_body, clear, data_key.key, _aad(key, _PACKED))
        else:
            sealed = seal_body(clear, data_key.key, _aad(key, _PACKED))
        return data_key.id.bytes + _PACKED + sealed

    async def open(self, key: CacheKey, value: bytes) -> Payload | None:
        """Open an answer; None when it cannot be opened."""
        form, sealed = value[_KEY_ID_BYTES:_HEADER_BYTES], value[_HEADER_BYTES:]
        try:
            data_key = await self._keys.by_id(UUID(bytes=value[:_KEY_ID_BYTES]))
            if form == _PLAIN:
                return read(open_sealed(data_key.key, sealed, _aad(key, form)))
            if len(sealed) > _INLINE_SEALED:
                return _payload(await asyncio.to_thread(open_body, sealed, data_key.key, _aad(key, form)))
            return _payload(open_body(sealed, data_key.key, _aad(key, form)))
        except (ControlError, ValueError):
            return None


def _payload(facts: Any) -> Payload:
    form, status_code, is_empty_page, is_past_end, fault_code, data = facts
    if form != _FORM:
        raise ValueError("an answer of another form")
    return Payload(data, status_code, is_empty_page=is_empty_page, is_past_end=is_past_end, fault_code=fault_code)


def _aad(key: CacheKey, form: bytes) -> bytes:
    # The form is bound as well: nobody can have a plain answer unpacked, or the other way round.
    return f"answers/{key.company}/{key.digest}/".encode() + form
