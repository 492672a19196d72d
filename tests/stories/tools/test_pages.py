"""Lists in all their dialects, read by tools of the test's own: one page, past the end, all pages, not all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

import pytest_asyncio
from fastmcp import Client
from fastmcp.tools import ToolResult
from pydantic import Field
from tests.tool_stories import House

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.server import build_server
from omie_control.mcp.tools import contas_pagar
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie
from omie_control.mcp.tools.shapes import Shape, code, money, result_schema, text
from omie_control.mcp.tools.wire import Fields

PRODUTOS = Listing(
    "geral/produtos/", "ListarProdutos", "produtos", key="produtos", shape=Shape(codigo=code("codigo_produto"))
)
LANCAMENTOS = Listing(
    "financas/contacorrentelancamentos/",
    "ListarLancCC",
    "lançamentos",
    key="lancamentos",
    shape=Shape(codigo=code("nCodLanc"), valor=money("cabecalho.nValorLanc"), origem=text("diversos.cOrigem")),
)
family = Family(Category.RELATORIOS)


@family.lists("Listar produtos da prova", Complexity.BASICA, PRODUTOS, "Só para esta prova.")
def listar_produtos_da_prova() -> Fields:
    return {"filtrar_apenas_omiepdv": False}


@family.lists("Listar lançamentos da prova", Complexity.BASICA, LANCAMENTOS, "Só para esta prova.")
def listar_lancamentos_da_prova() -> Fields:
    return {}


@family.asks(
    "Somar contas da prova", Complexity.BASICA, result_schema({"total": {"type": "number"}}), "Só para esta prova."
)
async def somar_contas_da_prova(omie: Omie, *, paginas: Annotated[int, Field(description="Páginas.")]) -> ToolResult:
    scan = await omie.every_page(contas_pagar.CONTAS, {}, max_pages=paginas)
    return omie.answer({"total": sum(row["valor"] for row in scan.rows)} | scan.facts(), scan.warning())


@pytest_asyncio.fixture(loop_scope="session")
async def reader(house: House, running: Any) -> AsyncIterator[House]:
    """Give the house with a server that has this test's tools as well."""
    server = build_server(running.app)
    family.register(server, running.app)
    async with Client(server) as client:
        yield replace(house, client=client)


async def test_past_the_end_is_an_empty_page_in_every_dialect(house: House, reader: House) -> None:
    for tool, key in (
        ("listar_produtos_da_prova", "produtos"),
        ("listar_lancamentos_da_prova", "lancamentos"),
        ("consultar_contas_pagar", "contas"),
    ):
        first = await reader.call(tool, registros_por_pagina=5)
        assert (len(first.data[key]), first.data["registros"], first.data["tem_mais"]) == (5, 5, True)
        past = await reader.call(tool, pagina=99)
        assert (past.data[key], past.data["registros"], past.data["tem_mais"]) == ([], 0, False)


async def test_a_list_in_the_other_dialect_tells_omies_counts(house: House, reader: House) -> None:
    page = (await reader.call("listar_lancamentos_da_prova", pagina=2, registros_por_pagina=7)).data
    entries = len(reader.table("lancamentos"))
    assert (page["pagina"], page["total_de_paginas"], page["total_de_registros"]) == (2, -(-entries // 7), entries)
    assert {"codigo", "valor", "origem"} == set(page["lancamentos"][0])


async def test_a_report_knows_whether_it_has_read_everything(house: House, reader: House) -> None:
    titles = [row.record["valor_documento"] for row in reader.table("contas_pagar")]
    whole = await reader.call("somar_contas_da_prova", paginas=9)
    assert (whole.data["dados_completos"], whole.data["registros_lidos"]) == (True, len(titles))
    assert whole.data["total"] == round(sum(titles), 2)
    assert "incompletos" not in whole.text
    part = await reader.call("somar_contas_da_prova", paginas=1)
    assert (part.data["dados_completos"], part.data["registros_lidos"]) == (False, 100)
    assert f"100 de {len(titles)} registros" in part.text
    assert len([entry for entry in reader.asked if entry["endpoint"].endswith("ListarContasPagar")]) == 2
