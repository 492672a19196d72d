"""The accounts' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "contas_correntes"
ENTRIES = "lancamentos"


def an_account(house: House) -> int:
    return next(iter(house.table(TABLE))).id


def a_taken_code(house: House) -> str:
    return next(row.code for row in house.table(TABLE) if row.code)


async def an_inactive_account(house: House) -> dict[str, Any]:
    first = an_account(house)
    changed = await house.call("alterar_conta_corrente", codigo_omie=first, inativa=True)
    assert changed.data["codigo_omie"] == first
    return {"ativas": True}


async def an_account_that_is_new(house: House) -> dict[str, Any]:
    made = await house.call("incluir_conta_corrente", descricao="Caixa da festa", tipo="CX")
    return {"codigo_omie": made.data["codigo_omie"]}


def active_ones_only(house: House, answer: Told) -> None:
    assert [row["codigo_omie"] for row in answer.data["contas"]] == [
        row.id for row in house.table(TABLE) if row.record["inativo"] == "N"
    ]
    assert 0 < answer.data["registros"] == len(list(house.table(TABLE))) - 1
    first = answer.data["contas"][0]
    record = house.row(TABLE, first["codigo_omie"]).record
    assert (first["descricao"], first["tipo"]) == (record["descricao"], record["tipo_conta_corrente"])


def all_of_them(house: House, answer: Told) -> None:
    rows = list(house.table(TABLE))
    assert {row["codigo_omie"]: row["descricao"] for row in answer.data["contas"]} == {
        row.id: row.record["descricao"] for row in rows
    }
    assert answer.data["contas"][0]["saldo_inicial"] == rows[0].record["saldo_inicial"]


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(TABLE, answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    assert (made.record["tipo_conta_corrente"], made.record["saldo_inicial"]) == ("CC", -150.75)
    assert made.record["saldo_data"] == "01/11/2026"


def is_renamed(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert (record["descricao"], record["inativo"], record["valor_limite"]) == ("Banco antigo", "S", 5000.0)


def is_gone(house: House, answer: Told) -> None:
    assert house.table(TABLE).get(answer.data["codigo_omie"]) is None


STORIES = (
    *(
        Story(
            name,
            good=Case(an_inactive_account, then=active_ones_only),
            empty=Case({"descricao": "não há conta assim"}, has={"registros": 0, "contas": []}, says="Nada encontrado"),
            wrong=Case(
                {"ativas": "quase", "codigo": 0},
                says=("- ativas: esperado sim ou não", "- codigo: esperado no mínimo 1"),
            ),
            failing=Case({}),
        )
        for name in ("listar_contas_correntes", "consultar_contas_correntes")
    ),
    Story(
        "listar_resumo_contas_correntes",
        good=Case({}, then=all_of_them),
        empty=Case({"pagina": 99}, has={"registros": 0, "contas": []}, says="Nada encontrado"),
        wrong=Case({"ativas": 7}, says="- ativas: esperado sim ou não"),
        failing=Case({}),
    ),
    Story(
        "incluir_conta_corrente",
        good=Case(
            {
                "descricao": "Banco da filial",
                "tipo": "CC",
                "codigo_banco": "341",
                "agencia": "0123",
                "saldo_inicial": "-150,75",
                "saldo_inicial_em": "01/11/2026",
            },
            then=stands_in_omie,
        ),
        empty=Case(
            lambda house: {"descricao": "Outra", "tipo": "CX", "codigo_integracao": a_taken_code(house)},
            is_refused=True,
        ),
        wrong=Case(
            {"tipo": "BANCO", "saldo_inicial": "1.234", "codigo_integracao": "x" * 21},
            says=(
                "- descricao: é obrigatório e não veio",
                "- tipo: esperado um destes",
                "- saldo_inicial: este número se lê de dois modos",
                "- codigo_integracao:",
            ),
        ),
        failing=Case({"descricao": "Caixa", "tipo": "CX"}, says="Não repita"),
    ),
    Story(
        "alterar_conta_corrente",
        good=Case(
            lambda house: {
                "codigo_omie": an_account(house),
                "descricao": "Banco antigo",
                "limite": "5.000,00",
                "inativa": True,
            },
            then=is_renamed,
        ),
        empty=Case({"codigo_integracao": "NAO-HA", "descricao": "x"}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo para alterar"),
        failing=Case({"codigo_omie": 5, "descricao": "x"}, says="Não repita"),
    ),
    Story(
        "excluir_conta_corrente",
        good=Case(an_account_that_is_new, then=is_gone),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
