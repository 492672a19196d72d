"""The tools of fiscal notes: listed and shown as they stand in Omie, and their documents."""

from __future__ import annotations

from typing import Any

import pytest
from tests.stories.tools.sales import NOTES, made
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.simulator.world import Row

SERVICE_NOTES = "notas_servico"


def a_note(house: House) -> Row:
    return next(iter(house.table(NOTES)))


def by_emission(house: House) -> dict[str, Any]:
    row = a_note(house)
    day = f"{row.record['emitted_at']:%d/%m/%Y}"
    return {"emissao_de": day, "emissao_ate": day, "tipo": "saida"}


def are_those_of_the_day(house: House, answer: Told) -> None:
    day = a_note(house).record["emitted_at"].date()
    rows = [row for row in house.table(NOTES) if row.record["emitted_at"].date() == day]
    shown = [(row["codigo_nota"], row["valor"], row["chave"], row["tipo"]) for row in answer.data["notas"]]
    assert shown == [(row.id, row.record["value"], row.record["key"], "saída") for row in rows]
    first = answer.data["notas"][0]
    assert first["cliente"] == house.row("clientes", rows[0].record["customer"]).record["razao_social"]
    assert "cancelamento" not in first


def is_the_note(house: House, answer: Told) -> None:
    shown = answer.data["nota"]
    row = a_note(house)
    assert (shown["ide"]["nNF"], shown["compl"]["nIdNF"]) == (row.record["number"], row.id)
    assert shown["total"]["ICMSTot"]["vNF"] == row.record["value"]
    assert [title["nCodTitulo"] for title in shown["titulos"]] == row.record["titles"]


def are_of_the_client(house: House, answer: Told) -> None:
    customer = next(iter(house.table(SERVICE_NOTES))).record["customer"]
    rows = [row for row in house.table(SERVICE_NOTES) if row.record["customer"] == customer]
    shown = [(row["codigo_nota"], row["valor"], row["codigo_os"]) for row in answer.data["notas"]]
    assert shown == [(row.id, row.record["value"], row.record["order"]) for row in rows]


def has_links_and_no_xml(house: House, answer: Told) -> None:
    row = a_note(house)
    assert (answer.data["numero"], answer.data["chave"]) == (row.record["number"], row.record["key"])
    assert answer.data["pdf"].endswith("danfe.pdf")
    assert answer.data["tem_xml"] is True
    assert "xml" not in answer.data


STORIES = (
    Story(
        "listar_notas_fiscais",
        good=Case(by_emission, then=are_those_of_the_day),
        empty=Case({"emissao_de": "01/01/2001", "emissao_ate": "31/01/2001"}, has={"registros": 0, "notas": []}),
        wrong=Case(
            {"emissao_de": "2026-13-01", "tipo": "1", "cnpj_cpf": "11.111.111/1111-11"},
            says=("- emissao_de: esta data não existe", "- tipo: esperado um destes", "- cnpj_cpf: não é um CPF"),
        ),
        failing=Case(),
    ),
    Story(
        "consultar_nota_fiscal",
        good=Case(lambda house: {"numero": a_note(house).record["number"], "serie": "1"}, then=is_the_note),
        empty=Case({"codigo_nota": 42}, is_refused=True),
        wrong=Case({"codigo_nota": 5, "serie": "1"}, says="serie só vale junto com numero"),
        failing=Case({"codigo_nota": 5}),
    ),
    Story(
        "listar_nfse",
        good=Case(
            lambda house: {"codigo_cliente": next(iter(house.table(SERVICE_NOTES))).record["customer"]},
            then=are_of_the_client,
        ),
        empty=Case({"codigo_os": 7}, has={"registros": 0, "notas": []}, says="Nada encontrado"),
        wrong=Case({"emissao_de": "01/02/2026", "emissao_ate": "01/01/2026"}, says="emissao_de: esperada uma data até"),
        failing=Case(),
    ),
    Story(
        "obter_documento_fiscal",
        good=Case(lambda house: {"documento": "nfe", "codigo": a_note(house).id}, then=has_links_and_no_xml),
        empty=Case({"documento": "nfe", "codigo": 42}, is_refused=True),
        wrong=Case({"documento": "boleto"}, says=("- documento: esperado um destes", "- codigo: é obrigatório")),
        failing=Case({"documento": "nfse", "codigo": 5}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_a_note_is_found_by_its_order_and_by_its_key(house: House) -> None:
    row = a_note(house)
    for named in ({"codigo_pedido": row.record["order"]}, {"chave": row.record["key"]}):
        answer = await house.call("consultar_nota_fiscal", **named)
        assert answer.data["nota"]["compl"]["nIdNF"] == row.id
    both = await house.call("consultar_nota_fiscal", codigo_pedido=5, numero="7")
    assert "Informe exatamente um destes" in both.text


async def test_the_xml_comes_when_it_is_asked_for(house: House) -> None:
    answer = await house.call("obter_documento_fiscal", documento="nfe", codigo=a_note(house).id, com_xml=True)
    assert a_note(house).record["key"] in answer.data["xml"]


async def test_documents_of_services_and_orders_are_told_alike(house: House) -> None:
    service = next(iter(house.table(SERVICE_NOTES)))
    for document, code in (
        ("nfse", service.id),
        ("ordem_servico", service.record["order"]),
        ("pedido_venda", a_note(house).record["order"]),
        ("danfe_simplificado", a_note(house).id),
    ):
        answer = await house.call("obter_documento_fiscal", documento=document, codigo=code)
        assert answer.data["numero"], document
        assert answer.data["pdf"].startswith("https://"), document


async def test_a_cancelled_note_says_when(house: House) -> None:
    code = await made(house, etapa="50")
    await house.call("faturar_pedido_venda", codigo_omie=code)
    await house.call("cancelar_pedido_venda", codigo_omie=code)
    number = int(house.row(NOTES, house.row("pedidos", code).record["note"]).record["number"])
    [row] = (await house.call("listar_notas_fiscais", numero_de=number, numero_ate=number)).data["notas"]
    assert row["cancelamento"] == row["emissao"]
