"""Why did it fail, and what may I still do: asked by whoever is at a loss."""

from __future__ import annotations

from typing import Any

from fastmcp import Client
from tests.conftest import eventually
from tests.mcp_serving import text_of
from tests.stories.tools.conftest import Running
from tests.tool_stories import House, Told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.errors import ControlError
from omie_control.mcp.server import build_server
from omie_control.omie.facts import FaultKind
from omie_control.services.failures import _BY_CODE

LIST = "consultar_clientes"


async def _why(house: House, **arguments: str) -> Told:
    result = await house.client.call_tool("por_que_falhou", arguments, raise_on_error=False)
    return Told(dict(result.structured_content or {}), text_of(result.content), bool(result.is_error))


async def _id_of(house: House, tool: str, **arguments: object) -> str:
    failed = await house.call(tool, **arguments)
    assert failed.is_error
    return failed.text.rpartition("execution_id: ")[2].strip()


async def test_the_last_failure_is_explained(house: House) -> None:
    failed = await _id_of(house, "consultar_cliente_por_codigo", codigo_omie=1)
    why = await _why(house)
    assert why.data["execution_id"] == failed
    assert (why.data["tipo"], why.data["codigo"]) == ("consultar_cliente_por_codigo", "omie_nao_encontrado")
    assert why.data["pode_repetir"] == "depois_de_corrigir"
    assert why.data["metodo_omie"] == "geral/clientes/ConsultarCliente"
    assert why.data["chamadas_ao_omie"] == 1
    assert why.data["causa"] in why.text
    # Asking in vain is no failure worth explaining.
    assert (await _why(house, execution_id="nao_existe")).is_error
    assert (await _why(house)).data["execution_id"] == failed


async def test_what_was_refused_before_it_left_says_so(house: House) -> None:
    failed = await _id_of(house, LIST, pagina=0)
    why = await _why(house, execution_id=failed)
    assert (why.data["codigo"], why.data["chamadas_ao_omie"]) == ("dado_invalido", 0)
    assert "nada foi gravado" in why.text


async def test_an_uncertain_write_must_not_be_repeated(house: House) -> None:
    house.omie.plan("reset", call="IncluirCliente", executes=True)
    failed = await _id_of(house, "incluir_cliente", razao_social="Sol Ltda", cnpj_cpf="11.222.333/0001-81")
    why = await _why(house, execution_id=failed)
    assert (why.data["situacao"], why.data["pode_repetir"]) == ("uncertain", "nao")
    assert "Não repita" in why.text


async def test_what_went_well_needs_no_advice(house: House) -> None:
    done = await house.call(LIST, registros_por_pagina=1)
    why = await _why(house, execution_id=done.data["execution_id"])
    assert why.data["pode_repetir"] == "nao_precisa"


async def test_a_failure_belongs_to_its_errand(house: House, running: Running) -> None:
    mine = Actor(ActorKind.STDIO, "arrumador", Role.AGENT)
    async with Client(build_server(running.app, stdio_actor=mine)) as client:
        none = await client.call_tool("por_que_falhou", {}, raise_on_error=False)
        assert "Nenhuma execução deste acesso" in text_of(none.content)
        opened = await client.call_tool("iniciar_tarefa", {"objetivo": "Arrumar os cadastros"})
        assert opened.structured_content is not None
        name = opened.structured_content["tarefa"]
        clean = await client.call_tool("por_que_falhou", {"tarefa": name}, raise_on_error=False)
        assert "Nenhuma execução desta tarefa" in text_of(clean.content)
        await client.call_tool(LIST, {"empresa": house.slug, "pagina": 0}, raise_on_error=False)
        why = await client.call_tool("por_que_falhou", {"tarefa": name})
        assert why.structured_content is not None
        assert why.structured_content["objetivo_da_tarefa"] == "Arrumar os cadastros"
        assert why.structured_content["tarefa"] == name
        await client.call_tool("encerrar_tarefa", {"resultado": "visto"})


async def test_limits_tell_rights_spent_calls_and_ages(house: House, running: Running) -> None:
    await house.call(LIST, registros_por_pagina=1)
    await house.call(LIST, registros_por_pagina=2)

    async def limits(client: Client[Any]) -> dict[str, Any]:
        told = await client.call_tool("meus_limites", {})
        assert told.structured_content is not None
        return dict(told.structured_content)

    async def both_are_booked() -> bool:
        rows = [row for row in (await limits(house.client))["gasto"] if row["empresa"] == house.slug]
        return [(row["chamadas"], row["restantes"]) for row in rows] == [(2, 238)]

    await eventually(both_are_booked)
    whole = await limits(house.client)
    assert "incluir ou alterar dados no Omie" in whole["pode"]
    assert whole["por_minuto_e_metodo"] == 240
    assert whole["idade_maxima_segundos"]["listas"] == 120
    # This caller sees every company; others of this address may be blocked at the moment.
    assert [block for block in whole["bloqueios"] if block["empresa"] == house.slug] == []
    reader = Actor(ActorKind.STDIO, "leitor", Role.AGENT, may_write=False)
    async with Client(build_server(running.app, stdio_actor=reader)) as client:
        assert "incluir ou alterar dados no Omie" not in (await limits(client))["pode"]


async def test_a_block_is_told_with_its_end(house: House) -> None:
    house.omie.plan("425", call="ListarClientes")
    await house.call(LIST, registros_por_pagina=1)
    told = await house.client.call_tool("meus_limites", {})
    assert told.structured_content is not None
    [block] = [row for row in told.structured_content["bloqueios"] if row["empresa"] == house.slug]
    assert 0 < block["segundos"] <= 1800
    assert f"BLOQUEADA pelo Omie: {house.slug}" in text_of(told.content)


def test_advice_is_about_codes_that_exist() -> None:
    known = {kind.error_code for kind in FaultKind} | {kind.code for kind in ControlError.__subclasses__()}
    told_elsewhere = {
        "ainda_executando",
        "cancelada",
        "chave_ja_usada",
        "cliente_desistiu",
        "falta_confirmacao",
        "ferramenta_desconhecida",
        "ja_executada",
        "primeira_incerta",
        "recusada_antes",
        "tarefa_desconhecida",
        "tarefa_encerrada",
    }
    assert set(_BY_CODE) <= known | told_elsewhere


async def test_no_number_of_hours_is_too_many(house: House) -> None:
    ran = await house.call("consultar_departamentos")
    found = await house.call("buscar_execucoes", ultimas_horas=10**12, limite=5)
    assert not found.is_error, found.text
    assert [row["execution_id"] for row in found.data["execucoes"]] == [ran.data["execution_id"]]
