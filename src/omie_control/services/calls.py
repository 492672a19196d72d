"""The one way to Omie: authorised, recorded on its execution, sent, understood.

Credentials join inside the client, after the payload was taken for the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.companies import Company
from omie_control.errors import ControlError
from omie_control.omie.catalog import Method
from omie_control.omie.client import OmieClient
from omie_control.omie.protocol import Payload
from omie_control.services.access import Access
from omie_control.services.companies import Companies
from omie_control.services.recording import Handle


class OmieCalls:
    """Runs methods of the catalogue for an open execution."""

    def __init__(self, client: OmieClient, companies: Companies, access: Access) -> None:
        self._client = client
        self._companies = companies
        self._access = access

    async def run(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Payload:
        """Send one call and return what Omie answered.

        Raises InvalidInput before anything leaves when a field does not fit the catalogue; Forbidden; OmieFault,
        OmieBusy, OmieUnreachable; Uncertain when a write's fate is unknown.
        """
        right = Right.OMIE_WRITE if method.writes else Right.OMIE_READ
        await self._access.require(handle.request.actor, right, company.id)
        method.check(param)
        door = await self._companies.door(company.id)
        handle.omie_endpoint = method.endpoint
        handle.request_payload = dict(param)
        handle.write_in_flight = method.writes
        try:
            payload = await self._client.call(
                door.credentials, method, param, base_url=door.base_url, on_call=handle.note_call
            )
        except ControlError as error:
            handle.write_in_flight = False
            handle.response_status_code = handle.calls[-1].status_code if handle.calls else None
            raise error
        handle.write_in_flight = False
        handle.response_status_code = payload.status_code
        return payload
