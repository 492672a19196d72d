"""The simulator brings events as Omie does: a ping first, in order, until somebody takes them, twice on request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
import pytest
from tests.conftest import eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.mcp_serving import serving

from omie_control.omie.webhooks import services_of
from omie_control.simulator import webhooks

FAST = 3_600.0


@dataclass
class Receiver:
    """Somebody who takes events, as often as `refusals` does not say otherwise."""

    refusals: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.bodies.append(orjson.loads(body))
        is_refused = self.refusals > 0 and "topic" in self.bodies[-1]
        self.refusals -= is_refused
        await send({"type": "http.response.start", "status": 500 if is_refused else 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    @property
    def topics(self) -> list[str]:
        return [body["topic"] for body in self.bodies if "topic" in body]


@pytest.fixture
async def omie() -> AsyncIterator[OmieServer]:
    async with start_omie(time_scale=FAST) as server:
        yield server


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def url(receiver: Receiver) -> AsyncIterator[str]:
    async with serving(receiver) as at:
        yield at


async def control(omie: OmieServer, what: str, **asked: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=60) as client:
        return await client.post(f"{omie.url}/_sim/{what}", json={"app_key": omie.company.app_key, **asked})


async def person(omie: OmieServer, endpoint: str, **param: Any) -> dict[str, Any]:
    answer = await control(omie, "person", endpoint=endpoint, param=param)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def customer(omie: OmieServer, code: str) -> int:
    made = await person(omie, "geral/clientes/IncluirCliente", codigo_cliente_integracao=code, razao_social="Acme")
    return int(made["codigo_cliente_omie"])


async def test_events_of_a_person_and_of_a_program_come_in_order(
    omie: OmieServer, receiver: Receiver, url: str
) -> None:
    assert (await control(omie, "webhooks", url=url)).json() == {"ping": 200}
    assert receiver.bodies == [{"ping": "omie"}]
    id = await customer(omie, "ACME-1")
    await person(omie, "geral/clientes/AlterarCliente", codigo_cliente_omie=id, razao_social="Acme Dois")
    call = {
        "call": "ExcluirCliente",
        "app_key": omie.company.app_key,
        "app_secret": omie.company.app_secret,
        "param": [{"codigo_cliente_omie": id}],
    }
    async with httpx2.AsyncClient(timeout=60) as program:
        assert (await program.post(omie.base_url + "geral/clientes/", json=call)).status_code == 200

    async def came() -> bool:
        return len(receiver.topics) == 3

    await eventually(came)
    assert receiver.topics == [f"ClienteFornecedor.{word}" for word in ("Incluido", "Alterado", "Excluido")]
    first, _, last = receiver.bodies[1:]
    assert first["event"]["codigo_cliente_omie"] == id
    assert (first["author"], last["author"]) == (webhooks.PERSON, webhooks.PROGRAM)
    assert first["appKey"] == omie.company.app_key
    assert len({body["messageId"] for body in receiver.bodies[1:]}) == 3


async def test_what_is_refused_comes_again_and_holds_back_the_rest(
    omie: OmieServer, receiver: Receiver, url: str
) -> None:
    await control(omie, "webhooks", url=url)
    receiver.refusals = webhooks.QUICK_TRIES + 1
    id = await customer(omie, "ACME-1")
    await person(omie, "geral/clientes/AlterarCliente", codigo_cliente_omie=id, razao_social="Acme Dois")

    async def came() -> bool:
        return receiver.topics[-1:] == ["ClienteFornecedor.Alterado"]

    await eventually(came)
    assert receiver.topics == ["ClienteFornecedor.Incluido"] * 5 + ["ClienteFornecedor.Alterado"]
    [made, changed] = omie.simulator.webhooks.deliveries
    assert made.answers == [500, 500, 500, 500, 200]
    assert len({body["messageId"] for body in receiver.bodies[1:6]}) == 1

    async def is_over() -> bool:
        return changed.outcome == "delivered"

    await eventually(is_over)


async def test_an_acknowledged_event_comes_twice_where_that_is_asked_for(
    omie: OmieServer, receiver: Receiver, url: str
) -> None:
    await control(omie, "webhooks", url=url, duplicates=1)
    for code in ("ACME-1", "ACME-2"):
        await customer(omie, code)

    async def came() -> bool:
        return len(receiver.topics) == 3

    await eventually(came)
    ids = [body["messageId"] for body in receiver.bodies[1:]]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"url": "http://example.com/"}, 422),
        ({"url": "file:///etc/passwd"}, 422),
        ({}, 422),
        ({"url": "http://127.0.0.1:9/", "app_key": "0"}, 404),
        ({"url": "http://127.0.0.1:9/"}, 200),
        ({"url": None}, 200),
    ],
)
async def test_only_addresses_of_this_machine_are_posted_to(
    omie: OmieServer, asked: dict[str, Any], status: int
) -> None:
    answer = await control(omie, "webhooks", **asked)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json() == {"ping": None if asked["url"] is None else 0}


async def test_a_person_is_refused_as_omie_refuses_and_a_reset_forgets_the_address(
    omie: OmieServer, receiver: Receiver, url: str
) -> None:
    await control(omie, "webhooks", url=url)
    refused = await control(omie, "person", endpoint="geral/clientes/AlterarCliente", param={"codigo_cliente_omie": 1})
    assert "não cadastrado" in refused.json()["faultstring"]
    assert (await control(omie, "person", endpoint="geral/nada/Nada")).status_code == 404
    assert (await control(omie, "person", param={})).status_code == 422
    async with httpx2.AsyncClient(timeout=60) as client:
        await client.post(f"{omie.url}/_sim/reset")
    await customer(omie, "ACME-1")
    assert omie.simulator.webhooks.deliveries == []
    assert receiver.topics == []


def test_every_topic_that_the_simulator_sends_is_known_to_the_catalogue() -> None:
    topics = [f"{noun}.{word}" for noun, words, *_ in webhooks._NOUNS.values() for word in words.values()]
    assert len(topics) == 16
    assert all(services_of(topic) for topic in topics)
