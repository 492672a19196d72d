"""Purchases of the simulator: ordered, received, owed and put in stock; price tables and production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, simulated

DAY = "15/06/2026"


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http)


async def product_of(omie: Omie) -> int:
    id = (await omie.at("geral/produtos/").ask("ConsultarProduto", codigo="PRD-0001"))["codigo_produto"]
    assert isinstance(id, int)
    return id


async def held(omie: Omie, product: int) -> float:
    shown = await omie.at("estoque/consulta/").ask("PosicaoEstoque", id_prod=product, data="31/12/2030")
    value = shown["saldo"]
    assert isinstance(value, float)
    return value


async def owed(omie: Omie, document: str) -> list[dict[str, Any]]:
    asked = {"cNumDocFiscal": document, "cTpLancamento": "CP", "nPagina": 1}
    moved = await omie.at("financas/mf/").ask("ListarMovimentos", **asked)
    return [each["detalhes"] for each in moved["movimentos"]]


async def test_a_purchase_order_is_kept_under_the_names_of_the_answer(omie: Omie) -> None:
    orders, product = omie.at("produtos/pedidocompra/"), await product_of(omie)
    head = {"cCodIntPed": "C-1", "dDtPrevisao": DAY, "nCodFor": 5_500_000_001, "cCodParc": "001"}
    line = {"nCodProd": product, "nQtde": 4, "nValUnit": 2.5}
    made = await orders.ask("IncluirPedCompra", cabecalho_incluir=head, produtos_incluir=[line])
    shown = await orders.ask("ConsultarPedCompra", cNumero=made["cNumero"].lstrip("0"))
    assert shown["cabecalho_consulta"]["nCodPed"] == made["nCodPed"]
    assert shown["produtos_consulta"][0]["nValTot"] == 10.0
    await orders.ask("AlteraPedCompra", cabecalho_alterar={"cCodIntPed": "C-1", "cObs": "Urgente"})
    pending = await orders.ask("PesquisarPedCompra", nPagina=1)
    assert "Urgente" in str(pending)
    only = {"lExibirPedidosPendentes": "F", "lExibirPedidosRecebidos": "T"}
    received = await orders.ask("PesquisarPedCompra", nPagina=1, **only)
    assert received["nTotalRegistros"] == 6
    unknown = await orders.refused("ConsultarPedCompra", cNumero="99999")
    assert unknown.startswith("Client-206 ERROR: Pedido de compra não cadastrado para o Número [000000000099999]")
    await orders.ask("ExcluirPedCompra", cCodIntPed="C-1")


async def test_goods_received_are_owed_and_in_stock_until_it_is_reverted(omie: Omie) -> None:
    receipts = omie.at("produtos/recebimentonfe/")
    listed = await receipts.ask("ListarRecebimentos", nPagina=1, cEtapa="40")
    first = listed["recebimentos"][0]
    key = {"nIdReceb": first["cabec"]["nIdReceb"], "cEtapa": "60"}
    product = first["itensRecebimento"][0]["itensCabec"]["nIdProduto"]
    before = await held(omie, product)
    await receipts.ask("ConcluirRecebimento", **key)
    assert await held(omie, product) == before + 12
    [title] = await owed(omie, first["cabec"]["cNumeroNFe"])
    assert (title["nValorTitulo"], title["cOrigem"]) == (first["cabec"]["nValorNFe"], "COMP")
    assert "já está concluído" in await receipts.refused("ConcluirRecebimento", **key)
    await receipts.ask("ReverterRecebimento", **key)
    assert await held(omie, product) == before
    assert await owed(omie, first["cabec"]["cNumeroNFe"]) == []


async def test_a_note_of_entry_is_concluded_and_cancelled(omie: Omie) -> None:
    product = await product_of(omie)
    before = await held(omie, product)
    head = {"cCodIntNotaEnt": "E-1", "nCodCli": 5_500_000_001, "dPrevisao": DAY, "cCodParc": "002"}
    more = {"cCodCateg": "2.01.01", "cConsFinal": "N"}
    line = {"cCodItInt": "1", "nCodProd": product, "nQtde": 2, "nValUnit": 50.0}
    notes = omie.at("produtos/notaentrada/")
    made = await notes.ask("IncluirNotaEnt", cabec=head, infAdic=more, produtos=[line])
    acts = omie.at("produtos/notaentradafat/")
    await acts.ask("ConcluirNotaEnt", cCodIntNotaEnt="E-1")
    assert await held(omie, product) == before + 2
    assert [each["nValorTitulo"] for each in await owed(omie, made["cNumeroNotaEnt"])] == [50.0, 50.0]
    assert (await notes.ask("StatusNotaEnt", cCodIntNotaEnt="E-1"))["faturada"] == "S"
    await acts.ask("CancelarNotaEnt", cCodIntNotaEnt="E-1")
    assert await held(omie, product) == before
    assert (await notes.ask("StatusNotaEnt", cCodIntNotaEnt="E-1"))["cancelada"] == "S"


async def test_a_price_table_reckons_and_a_fixed_price_stays(omie: Omie) -> None:
    tables, product = omie.at("produtos/tabelaprecos/"), await product_of(omie)
    made = await tables.ask("IncluirTabelaPreco", cCodIntTabPreco="T-1", cNome="Teste", cCodigo="T1", cOrigem="PRD")
    await tables.ask("AtualizarProdutos", cCodIntTabPreco="T-1", nPercDesconto=50)
    listed = await tables.ask("ListarTabelaItens", nPagina=1, cCodIntTabPreco="T-1")
    item = listed["listaTabelaPreco"]["itensTabela"][0]
    assert item["nValorTabela"] == round(item["nValorOriginal"] / 2, 2)
    await tables.ask("AlterarPrecoItem", nCodTabPreco=made["nCodTabPreco"], nCodProd=product, nValorTabela=9.9)
    fixed = await tables.ask("ListarTabelaItens", nPagina=1, cCodIntTabPreco="T-1", cApenasFixado="S")
    assert [each["nValorTabela"] for each in fixed["listaTabelaPreco"]["itensTabela"]] == [9.9]
    await tables.ask("SuspenderTabelaPreco", cCodIntTabPreco="T-1")
    assert (await tables.ask("ConsultarTabelaPreco", cCodIntTabPreco="T-1"))["cAtiva"] == "N"


async def test_production_fills_the_stock_and_can_be_reverted(omie: Omie) -> None:
    product, orders = await product_of(omie), omie.at("produtos/op/")
    head = {"cCodIntOP": "O-1", "nCodProduto": product, "dDtPrevisao": DAY, "nQtde": 7}
    await orders.ask("IncluirOrdemProducao", identificacao=head)
    before = await held(omie, product)
    await orders.ask("ConcluirOrdemProducao", cCodIntOP="O-1", dDtConclusao=DAY, nQtdeProduzida=6)
    assert await held(omie, product) == before + 6
    assert (await orders.ask("ConsultarOrdemProducao", cCodIntOP="O-1"))["outrasInf"]["cConcluida"] == "S"
    await orders.ask("ReverterOrdemProducao", cCodIntOP="O-1")
    assert await held(omie, product) == before
