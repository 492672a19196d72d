"""Titles, accounts, categories and products of the simulator, as a small company would use them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, day, simulated

SIDES = [
    ("financas/contareceber/", "ContaReceber", "ListarContasReceber", "LancarRecebimento", "RECEBIDO", "BAXR"),
    ("financas/contapagar/", "ContaPagar", "ListarContasPagar", "LancarPagamento", "PAGO", "BAXP"),
]
SIDE_NAMES = ("service", "noun", "lists", "settles", "settled", "origin")


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http)


async def new_title(omie: Omie, **changes: Any) -> dict[str, Any]:
    customer = (await omie.at("geral/clientes/").ask("ListarClientes", pagina=1))["clientes_cadastro"][0]
    accounts = await omie.at("geral/contacorrente/").ask("ListarContasCorrentes", pagina=1)
    return {
        "codigo_lancamento_integracao": "T-1",
        "codigo_cliente_fornecedor": customer["codigo_cliente_omie"],
        "data_vencimento": day(10),
        "data_previsao": day(10),
        "valor_documento": 100.0,
        "codigo_categoria": "1.01.01",
        "id_conta_corrente": accounts["ListarContasCorrentes"][0]["nCodCC"],
        **changes,
    }


@pytest.mark.parametrize(SIDE_NAMES, SIDES)
async def test_a_title_lives_from_creation_to_settlement(
    omie: Omie, service: str, noun: str, lists: str, settles: str, settled: str, origin: str
) -> None:
    titles = omie.at(service)
    made = await titles.ask(f"Incluir{noun}", **await new_title(omie))
    key = {"codigo_lancamento_omie": made["codigo_lancamento_omie"]}
    assert (await titles.ask(f"Consultar{noun}", **key))["status_titulo"] == "A VENCER"

    part = await titles.ask(settles, codigo_lancamento=made["codigo_lancamento_omie"], valor=40.0)
    assert (part["liquidado"], part["valor_baixado"]) == ("N", 40.0)
    assert (await titles.ask(f"Consultar{noun}", **key))["status_titulo"] == "PAGTO_PARCIAL"

    rest = {"codigo_lancamento_integracao": "T-1", "codigo_baixa_integracao": "B-1"}
    assert (await titles.ask(settles, **rest))["valor_baixado"] == 60.0
    assert (await titles.ask(f"Consultar{noun}", **key))["status_titulo"] == settled
    assert (await titles.refused(settles, **rest)).startswith("Client-102")
    assert "já foi liquidado" in await titles.refused(settles, **rest | {"codigo_baixa_integracao": "B-2"})
    assert "possui baixas" in await titles.refused(f"Excluir{noun}", codigo_lancamento_integracao="T-1")

    entries = await omie.at("financas/contacorrentelancamentos/").ask(
        "ListarLancCC", nPagina=1, nRegPorPagina=100, cOrigem=origin, dtPagInicial=day(), dtPagFinal=day()
    )
    assert [each["cabecalho"]["nValorLanc"] for each in entries["listaLancamentos"][-2:]] == [40.0, 60.0]


@pytest.mark.parametrize(SIDE_NAMES, SIDES)
async def test_an_undone_settlement_opens_the_title_again(
    omie: Omie, service: str, noun: str, lists: str, settles: str, settled: str, origin: str
) -> None:
    titles = omie.at(service)
    await titles.ask(f"Incluir{noun}", **await new_title(omie, data_vencimento=day(-3)))
    made = await titles.ask(settles, codigo_lancamento_integracao="T-1")
    undo = settles.replace("Lancar", "Cancelar")
    await titles.ask(undo, codigo_baixa=made["codigo_baixa"])
    shown = await titles.ask(f"Consultar{noun}", codigo_lancamento_integracao="T-1")
    assert shown["status_titulo"] == "ATRASADO"


@pytest.mark.parametrize(SIDE_NAMES, SIDES)
async def test_filters_of_status_divide_the_titles(
    omie: Omie, service: str, noun: str, lists: str, settles: str, settled: str, origin: str
) -> None:
    async def count(**param: Any) -> int:
        total = (await omie.at(service).ask(lists, pagina=1, **param))["total_de_registros"]
        assert isinstance(total, int)
        return total

    everything = await count()
    still_open = await count(filtrar_por_status="EMABERTO")
    assert everything == 180 == still_open + await count(filtrar_por_status="LIQUIDADO")
    assert await count(filtrar_apenas_titulos_em_aberto="S") == still_open
    assert await count(filtrar_por_status=settled) == await count(filtrar_por_status="LIQUIDADO")
    parts = [await count(filtrar_por_status=status) for status in ("ATRASADO", "AVENCER", "VENCEHOJE")]
    assert sum(parts) == still_open
    assert min(parts[:2]) > 0


@pytest.mark.parametrize(SIDE_NAMES, SIDES)
async def test_past_its_end_a_list_of_titles_is_empty_and_no_fault(
    omie: Omie, service: str, noun: str, lists: str, settles: str, settled: str, origin: str
) -> None:
    page = await omie.at(service).ask(lists, pagina=99)
    assert (page["registros"], page["total_de_registros"], page["conta_" + noun[5:].lower() + "_cadastro"]) == (
        0,
        0,
        [],
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"codigo_cliente_fornecedor": 9}, "Client-105 ERROR: Cliente não cadastrado"),
        ({"codigo_categoria": "9.99"}, "Client-102 ERROR: A categoria [9.99] é inválida!"),
        ({"id_conta_corrente": 9}, "Client-102 ERROR: A conta corrente [9] é inválida!"),
        ({"data_vencimento": "31/02/2026"}, "Client-104 "),
        ({"data_vencimento": "01/01/1890"}, "Client-104 "),
        ({"valor_documento": -1.0}, "Client-101 "),
        ({"codigo_lancamento_integracao": ""}, "Client-1000 "),
        ({"codigo_lancamento_integracao": "R-00001"}, "Client-102 ERROR: Lançamento já cadastrado"),
    ],
)
async def test_a_title_with_bad_references_is_refused(omie: Omie, changes: dict[str, Any], told: str) -> None:
    titles = omie.at("financas/contareceber/")
    assert told in await titles.refused("IncluirContaReceber", **await new_title(omie, **changes))


async def test_a_settled_title_that_is_cancelled_matches_both_and_shows_cancelled(omie: Omie) -> None:
    titles = omie.at("financas/contareceber/")
    before = (await titles.ask("ListarContasReceber", filtrar_por_status="RECEBIDO"))["total_de_registros"]
    await titles.ask("IncluirContaReceber", **await new_title(omie))
    await titles.ask("LancarRecebimento", codigo_lancamento_integracao="T-1")
    await titles.ask("CancelarContaReceber", codigo_lancamento_integracao="T-1")
    shown = await titles.ask("ConsultarContaReceber", codigo_lancamento_integracao="T-1")
    assert shown["status_titulo"] == "CANCELADO"
    after = (await titles.ask("ListarContasReceber", filtrar_por_status="RECEBIDO"))["total_de_registros"]
    assert after == before + 1


async def test_an_entry_made_by_hand_may_be_changed_and_one_of_a_settlement_may_not(omie: Omie) -> None:
    entries = omie.at("financas/contacorrentelancamentos/")
    listed = (await entries.ask("ListarLancCC", nPagina=1))["listaLancamentos"]
    assert "pelo título" in await entries.refused("ExcluirLancCC", nCodLanc=listed[0]["nCodLanc"])
    head = {"nCodCC": listed[0]["cabecalho"]["nCodCC"], "dDtLanc": day(), "nValorLanc": 12.5}
    await entries.ask("IncluirLancCC", cCodIntLanc="L-1", cabecalho=head)
    await entries.ask("AlterarLancCC", cCodIntLanc="L-1", cabecalho={"nValorLanc": 13.5})
    shown = await entries.ask("ConsultaLancCC", cCodIntLanc="L-1")
    assert (shown["cabecalho"]["nValorLanc"], shown["cabecalho"]["nCodCC"]) == (13.5, head["nCodCC"])
    await entries.ask("ExcluirLancCC", cCodIntLanc="L-1")
    assert (await entries.refused("ConsultaLancCC", cCodIntLanc="L-1")).startswith("Client-103")


async def test_accounts_have_their_own_faults(omie: Omie) -> None:
    accounts = omie.at("geral/contacorrente/")
    assert (await accounts.refused("ConsultarContaCorrente", cCodCCInt="nada")).startswith("Client-832")
    nothing = await accounts.refused("ListarContasCorrentes", filtrar_por_descricao="nada disso")
    assert nothing == "Client-101 ERROR: Nenhuma conta corrente foi encontrada!"
    made = await accounts.ask("UpsertContaCorrente", cCodCCInt="N", descricao="Nova", tipo_conta_corrente="CX")
    again = await accounts.ask("UpsertContaCorrente", cCodCCInt="N", descricao="Outra", tipo_conta_corrente="CX")
    assert made["nCodCC"] == again["nCodCC"]
    assert again["cCodStatus"] == "0"
    await accounts.ask("ExcluirContaCorrente", nCodCC=made["nCodCC"])


async def test_a_category_is_given_the_next_code_of_its_branch(omie: Omie) -> None:
    categories = omie.at("geral/categorias/")
    made = await categories.ask("IncluirCategoria", categoria_superior="2.02", descricao="Café")
    assert made["codigo"] == "2.02.04"
    await categories.ask("AlterarCategoria", codigo="2.02.04", descricao="Café e chá")
    assert (await categories.ask("ConsultarCategoria", codigo="2.02.04"))["descricao"] == "Café e chá"
    assert "não é totalizadora" in await categories.refused(
        "IncluirCategoria", categoria_superior="2.02.04", descricao="x"
    )
    assert (await categories.refused("ConsultarCategoria", codigo="9")).startswith("Client-105")
    revenue = await categories.ask("ListarCategorias", pagina=1, filtrar_por_tipo="R")
    assert {each["natureza"] for each in revenue["categoria_cadastro"]} == {"R"}


async def test_products_are_found_by_description_and_not_described_twice(omie: Omie) -> None:
    products = omie.at("geral/produtos/")
    everything = (await products.ask("ListarProdutos", pagina=1, filtrar_apenas_omiepdv="N"))["total_de_registros"]
    assert everything == 90
    some = await products.ask("ListarProdutos", pagina=1, filtrar_apenas_descricao="%parafuso%")
    assert 0 < some["total_de_registros"] < everything
    assert "descr_detalhada" not in some["produto_servico_cadastro"][0]
    assert (await products.refused("ListarProdutos", filtrar_apenas_descricao="%pa%")).startswith("Client-1010")
    assert (await products.refused("ListarProdutos", filtrar_apenas_descricao="parafuso")).startswith("Client-5113")
    assert (await products.refused("ListarProdutos", filtrar_apenas_omiepdv="S")).startswith("Client-5113")
    known = await products.ask("ConsultarProduto", codigo="PRD-0001")
    assert known["descr_detalhada"]
    new = {"descricao": known["descricao"].upper(), "unidade": "UN", "ncm": "7318.15.00", "valor_unitario": 1.0}
    assert "já utilizada pelo produto com código PRD-0001" in await products.refused("IncluirProduto", **new)
    made = await products.ask("UpsertProduto", codigo_produto_integracao="N-1", **new | {"descricao": "Novo"})
    again = await products.ask("UpsertProduto", codigo_produto_integracao="N-1", descricao="Novo", valor_unitario=2.0)
    assert made["codigo_produto"] == again["codigo_produto"]
    await products.ask("ExcluirProduto", codigo_produto_integracao="N-1")
