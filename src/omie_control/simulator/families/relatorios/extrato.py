"""financas/extrato: what an account shows in a period, with the titles that are expected in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from omie_control.simulator.families import contas_correntes, lancamentos
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.relatorios.titles import Title, category_of, customer_of, titles
from omie_control.simulator.world import Desk, Record, Row

PATH = "financas/extrato/"


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarExtrato: the period is this month's when none is named; expected titles only move the expected balance."""
    key = {"nCodCC": param.get("nCodCC"), "cCodCCInt": param.get("cCodIntCC")}
    account = contas_correntes.NOUN.find(desk, key)
    since = day(param.get("dPeriodoInicial") or f"01/{desk.now:%m/%Y}")
    until = day(param.get("dPeriodoFinal") or f"{desk.now:%d/%m/%Y}")
    entries = sorted(entries_of(desk, account.id), key=_day_of)
    before = balance_before(account, entries, since)
    inside = [entry for entry in entries if since <= _day_of(entry) <= until]
    expected = [title for title in titles(desk) if _is_expected(title, account.id, since, until)]
    lines = _lines(desk, before, inside, expected)
    now = round(before + sum(lancamentos.signed(entry) for entry in inside), 2)
    reconciled = [entry for entry in inside if entry.record["diversos"].get("dDtConc")]
    record = account.record
    return {
        "nCodCC": account.id,
        "cCodIntCC": account.code,
        "nCodAgencia": record.get("codigo_agencia", ""),
        "nCodBanco": record.get("codigo_banco", ""),
        "nNumConta": record.get("numero_conta_corrente", ""),
        "cDescricao": record["descricao"],
        "cCodTipo": record["tipo_conta_corrente"],
        "dPeriodoInicial": f"{since:%d/%m/%Y}",
        "dPeriodoFinal": f"{until:%d/%m/%Y}",
        "nSaldoAnterior": before,
        "nSaldoAnteriorPrevisto": before,
        "nSaldoAtual": now,
        "nSaldoAtualPrevisto": round(now + sum(_expected_value(title) for title in expected), 2),
        "nSaldoConciliado": round(before + sum(lancamentos.signed(entry) for entry in reconciled), 2),
        "nSaldoDisponivel": now,
        "listaMovimentos": [] if param.get("cExibirApenasSaldo") == "S" else lines,
    }


HANDLERS = {"ListarExtrato": listar}


def entries_of(desk: Desk, account: int) -> list[Row]:
    """Return what went through an account."""
    return [row for row in desk.company.table(lancamentos.NOUN.table) if row.record["cabecalho"]["nCodCC"] == account]


def balance_before(account: Row, entries: list[Row], since: datetime) -> float:
    """Return an account's balance as the day begins."""
    earlier = sum(lancamentos.signed(entry) for entry in entries if _day_of(entry) < since)
    return round(float(account.record.get("saldo_inicial") or 0) + earlier, 2)


def _lines(desk: Desk, before: float, entries: list[Row], expected: list[Title]) -> list[Record]:
    ordered: list[tuple[datetime, Row | Title]] = [(_day_of(entry), entry) for entry in entries]
    ordered += [(title.due, title) for title in expected]
    real = foreseen = before
    lines = []
    for _, each in sorted(ordered, key=lambda pair: pair[0]):
        if isinstance(each, Title):
            foreseen = round(foreseen + _expected_value(each), 2)
            line = _expected(desk, each)
        else:
            real = round(real + lancamentos.signed(each), 2)
            foreseen = round(foreseen + lancamentos.signed(each), 2)
            line = _entry(desk, each)
        lines.append(line | {"nSaldo": real, "nSaldoPrev": foreseen})
    return lines


def _entry(desk: Desk, row: Row) -> Record:
    more, marks = row.record.get("detalhes", {}), row.record["diversos"]
    seen_at = marks.get("dDtConc", "")
    return {
        "nCodLancamento": row.id,
        "cSituacao": "Conciliado" if seen_at else "Não Conciliado",
        "dDataLancamento": row.record["cabecalho"]["dDtLanc"],
        "nValorDocumento": lancamentos.signed(row),
        "cNumero": more.get("cNumDoc", ""),
        "cOrigem": marks["cOrigem"],
        "cNatureza": marks["cNatureza"],
        "cDataInclusao": f"{row.created_at:%d/%m/%Y}",
        "cHoraInclusao": f"{row.created_at:%H:%M:%S}",
        "dDataConciliacao": seen_at,
        "cObservacoes": more.get("cObs", ""),
        **_whose(desk, more.get("nCodCliente", 0), more.get("cCodCateg", "")),
    }


def _expected(desk: Desk, title: Title) -> Record:
    record = title.record
    return {
        "nCodLancamento": title.row.id,
        "cSituacao": "Atrasado" if title.status == "ATRASADO" else "Previsto",
        "dDataLancamento": record["data_vencimento"],
        "nValorDocumento": _expected_value(title),
        "cNumero": record.get("numero_documento", ""),
        "cParcela": record.get("numero_parcela", ""),
        "cOrigem": record.get("id_origem", f"MAN{title.letter}"),
        "cNatureza": title.letter,
        **_whose(desk, record["codigo_cliente_fornecedor"], record.get("codigo_categoria", "")),
    }


def _whose(desk: Desk, customer: int, category: str) -> Record:
    known = customer_of(desk, customer)
    return {
        "nCodCliente": customer,
        "cDesCliente": known.get("nome_fantasia", ""),
        "cRazCliente": known.get("razao_social", ""),
        "cDocCliente": known.get("cnpj_cpf", ""),
        "cCodCategoria": category,
        "cDesCategoria": category_of(desk, category),
    }


def _expected_value(title: Title) -> float:
    return -title.open if title.letter == "P" else title.open


def _is_expected(title: Title, account: int, since: datetime, until: datetime) -> bool:
    return title.is_open and title.record.get("id_conta_corrente") == account and since <= title.due <= until


def _day_of(row: Row) -> datetime:
    return day(row.record["cabecalho"]["dDtLanc"])
