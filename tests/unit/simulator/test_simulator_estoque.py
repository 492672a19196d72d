"""Stock of the simulator: adjustments and invoices move it, and every question reads the same ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, day, simulated


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http, "estoque/ajuste/")


async def new_product(omie: Omie) -> int:
    fields = {"descricao": "Produto do teste", "unidade": "UN", "ncm": "7318.15.00", "valor_unitario": 10.0}
    made = await omie.at("geral/produtos/").ask("IncluirProduto", codigo_produto_integracao="EST-1", **fields)
    id = made["codigo_produto"]
    assert isinstance(id, int)
    return id


def adjustment(product: int, kind: str, quantity: float, **more: Any) -> dict[str, Any]:
    fixed = {"id_prod": product, "tipo": kind, "quan": quantity, "data": day(), "obs": "Teste", "origem": "AJU"}
    return {**fixed, "motivo": "INV", "valor": 4.0, **more}


async def held(omie: Omie, product: int, **more: Any) -> tuple[float, float]:
    asked = await omie.at("estoque/consulta/").ask("PosicaoEstoque", id_prod=product, data=day(), **more)
    return asked["saldo"], asked["cmc"]


async def test_adjustments_add_take_set_and_go_back(omie: Omie) -> None:
    product = await new_product(omie)
    listed = await omie.at("estoque/consulta/").ask(
        "ListarPosEstoque", nPagina=1, lista_produtos=[{"nCodProd": product}]
    )
    assert listed["nTotRegistros"] == 0
    made = await omie.ask("IncluirAjusteEstoque", **adjustment(product, "ENT", 10, cod_int_ajuste="A-1"))
    assert await held(omie, product) == (10.0, 4.0)
    again = await omie.refused("IncluirAjusteEstoque", **adjustment(product, "ENT", 10, cod_int_ajuste="A-1"))
    assert again.startswith("Client-1035 ERROR: Já existe um ajuste de estoque")
    assert f"[{made['id_ajuste']}]" in again
    await omie.ask("IncluirAjusteEstoque", **adjustment(product, "ENT", 10, valor=6.0))
    assert await held(omie, product) == (20.0, 5.0)
    await omie.ask("IncluirAjusteEstoque", **adjustment(product, "SAI", 3))
    await omie.ask("IncluirAjusteEstoque", **adjustment(product, "SLD", 7))
    assert (await held(omie, product))[0] == 7.0
    await omie.ask("ExcluirAjusteEstoque", id_ajuste=made["id_ajuste"])
    assert (await held(omie, product))[0] == -3.0
    assert (await omie.ask("ListarAjusteEstoque", pagina=1, id_prod=product))["total_de_registros"] == 3
    bad = await omie.refused("IncluirAjusteEstoque", **adjustment(product, "XXX", 3))
    assert bad == "Client-105 ERROR: Conteúdo inválido para a tag [tipo]! Valores permitidos: ENT, SAI, SLD, TRF"


async def test_a_transfer_moves_between_places(omie: Omie) -> None:
    product = await new_product(omie)
    places = (await omie.at("estoque/local/").ask("ListarLocaisEstoque", nPagina=1))["locaisEncontrados"]
    here, there = (each["codigo_local_estoque"] for each in places)
    await omie.ask("IncluirAjusteEstoque", **adjustment(product, "ENT", 10))
    move = {"codigo_local_estoque": here, "codigo_local_estoque_destino": there, "motivo": "TRF"}
    await omie.ask("IncluirAjusteEstoque", **adjustment(product, "TRF", 4, **move))
    assert (await held(omie, product, codigo_local_estoque=here))[0] == 6.0
    assert (await held(omie, product, codigo_local_estoque=there))[0] == 4.0
    shown = await omie.at("estoque/resumo/").ask("ObterEstoqueProduto", nIdProduto=product, dDia=day())
    assert [each["nFisico"] for each in shown["listaEstoque"]] == [6.0, 4.0]
    assert "Local do Estoque não cadastrado" in await omie.refused(
        "IncluirAjusteEstoque", **adjustment(product, "ENT", 1, codigo_local_estoque=9)
    )


async def test_the_lists_of_the_ledger_agree_with_the_positions(omie: Omie) -> None:
    ask = omie.at("estoque/consulta/")
    everything = await ask.ask("ListarPosEstoque", nPagina=1, nRegPorPagina=100, cExibeTodos="S")
    assert (everything["nTotRegistros"], everything["nRegistros"]) == (90, 50)
    positions = await ask.ask("ListarPosEstoque", nPagina=1, nRegPorPagina=100)
    assert 50 < positions["nTotRegistros"] < 90
    row = next(each for each in positions["produtos"] if each["nSaldo"] < 0 or each["reservado"] > 0)
    assert await held(omie, row["nCodProd"]) == (row["nSaldo"], row["nCMC"])
    period = {"dataInicial": "01/01/2020", "dataFinal": day()}
    moved = await ask.ask("MovimentoEstoque", id_prod=row["nCodProd"], **period)
    signs = {"entrada": 1, "saida": -1}
    steps = [each["movPeriodo"][0] for each in moved["movProduto"]]
    assert round(sum(signs[each["tipo"]] * each["qtde"] for each in steps), 4) == row["nSaldo"]
    window = {"dDtInicial": day(-100), "dDtFinal": day()}
    listed = await ask.ask("ListarMovimentoEstoque", nPagina=1, nRegPorPagina=100, **window)
    assert {each["dtMov"] for each in listed["movProdutoListar"]} <= {day(offset) for offset in range(-100, -39)}


async def test_the_least_stock_shows_in_the_position(omie: Omie) -> None:
    product = await new_product(omie)
    await omie.ask("AlterarEstoqueMinimo", id_prod=product, quan_min=5)
    shown = await omie.at("estoque/consulta/").ask("PosicaoEstoque", cod_int="EST-1", data=day())
    assert (shown["estoque_minimo"], shown["saldo"]) == (5.0, 0.0)
