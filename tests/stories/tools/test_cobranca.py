"""Collecting: the debts are the book's, a simulation writes nothing, and a real run writes bank slips alone."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastmcp import Client
from tests.stories.tools.conftest import Running
from tests.titles_held import Held, held, make_exceptions, money, today
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.mcp.server import build_server
from omie_control.mcp.tools.cobranca import debts_of, message_to, only_when_meant
from omie_control.mcp.traits import Traits
from omie_control.simulator.faults import read_plan

GENERATE = "financas/contareceberboleto/GerarBoleto"


async def some_exceptions(house: House, **arguments: Any) -> dict[str, Any]:
    await make_exceptions(house)
    return arguments


def overdue(house: House, days: int) -> dict[int, list[Held]]:
    """Gather the customers' overdue titles from the simulator's tables."""
    found: dict[int, list[Held]] = defaultdict(list)
    for each in held(house, "receber"):
        if each.open > 0 and (today() - each.due).days >= days:
            found[each.client].append(each)
    return found


def executed(house: House, endpoint: str) -> list[dict[str, Any]]:
    return [entry for entry in house.asked if entry["endpoint"] == endpoint and entry["is_executed"]]


def debts_are_the_book_s_and_nothing_was_written(house: House, answer: Told) -> None:
    owing = overdue(house, 5)
    assert answer.data["simulacao"] is True
    assert answer.data["total_de_clientes"] == len(owing) > 1
    assert money(answer.data["total_vencido"]) == sum(each.open for titles in owing.values() for each in titles)
    assert answer.data["total_de_titulos"] == sum(len(titles) for titles in owing.values())
    debtors = answer.data["clientes"]
    assert [money(each["total_vencido"]) for each in debtors] == sorted(
        (sum(each.open for each in titles) for titles in owing.values()), reverse=True
    )[: len(debtors)]
    for debtor in debtors:
        mine = owing[debtor["codigo_cliente"]]
        record = house.row("clientes", debtor["codigo_cliente"]).record
        assert money(debtor["total_vencido"]) == sum(each.open for each in mine)
        assert {title["codigo_omie"] for title in debtor["titulos"]} == {each.id for each in mine}
        assert debtor["maior_atraso_dias"] == max((today() - each.due).days for each in mine)
        assert debtor["nome"] == record["nome_fantasia"]
        assert debtor.get("email", "") == record.get("email", "")
        assert debtor["nome"] in debtor["mensagem_sugerida"]
    assert executed(house, GENERATE) == []
    assert "boletos" not in answer.data


STORIES = (
    Story(
        "processar_cobranca_automatica",
        good=Case(
            lambda house: some_exceptions(house, dias_minimos=5, limite=50),
            says="Simulação: nada foi gravado nem enviado.",
            then=debts_are_the_book_s_and_nothing_was_written,
        ),
        empty=Case(
            {"codigo_cliente": 7, "simular_apenas": False},
            has={"clientes": [], "total_vencido": 0.0, "simulacao": False},
            says="Nenhum título vencido",
        ),
        wrong=Case(
            {"simular_apenas": "talvez", "dias_minimos": 0, "valor_minimo": "1.234"},
            says=("- simular_apenas: esperado sim ou não", "- dias_minimos: esperado no mínimo 1", "- valor_minimo:"),
        ),
        failing=Case({}),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def a_customer_with_three_late_titles(house: House) -> tuple[int, list[int]]:
    late = overdue(house, 1)
    client = next(row.id for row in house.table("clientes") if row.id not in late and row.record["inativo"] == "N")
    account = next(iter(house.table("contas_correntes"))).id
    titles = []
    for days in (30, 20, 10):
        made = await house.call(
            "incluir_conta_receber",
            codigo_cliente=client,
            valor=f"{days},50",
            vencimento=(today() - timedelta(days=days)).isoformat(),
            categoria="1.01.01",
            codigo_conta_corrente=account,
        )
        titles.append(made.data["codigo_omie"])
    return client, titles


async def test_a_real_run_makes_a_bank_slip_for_each_overdue_title_that_has_none(house: House) -> None:
    client, [first, *others] = await a_customer_with_three_late_titles(house)
    await house.call("gerar_boleto", codigo_omie=first)
    answer = await house.call("processar_cobranca_automatica", codigo_cliente=client, simular_apenas=False)
    assert not answer.is_error, answer.text
    assert (answer.data["total_vencido"], answer.data["titulos_sem_boleto"]) == (61.5, 2)
    assert [each["codigo_omie"] for each in answer.data["boletos"]] == others
    assert len(executed(house, GENERATE)) == 3
    assert [answer.data[name] for name in ("recusados", "ja_tinham_boleto", "nao_tentados")] == [[], [], []]
    written = [entry["endpoint"] for entry in house.asked if entry["is_executed"] and entry["effects"]][3:]
    assert set(written) == {GENERATE}, "besides the three titles, bank slips alone are written"
    for each in answer.data["boletos"]:
        assert house.row("contas_receber", each["codigo_omie"]).record["boleto"]["cNumBoleto"] == each["numero"]
        assert each["link"].startswith("https://")


async def test_who_may_only_read_may_simulate_and_no_more(running: Running, house: House) -> None:
    async with Client(build_server(running.app)) as reader:
        shown = await reader.call_tool("processar_cobranca_automatica", {"empresa": house.slug})
        assert (shown.structured_content or {})["simulacao"] is True
        meant = {"empresa": house.slug, "simular_apenas": False}
        refused = await reader.call_tool("processar_cobranca_automatica", meant, raise_on_error=False)
    assert refused.is_error
    assert "não permite" in "".join(block.text for block in refused.content if block.type == "text")
    assert executed(house, GENERATE) == []


async def test_what_was_made_is_told_when_omie_breaks_midway(house: House) -> None:
    client, titles = await a_customer_with_three_late_titles(house)
    plan = {"match": {"app_key": house.app_key, "call": "GerarBoleto", "nth": 2}, "move": "500"}
    house.omie.simulator.faults.add([read_plan(plan)])
    answer = await house.call("processar_cobranca_automatica", codigo_cliente=client, simular_apenas=False)
    assert answer.is_error
    assert len(executed(house, GENERATE)) == 1
    assert f"Antes disso foram gerados os boletos dos títulos {titles[0]}." in answer.text
    assert "Não repita" in answer.text


def test_only_a_call_that_is_meant_writes() -> None:
    base = Traits("processar_cobranca_automatica", writes=True)
    for raw, writes in ((False, True), ("N", True), (True, False), ("sim", False), ("???", False), (None, False)):
        assert only_when_meant(base, {"simular_apenas": raw}).writes is writes, raw
    assert only_when_meant(base, {}).writes is False


def test_debts_are_gathered_by_customer_and_small_ones_left_out() -> None:
    today_ = date(2026, 11, 23)

    def row(id: int, client: int, due: date, value: str) -> dict[str, Any]:
        return {"codigo_omie": id, "codigo_cliente": client, "vencimento": due, "valor_aberto": Decimal(value)}

    rows = [
        row(1, 10, date(2026, 11, 20), "5.00"),
        row(2, 20, date(2026, 11, 1), "100.00"),
        row(3, 10, date(2026, 10, 1), "200.00"),
        row(4, 30, date(2026, 11, 22), "900.00"),
    ]
    debts = debts_of(rows, today_, 2, Decimal(50))
    assert [(client, [each["codigo_omie"] for each in titles]) for client, titles in debts] == [(10, [3, 1]), (20, [2])]
    message = message_to("Padaria", debts[0][1], today_)
    assert "Olá, Padaria! Consta em aberto conosco R$ 205,00:" in message
    assert "- 3: R$ 200,00, vencido em 01/10/2026, há 53 dias" in message
