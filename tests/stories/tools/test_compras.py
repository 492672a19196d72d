"""The purchases' tools: orders, requisitions and the suppliers' notes, as Omie has them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.world import Row

ORDERS, REQUESTS, NOTES = "pedidos_compra", "requisicoes_compra", "recebimentos"
PENDING = "10"


def pending(house: House) -> list[Row]:
    return [row for row in house.table(ORDERS) if row.record["cabecalho_consulta"]["cEtapa"] == PENDING]


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


def those_that_are_expected(house: House, answer: Told) -> None:
    assert {row["codigo_omie"] for row in answer.data["pedidos"]} == {row.id for row in pending(house)} != set()
    for shown in answer.data["pedidos"]:
        record = house.row(ORDERS, shown["codigo_omie"]).record
        head, lines = record["cabecalho_consulta"], record["produtos_consulta"]
        assert (shown["numero"], shown["codigo_fornecedor"]) == (head["cNumero"], head["nCodFor"])
        assert shown["itens"] == len(lines)
        assert shown["valor_dos_itens"] == round(sum(line["nValTot"] for line in lines), 2)


def is_the_order(house: House, answer: Told) -> None:
    shown = answer.data["pedido"]
    record = house.row(ORDERS, shown["nCodPed"]).record
    assert shown["cNumero"] == record["cabecalho_consulta"]["cNumero"] == "000000000000003"
    assert [each["nValTot"] for each in shown["itens"]] == [line["nValTot"] for line in record["produtos_consulta"]]


def order_stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(ORDERS, answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    head = made.record["cabecalho_consulta"]
    assert (head["cCodCateg"], head["cCodParc"], head["dDtPrevisao"]) == ("2.01.01", "000", "31/12/2026")
    assert (head["nCodFor"], head["cNumero"]) == (house.first("clientes", inativo="N").id, answer.data["numero"])
    [line] = made.record["produtos_consulta"]
    assert (line["nCodProd"], line["nQtde"], line["nValUnit"], line["nDesconto"]) == (a_product(house), 10.5, 7.25, 1)


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


def the_notes_of(house: House, answer: Told) -> None:
    [shown] = answer.data["notas"]
    head = house.row(NOTES, shown["codigo_recebimento"]).record["cabec"]
    facts = (shown["numero"], shown["valor"], shown["fornecedor"])
    assert facts == (head["cNumeroNFe"], head["nValorNFe"], head["cNome"])
    assert (shown["emissao"], shown["recebida"]) == (head["dEmissaoNFe"], "N")


def a_supplier_with_a_note(house: House) -> dict[str, int]:
    return {"codigo_fornecedor": next(iter(house.table(NOTES))).record["cabec"]["nIdFornecedor"]}


STORIES = (
    Story(
        "listar_pedidos_compra",
        good=Case(then=those_that_are_expected),
        empty=Case({"pagina": 99}, has={"registros": 0, "pedidos": [], "tem_mais": False}, says="Nada encontrado"),
        wrong=Case({"situacao": ["aberto"]}, says="esperado um destes: 'pendente'"),
        failing=Case(),
    ),
    Story(
        "consultar_pedido_compra",
        good=Case({"numero": "3"}, says="**000000000000003**", then=is_the_order),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="Informe exatamente um destes: codigo_omie, codigo_integracao, numero"),
        failing=Case({"numero": "5"}),
    ),
    Story(
        "incluir_pedido_compra",
        good=Case(a_new_order, then=order_stands_in_omie),
        empty=Case(lambda house: a_new_order(house, codigo_fornecedor=42), is_refused=True),
        wrong=Case(
            lambda house: a_new_order(house, itens=[{"codigo_produto": 1, "quantidade": 0, "valor_unitario": "1.234"}]),
            says=(
                "itens[0].quantidade: esperado mais que 0",
                "itens[0].valor_unitario: este número se lê de dois modos",
            ),
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
        good=Case(a_supplier_with_a_note, then=the_notes_of),
        empty=Case({"codigo_fornecedor": 42}, has={"registros": 0, "notas": []}, says="Nada encontrado"),
        wrong=Case({"emissao_de": "2026-02-30"}, says="- emissao_de: esta data não existe"),
        failing=Case(),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_orders_that_have_come_are_asked_for_by_their_situation(house: House) -> None:
    expected = {row.id for row in pending(house)}
    come = (await house.call("listar_pedidos_compra", situacao=["recebido"])).data["pedidos"]
    assert {row["codigo_omie"] for row in come} == {row.id for row in house.table(ORDERS)} - expected != set()
