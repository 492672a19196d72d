"""The one way to Omie: authorised, checked against the catalogue, recorded on its execution, sent under the limits.

Credentials join inside the client, after the payload was taken for the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.companies import Company
from omie_control.errors import ControlError
from omie_control.omie.catalog import Method
from omie_control.omie.protocol import Payload
from omie_control.services.access import Access
from omie_control.services.recording import Handle
from omie_control.services.sending import Sender


class OmieCalls:
    """Runs methods of the catalogue for an open execution."""

    def __init__(self, sender: Sender, access: Access) -> None:
        self._sender = sender
        self._access = access

    async def run(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Payload:
        """Send one call and return what Omie answered.

        Raises InvalidInput before anything leaves when a field does not fit the catalogue; Forbidden; OmieFault,
        OmieBusy, OmieUnreachable; Uncertain when a write's fate is unknown.
        """
        right = Right.OMIE_WRITE if method.writes else Right.OMIE_READ
        await self._access.require(handle.request.actor, right, company.id)
        method.check(param)
        handle.omie_endpoint = method.endpoint
        handle.request_payload = dict(param)
        try:
            payload = await self._sender.send(handle, company, method, param)
        except ControlError:
            handle.response_status_code = handle.calls[-1].status_code if handle.calls else None
            raise
        handle.response_status_code = payload.status_code
        return payload
