"""A long list is read in the background, awaited in parts, watched and stopped, in both eras."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastmcp import Client
from tests.conftest import eventually
from tests.mcp_serving import MODES, text_of
from tests.stories.tools.conftest import Running
from tests.tool_stories import House, Told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import id_of
from omie_control.mcp.server import build_server
from omie_control.services import exports

LIST = "geral/clientes/ListarClientes"


async def _call(client: Client[Any], tool: str, **arguments: Any) -> Told:
    result = await client.call_tool(tool, arguments, raise_on_error=False)
    return Told(dict(result.structured_content or {}), text_of(result.content), bool(result.is_error))


async def _finished(client: Client[Any], pending: str, **more: Any) -> Told:
    """Wait for the end of an export, asking again as often as it takes, as an agent does."""
    while True:
        told = await _call(client, "aguardar_execucao", execution_id=pending, segundos=50, **more)
        if told.is_error or told.data["terminou"]:
            return told


def _client(running: Running, name: str, mode: Any = "auto", **more: Any) -> Client[Any]:
    actor = Actor(ActorKind.STDIO, name, Role.AGENT, may_write=False)
    return Client(build_server(running.app, stdio_actor=actor), mode=mode, **more)


@pytest.mark.parametrize("mode", MODES)
async def test_all_pages_come_in_parts(house: House, running: Running, mode: Any) -> None:
    seen: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        seen.append((done, total))

    async with _client(running, f"exportador-{mode}", mode, progress_handler=progress) as client:
        param = {"registros_por_pagina": 40}
        begun = await _call(client, "exportar_metodo_omie", empresa=house.slug, metodo=LIST, parametros=param)
        assert not begun.is_error, begun.text
        pending = begun.data["execution_id_da_exportacao"]
        names: list[str] = []
        part = 1
        while part:
            got = await _finished(client, pending, parte=part)
            assert (got.data["situacao"], got.data["partes"], got.data["registros"]) == ("completed", 4, 137), got.text
            names += [row["razao_social"] for row in got.data["linhas"]]
            part = got.data.get("proxima_parte", 0)
        beyond = await _call(client, "aguardar_execucao", execution_id=pending, parte=9)
    assert len(names) == 137
    assert sorted(names) == sorted(row.record["razao_social"] for row in house.table("clientes"))
    assert "A parte 9 desta exportação não existe" in beyond.text
    assert seen[-1] == (4.0, 4.0)
    found = await running.app.executions.get(Actor(ActorKind.CLI, "root", Role.ADMIN), pending)
    assert (found.process_type, found.parent, len(found.calls)) == ("exportacao", begun.data["execution_id"], 4)
    assert found.response_data == {
        "registros": 137,
        "partes": 4,
        "total_de_registros": 137,
        "dados_completos": True,
    }


async def test_nothing_found_is_an_empty_export(house: House, running: Running) -> None:
    async with _client(running, "exportador") as client:
        param = {"clientesFiltro": {"razao_social": "ninguem se chama assim"}}
        begun = await _call(client, "exportar_metodo_omie", empresa=house.slug, metodo=LIST, parametros=param)
        got = await _finished(client, begun.data["execution_id_da_exportacao"])
    assert (got.data["linhas"], got.data["registros"]) == ([], 0)


async def _exported(running: Running, slug: str, **param: Any) -> Told:
    """Export the list of clients and return what is told at its end."""
    async with _client(running, "exportador") as client:
        begun = await _call(client, "exportar_metodo_omie", empresa=slug, metodo=LIST, parametros=param)
        return await _finished(client, begun.data["execution_id_da_exportacao"])


async def test_an_export_that_reaches_its_last_page_but_not_the_list_s_end_says_so(
    house: House, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGES_MAX", 2)
    got = await _exported(running, house.slug, registros_por_pagina=40)
    told = (got.data["partes"], got.data["registros"], got.data["total_de_registros"], got.data["dados_completos"])
    assert told == (2, 80, 137, False)
    assert "dados incompletos" in got.text
    assert "80 de 137" in got.text


async def test_an_export_from_a_later_page_on_is_whole_at_the_end(house: House, running: Running) -> None:
    got = await _exported(running, house.slug, registros_por_pagina=40, pagina=4)
    assert (got.data["registros"], got.data["dados_completos"]) == (17, True), got.text


async def test_the_first_part_lives_as_long_after_the_end_as_the_last(
    house: House, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = exports.Exports._keep

    async def slow(self: exports.Exports, *args: Any) -> None:
        await keep(self, *args)
        async for key in running.app.db.redis.scan_iter("export:*:part:*"):
            await running.app.db.redis.expire(key, 600)

    monkeypatch.setattr(exports.Exports, "_keep", slow)
    got = await _exported(running, house.slug, registros_por_pagina=40)
    assert got.data["partes"] == 4, got.text
    parts = f"export:*:part:{id_of(got.data['execution_id'])}:*"
    lives = [await running.app.db.redis.ttl(key) async for key in running.app.db.redis.scan_iter(parts)]
    assert len(lives) == 4
    assert min(lives) > 3_000


async def test_what_is_no_list_is_refused(house: House, running: Running) -> None:
    async with _client(running, "exportador") as client:
        for method, says in (
            ("geral/clientes/ConsultarCliente", "não é uma lista"),
            ("geral/clientes/IncluirCliente", "não é uma lista"),
            ("geral/clientes/ListarFregueses", "não existe no Omie"),
        ):
            refused = await _call(client, "exportar_metodo_omie", empresa=house.slug, metodo=method)
            assert says in refused.text
        param = {"pagina": "um"}
        wrong = await _call(client, "exportar_metodo_omie", empresa=house.slug, metodo=LIST, parametros=param)
        assert "pagina: deve ser um número inteiro" in wrong.text
    assert house.asked == []


async def test_a_failure_ends_it_and_is_told(house: House, running: Running) -> None:
    house.omie.plan("425", call="ListarClientes")
    async with _client(running, "exportador") as client:
        begun = await _call(client, "exportar_metodo_omie", empresa=house.slug, metodo=LIST)
        got = await _finished(client, begun.data["execution_id_da_exportacao"])
        why = await _call(client, "por_que_falhou", execution_id=got.data["execution_id"])
    assert (got.data["situacao"], got.data["terminou"]) == ("failed", True)
    assert "bloque" in got.data["erro"]
    assert why.data["pode_repetir"] == "depois_de_esperar"


async def test_its_owner_stops_it_and_nobody_else(
    house: House, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, release = asyncio.Event(), asyncio.Event()
    keep = exports.Exports._keep

    async def slow(self: exports.Exports, *args: Any) -> None:
        await keep(self, *args)
        reached.set()
        await release.wait()

    monkeypatch.setattr(exports.Exports, "_keep", slow)
    async with _client(running, "dono") as owner, _client(running, "outro") as other:
        begun = await _call(owner, "exportar_metodo_omie", empresa=house.slug, metodo=LIST)
        pending = begun.data["execution_id_da_exportacao"]
        await reached.wait()
        waiting = await _call(owner, "aguardar_execucao", execution_id=pending, segundos=0)
        assert (waiting.data["situacao"], waiting.data["terminou"], waiting.data["partes"]) == ("running", False, 1)
        refused = await _call(other, "cancelar_execucao", execution_id=pending, motivo="não é minha")
        assert "não permite cancelar execuções" in refused.text
        stopped = await _call(owner, "cancelar_execucao", execution_id=pending, motivo="já não preciso")
        assert not stopped.is_error, stopped.text
        ended = await _finished(owner, pending)
        assert (ended.data["situacao"], ended.data["terminou"]) == ("cancelled", True)
        assert "já não preciso" in ended.data["erro"]
        again = await _call(owner, "cancelar_execucao", execution_id=pending, motivo="de novo")
        assert "já terminou" in again.text


async def test_parts_are_for_their_owner_and_sealed(house: House, running: Running) -> None:
    async with _client(running, "dono") as owner, _client(running, "outro") as other:
        begun = await _call(owner, "exportar_metodo_omie", empresa=house.slug, metodo=LIST)
        pending = begun.data["execution_id_da_exportacao"]

        async def is_done() -> bool:
            return bool((await _call(owner, "aguardar_execucao", execution_id=pending)).data["terminou"])

        await eventually(is_done)
        hidden = await _call(other, "aguardar_execucao", execution_id=pending)
        assert "Esta exportação não existe" in hidden.text
        # Those of other stories may go at any moment.
        parts = f"export:*:part:{id_of(pending)}:*"
        keys = [key async for key in running.app.db.redis.scan_iter(parts)]
        name = house.first("clientes", inativo="N").record["razao_social"].encode()
        assert keys
        for key in keys:
            kept = await running.app.db.redis.get(key)
            assert isinstance(kept, bytes)
            assert name not in kept
            assert 0 < await running.app.db.redis.ttl(key) <= 3600
            await running.app.db.redis.delete(key)
        gone = await _call(owner, "aguardar_execucao", execution_id=pending)
        assert "já não está guardada" in gone.text
