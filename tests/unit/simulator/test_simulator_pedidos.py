"""Sales orders of the simulator, from a quote to the invoice, its titles and the goods' way out and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, day, simulated


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http, "produtos/pedido/")


async def new_order(omie: Omie, **head: Any) -> dict[str, Any]:
    accounts = await omie.at("geral/contacorrente/").ask("ListarContasCorrentes", pagina=1)
    product = await omie.at("geral/produtos/").ask("ConsultarProduto", codigo="PRD-0001")
    return {
        "cabecalho": {
            "codigo_cliente": 5_500_000_001,
            "codigo_pedido_integracao": "V-1",
            "data_previsao": day(5),
            "etapa": "10",
            "codigo_parcela": "002",
            **head,
        },
        "informacoes_adicionais": {
            "codigo_categoria": "1.01.01",
            "codigo_conta_corrente": accounts["ListarContasCorrentes"][0]["nCodCC"],
        },
        "det": [
            {
                "ide": {"codigo_item_integracao": "V-1-1"},
                "produto": {"codigo_produto": product["codigo_produto"], "quantidade": 3, "valor_unitario": 33.34},
            }
        ],
    }


async def test_an_order_is_reckoned_and_shown_in_its_wrapping(omie: Omie) -> None:
    made = await omie.ask("IncluirPedido", **await new_order(omie))
    shown = (await omie.ask("ConsultarPedido", codigo_pedido_integracao="V-1"))["pedido_venda_produto"]
    assert shown["cabecalho"]["codigo_pedido"] == made["codigo_pedido"]
    assert shown["cabecalho"]["numero_pedido"] == made["numero_pedido"]
    assert shown["total_pedido"]["valor_total_pedido"] == 100.02
    assert [each["valor"] for each in shown["lista_parcelas"]["parcela"]] == [50.01, 50.01]
    assert shown["infoCadastro"]["cancelado"] == "N"
    by_number = await omie.ask("ConsultarPedido", numero_pedido=made["numero_pedido"].zfill(15))
    assert by_number["pedido_venda_produto"] == shown


async def test_an_invoiced_order_leaves_a_note_titles_and_less_stock(omie: Omie) -> None:
    made = await omie.ask("IncluirPedido", **await new_order(omie))
    invoicing = omie.at("produtos/pedidovendafat/")
    key = {"nCodPed": made["codigo_pedido"]}
    checked = await invoicing.ask("ValidarPedidoVenda", **key)
    assert (checked["cCodStatus"], "etapa" in checked["cDescStatus"]) == ("1", True)
    assert "etapa" in await invoicing.refused("FaturarPedidoVenda", **key)

    await omie.ask("TrocarEtapaPedido", codigo_pedido=made["codigo_pedido"], etapa="50")
    assert (await invoicing.ask("ValidarPedidoVenda", cCodIntPed="V-1"))["cCodStatus"] == "0"
    assert (await invoicing.ask("FaturarPedidoVenda", **key))["cCodStatus"] == "0"
    status = await omie.ask("StatusPedido", codigo_pedido_integracao="V-1")
    assert (status["etapa"], status["faturada"], status["cancelada"]) == ("60", "S", "N")
    [note] = status["ListaNfe"]
    assert len(note["chave_nfe"]) == 44
    everything = await omie.at("financas/contareceber/").ask("ListarContasReceber", registros_por_pagina=100, pagina=2)
    titles = [each for each in everything["conta_receber_cadastro"] if each.get("nCodPedido") == made["codigo_pedido"]]
    assert [each["valor_documento"] for each in titles] == [50.01, 50.01]
    assert {each["chave_nfe"] for each in titles} == {note["chave_nfe"]}
    history = await omie.at("produtos/pedidoetapas/").ask("ListarEtapasPedido", nPagina=1, cCodIntPed="V-1")
    assert [each["cEtapa"] for each in history["etapasPedido"]] == ["10", "50", "60"]
    assert "já foi faturado" in await omie.refused("ExcluirPedido", codigo_pedido_integracao="V-1")

    await invoicing.ask("CancelarPedidoVenda", **key)
    status = await omie.ask("StatusPedido", codigo_pedido_integracao="V-1")
    assert (status["etapa"], status["cancelada"], status["ListaNfe"][0]["status_nfe"]) == ("60", "S", "101")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ({"codigo_cliente": 9}, "Client-105 ERROR: Cliente não cadastrado"),
        ({"etapa": "60"}, "Client-105 ERROR: Conteúdo inválido para a tag [etapa]! Valores permitidos: 00, 10"),
        ({"codigo_parcela": "Z99"}, "Client-105 ERROR: Parcela não cadastrada"),
        ({"data_previsao": ""}, "Client-1000 ERROR: O preenchimento da(s) tag(s) [data_previsao]"),
        ({"codigo_pedido_integracao": "PED-00001"}, "Client-102 ERROR: Pedido já cadastrado"),
    ],
)
async def test_an_order_that_lacks_or_misnames_something_is_refused(
    omie: Omie, head: dict[str, Any], told: str
) -> None:
    assert told in await omie.refused("IncluirPedido", **await new_order(omie, **head))
    good = await new_order(omie)
    good["det"][0]["produto"]["codigo_produto"] = 9
    assert "Client-105 ERROR: Produto não cadastrado" in await omie.refused("IncluirPedido", **good)


async def test_the_seeded_orders_page_filter_and_end_as_omies_do(omie: Omie) -> None:
    everything = await omie.ask("ListarPedidos", pagina=1, registros_por_pagina=50)
    assert (everything["total_de_registros"], everything["total_de_paginas"]) == (83, 2)
    assert (await omie.refused("ListarPedidos", pagina=3)).startswith("Client-5113")
    quotes = await omie.ask("ListarPedidos", pagina=1, etapa="00")
    assert {each["cabecalho"]["etapa"] for each in quotes["pedido_venda_produto"]} == {"00"}
    invoiced = await omie.ask("ListarPedidos", pagina=1, status_pedido="FATURADO", apenas_resumo="S")
    assert 0 < invoiced["total_de_registros"] < 83
    assert "det" not in invoiced["pedido_venda_produto"][0]
    assert (await omie.refused("ConsultarPedido", codigo_pedido=9)).startswith("Client-18800")


async def test_items_of_an_order_come_change_and_go(omie: Omie) -> None:
    made = await omie.ask("IncluirPedido", **await new_order(omie))
    items, key = omie.at("produtos/pedidovenda/"), {"codigo_pedido": made["codigo_pedido"]}
    product = (await omie.at("geral/produtos/").ask("ConsultarProduto", codigo="PRD-0002"))["codigo_produto"]
    line = {"codigo_produto": product, "quantidade": 2, "valor_unitario": 10.0}
    added = await items.ask("IncluirItemPedido", **key, codigo_item_integracao="V-1-2", **line)
    await items.ask("AlterarItemPedido", **key, codigo_item=added["codigo_item"], **line | {"quantidade": 5})
    shown = (await omie.ask("ConsultarPedido", **key))["pedido_venda_produto"]
    assert shown["total_pedido"]["valor_total_pedido"] == 150.02
    await items.ask("ExcluirItemPedido", **key, codigo_item_integracao="V-1-1")
    shown = (await omie.ask("ConsultarPedido", codigo_pedido_integracao="V-1"))["pedido_venda_produto"]
    assert [each["produto"]["valor_total"] for each in shown["det"]] == [50.0]
    assert "Item não cadastrado" in await items.refused("ExcluirItemPedido", **key, codigo_item=9)


async def test_an_order_is_copied_given_a_code_changed_and_deleted(omie: Omie) -> None:
    await omie.ask("IncluirPedido", **await new_order(omie))
    invoicing = omie.at("produtos/pedidovendafat/")
    copy = await invoicing.ask("DuplicarPedidoVenda", cCodIntPed="V-1")
    await invoicing.ask("AssociarCodIntPedidoVenda", nCodPed=copy["nCodPed"], cCodIntPed="V-2")
    head = {"codigo_pedido_integracao": "V-2", "etapa": "20"}
    await omie.ask("AlterarPedidoVenda", cabecalho=head, observacoes={"obs_venda": "Entregar cedo"})
    shown = (await omie.ask("ConsultarPedido", codigo_pedido_integracao="V-2"))["pedido_venda_produto"]
    assert (shown["cabecalho"]["etapa"], shown["observacoes"]) == ("20", {"obs_venda": "Entregar cedo"})
    await omie.ask("ExcluirPedido", codigo_pedido_integracao="V-2")
    assert (await omie.refused("ConsultarPedido", codigo_pedido=copy["nCodPed"])).startswith("Client-18800")
