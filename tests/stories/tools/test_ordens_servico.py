"""The tools of work orders: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.world import Row

TABLE, NOTES = "ordens_servico", "notas_servico"


def a_service(house: House) -> Row:
    return next(iter(house.table("servicos")))


def a_new_order(house: House, **more: Any) -> dict[str, Any]:
    return {
        "codigo_cliente": house.first("clientes", inativo="N").id,
        "previsao": "15/12/2026",
        "categoria": "1.01.02",
        "codigo_conta_corrente": next(iter(house.table("contas_correntes"))).id,
        "servicos": [
            {"codigo_servico": a_service(house).id, "quantidade": 2, "valor_unitario": "180,00", "valor_desconto": 10}
        ],
        **more,
    }


async def made(house: House, **more: Any) -> dict[str, int]:
    answer = await house.call("incluir_ordem_servico", **a_new_order(house, **more))
    assert not answer.is_error, answer.text
    return {"codigo_omie": answer.data["codigo_omie"]}


async def at_stage(house: House, stage: str) -> dict[str, int]:
    """An order of its own: what the company was founded with depends on chance."""
    return await made(house, etapa=stage)


async def to_move(house: House) -> dict[str, Any]:
    return {**await at_stage(house, "10"), "etapa": "20"}


async def ready(house: House) -> dict[str, int]:
    return await made(house, etapa="50")


async def invoiced(house: House) -> dict[str, int]:
    order = await ready(house)
    await house.call("faturar_ordem_servico", **order)
    return order


def are_invoiced_ones(house: House, answer: Told) -> None:
    rows = [row for row in house.table(TABLE) if row.record["Cabecalho"]["cEtapa"] == "60"]
    assert [row["codigo_omie"] for row in answer.data["ordens"]] == [row.id for row in rows[:5]]
    assert answer.data["total_de_registros"] == len(rows)
    for row in answer.data["ordens"]:
        [line] = house.row(TABLE, row["codigo_omie"]).record["ServicosPrestados"]
        assert (row["valor"], row["faturada"]) == (line["nQtde"] * line["nValUnit"], True)


def is_whole(house: House, answer: Told) -> None:
    shown = answer.data["ordem"]
    row = house.row(TABLE, shown["Cabecalho"]["nCodOS"])
    assert shown["Cabecalho"]["cNumOS"] == row.record["number"]
    assert [line["nIdItem"] for line in shown["ServicosPrestados"]] == [
        line["nIdItem"] for line in row.record["ServicosPrestados"]
    ]


def stands_in_omie(house: House, answer: Told) -> None:
    row = house.row(TABLE, answer.data["codigo_omie"])
    assert row.code == answer.data["codigo_integracao"] != ""
    [line] = row.record["ServicosPrestados"]
    assert (line["nCodServico"], line["nQtde"], line["nValUnit"], line["nValorDesconto"]) == (
        a_service(house).id,
        2,
        180,
        10,
    )
    assert (row.record["Cabecalho"]["cEtapa"], row.record["Cabecalho"]["cCodParc"]) == ("10", "002")
    assert row.record["Observacoes"] == {"cObsOS": "Levar escada"}


def is_moved(house: House, answer: Told) -> None:
    assert house.row(TABLE, answer.data["codigo_omie"]).record["Cabecalho"]["cEtapa"] == "20"


def has_note_and_title(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    note = house.row(NOTES, record["note"]).record
    assert (record["Cabecalho"]["cEtapa"], note["value"]) == ("60", 350.0)
    [title] = [house.row("contas_receber", id).record for id in note["titles"]]
    assert title["valor_documento"] == 350.0


def is_cancelled(house: House, answer: Told) -> None:
    record = house.row(TABLE, answer.data["codigo_omie"]).record
    assert record["cancelled_at"] is not None
    assert house.row(NOTES, record["note"]).record["cancelled_at"] is not None


def tells_the_note(house: House, answer: Told) -> None:
    shown = answer.data["ordem"]
    note = house.row(NOTES, house.row(TABLE, shown["nCodOS"]).record["note"]).record
    assert (shown["cEtapa"], shown["cFaturada"], shown["nValorTot"]) == ("60", "S", 350.0)
    assert shown["ListaRpsNfse"][0]["nNfse"] == note["number"]


STORIES = (
    Story(
        "listar_ordens_servico",
        good=Case({"etapa": "60", "registros_por_pagina": 5}, then=are_invoiced_ones),
        empty=Case({"codigo_cliente": 7}, has={"registros": 0, "ordens": []}, says="Nada encontrado"),
        wrong=Case({"etapa": "6", "previsao_de": "hoje"}, says=("- etapa: o texto não", "- previsao_de: esperada")),
        failing=Case(),
    ),
    Story(
        "consultar_ordem_servico",
        good=Case(invoiced, then=is_whole),
        empty=Case({"numero": "999999"}, is_refused=True),
        wrong=Case({}, says="Informe exatamente um destes: codigo_omie, codigo_integracao, numero"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "incluir_ordem_servico",
        good=Case(
            lambda house: a_new_order(house, condicao_pagamento="002", observacao="Levar escada"), then=stands_in_omie
        ),
        empty=Case(lambda house: a_new_order(house, codigo_cliente=42), is_refused=True),
        wrong=Case(
            lambda house: a_new_order(house, servicos=[{"quantidade": 1, "valor_unitario": 5, "descricao": "Visita"}]),
            says="servicos[0]: informe codigo_servico, ou descricao",
        ),
        failing=Case(a_new_order, says="Não repita"),
    ),
    Story(
        "trocar_etapa_ordem_servico",
        good=Case(to_move, then=is_moved),
        empty=Case({"codigo_omie": 42, "etapa": "20"}, is_refused=True),
        wrong=Case({"codigo_omie": 5, "etapa": "x"}, says="- etapa: o texto não está na forma"),
        failing=Case({"codigo_omie": 5, "etapa": "20"}, says="Não repita"),
    ),
    Story(
        "validar_ordem_servico",
        good=Case(ready, has={"pode_faturar": True}),
        empty=Case(
            lambda house: at_stage(house, "10"), has={"pode_faturar": False}, says="Ainda não pode ser faturado"
        ),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
    Story(
        "faturar_ordem_servico",
        good=Case(ready, then=has_note_and_title),
        empty=Case(lambda house: at_stage(house, "10"), is_refused=True),
        wrong=Case({"codigo_omie": 5, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
        failing=Case(ready, says="Não repita"),
    ),
    Story(
        "cancelar_ordem_servico",
        good=Case(invoiced, then=is_cancelled),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({"codigo_omie": 5, "cancelar_nfse": "talvez"}, says="- cancelar_nfse: esperado sim ou não"),
        failing=Case({"codigo_omie": 5}, says="Não repita"),
    ),
    Story(
        "status_ordem_servico",
        good=Case(invoiced, then=tells_the_note),
        empty=Case({"codigo_omie": 42}, is_refused=True),
        wrong=Case({}, says="codigo_omie ou codigo_integracao"),
        failing=Case({"codigo_omie": 5}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
