"""Any method of Omie, by search, description and execution, under the control that every tool is under."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from fastmcp import Client
from tests.mcp_serving import rows, text_of
from tests.stories.tools.conftest import Running
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.examples import example_of

LIST, CREATE, DELETE = (f"geral/clientes/{call}" for call in ("ListarClientes", "IncluirCliente", "ExcluirCliente"))
PAGE = {"pagina": 1, "registros_por_pagina": 5}
NEW = {
    "razao_social": "Padaria Sol Nascente Ltda",
    "nome_fantasia": "Sol Nascente",
    "cnpj_cpf": "11.222.333/0001-81",
    "codigo_cliente_integracao": "SOL-0001",
}

STORIES = (
    Story(
        "executar_metodo_omie",
        good=Case(
            {"metodo": LIST, "parametros": PAGE, "campos": ["razao_social"]},
            has={"metodo": LIST, "escreve": False, "pagina": 1, "tem_mais": True, "fonte": "omie"},
            says="razao_social",
            then=lambda house, answer: _only_names(answer.data["resposta"]["clientes_cadastro"]),
        ),
        empty=Case(
            {"metodo": LIST, "parametros": {**PAGE, "clientesFiltro": {"razao_social": "ninguem se chama assim"}}},
            has={"total_de_registros": 0},
        ),
        wrong=Case(
            {"metodo": LIST, "parametros": {"pagina": "1", "filtro": {}}},
            says=("pagina: deve ser um número inteiro", "filtro: este campo não existe", "nada foi enviado"),
            is_refused=True,
        ),
        failing=Case({"metodo": LIST, "parametros": {**PAGE, "pagina": 2}}, says="O que fazer", is_refused=True),
    ),
)


def _only_names(found: list[dict[str, str]]) -> None:
    assert len(found) == 5
    assert all(row.keys() == {"razao_social"} for row in found)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_a_write_goes_once_under_its_key(house: House) -> None:
    write = {"metodo": CREATE, "parametros": NEW, "chave_idempotencia": "sol-1"}
    first = await house.call("executar_metodo_omie", **write)
    again = await house.call("executar_metodo_omie", **write)
    assert not first.is_error, first.text
    assert first.data["escreve"] is True
    assert again.data["repetida_de"] == first.data["execution_id"]
    assert again.data["resposta"] == first.data["resposta"]
    assert [entry["endpoint"] for entry in house.asked] == [CREATE]
    assert house.first("clientes", razao_social=NEW["razao_social"])
    other = await house.call("executar_metodo_omie", **{**write, "parametros": {**NEW, "nome_fantasia": "Outro"}})
    assert "já foi usada com outros dados" in other.text


async def test_what_cannot_be_undone_waits_for_a_word(house: House) -> None:
    await house.call("executar_metodo_omie", metodo=CREATE, parametros=NEW)
    delete = {"metodo": DELETE, "parametros": {"codigo_cliente_integracao": "SOL-0001"}}
    refused = await house.call("executar_metodo_omie", **delete)
    assert refused.is_error
    assert "confirmo_irreversivel" in refused.text
    assert [entry["endpoint"] for entry in house.asked] == [CREATE]
    done = await house.call("executar_metodo_omie", **delete, confirmo_irreversivel=True)
    assert not done.is_error, done.text


async def test_a_name_outside_the_catalogue_reaches_nothing(house: House) -> None:
    for name in ("geral/clientes/ListarCliente", "geral/fornecedores/ListarFornecedores", "x", "../admin", 5, None):
        refused = await house.call("executar_metodo_omie", metodo=name)
        assert refused.is_error
    near = await house.call("executar_metodo_omie", metodo="geral/clientes/ListarCliente")
    assert "geral/clientes/ListarClientes" in near.text
    assert house.asked == []


async def test_a_retired_method_says_so_everywhere(house: House) -> None:
    name = "geral/departamentos/ListarDepatartamentos"
    found = await house.call("buscar_metodos_omie", consulta="listar departamentos", empresa=None)
    assert found.is_error  # `empresa` is none of its parameters.
    described = await house.client.call_tool("descrever_metodo_omie", {"metodo": name})
    assert described.structured_content is not None
    assert described.structured_content["obsoleto"] is True
    assert "obsoleto" in text_of(described.content)
    ran = await house.call("executar_metodo_omie", metodo=name, parametros=example_of(catalog().method(*_split(name))))
    assert ran.is_error or "obsoleto" in ran.data["aviso"]


async def test_search_tells_what_there_is_and_which_tool_does_it(house: House) -> None:
    found = await house.client.call_tool("buscar_metodos_omie", {"consulta": "contas a pagar", "limite": 3})
    assert found.structured_content is not None
    by_name = {each["metodo"]: each for each in found.structured_content["metodos"]}
    assert by_name["financas/contapagar/ListarContasPagar"]["ferramentas"] == ["consultar_contas_pagar"]
    nothing = await house.client.call_tool("buscar_metodos_omie", {"consulta": "xyzzy"})
    assert nothing.structured_content == {"metodos": [], "encontrados": 0}
    writes = await house.client.call_tool("buscar_metodos_omie", {"consulta": "boletos", "tipo": "escrita"})
    assert writes.structured_content is not None
    assert all(each["escreve"] for each in writes.structured_content["metodos"])


async def test_a_description_opens_what_is_inside(house: House) -> None:
    name = "produtos/pedido/IncluirPedido"
    whole = await house.client.call_tool("descrever_metodo_omie", {"metodo": name})
    assert whole.structured_content is not None
    assert whole.structured_content["campos_omitidos"] > 0
    assert whole.structured_content["codigos_de_integracao"]
    inside = await house.client.call_tool("descrever_metodo_omie", {"metodo": name, "dentro_de": "det.produto"})
    assert inside.structured_content is not None
    fields = {field["campo"]: field for field in inside.structured_content["parametros"]}
    assert fields["det.produto.quantidade"]["tipo"] == "número"
    wrong = await house.client.call_tool(
        "descrever_metodo_omie", {"metodo": name, "dentro_de": "det.produtos"}, raise_on_error=False
    )
    assert "'produto'" in text_of(wrong.content)


async def test_the_rights_are_those_of_the_method(house: House, running: Running) -> None:
    reader = Actor(ActorKind.STDIO, "leitor", Role.AGENT, may_write=False)
    owner = running.app.settings.database_owner_url
    assert owner is not None
    connection = await asyncpg.connect(owner.get_secret_value())
    try:
        async with Client(build_server(running.app, stdio_actor=reader)) as client:
            read = await client.call_tool(
                "executar_metodo_omie", {"empresa": house.slug, "metodo": LIST, "parametros": PAGE}
            )
            for method, param in ((CREATE, NEW), ("produtos/cupomfiscal/ObterProximoLote", {})):
                refused = await client.call_tool(
                    "executar_metodo_omie",
                    {"empresa": house.slug, "metodo": method, "parametros": param, "confirmo_irreversivel": True},
                    raise_on_error=False,
                )
                assert "só de leitura" in text_of(refused.content)
        assert read.structured_content is not None
        assert [entry["endpoint"] for entry in house.asked] == [LIST]
        mine = [row for row in await rows(connection, "executar_metodo_omie") if row["actor"] == "stdio:leitor"]
        assert [(row["writes"], row["status"], row["category"], row["complexity"]) for row in mine] == [
            (False, "completed", "comercial", "intermediaria"),
            (True, "failed", "comercial", "avancada"),
            (True, "failed", "comercial", "basica"),
        ]
    finally:
        await connection.close()


# Why Omie may refuse an example: it names no record of the company's, or lacks what Omie wants and its documents do not
# tell. The look-up before a write has just put the same question as the example of a few `Consultar…`.
REASONS = {
    "omie_nao_encontrado",
    "omie_campo_obrigatorio",
    "omie_valor_nao_aceito",
    "omie_regra_de_negocio",
    "omie_desconhecida",
    "gate_redundant",
}
# Lists of what belongs to one record, which the example does not know.
OF_A_RECORD = {
    "financas/extrato/ListarExtrato",
    "geral/clientetag/ListarTags",
    "produtos/tabelaprecos/ListarTabelaItens",
}


async def test_every_method_reaches_omie(house: House, running: Running) -> None:
    """All 460: each is sent, and Omie answers it or refuses the example for a reason of its business."""
    # Fewer than would wait longer for their turn than a caller is let wait, on a busy machine too.
    line = asyncio.Semaphore(4)

    async def run(method: Method) -> Told:
        async with line:
            return await house.call(
                "executar_metodo_omie",
                metodo=method.endpoint,
                parametros=example_of(method),
                confirmo_irreversivel=True,
            )

    methods = catalog().methods
    answers = await asyncio.gather(*(run(method) for method in methods))
    for method, answer in zip(methods, answers, strict=True):
        assert "não é simulado" not in answer.text, method.endpoint
        assert "erro interno" not in answer.text, (method.endpoint, answer.text)
        if method.kind == "list" and method.endpoint not in OF_A_RECORD:
            assert not answer.is_error, (method.endpoint, answer.text)
    assert await _codes(running, [answer.text for answer in answers if answer.is_error]) <= REASONS
    assert {entry["endpoint"] for entry in house.asked} == {method.endpoint for method in methods}


async def _codes(running: Running, texts: list[str]) -> set[str | None]:
    """Read the error codes with which executions are recorded whose answers these are."""
    ids = [text.rpartition("execution_id: ")[2].strip() for text in texts]
    owner = running.app.settings.database_owner_url
    assert owner is not None
    connection = await asyncpg.connect(owner.get_secret_value())
    try:
        found = await connection.fetch("select error_code from process_executions where execution_id = any($1)", ids)
    finally:
        await connection.close()
    assert len(found) == len(ids)
    return {row["error_code"] for row in found}


def _split(endpoint: str) -> tuple[str, str]:
    path, _, call = endpoint.rpartition("/")
    return f"{path}/", call
