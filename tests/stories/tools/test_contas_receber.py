"""The receivables' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.titles import Side
from tests.tool_stories import Case, House, Story, Told, told

RECEIVABLES = Side(
    "conta_receber",
    settle="lancar_recebimento",
    undo="cancelar_recebimento",
    party="codigo_cliente",
    category="1.01.01",
    table="contas_receber",
)


async def a_reconciled_receipt(house: House) -> dict[str, Any]:
    named = await RECEIVABLES.a_settled_title(house, conciliado=True)
    assert _entry_of(house, named["codigo_baixa"])["diversos"]["dDtConc"]
    return named


def _entry_of(house: House, receipt: int) -> Any:
    entry = house.row(RECEIVABLES.settlements, receipt).record["entry"]
    return house.row("lancamentos", entry).record


def stands_in_omie(house: House, answer: Told) -> None:
    RECEIVABLES.stands_in_omie(house, answer, value=2500.4)
    assert house.row(RECEIVABLES.table, answer.data["codigo_omie"]).record["numero_documento"] == "NF-777"


def is_received(house: House, answer: Told) -> None:
    RECEIVABLES.is_settled(house, answer)
    assert house.row(RECEIVABLES.settlements, answer.data["codigo_baixa"]).record["interest"] == 1.25


def is_ticked(house: House, answer: Told) -> None:
    assert _entry_of(house, answer.data["codigo_baixa"])["diversos"]["dDtConc"]


def is_not_ticked(house: House, answer: Told) -> None:
    assert not _entry_of(house, answer.data["codigo_baixa"])["diversos"]["dDtConc"]


STORIES = (
    Story(
        "consultar_contas_receber",
        good=Case({"vencidas": True, "registros_por_pagina": 5}, then=RECEIVABLES.only_late_ones),
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
    *RECEIVABLES.stories(),
    RECEIVABLES.created(stands_in_omie, valor="R$ 2.500,40", numero_documento="NF-777"),
    Story(
        "lancar_recebimento",
        good=Case(
            lambda house: RECEIVABLES.a_settlement(house, juros="1,25"),
            has={"valor_baixado": 10.5, "liquidado": False},
            then=is_received,
        ),
        empty=Case(lambda house: RECEIVABLES.a_settlement(house, codigo_omie=42), is_refused=True),
        wrong=Case(
            lambda house: RECEIVABLES.a_settlement(
                house, valor=-1, juros="1,234", data="2026-13-01", conciliado="talvez"
            ),
            says=(
                "- valor: esperado mais que 0",
                "- juros: este número se lê de dois modos",
                "- data: esta data não",
                "- conciliado: esperado sim ou não",
            ),
        ),
        failing=Case(RECEIVABLES.a_settlement, says="Não repita"),
    ),
    Story(
        "conciliar_recebimento",
        good=Case(RECEIVABLES.a_settled_title, then=is_ticked),
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
