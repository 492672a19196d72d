"""The receivables' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "contas_receber"
RECEIPTS = "baixas_contas_receber"
ENTRIES = "lancamentos"


def an_open_title(house: House) -> int:
    """Find a title that nobody has paid."""
    paid = {row.record["title"] for row in house.table(RECEIPTS)}
    return next(row.id for row in house.table(TABLE) if row.id not in paid)


def an_account(house: House) -> int:
    return next(iter(house.table("contas_correntes"))).id


def a_new_title(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_cliente": house.first("clientes", inativo="N").id,
        "valor": "R$ 2.500,40",
        "vencimento": "2026-12-31",
        "categoria": "1.01.01",
        "codigo_conta_corrente": an_account(house),
        "numero_documento": "NF-777",
        **more,
    }


def a_receipt(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_omie": an_open_title(house),
        "codigo_conta_corrente": an_account(house),
        "valor": "10,50",
        "data": "23/11/2026",
        **more,
    }


async def a_received_title(house: House) -> dict[str, Any]:
    got = await house.call("lancar_recebimento", **a_receipt(house))
    return {"codigo_baixa": got.data["codigo_baixa"]}


async def a_reconciled_receipt(house: House) -> dict[str, Any]:
    got = await house.call("lancar_recebimento", **a_receipt(house, conciliado=True))
    assert _entry_of(house, got.data["codigo_baixa"])["diversos"]["dDtConc"]
    return {"codigo_baixa": got.data["codigo_baixa"]}


def _entry_of(house: House, receipt: int) -> Any:
    return house.row(ENTRIES, house.row(RECEIPTS, receipt).record["entry"]).record


def only_late_ones(house: House, answer: Told) -> None:
    assert 0 < len(answer.data["contas"]) <= 5
    assert {row["status"] for row in answer.data["contas"]} == {"ATRASADO"}
    first = answer.data["contas"][0]
    record = house.row(TABLE, first["codigo_omie"]).record
    assert (first["valor"], first["vencimento"]) == (record["valor_documento"], record["data_vencimento"])
    assert first["codigo_cliente"] == record["codigo_cliente_fornecedor"]
    assert answer.data["fonte"] == "omie"


def is_shown(house: House, answer: Told) -> None:
    id = answer.data["conta"]["codigo_lancamento_omie"]
    assert answer.data["conta"]["valor_documento"] == house.row(TABLE, id).record["valor_documento"]


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(TABLE, answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    assert (made.record["valor_documento"], made.record["numero_documento"]) == (2500.4, "NF-777")
    assert (made.record["data_vencimento"], made.record["data_previsao"]) == ("31/12/2026", "31/12/2026")


def is_changed(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert (record["valor_documento"], record["observacao"]) == (99.9, "Renegociado")


def is_gone(house: House, answer: Told) -> None:
    assert house.table(TABLE).get(answer.data["codigo_omie"]) is None


def is_received(house: House, answer: Told) -> None:
    receipt = house.row(RECEIPTS, answer.data["codigo_baixa"])
    assert (receipt.record["value"], receipt.record["title"]) == (10.5, answer.data["codigo_omie"])
    assert (receipt.record["interest"], receipt.record["day"]) == (1.25, "23/11/2026")
    assert receipt.code == answer.data["codigo_baixa_integracao"]


def is_open_again(house: House, answer: Told) -> None:
    assert house.table(RECEIPTS).get(answer.data["codigo_baixa"]) is None


def is_ticked(house: House, answer: Told) -> None:
    assert _entry_of(house, answer.data["codigo_baixa"])["diversos"]["dDtConc"]


def is_not_ticked(house: House, answer: Told) -> None:
    assert not _entry_of(house, answer.data["codigo_baixa"])["diversos"]["dDtConc"]


STORIES = (
    Story(
        "consultar_contas_receber",
        good=Case({"vencidas": True, "registros_por_pagina": 5}, then=only_late_ones),
        empty=Case(
            {"codigo_cliente": 7, "emissao_de": "2026-01-01"},
            has={"registros": 0, "total_de_registros": 0, "contas": [], "tem_mais": False},
            says="Nada encontrado",
        ),
        wrong=Case(
            {"emissao_de": "31/02/2026", "cnpj_cpf": "529.982.247-26", "status": "PAGO", "codigo_cliente": 0},
            says=(
                "- emissao_de: esta data não existe no calendário. Exemplo: 31/12/2026.",
                "- cnpj_cpf: não é um CPF nem um CNPJ válido",
                "- status: esperado um destes: 'RECEBIDO'",
                "- codigo_cliente: esperado no mínimo 1",
            ),
        ),
        failing=Case({"status": "EMABERTO"}),
    ),
    Story(
        "consultar_conta_receber",
        good=Case(lambda house: {"codigo_omie": an_open_title(house)}, then=is_shown),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({"codigo_omie": 5, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "incluir_conta_receber",
        good=Case(a_new_title, then=stands_in_omie),
        empty=Case(lambda house: a_new_title(house, codigo_cliente=42), is_refused=True),
        wrong=Case(
            {"valor": "1.234", "vencimento": "amanhã"},
            says=(
                "- codigo_cliente: é obrigatório e não veio. Exemplo: 5500000001.",
                "- valor: este número se lê de dois modos",
                "- vencimento: esperada uma data dd/mm/aaaa ou aaaa-mm-dd.",
                '- categoria: é obrigatório e não veio. Exemplo: "1.01.01".',
            ),
        ),
        failing=Case(a_new_title, says="Não repita"),
    ),
    Story(
        "alterar_conta_receber",
        good=Case(
            lambda house: {"codigo_omie": an_open_title(house), "valor": 99.9, "observacao": "Renegociado"},
            then=is_changed,
        ),
        empty=Case({"codigo_integracao": "NAO-HA", "valor": 1}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo para alterar"),
        failing=Case({"codigo_omie": 5, "valor": 1}, says="Não repita"),
    ),
    Story(
        "excluir_conta_receber",
        good=Case(lambda house: {"codigo_omie": an_open_title(house)}, then=is_gone),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
    Story(
        "lancar_recebimento",
        good=Case(
            lambda house: a_receipt(house, juros="1,25"),
            has={"valor_baixado": 10.5, "liquidado": False},
            then=is_received,
        ),
        empty=Case(lambda house: a_receipt(house, codigo_omie=42), is_refused=True),
        wrong=Case(
            lambda house: a_receipt(house, valor=-1, juros="1,234", data="2026-13-01", conciliado="talvez"),
            says=(
                "- valor: esperado mais que 0",
                "- juros: este número se lê de dois modos",
                "- data: esta data não",
                "- conciliado: esperado sim ou não",
            ),
        ),
        failing=Case(a_receipt, says="Não repita"),
    ),
    Story(
        "cancelar_recebimento",
        good=Case(a_received_title, then=is_open_again),
        empty=Case({"codigo_baixa": 42}, is_refused=True),
        wrong=Case({}, says="codigo_baixa ou codigo_baixa_integracao"),
        failing=Case({"codigo_baixa": 42}, says="Não repita"),
    ),
    Story(
        "conciliar_recebimento",
        good=Case(a_received_title, then=is_ticked),
        empty=Case({"codigo_baixa": 42}, is_refused=True),
        wrong=Case({"codigo_baixa": 1, "codigo_baixa_integracao": "B"}, says="codigo_baixa ou codigo_baixa_integracao"),
        failing=Case({"codigo_baixa": 42}, says="Não repita"),
    ),
    Story(
        "desconciliar_recebimento",
        good=Case(a_reconciled_receipt, then=is_not_ticked),
        empty=Case({"codigo_baixa_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({}, says="codigo_baixa ou codigo_baixa_integracao"),
        failing=Case({"codigo_baixa": 42}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
