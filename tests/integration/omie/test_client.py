"""The client against the simulator, over real loopback HTTP: good days, bad days, and what is measured of each."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from tests.conftest import eventually
from tests.fixtures_omie import OmieServer, start_omie
from tests.ports import port_of, reserved

from omie_control import telemetry
from omie_control.domain.companies import require_credentials
from omie_control.domain.executions import Call
from omie_control.errors import ControlError, OmieBusy, OmieFault, OmieUnreachable, Uncertain
from omie_control.omie.catalog import catalog
from omie_control.omie.client import OmieClient
from omie_control.omie.facts import facts_of

LIST = catalog().method("geral/clientes/", "ListarClientes")
GET = catalog().method("geral/clientes/", "ConsultarCliente")
CREATE = catalog().method("geral/clientes/", "IncluirCliente")
# Moves of the simulator's after which a caller waits until its time is over.
NEVER_ANSWERED = ("timeout_before", "timeout_after", "silent")
NEW = {"razao_social": "Padaria Ação Ltda", "cnpj_cpf": "11.222.333/0001-81", "codigo_cliente_integracao": "N-1"}


@pytest.fixture
async def impatient(omie_server: OmieServer, move: str) -> AsyncIterator[OmieClient]:
    """Give a client that soon gives up where no answer comes; where one does come, it waits for it."""
    seconds = 3.0 if move in NEVER_ANSWERED else 30.0
    client = OmieClient(omie_server.base_url, timeout_seconds=seconds, max_response_bytes=1_000_000)
    await client.open()
    yield client
    await client.close()


@pytest.fixture
async def omie_client(omie_server: OmieServer) -> AsyncIterator[OmieClient]:
    """Give an open client that a slow machine does not outlast."""
    client = OmieClient(omie_server.base_url, timeout_seconds=60.0)
    await client.open()
    yield client
    await client.close()


async def test_a_page_comes_back_as_its_data_and_as_one_row_of_metrics(
    omie_server: OmieServer, omie_client: OmieClient
) -> None:
    calls: list[Call] = []
    began = time.monotonic()
    payload = await omie_client.call(omie_server.credentials, LIST, {"pagina": 1}, on_call=calls.append)
    took_ms = (time.monotonic() - began) * 1000
    assert payload.data["total_de_registros"] == 137
    assert len(payload.data["clientes_cadastro"]) == 50
    [call] = calls
    assert (call.endpoint, call.method, call.status_code) == ("geral/clientes/ListarClientes", "POST", 200)
    assert call.success
    assert call.response_size_bytes > call.request_size_bytes > 50
    assert 0 <= call.response_time_ms <= took_ms + 1


async def test_a_whole_list_is_read_page_by_page_until_it_is_empty(
    omie_server: OmieServer, omie_client: OmieClient
) -> None:
    names = []
    for page in range(1, 10):
        payload = await omie_client.call(omie_server.credentials, LIST, {"pagina": page, "registros_por_pagina": 500})
        if payload.is_empty_page:
            break
        names += LIST.rows(payload.data)
    assert (page, len(names)) == (3, 137)


async def test_a_customer_is_made_found_and_not_made_twice(omie_server: OmieServer, omie_client: OmieClient) -> None:
    made = await omie_client.call(omie_server.credentials, CREATE, NEW)
    found = await omie_client.call(omie_server.credentials, GET, {"codigo_cliente_integracao": "N-1"})
    assert found.data["codigo_cliente_omie"] == made.data["codigo_cliente_omie"]
    assert found.data["razao_social"] == "Padaria Ação Ltda"
    with pytest.raises(OmieFault) as caught:
        await omie_client.call(omie_server.credentials, CREATE, NEW | {"email": "a@exemplo.com.br"})
    facts = facts_of(caught.value)
    assert facts is not None
    assert facts.omie_id == made.data["codigo_cliente_omie"]


async def test_a_refusal_is_measured_with_its_code(omie_server: OmieServer, omie_client: OmieClient) -> None:
    calls: list[Call] = []
    with pytest.raises(OmieFault) as caught:
        await omie_client.call(omie_server.credentials, GET, {"codigo_cliente_omie": 9}, on_call=calls.append)
    assert caught.value.code == "omie_nao_encontrado"
    assert [(call.status_code, call.success, call.fault_code) for call in calls] == [(500, False, "Client-105")]


async def test_a_busy_answer_says_until_when(omie_server: OmieServer, omie_client: OmieClient) -> None:
    await omie_client.call(omie_server.credentials, LIST, {"pagina": 1})
    with pytest.raises(OmieBusy) as caught:
        await omie_client.call(omie_server.credentials, LIST, {"pagina": 1})
    assert caught.value.until is not None
    assert caught.value.code == "omie_redundante"


async def test_a_wrong_secret_is_told_without_showing_it(omie_server: OmieServer, omie_client: OmieClient) -> None:
    wrong = require_credentials(omie_server.company.app_key, "wrongwrongwrongwrong")
    with pytest.raises(OmieFault) as caught:
        await omie_client.call(wrong, LIST, {"pagina": 1})
    assert caught.value.code == "omie_credenciais"
    assert "wrongwrong" not in caught.value.for_people()


SPOILT = ["timeout_after", "cut_json", "gzip_bomb", "huge"]
UNDONE = ["timeout_before", "silent", "html", "empty", "broken", "8020", "500", "reset"]


@pytest.mark.parametrize("move", SPOILT + UNDONE)
async def test_a_write_without_a_clear_answer_is_uncertain_whether_or_not_it_was_done(
    omie_server: OmieServer, impatient: OmieClient, move: str
) -> None:
    omie_server.plan(move, call="IncluirCliente")
    calls: list[Call] = []
    with pytest.raises(Uncertain) as caught:
        await impatient.call(omie_server.credentials, CREATE, NEW, on_call=calls.append)
    assert "Não repita" in caught.value.for_people()
    assert len(calls) == 1
    assert not calls[0].success

    async def is_handled() -> bool:
        return [len(entry.effects) for entry in omie_server.simulator.book.entries] == [move in SPOILT]

    # Whoever gave up may have done so before Omie was at it.
    await eventually(is_handled)


@pytest.mark.parametrize(
    "move", ["timeout_before", "html", "empty", "cut_json", "broken", "reset", "gzip_bomb", "huge"]
)
async def test_a_read_without_a_usable_answer_says_that_omie_is_away(
    omie_server: OmieServer, impatient: OmieClient, move: str
) -> None:
    omie_server.plan(move, call="ListarClientes")
    with pytest.raises(OmieUnreachable):
        await impatient.call(omie_server.credentials, LIST, {"pagina": 1})
    # The client can be used on; this call takes the time that a busy machine takes.
    assert impatient._http is not None
    impatient._timeout_seconds, impatient._http.timeout = 30.0, httpx2.Timeout(30.0)
    payload = await impatient.call(omie_server.credentials, LIST, {"pagina": 2})
    assert payload.data["pagina"] == 2


@pytest.mark.parametrize("move", ["425", "429"])
async def test_a_write_that_was_refused_for_its_pace_may_be_sent_again(
    omie_server: OmieServer, omie_client: OmieClient, move: str
) -> None:
    omie_server.plan(move, call="IncluirCliente")
    with pytest.raises(OmieBusy) as caught:
        await omie_client.call(omie_server.credentials, CREATE, NEW)
    facts = facts_of(caught.value)
    assert facts is not None
    assert facts.is_proved_refusal
    assert (facts.seconds or 0) >= 60


async def test_latin1_is_read(omie_server: OmieServer, omie_client: OmieClient) -> None:
    await omie_client.call(omie_server.credentials, CREATE, NEW)
    omie_server.plan("latin1", call="ConsultarCliente")
    payload = await omie_client.call(omie_server.credentials, GET, {"codigo_cliente_integracao": "N-1"})
    assert payload.data["razao_social"] == "Padaria Ação Ltda"


async def test_nobody_at_the_other_end_proves_that_nothing_was_sent() -> None:
    nobody = reserved()
    client = OmieClient(f"http://127.0.0.1:{port_of(nobody)}/api/v1/", timeout_seconds=20.0)
    calls: list[Call] = []
    pair = require_credentials("1234567890", "0" * 32)
    try:
        with pytest.raises(OmieUnreachable) as caught:
            await client.call(pair, CREATE, NEW, on_call=calls.append)
    finally:
        await client.close()
        nobody.close()
    facts = facts_of(caught.value)
    assert facts is not None
    assert facts.is_proved_refusal
    assert (calls[0].status_code, calls[0].success) == (None, False)


async def test_a_call_that_may_not_leave_any_more_never_reaches_omie(
    omie_server: OmieServer, omie_client: OmieClient
) -> None:
    calls: list[Call] = []
    with pytest.raises(OmieUnreachable) as caught:
        await omie_client.call(
            omie_server.credentials, CREATE, NEW, on_call=calls.append, may_leave=lambda: bool(calls)
        )
    facts = facts_of(caught.value)
    assert facts is not None
    assert facts.is_proved_refusal
    assert [(call.status_code, call.success) for call in calls] == [(None, False)]
    assert omie_server.simulator.book.entries == []
    # The connection that stood already is not left half used.
    await omie_client.call(omie_server.credentials, CREATE, NEW, may_leave=lambda: bool(calls))
    assert len(omie_server.simulator.book.entries) == 1


async def test_a_cancelled_call_is_measured_and_leaves_the_client_usable(
    omie_server: OmieServer, omie_client: OmieClient
) -> None:
    omie_server.plan("timeout_before", call="ListarClientes")
    calls: list[Call] = []
    task = asyncio.create_task(omie_client.call(omie_server.credentials, LIST, {"pagina": 1}, on_call=calls.append))
    async with asyncio.timeout(60):
        while not omie_server.simulator.book.entries:
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(call.status_code, call.success) for call in calls] == [(None, False)]
    assert (await omie_client.call(omie_server.credentials, LIST, {"pagina": 2})).data["pagina"] == 2


async def test_connections_are_used_again(omie_server: OmieServer, omie_client: OmieClient) -> None:
    for page in range(1, 4):
        await omie_client.call(omie_server.credentials, LIST, {"pagina": page})
    assert omie_client._http is not None
    pool = omie_client._http._transport._pool  # type: ignore[attr-defined]
    assert len(pool.connections) == 1


async def test_another_address_may_be_given_for_one_company(omie_client: OmieClient) -> None:
    async with start_omie(seed=2) as other:
        payload = await omie_client.call(other.credentials, LIST, {"pagina": 1}, base_url=other.base_url)
        assert payload.data["pagina"] == 1
        assert len(other.simulator.book.entries) == 1


async def test_nothing_that_is_secret_or_personal_is_logged_or_told(
    omie_server: OmieServer, omie_client: OmieClient, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    stop = telemetry.subscribe(lambda event, facts: told.append(f"{event} {facts}"))
    caplog.set_level(logging.DEBUG)
    try:
        await omie_client.call(omie_server.credentials, CREATE, NEW)
        with pytest.raises(ControlError):
            await omie_client.call(omie_server.credentials, CREATE, NEW | {"email": "x@exemplo.com.br"})
    finally:
        stop()
    everything = " ".join([*told, caplog.text])
    assert len(told) == 4
    for hidden in (omie_server.company.app_secret, "11.222.333", "Padaria", "x@exemplo"):
        assert hidden not in everything


async def test_a_call_is_a_client_span_that_omie_never_hears_of(
    omie_server: OmieServer, omie_client: OmieClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    sent: list[str] = []

    async def note(request: httpx2.Request) -> None:
        sent.extend(request.headers)

    assert omie_client._http is not None
    omie_client._http.event_hooks = {"request": [note]}
    await omie_client.call(omie_server.credentials, LIST, {"pagina": 1})
    assert "user-agent" in sent
    assert not {"traceparent", "tracestate", "baggage"} & set(sent)
    [span] = exporter.get_finished_spans()
    assert span.kind is SpanKind.CLIENT
    assert span.attributes is not None
    assert span.attributes["omie.endpoint"] == "geral/clientes/ListarClientes"
    assert span.attributes["http.response.status_code"] == 200
    assert trace.get_current_span() is trace.INVALID_SPAN
