"""Webhooks as Omie delivers them: in order for each application, again until a 2XX, and now and then twice.

Whoever set up an address hears of every write to the nouns below, by a program or by a person. An event that nobody
takes holds back those behind it: three tries within seconds, then one about every ten minutes for five days, then it is
lost. Pauses run on the simulator's clock, the wait for an answer on the real one.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from omie_control.simulator.book import Effect
from omie_control.simulator.clock import Clock
from omie_control.simulator.world import Company

QUICK_TRIES = 3
_QUICK_PAUSES = (1.0, 4.0)
_SLOW_PAUSE = 600.0
_SLOW_TRIES = 5 * 24 * 6
_QUICK_PATIENCE, _SLOW_PATIENCE = 7.0, 20.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MASCULINE = {"create": "Incluido", "update": "Alterado", "delete": "Excluido"}
_FEMININE = {"create": "Incluida", "update": "Alterada", "delete": "Excluida"}
_SETTLED = {"create": "BaixaRealizada", "delete": "BaixaCancelada"}
# By table: the topic's noun, its words for what was done, and how events name the record's two keys.
_NOUNS = {
    "clientes": ("ClienteFornecedor", _MASCULINE, "codigo_cliente_omie", "codigo_cliente_integracao"),
    "contas_pagar": ("Financas.ContaPagar", _MASCULINE, "codigo_lancamento_omie", "codigo_lancamento_integracao"),
    "contas_receber": ("Financas.ContaReceber", _MASCULINE, "codigo_lancamento_omie", "codigo_lancamento_integracao"),
    "baixas_contas_pagar": ("Financas.ContaPagar", _SETTLED, "codigo_baixa", "codigo_baixa_integracao"),
    "baixas_contas_receber": ("Financas.ContaReceber", _SETTLED, "codigo_baixa", "codigo_baixa_integracao"),
    "pedidos": ("VendaProduto", _FEMININE, "idPedido", "codIntPedido"),
}
PERSON = {"email": "pessoa@example.com", "name": "Pessoa Teste", "userId": 1}
PROGRAM = {"email": "integracao@example.com", "name": "Integração", "userId": 2}


class BadSubscription(ValueError):
    """The address cannot be posted to."""


@dataclass(slots=True)
class Delivery:
    """One event on its way: every answer so far (0: none came), and whether it arrived."""

    app_key: str
    topic: str
    body: dict[str, Any]
    answers: list[int] = field(default_factory=list)
    outcome: str = "waiting"


@dataclass(slots=True)
class _Line:
    """What goes to one application's address. `duplicates`: how many events to come are brought twice."""

    url: str
    duplicates: int
    waiting: deque[Delivery] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Webhooks:
    """The addresses that were set up, and everything that went to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self.deliveries: list[Delivery] = []

    async def subscribe(self, app_key: str, url: str, duplicates: int = 0) -> int:
        """Set an application's address up, and try it with a ping; returns the answer's status (0: none came).

        Only addresses of this machine: a simulator is no way to post to strangers. Raises BadSubscription.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname not in _LOOPBACK:
            raise BadSubscription("url is an http or https address of this machine")
        self.unsubscribe(app_key)
        self._lines[app_key] = _Line(url, duplicates)
        return await _post(url, {"ping": "omie"}, _QUICK_PATIENCE)

    def unsubscribe(self, app_key: str) -> None:
        """Forget an application's address, with what was on its way."""
        line = self._lines.pop(app_key, None)
        if line is not None and line.task is not None:
            line.task.cancel()

    def clear(self) -> None:
        """Forget every address and every delivery."""
        for app_key in list(self._lines):
            self.unsubscribe(app_key)
        self.deliveries.clear()

    def tell(self, company: Company, effects: Iterable[Effect], author: dict[str, Any]) -> None:
        """Bring what was done to whoever set an address up; returns at once."""
        line = self._lines.get(company.app_key)
        if line is None:
            return
        for topic, event in _events(company, effects):
            body = {
                "messageId": str(uuid4()),
                "topic": topic,
                "event": event,
                "author": author,
                "appKey": company.app_key,
                "appHash": f"sim-{company.app_key[-6:]}",
                "origin": "omie-connect-2.0",
            }
            delivery = Delivery(company.app_key, topic, body)
            self.deliveries.append(delivery)
            line.waiting.append(delivery)
        if line.waiting and (line.task is None or line.task.done()):
            line.task = asyncio.create_task(self._work(line), name="simulated webhooks")

    def as_json(self) -> dict[str, Any]:
        """Return every delivery for `GET /_sim/webhooks`."""
        return {"items": [asdict(delivery) for delivery in self.deliveries]}

    async def _work(self, line: _Line) -> None:
        while line.waiting:
            await self._deliver(line, line.waiting[0])
            line.waiting.popleft()

    async def _deliver(self, line: _Line, delivery: Delivery) -> None:
        for number in range(QUICK_TRIES + _SLOW_TRIES):
            is_quick = number < QUICK_TRIES
            if number:
                await self._clock.sleep(_QUICK_PAUSES[number - 1] if is_quick else _SLOW_PAUSE)
            delivery.answers.append(
                await _post(line.url, delivery.body, _QUICK_PATIENCE if is_quick else _SLOW_PATIENCE)
            )
            if 200 <= delivery.answers[-1] < 300:
                break
        else:
            delivery.outcome = "lost"
            return
        if line.duplicates > 0:
            # At least once: an acknowledged event comes again.
            line.duplicates -= 1
            delivery.answers.append(await _post(line.url, delivery.body, _QUICK_PATIENCE))
        delivery.outcome = "delivered"


async def _post(url: str, body: dict[str, Any], seconds: float) -> int:
    try:
        async with httpx2.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False) as client:
            answer = await client.post(
                url, content=json.dumps(body, default=str), headers={"Content-Type": "application/json"}
            )
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return 0
    return int(answer.status_code)


def _events(company: Company, effects: Iterable[Effect]) -> Iterator[tuple[str, Any]]:
    """Give topic and event of each record that was touched: made and then changed is only made."""
    seen: set[tuple[str, int]] = set()
    for effect in effects:
        noun = _NOUNS.get(effect.table)
        if noun is None or effect.action not in noun[1] or (effect.table, effect.id) in seen:
            continue
        seen.add((effect.table, effect.id))
        topic, words, id_tag, code_tag = noun
        event = {id_tag: effect.id, code_tag: effect.integration_code, **_plain(company, effect)}
        # Settlements come as an array, unlike everything else.
        yield f"{topic}.{words[effect.action]}", [event] if words is _SETTLED and effect.action == "create" else event


def _plain(company: Company, effect: Effect) -> dict[str, Any]:
    """Return the plain fields of a record that is still there."""
    row = company.table(effect.table).get(effect.id)
    record = {} if row is None else row.record
    return {tag: value for tag, value in record.items() if isinstance(value, str | int | float | bool)}
