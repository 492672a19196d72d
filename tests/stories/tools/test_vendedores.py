"""The sellers' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "vendedores"


def a_seller(house: House) -> dict[str, int]:
    return {"codigo_omie": next(iter(house.table(TABLE))).id}


def all_of_them(house: House, answer: Told) -> None:
    shown = [(row["codigo_omie"], row["nome"], row["comissao_percentual"]) for row in answer.data["vendedores"]]
    assert shown == [(row.id, row.record["nome"], row.record["comissao"]) for row in house.table(TABLE)]


def is_shown(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["vendedor"]["codigo"]).record
    assert (answer.data["vendedor"]["nome"], answer.data["vendedor"]["email"]) == (record["nome"], record["email"])


def stands_in_omie(house: House, answer: Told) -> None:
    made = house.row(TABLE, answer.data["codigo_omie"])
    assert made.code == answer.data["codigo_integracao"] != ""
    assert (made.record["nome"], made.record["comissao"], made.record["fatura_pedido"]) == ("Rui Prado", 2.5, "S")


def is_changed(house: House, answer: Told) -> None:
    row = house.row(TABLE, answer.data["codigo_omie"])
    assert (row.record["comissao"], row.record["inativo"]) == (7.25, "S")
    # What was not to change went back as it was.
    assert (row.record["nome"], row.record["visualiza_pedido"], row.code) == ("Marina Esteves", "S", "VEN-01")


STORIES = (
    Story(
        "listar_vendedores",
        good=Case(then=all_of_them),
        empty=Case({"nome": "Ninguém"}, has={"registros": 0, "vendedores": []}, says="Nada encontrado"),
        wrong=Case({"email": "sem arroba"}, says="- email: esperado um e-mail"),
        failing=Case(),
    ),
    Story(
        "consultar_vendedor",
        good=Case(a_seller, then=is_shown),
        empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
        wrong=Case({}, says=("codigo_omie ou codigo_integracao", "listar_vendedores")),
        failing=Case(a_seller),
    ),
    Story(
        "incluir_vendedor",
        good=Case({"nome": "Rui Prado", "comissao_percentual": "2,5", "fatura_pedido": True}, then=stands_in_omie),
        empty=Case({"nome": "Rui", "codigo_integracao": "VEN-01"}, is_refused=True),
        wrong=Case({"nome": "Rui", "comissao_percentual": 250}, says="comissao_percentual: esperado no máximo 100"),
        failing=Case({"nome": "Rui Prado"}, says="Não repita"),
    ),
    Story(
        "alterar_vendedor",
        good=Case(lambda house: {**a_seller(house), "comissao_percentual": "7,25", "inativo": True}, then=is_changed),
        empty=Case({"codigo_omie": 42, "nome": "Rui"}, is_refused=True),
        wrong=Case({"codigo_omie": 5}, says="Nenhum campo para alterar"),
        failing=Case(lambda house: {**a_seller(house), "nome": "Rui"}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_an_empty_email_goes_and_the_rest_stays(house: House) -> None:
    seller = a_seller(house)
    before = dict(house.row(TABLE, seller["codigo_omie"]).record)
    answer = await house.call("alterar_vendedor", **seller, email="")
    assert not answer.is_error, answer.text
    after = house.row(TABLE, seller["codigo_omie"]).record
    assert (before["email"] != "", after["email"]) == (True, "")
    assert (after["nome"], after["comissao"]) == (before["nome"], before["comissao"])
