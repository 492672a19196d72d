"""The PIX tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "contas_receber"
RECEIPTS = "baixas_contas_receber"


def an_open_title(house: House) -> int:
    """Find a title that nobody has paid."""
    paid = {row.record["title"] for row in house.table(RECEIPTS)}
    return next(row.id for row in house.table(TABLE) if row.id not in paid)


def a_single_charge(house: House) -> dict[str, Any]:
    account = next(iter(house.table("contas_correntes"))).id
    client = house.first("clientes", inativo="N").id
    return {"valor": "150,25", "codigo_conta_corrente": account, "codigo_cliente": client}


async def a_charge(house: House) -> dict[str, Any]:
    made = await house.call("gerar_pix", codigo_titulo=an_open_title(house))
    assert not made.is_error, made.text
    return {"codigo_pix": made.data["codigo_pix"]}


async def two_charges(house: House) -> dict[str, Any]:
    first = await a_charge(house)
    await house.call("gerar_pix", **a_single_charge(house))
    await house.call("cancelar_pix", **first)
    return {"status": "REGISTRADO"}


async def a_paid_charge(house: House) -> dict[str, Any]:
    title = an_open_title(house)
    await house.call("gerar_pix", codigo_titulo=title)
    record = house.row(TABLE, title).record
    await house.call(
        "lancar_recebimento",
        codigo_omie=title,
        codigo_conta_corrente=record["id_conta_corrente"],
        valor=record["valor_documento"],
        data="23/11/2026",
    )
    return {"codigo_titulo": title}


def is_made(house: House, answer: Told) -> None:
    charge = house.row("pix", answer.data["codigo_pix"])
    assert charge.code == answer.data["codigo_integracao"] != ""
    assert charge.record["vValor"] == answer.data["valor"] == 150.25
    assert charge.record["cCliente"] == house.first("clientes", inativo="N").id
    assert answer.data["copia_e_cola"].startswith("000201")


def is_told_as_paid(house: House, answer: Told) -> None:
    pix = answer.data["pix"]
    assert pix["status"] == "LIQUIDADO"
    assert pix["valor"] == house.row(TABLE, pix["codigo_titulo"]).record["valor_documento"]


def only_the_one_that_waits(house: House, answer: Told) -> None:
    [charge] = answer.data["cobrancas"]
    assert (charge["valor"], charge["status"]) == (150.25, "REGISTRADO")


def is_cancelled(house: House, answer: Told) -> None:
    assert house.row("pix", answer.data["codigo_pix"]).record["cStatus"] == "CANCELADO"


STORIES = (
    Story(
        "gerar_pix",
        good=Case(a_single_charge, then=is_made),
        empty=Case({"codigo_titulo": 42}, is_refused=True),
        wrong=Case({"valor": "10,00"}, says="codigo_conta_corrente: é obrigatório na cobrança avulsa"),
        failing=Case(a_single_charge, says="Não repita"),
    ),
    Story(
        "consultar_pix",
        good=Case(a_paid_charge, then=is_told_as_paid),
        empty=Case({"codigo_titulo": 42}, is_refused=True),
        wrong=Case({"codigo_pix": 5, "codigo_titulo": 6}, says="codigo_pix, codigo_integracao, codigo_titulo"),
        failing=Case({"codigo_pix": 5}),
    ),
    Story(
        "listar_pix",
        good=Case(two_charges, then=only_the_one_that_waits),
        empty=Case(
            {"emissao_de": "01/01/2001", "emissao_ate": "31/01/2001"},
            has={"registros": 0, "cobrancas": []},
            says="Nada encontrado",
        ),
        wrong=Case({"status": "PAGO", "emissao_de": "x"}, says=("- status: esperado um destes", "- emissao_de:")),
        failing=Case({}),
    ),
    Story(
        "cancelar_pix",
        good=Case(a_charge, then=is_cancelled),
        empty=Case({"codigo_pix": 42}, is_refused=True),
        wrong=Case({}, says="codigo_pix ou codigo_integracao"),
        failing=Case({"codigo_pix": 5}, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
