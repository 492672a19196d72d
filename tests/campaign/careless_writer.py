"""A build that claims a key after the call instead of before it. The campaign has to catch it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.campaign.writer import main

from omie_control.domain.companies import Company
from omie_control.omie.catalog import Method
from omie_control.omie.lookups import lookup_for
from omie_control.omie.protocol import Payload
from omie_control.services.first_answers import Written
from omie_control.services.idempotency import IdempotentWrites, Send
from omie_control.services.recording import Handle

_honest = IdempotentWrites.run


async def _late(
    self: IdempotentWrites,
    handle: Handle,
    company: Company,
    method: Method,
    param: Mapping[str, Any],
    key: str | None,
    send: Send,
    **rest: Any,
) -> Written:
    """Send first, and remember afterwards."""
    code = f"late-{handle.id.hex[-15:]}"
    payload = await send(lookup_for(method.endpoint).carrying(param, code))

    async def sent(_: Mapping[str, Any]) -> Payload:
        return payload

    return await _honest(self, handle, company, method, param, key, sent, **rest)


IdempotentWrites.run = _late  # type: ignore[method-assign]
asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
