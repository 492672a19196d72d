"""Reports of the simulator say what its records say, and change with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import SOME_DAY, Omie, day, simulated


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http)


async def everything(omie: Omie, service: str, call: str, key: str, **param: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in range(1, 20):
        part = await omie.at(service).ask(call, nPagina=page, nRegPorPagina=100, **param)
        rows += part[key]
        if page >= part["nTotPaginas"]:
            break
    return rows


@pytest.mark.parametrize(("kind", "side", "letter"), [("CR", "contaReceber", "R"), ("CP", "contaPagar", "P")])
async def test_movements_summary_and_open_list_agree(omie: Omie, kind: str, side: str, letter: str) -> None:
    moved = await everything(omie, "financas/mf/", "ListarMovimentos", "movimentos", cTpLancamento=kind)
    assert len(moved) == 180
    still_open = round(sum(each["resumo"]["nValAberto"] for each in moved), 2)
    summary = await omie.at("financas/resumo/").ask("ObterResumoFinancas", dDia=day(), lExibirCategoria=True)
    assert summary[side]["vTotal"] == still_open
    assert round(sum(each["vTotal"] for each in summary[f"{side}Categoria"]), 2) == still_open
    assert round(sum(each["vDoc"] for each in summary[f"{side}Atraso"]), 2) == summary[side]["vAtraso"]
    listed = await everything(omie, "financas/resumo/", "ObterListaEmAberto", "ListaEmEberto", cTipo=letter)
    assert round(sum(each["vDoc"] for each in listed), 2) == still_open
    late = [each["detalhes"] for each in moved if each["detalhes"]["cStatus"] == "ATRASADO"]
    assert len(late) == len([each for each in listed if each["nDiasAtraso"] > 0])


async def test_a_receipt_with_interest_shows_in_every_report(omie: Omie) -> None:
    receivables = omie.at("financas/contareceber/")
    listed = await receivables.ask("ListarContasReceber", filtrar_por_status="AVENCER")
    title = listed["conta_receber_cadastro"][0]
    before = await omie.at("financas/resumo/").ask("ObterResumoFinancas", dDia=day())
    extract = {"nCodCC": title["id_conta_corrente"], "dPeriodoInicial": day(), "dPeriodoFinal": day()}
    was = await omie.at("financas/extrato/").ask("ListarExtrato", **extract)
    value, id = title["valor_documento"], title["codigo_lancamento_omie"]
    money = {"valor": round(value - 5, 2), "desconto": 5.0, "juros": 1.5, "data": day()}
    made = await receivables.ask("LancarRecebimento", codigo_lancamento=id, **money)
    assert made["liquidado"] == "S"

    after = await omie.at("financas/resumo/").ask("ObterResumoFinancas", dDia=day())
    assert round(before["contaReceber"]["vTotal"] - after["contaReceber"]["vTotal"], 2) == value
    moved = round(after["contaCorrente"]["vTotal"] - before["contaCorrente"]["vTotal"], 2)
    assert moved == round(value - 5 + 1.5, 2)
    [settled] = await everything(
        omie, "financas/mf/", "ListarMovimentos", "movimentos", cTpLancamento="BXCR", nCodTitulo=id
    )
    assert settled["detalhes"]["nValorMovCC"] == moved
    assert (settled["resumo"]["nJuros"], settled["resumo"]["nDesconto"]) == (1.5, 5.0)
    await receivables.ask("ConciliarRecebimento", codigo_baixa=made["codigo_baixa"])
    now = await omie.at("financas/extrato/").ask("ListarExtrato", **extract)
    assert round(now["nSaldoAtual"] - was["nSaldoAtual"], 2) == moved
    assert [each["dDataConciliacao"] for each in now["listaMovimentos"] if each["cOrigem"] == "BAXR"][-1] == day()
    [found] = await everything(
        omie, "financas/pesquisartitulos/", "PesquisarLancamentos", "titulosEncontrados", nCodTitulo=id
    )
    assert found["lancamentos"][0]["nCodLanc"] == made["codigo_baixa"]


async def test_an_extract_adds_up_and_a_transfer_moves_between_accounts(omie: Omie) -> None:
    accounts = (await omie.at("geral/contacorrente/").ask("ListarContasCorrentes", pagina=1))["ListarContasCorrentes"]
    here, there = accounts[0]["nCodCC"], accounts[1]["nCodCC"]
    head = {"nCodCC": here, "dDtLanc": day(), "nValorLanc": 100.0}
    entries = omie.at("financas/contacorrentelancamentos/")
    await entries.ask("IncluirLancCC", cCodIntLanc="T", cabecalho=head, transferencia={"nCodCCDestino": there})
    await entries.ask("IncluirLancCC", cCodIntLanc="D", cabecalho=head, detalhes={"cCodCateg": "2.02.01"})
    period = {"dPeriodoInicial": "01/01/2020", "dPeriodoFinal": day()}
    for account, change in ((here, -200.0), (there, 100.0)):
        extract = await omie.at("financas/extrato/").ask("ListarExtrato", nCodCC=account, **period)
        real = [each for each in extract["listaMovimentos"] if "Conciliado" in each["cSituacao"]]
        assert extract["nSaldoAtual"] == round(15_000 + sum(each["nValorDocumento"] for each in real), 2)
        by_hand = [each["nValorDocumento"] for each in real if not each["cOrigem"].startswith("BAX")]
        assert sum(by_hand) == change


async def test_the_month_by_category_and_the_lines_of_the_income_statement(omie: Omie) -> None:
    listed = await omie.at("financas/caixa/").ask("ListarOrcamentos", nAno=SOME_DAY.year, nMes=SOME_DAY.month)
    codes = [each["cCodCateg"] for each in listed["ListaOrcamentos"]]
    assert codes == sorted(codes)
    assert sum(each["nValorPrevisto"] for each in listed["ListaOrcamentos"]) > 0
    lines = (await omie.at("geral/dre/").ask("ListarCadastroDRE", apenasContasAtivas="N"))["dreLista"]
    assert len(lines) == 27
    category = await omie.at("geral/categorias/").ask("ConsultarCategoria", codigo="2.02.01")
    assert category["dadosDRE"]["descricaoDRE"] == "Despesas Administrativas"


async def test_deleted_titles_are_listed(omie: Omie) -> None:
    listed = await omie.at("financas/contapagar/").ask("ListarContasPagar", filtrar_por_status="AVENCER")
    id = listed["conta_pagar_cadastro"][0]["codigo_lancamento_omie"]
    await omie.at("financas/contapagar/").ask("ExcluirContaPagar", codigo_lancamento_omie=id)
    gone = await omie.at("financas/pesquisartitulos/").ask("PesquisarExcluidos", nPagina=1)
    assert [each["nCodTitulo"] for each in gone["titulosExcluidos"]] == [id]


async def test_summaries_of_sales_and_services_count_orders_and_notes(omie: Omie) -> None:
    period = {"dDataInicio": "01/01/2020", "dDataFim": day()}
    sales = await omie.at("produtos/vendas-resumo/").ask("ObterResumoProdutos", **period)
    notes = await omie.at("produtos/nfconsultar/").ask("ListarNF", pagina=1, registros_por_pagina=100)
    values = [each["total"]["ICMSTot"]["vNF"] for each in notes["nfCadastro"]]
    resume = sales["faturamentoResumo"]
    assert (resume["nFaturadas"], resume["vFaturadas"]) == (float(len(values)), round(sum(values), 2))
    quotes = await omie.at("produtos/pedido/").ask("ListarPedidos", pagina=1, etapa="00")
    still = [each for each in quotes["pedido_venda_produto"] if each["infoCadastro"]["cancelado"] == "N"]
    assert sales["propostaVenda"]["emAberto"]["nTotal"] == len(still)
    services = await omie.at("servicos/resumo/").ask("ObterResumoServicos", **period)
    found = await omie.at("servicos/nfse/").ask("ListarNFSEs", nPagina=1, nRegPorPagina=100)
    assert services["painel"]["faturamentoResumo"]["nFaturadas"] == found["nTotRegistros"]
    bought = await omie.at("produtos/compras-resumo/").ask("ObterResumoCompras", **period)
    assert bought["pedidoCompra"]["emAberto"]["nTotal"] == 4


async def test_official_tables_page_filter_and_are_the_same_each_time(omie: Omie) -> None:
    cities = omie.at("geral/cidades/")
    first = await cities.ask("PesquisarCidades", pagina=1, registros_por_pagina=50)
    assert (first["total_de_registros"], first["total_de_paginas"]) == (75, 2)
    some = await cities.ask("PesquisarCidades", pagina=1, filtrar_cidade_contendo="curitiba")
    assert [each["cUF"] for each in some["lista_cidades"]] == ["PR"]
    bank = await omie.at("geral/bancos/").ask("ConsultarBanco", codigo="001")
    assert bank["nome"] == "Banco do Brasil"
    async with simulated() as http:
        again = await Omie(http, "crm/origens/").ask("ListarOrigens", pagina=1)
    assert again == await omie.at("crm/origens/").ask("ListarOrigens", pagina=1)
