"""The purchases' tools: orders, requisitions and the suppliers' notes, as Omie has them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.simulador import last_written, rows
from tests.tool_stories import Case, House, Story, Told, told

ORDERS = "produtos/pedidocompra/PesquisarPedCompra"
NOTES = "produtos/recebimentonfe/ListarRecebimentos"
REQUESTS = "requisicoes_compra"


def orders(house: House) -> list[dict[str, Any]]:
    expected = dict.fromkeys(("lExibirPedidosPendentes", "lExibirPedidosRecParciais", "lExibirPedidosFatParciais"), "T")
    return rows(house, ORDERS, nPagina=1, nRegsPorPagina=50, **expected)


def a_product(house: House) -> int:
    return next(iter(house.table("produtos"))).id


def a_new_order(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_fornecedor": house.first("clientes", inativo="N").id,
        "itens": [
            {"codigo_produto": a_product(house), "quantidade": "10,5", "valor_unitario": "7,25", "valor_desconto": 1}
        ],
        "previsao": "2026-12-31",
        "categoria": "2.01.01",
        "condicao_pagamento": "000",
        **more,
    }


def a_new_request(house: House, **more: Any) -> dict[str, Any]:
    return {
        "itens": [{"codigo_produto": a_product(house), "quantidade": 4, "valor_unitario": "3,5"}],
        "sugestao": "2026-12-31",
        "categoria": "2.01.01",
        "observacao": "Abaixo do mínimo",
        **more,
    }


def a_page_of_orders(house: House, answer: Told) -> None:
    there = orders(house)
    assert answer.data["registros"] == len(answer.data["pedidos"]) == len(there) > 0
    shown, omies = answer.data["pedidos"][0], there[0]
    head = omies["cabecalho_consulta"]
    assert (shown["codigo_omie"], shown["numero"]) == (head["nCodPed"], head["cNumero"])
    assert shown["itens"] == len(omies["produtos_consulta"])
    assert shown["valor_dos_itens"] == round(sum(item["nValTot"] for item in omies["produtos_consulta"]), 2)


def is_the_order(house: House, answer: Told) -> None:
    omies = orders(house)[0]
    shown = answer.data["pedido"]
    assert shown["nCodPed"] == omies["cabecalho_consulta"]["nCodPed"]
    assert [each["nCodProd"] for each in shown["itens"]] == [each["nCodProd"] for each in omies["produtos_consulta"]]


def order_stands_in_omie(house: House, answer: Told) -> None:
    assert answer.data["codigo_omie"] == house.asked[-1]["effects"][0]["id"]
    assert answer.data["codigo_integracao"]
    plain, _ = last_written(house)
    wanted = {"cCodCateg": "2.01.01", "cCodParc": "000", "dDtPrevisao": "31/12/2026"}
    assert wanted.items() <= plain.items()
    assert plain["nCodFor"] == house.first("clientes", inativo="N").id


def every_request(house: House, answer: Told) -> None:
    there = list(house.table(REQUESTS))
    assert [row["codigo_omie"] for row in answer.data["requisicoes"]] == [row.id for row in there] != []
    first, record = answer.data["requisicoes"][0], there[0].record
    assert (first["categoria"], first["sugestao"], first["itens"]) == ("2.01.01", record["dtSugestao"], 1)


def request_stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(REQUESTS, answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    assert (made.record["dtSugestao"], made.record["obsReqCompra"]) == ("31/12/2026", "Abaixo do mínimo")
    [item] = made.record["ItensReqCompra"]
    assert (item["codProd"], item["qtde"], item["precoUnit"]) == (a_product(house), 4, 3.5)


def the_notes(house: House, answer: Told) -> None:
    there = rows(house, NOTES, nPagina=1, nRegistrosPorPagina=4)
    assert len(there) == answer.data["registros"] == 4
    for shown, omies in zip(answer.data["notas"], there, strict=True):
        head = omies["cabec"]
        assert (shown["codigo_recebimento"], shown["numero"]) == (head["nIdReceb"], head["cNumeroNFe"])
        assert (shown["valor"], shown["emissao"]) == (head["nValorNFe"], head["dEmissaoNFe"])


STORIES = (
    Story(
        "listar_pedidos_compra",
        good=Case(then=a_page_of_orders),
        empty=Case({"pagina": 99}, has={"registros": 0, "pedidos": [], "tem_mais": False}, says="Nada encontrado"),
        wrong=Case({"situacao": ["aberto"]}, says="esperado um destes: 'pendente'"),
        failing=Case(),
    ),
    Story(
        "consultar_pedido_compra",
        good=Case(lambda house: {"codigo_omie": orders(house)[0]["cabecalho_consulta"]["nCodPed"]}, then=is_the_order),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="Informe exatamente um destes: codigo_omie, codigo_integracao, numero"),
        failing=Case({"numero": "5"}),
    ),
    Story(
        "incluir_pedido_compra",
        good=Case(a_new_order, then=order_stands_in_omie),
        empty=Case(lambda house: a_new_order(house, itens=[]), is_refused=True, says="- itens: esperados pelo menos 1 itens"),
        wrong=Case(
            lambda house: a_new_order(house, itens=[{"codigo_produto": 1, "quantidade": 0, "valor_unitario": "1.234"}]),
            says=("itens[0].quantidade: esperado mais que 0", "itens[0].valor_unitario: este número se lê de dois modos"),
        ),
        failing=Case(a_new_order, says="Não repita"),
    ),
    Story(
        "listar_requisicoes_compra",
        good=Case(then=every_request),
        empty=Case(
            {"alterada_de": "01/01/2001", "alterada_ate": "31/01/2001"}, has={"registros": 0, "requisicoes": []}
        ),
        wrong=Case({"alterada_de": "2026-02-01", "alterada_ate": "2026-01-01"}, says="alterada_de: esperada uma data"),
        failing=Case(),
    ),
    Story(
        "incluir_requisicao_compra",
        good=Case(a_new_request, then=request_stands_in_omie),
        empty=Case(
            lambda house: a_new_request(house, itens=[{"codigo_produto": 42, "quantidade": 1, "valor_unitario": 1}]),
            is_refused=True,
        ),
        wrong=Case(lambda house: a_new_request(house, sugestao="logo"), says="- sugestao: esperada uma data"),
        failing=Case(a_new_request, says="Não repita"),
    ),
    Story(
        "listar_notas_entrada",
        good=Case({"registros_por_pagina": 4}, then=the_notes),
        empty=Case({"codigo_fornecedor": 42}, has={"registros": 0, "notas": []}, says="Nada encontrado"),
        wrong=Case({"emissao_de": "2026-02-30"}, says="- emissao_de: esta data não existe"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
