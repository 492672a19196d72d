"""The tools for entries of the accounts: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "lancamentos"


def an_account(house: House, number: int = 0) -> int:
    return list(house.table("contas_correntes"))[number].id


def a_new_entry(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_conta_corrente": an_account(house),
        "data": "20/11/2026",
        "valor": "35,90",
        "categoria": "2.02.01",
        "observacao": "Tarifa",
        **more,
    }


def a_transfer(house: House) -> dict[str, Any]:
    more = {"categoria": None, "codigo_conta_destino": an_account(house, 1), "codigo_integracao": "TRA-1"}
    return a_new_entry(house, **more)


async def an_entry(house: House, **more: Any) -> dict[str, Any]:
    made = await house.call("incluir_lancamento", **a_new_entry(house))
    return {"codigo_omie": made.data["codigo_omie"], **more}


def the_entry_of_a_settlement(house: House) -> dict[str, Any]:
    row = next(row for row in house.table(TABLE) if row.record["diversos"]["cOrigem"] == "BAXR")
    return {"codigo_omie": row.id}


async def two_days(house: House) -> dict[str, Any]:
    for day in ("19/11/2026", "20/11/2026", "21/11/2026"):
        await house.call("incluir_lancamento", **a_new_entry(house, data=day, observacao=f"Tarifa de {day}"))
    return {"data_de": "2026-11-19", "data_ate": "2026-11-20", "origem": "MANP"}


def both_of_those_days(house: House, answer: Told) -> None:
    assert [row["data"] for row in answer.data["lancamentos"]] == ["19/11/2026", "20/11/2026"]
    first = answer.data["lancamentos"][0]
    record = house.row(TABLE, first["codigo_omie"]).record
    assert (first["valor"], first["natureza"], first["categoria"]) == (35.9, "P", "2.02.01")
    assert first["observacao"] == record["detalhes"]["cObs"]


def is_shown(house: House, answer: Told) -> None:
    entry = answer.data["lancamento"]
    assert entry["cabecalho"] == house.row(TABLE, entry["nCodLanc"]).record["cabecalho"]
    assert entry["diversos"]["cOrigem"] == "BAXR"


def went_from_one_to_the_other(house: House, answer: Told) -> None:
    left = house.row(TABLE, answer.data["codigo_omie"])
    assert left.code == "TRA-1"
    assert left.record["cabecalho"] == {"nCodCC": an_account(house), "dDtLanc": "20/11/2026", "nValorLanc": 35.9}
    came = house.first(TABLE, transferencia={"nCodCCDestino": an_account(house)}).record
    assert (came["cabecalho"]["nCodCC"], came["diversos"]["cNatureza"]) == (an_account(house, 1), "R")


def is_changed(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert record["cabecalho"] == {"nCodCC": an_account(house), "dDtLanc": "20/11/2026", "nValorLanc": 40.0}
    assert record["detalhes"]["cObs"] == "Tarifa corrigida"


def is_gone(house: House, answer: Told) -> None:
    assert house.table(TABLE).get(answer.data["codigo_omie"]) is None


STORIES = (
    *(
        Story(
            name,
            good=Case(two_days, then=both_of_those_days),
            empty=Case(
                {"data_de": "01/01/2001", "data_ate": "02/01/2001"},
                has={"registros": 0, "lancamentos": []},
                says="Nada encontrado",
            ),
            wrong=Case(
                {"data_de": "30/02/2026", "origem": "BOLETO"},
                says=("- data_de: esta data não existe", "- origem: esperado um destes"),
            ),
            failing=Case({}),
        )
        for name in ("listar_lancamentos", "consultar_lancamentos")
    ),
    Story(
        "consultar_lancamento",
        good=Case(the_entry_of_a_settlement, then=is_shown),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({"codigo_omie": 5, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "incluir_lancamento",
        good=Case(a_transfer, then=went_from_one_to_the_other),
        empty=Case(lambda house: a_new_entry(house, codigo_conta_corrente=42), is_refused=True),
        wrong=Case(
            {"valor": 0, "data": "ontem", "tipo_documento": "PIX"},
            says=(
                "- codigo_conta_corrente: é obrigatório e não veio",
                "- valor: esperado mais que 0",
                "- data: esperada uma data",
                "- tipo_documento: esperado um destes",
            ),
        ),
        failing=Case(a_new_entry, says="Não repita"),
    ),
    Story(
        "alterar_lancamento",
        good=Case(lambda house: an_entry(house, valor=40, observacao="Tarifa corrigida"), then=is_changed),
        empty=Case(lambda house: the_entry_of_a_settlement(house) | {"valor": 1}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo para alterar"),
        failing=Case({"codigo_omie": 5, "valor": 1}, says="Não repita"),
    ),
    Story(
        "excluir_lancamento",
        good=Case(an_entry, then=is_gone),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_nobody_guesses_whether_money_comes_or_goes(house: House) -> None:
    before = house.asked
    answer = await house.call("incluir_lancamento", **a_new_entry(house, categoria=None))
    assert answer.is_error
    assert "categoria: diz se o dinheiro entra ou sai" in answer.text
    own = {"categoria": None, "codigo_conta_destino": an_account(house)}
    answer = await house.call("incluir_lancamento", **a_new_entry(house, **own))
    assert answer.is_error
    assert "codigo_conta_destino: esperada outra conta" in answer.text
    assert house.asked == before
