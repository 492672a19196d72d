"""The simulator's own controls: faults to order, its book, its log of violations, and the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import httpx2
import pytest

from omie_control.simulator.seed import DEMO_COMPANIES
from omie_control.simulator.server import build_simulator

COMPANY = DEMO_COMPANIES[0]


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(build_simulator(latency_ms=(0, 0)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://omie.test") as client:
        yield client


async def call(http: httpx2.AsyncClient, name: str, **param: Any) -> httpx2.Response:
    envelope = {"call": name, "param": [param], "app_key": COMPANY.app_key, "app_secret": COMPANY.app_secret}
    return await http.post("/api/v1/geral/clientes/", json=envelope)


async def plan(http: httpx2.AsyncClient, *plans: dict[str, Any]) -> None:
    assert (await http.post("/_sim/faults", json=list(plans))).json() == {"planned": len(plans)}


async def test_only_the_call_that_matches_fails_and_only_so_often(http: httpx2.AsyncClient) -> None:
    await plan(http, {"match": {"call": "ListarClientes"}, "move": "html", "times": 2})
    assert (await call(http, "ConsultarCliente", codigo_cliente_omie=COMPANY.first_id)).status_code == 200
    statuses = [(await call(http, "ListarClientes", pagina=page)).status_code for page in (1, 2, 3)]
    assert statuses == [502, 502, 200]


async def test_the_nth_or_every_nth_call_may_be_named(http: httpx2.AsyncClient) -> None:
    await plan(http, {"match": {"nth": 2, "service": "geral/clientes/"}, "move": "html"})
    statuses = [(await call(http, "ListarClientes", registros_por_pagina=size)).status_code for size in range(1, 5)]
    assert statuses == [200, 502, 200, 200]
    await plan(http, {"match": {"every": 3, "app_key": COMPANY.app_key}, "move": "html", "times": None})
    statuses = [(await call(http, "ListarClientes", registros_por_pagina=size)).status_code for size in range(5, 11)]
    assert statuses == [200, 200, 502, 200, 200, 502]


@pytest.mark.parametrize(("executes", "made"), [(True, 1), (False, 0)])
async def test_a_failure_may_come_after_the_work_was_done(http: httpx2.AsyncClient, executes: bool, made: int) -> None:
    await plan(http, {"match": {"call": "IncluirCliente"}, "move": "broken", "executes": executes})
    answer = await call(http, "IncluirCliente", razao_social="X", cnpj_cpf="529.982.247-25")
    assert "Broken response" in answer.json()["faultstring"]
    [entry] = (await http.get("/_sim/book")).json()["entries"]
    assert (entry["is_executed"], len(entry["effects"]), entry["move"]) == (bool(made), made, "broken")


async def test_the_book_names_what_was_changed_and_when(http: httpx2.AsyncClient) -> None:
    param = {"razao_social": "X", "cnpj_cpf": "529.982.247-25", "codigo_cliente_integracao": "B-1"}
    made = (await call(http, "IncluirCliente", **param)).json()
    await call(http, "ConsultarCliente", codigo_cliente_omie=9)
    first, second = (await http.get("/_sim/book")).json()["entries"]
    assert first["effects"] == [
        {"table": "clientes", "action": "create", "id": made["codigo_cliente_omie"], "integration_code": "B-1"}
    ]
    assert (first["outcome"], second["outcome"], second["fault_code"]) == ("ok", "fault", "Client-105")
    assert not any(part in str((first, second)) for part in ("529.982", "982.247", "529982", "982247", "247-25"))


async def test_a_broken_limit_is_refused_and_logged(http: httpx2.AsyncClient) -> None:
    assert (await call(http, "ListarClientes", pagina=1)).status_code == 200
    assert "REDUNDANT" in (await call(http, "ListarClientes", pagina=1)).json()["faultstring"]
    violations = (await http.get("/_sim/violations")).json()
    assert violations["count"] == 1
    assert violations["items"][0]["rule"] == "redundancy"


async def test_an_ordered_block_lasts(http: httpx2.AsyncClient) -> None:
    await plan(http, {"move": "425"})
    for page in (1, 2):
        answer = await call(http, "ListarClientes", pagina=page)
        assert answer.status_code == 425
        assert answer.json()["faultcode"] == "MISUSE_API_PROCESS"


async def test_a_reset_goes_back_to_the_beginning(http: httpx2.AsyncClient) -> None:
    await call(http, "IncluirCliente", razao_social="X", cnpj_cpf="529.982.247-25")
    await plan(http, {"move": "html", "times": None})
    await http.post("/_sim/reset")
    assert (await http.get("/_sim/book")).json() == {"requests": 0, "entries": []}
    assert (await call(http, "ListarClientes", pagina=1)).json()["total_de_registros"] == 137


@pytest.mark.parametrize(
    "raw", [b"{", b"1", b'{"move":"nada"}', b'{"move":"html","often":1}', b'{"move":"html","match":{"metodo":"x"}}']
)
async def test_a_plan_that_cannot_be_followed_is_refused(http: httpx2.AsyncClient, raw: bytes) -> None:
    answer = await http.post("/_sim/faults", content=raw)
    assert answer.status_code == 422
    assert answer.json()["error"]


async def test_half_a_request_executes_nothing_and_makes_no_noise() -> None:
    app = build_simulator(latency_ms=(0.0, 0.0))
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b'{"call":"Incluir', "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> MutableMapping[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        """Nobody hears it."""

    path = "/api/v1/geral/clientes/"
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [],
        "client": None,
    }
    await app(scope, receive, send)
    assert app.state.simulator.book.entries == []
