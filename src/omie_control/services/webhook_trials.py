"""A test of the way of a webhook: a real ping and a real, marked event, posted to this installation's own address.

It goes the way that an event of Omie's goes from the door on, under an address that lives for a minute. What lies
between Omie and that door it cannot try: that is proved by Omie's own ping.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import orjson

from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company
from omie_control.domain.webhooks import EventStatus, WebhookEvent
from omie_control.errors import ControlError
from omie_control.omie.webhooks import TEST_TOPIC
from omie_control.postgres import webhooks as store
from omie_control.postgres.database import Postgres
from omie_control.services.companies import Companies
from omie_control.services.webhook_inbox import WebhookInbox
from omie_control.services.webhooks import MadeAddress, Webhooks

# As long as Omie waits for an answer.
_ANSWER_SECONDS = 7.0
_APPLY_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_LASTING = timedelta(minutes=1)
_ORIGIN = "omie-control"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a test found. Milliseconds: until the ping and the event were acknowledged, until the event was applied.

    `problem` None: everything arrived. What did not come has no time.
    """

    company: str
    base_url: str
    ping_ms: float | None = None
    event_ms: float | None = None
    applied_ms: float | None = None
    problem: str | None = None


class WebhookTrials:
    """The verb of the test."""

    def __init__(self, postgres: Postgres, companies: Companies, webhooks: Webhooks, inbox: WebhookInbox) -> None:
        self._postgres = postgres
        self._companies = companies
        self._webhooks = webhooks
        self._inbox = inbox

    async def run(self, actor: Actor, company: Company) -> Trial:
        """Post a ping and a marked event to this installation itself, and say what arrived and how fast. Audited.

        Only the address that the settings name is ever asked, and no redirect is followed.
        """
        made = await self._webhooks.open_trial(actor, company, _LASTING)
        trial = Trial(company.slug, self._webhooks.base_url)
        try:
            trial = await self._tried(company, made, trial)
        finally:
            facts = {"ping_ms": trial.ping_ms, "event_ms": trial.event_ms, "applied_ms": trial.applied_ms}
            await asyncio.shield(
                self._webhooks.close_trial(actor, company, made.address, **facts, problem=trial.problem)
            )
        return trial

    async def _tried(self, company: Company, made: MadeAddress, trial: Trial) -> Trial:
        message_id = f"teste-{uuid4()}"
        times: dict[str, float] = {}
        problem: str | None = None
        try:
            async with httpx2.AsyncClient(timeout=_ANSWER_SECONDS, follow_redirects=False, trust_env=False) as client:
                times["ping_ms"] = await _post(client, made, {"ping": "omie"})
                began = time.monotonic()
                times["event_ms"] = await _post(client, made, await self._event(company, message_id))
            await self._wait(company, message_id)
            times["applied_ms"] = _since(began)
        except (_NotArrived, ControlError) as error:
            problem = error.message
        return Trial(trial.company, trial.base_url, **times, problem=problem)

    async def _event(self, company: Company, message_id: str) -> dict[str, Any]:
        app_key = (await self._companies.credentials(company.id)).app_key
        return {
            "messageId": message_id,
            "topic": TEST_TOPIC,
            "event": {"teste": True},
            "author": {"name": "omie-control"},
            "appKey": app_key.reveal(),
            "origin": _ORIGIN,
        }

    async def _wait(self, company: Company, message_id: str) -> None:
        """Wait until the event is applied. Raises _NotArrived when it is not there, or stays undone."""
        dedupe = self._inbox.dedupe_of(company.id, message_id)
        deadline = time.monotonic() + _APPLY_SECONDS
        found: WebhookEvent | None = None
        while time.monotonic() < deadline:
            async with self._postgres.transaction() as connection:
                found = await store.event_of_message(connection, company.id, dedupe)
            if found is None:
                break
            if found.status is EventStatus.APPLIED:
                return
            await asyncio.sleep(_LOOK_SECONDS)
        if found is None:
            raise _NotArrived(
                "Alguém respondeu 200, mas o evento não está na caixa de entrada: o endereço leva a outra instalação."
            )
        raise _NotArrived(f"O evento chegou e não foi aplicado em {_APPLY_SECONDS:.0f} segundos.")


class _NotArrived(Exception):
    """The text says why, for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


async def _post(client: httpx2.AsyncClient, made: MadeAddress, body: dict[str, Any]) -> float:
    """Post as Omie does; return after how many milliseconds it was acknowledged. The address is in no error."""
    began = time.monotonic()
    try:
        answer = await client.post(
            made.url.reveal(), content=orjson.dumps(body), headers={"Content-Type": "application/json"}
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        # Not `from`: the cause may name the address with its secret.
        raise _NotArrived(f"O endereço desta instalação não respondeu ({type(exc).__name__}).") from None
    if not answer.is_success:
        raise _NotArrived(f"O endereço desta instalação respondeu HTTP {answer.status_code} em vez de 200.")
    return _since(began)


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
