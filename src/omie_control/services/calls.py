"""The one way to Omie: authorised, checked against the catalogue, recorded on its execution, sent under the limits.

Reads are answered from what is kept while it is young enough; writes go under an idempotency key, so that an equal
one is sent once, and make old what they may have changed. Credentials join inside the client, after the
payload was taken for the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.companies import Company
from omie_control.domain.freshness import must_be_fresh
from omie_control.errors import ControlError, InvalidInput
from omie_control.omie.catalog import Method
from omie_control.omie.lookups import lookup_for
from omie_control.omie.protocol import Payload
from omie_control.services.access import Access
from omie_control.services.answers import Answer, Answers
from omie_control.services.first_answers import Written
from omie_control.services.idempotency import IdempotentWrites
from omie_control.services.recording import Handle
from omie_control.services.sending import Sender

_CODE_TO_COME = "oc-"


class OmieCalls:
    """Runs methods of the catalogue for an open execution."""

    def __init__(self, sender: Sender, writes: IdempotentWrites, answers: Answers, access: Access) -> None:
        self._answers = answers
        self._sender = sender
        self._writes = writes
        self._access = access

    async def run(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Payload:
        """Make one call and return what Omie answered; a write goes under a derived key, as `write` says.

        Raises InvalidInput before anything leaves when a field does not fit the catalogue; Forbidden; OmieFault,
        OmieBusy, OmieUnreachable; Uncertain when a write's fate is unknown.
        """
        if method.writes:
            return (await self.write(handle, company, method, param)).payload
        return (await self.read(handle, company, method, param)).payload

    async def read(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Answer:
        """Ask Omie, unless the answer is at hand or on its way; says how old it is and whence it came.

        An execution that writes gets nothing that may be older than its own or another's write. Raises as `run`.
        """
        await self._require(handle, company, method, param)
        handle.omie_endpoint = method.endpoint
        handle.request_payload = dict(param)
        fresh = must_be_fresh(method.path, is_for_money=handle.request.writes)
        answer = await self._answers.read(
            company, method, param, lambda: self._send(handle, company, method, param), fresh=fresh
        )
        handle.response_status_code = answer.payload.status_code
        return answer

    async def look(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> Payload:
        """Ask Omie itself, past whatever is kept: how a write in doubt is looked up. Raises as `run`."""
        await self._require(handle, company, method, param)
        return await self._send(handle, company, method, param)

    async def write(
        self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any], key: str | None = None
    ) -> Written:
        """Write once: an equal write under the same key gets the first one's answer, and nothing is sent.

        Without a key, one is derived for ten minutes from company, process type, content and errand. The
        execution's `Request.idempotency_key` must be `marked(key)`. Raises as `run`; Conflict for a key in use.
        """
        if not handle.request.writes:
            # Should its process die, it would be taken for a read: over, and its key free for another try.
            raise InvalidInput(
                "Esta execução foi aberta só para ler e não pode escrever no Omie.",
                hint="Use uma ferramenta de escrita; em código, abra a execução com writes=True.",
                code="execucao_de_leitura",
            )
        # The code that a key brings counts: only the rest must be there already.
        await self._require(handle, company, method, lookup_for(method.endpoint).carrying(param, _CODE_TO_COME))

        async def send(sent: Mapping[str, Any]) -> Payload:
            # Before as well: a process that dies after Omie has executed leaves nothing old behind.
            await touch()
            return await self._send(handle, company, method, sent)

        async def touch() -> None:
            await self._answers.written(company, method)

        async def read(asked: Method, question: Mapping[str, Any]) -> Payload:
            # The write waits for this answer, and can be judged without it.
            return await self._send(handle, company, asked, question, waits_for_minute=False)

        return await self._writes.run(handle, company, method, param, key, send, read=read, touch=touch)

    async def _require(self, handle: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> None:
        right = Right.OMIE_WRITE if method.writes else Right.OMIE_READ
        await self._access.require(handle.request.actor, right, company.id)
        method.check(param)

    async def _send(
        self,
        handle: Handle,
        company: Company,
        method: Method,
        param: Mapping[str, Any],
        *,
        waits_for_minute: bool = True,
    ) -> Payload:
        handle.omie_endpoint = method.endpoint
        handle.request_payload = dict(param)
        try:
            payload = await self._sender.send(handle, company, method, param, waits_for_minute=waits_for_minute)
        except ControlError:
            handle.response_status_code = handle.calls[-1].status_code if handle.calls else None
            raise
        handle.response_status_code = payload.status_code
        return payload
