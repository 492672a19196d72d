"""financas/resumo and financas/caixa: what is owed and owned on a day, and by category in a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import contas_correntes, lancamentos
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.records import require
from omie_control.simulator.families.relatorios.extrato import entries_of
from omie_control.simulator.families.relatorios.titles import Title, category_of, customer_of, find, titles
from omie_control.simulator.world import Desk, Record

PATH = "financas/resumo/"
CASH_PATH = "financas/caixa/"
_LATE, _CALM = "vermelho", "verde"


def obter_resumo(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterResumoFinancas: all that is open on a day, what of it is late, and the accounts' balance."""
    at = _day(desk, param)
    owed, due = _open(desk, "P"), _open(desk, "R")
    balance = _balance(desk, at)
    today_owed, today_due = _due_on(owed, at), _due_on(due, at)
    shown: dict[str, Any] = {
        "dDia": f"{at:%d/%m/%Y}",
        "contaCorrente": {"vTotal": balance, "vLimiteCredito": 0.0, "cIcone": "banco", "cCor": _CALM},
        "contaPagar": _side(owed, at),
        "contaReceber": _side(due, at),
        "fluxoCaixa": {
            "dDia": f"{at:%d/%m/%Y}",
            "vPagar": today_owed,
            "vReceber": today_due,
            "vSaldo": round(balance + today_due - today_owed, 2),
        },
    }
    if param.get("lExibirCategoria"):
        shown |= {"contaPagarCategoria": _by_category(desk, owed), "contaReceberCategoria": _by_category(desk, due)}
    if not param.get("lApenasResumo"):
        shown["contaPagarAtraso"] = [_line(desk, each, at) for each in owed if each.due < at]
        shown["contaReceberAtraso"] = [_line(desk, each, at) for each in due if each.due < at]
    return shown


def obter_lista(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterListaFinancas: the open titles that are due on a day."""
    require(param, "cTipo")
    at = _day(desk, param)
    found = [title for title in _open(desk, param["cTipo"]) if title.due == at]
    category = param.get("cCodCateg")
    rows = [_dated(desk, each) for each in found if category in (None, "", each.record.get("codigo_categoria"))]
    return {"listaDetalhesFinancas": rows}


def obter_em_aberto(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterListaEmAberto: the open titles of a side, those due up to a day when one is named, oldest first."""
    require(param, "cTipo")
    name = str(param.get("cNomeCliente") or "").lower()
    found = [
        title
        for title in _open(desk, param["cTipo"])
        if (not param.get("dDia") or title.due <= day(param["dDia"]))
        and param.get("nCodCliente") in (None, 0, title.record["codigo_cliente_fornecedor"])
        and name in _name(desk, title).lower()
    ]
    found.sort(key=lambda title: title.due)
    size = min(param.get("nRegPorPagina") or 50, 100)
    number = max(param.get("nPagina") or 1, 1)
    chosen = found[(number - 1) * size : number * size]
    return {
        "nPagina": number,
        "nTotPaginas": -(-len(found) // size),
        "nRegistros": len(chosen),
        "nTotRegistros": len(found),
        "ListaEmEberto": [_line(desk, each, desk.now) | _payable_by(each) for each in chosen],
    }


def obter_detalhes(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterDetalhesLancamento: one title, whichever side it is on."""
    title = find(desk, param.get("nIdTitulo") or 0)
    if title is None:
        raise Refusal("Client-105", f"ERROR: Título não cadastrado para o Código [{param.get('nIdTitulo')}] !")
    return {
        **_line(desk, title, desk.now),
        **_payable_by(title),
        "cTipoLanc": title.letter,
        "dPrevisao": title.record.get("data_previsao", title.record["data_vencimento"]),
        "cDescCtaCorr": _account_name(desk, title),
        "cSituacao": title.status,
        "listaAnexos": [],
    }


def listar_orcamentos(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarOrcamentos: by category, what the month's titles come to and what of it went through the accounts."""
    year, month = int(param.get("nAno") or desk.now.year), int(param.get("nMes") or desk.now.month)
    planned: dict[str, float] = defaultdict(float)
    real: dict[str, float] = defaultdict(float)
    for title in titles(desk):
        if (title.due.year, title.due.month) == (year, month) and title.status != "CANCELADO":
            planned[title.record.get("codigo_categoria", "")] += title.value
    for row in desk.company.table(lancamentos.NOUN.table):
        at = day(row.record["cabecalho"]["dDtLanc"])
        if (at.year, at.month) == (year, month):
            real[row.record.get("detalhes", {}).get("cCodCateg", "")] += float(row.record["cabecalho"]["nValorLanc"])
    return {
        "nAno": str(year),
        "nMes": str(month),
        "ListaOrcamentos": [
            {
                "cCodCateg": code,
                "cDesCateg": category_of(desk, code),
                "nValorPrevisto": round(planned[code], 2),
                "nValorRealilzado": round(real[code], 2),
            }
            for code in sorted({*planned, *real} - {""})
        ],
    }


HANDLERS = {
    "ObterResumoFinancas": obter_resumo,
    "ObterListaFinancas": obter_lista,
    "ObterListaEmAberto": obter_em_aberto,
    "ObterDetalhesLancamento": obter_detalhes,
}
CASH_HANDLERS = {"ListarOrcamentos": listar_orcamentos}


def _day(desk: Desk, param: Record) -> datetime:
    return day(param.get("dDia") or f"{desk.now:%d/%m/%Y}")


def _open(desk: Desk, letter: str) -> list[Title]:
    if letter not in ("P", "R"):
        raise Refusal("Client-105", "ERROR: Conteúdo inválido para a tag [cTipo]! Valores permitidos: P, R")
    return [title for title in titles(desk, letter) if title.is_open]


def _sum(found: Iterable[Title]) -> float:
    return round(sum(title.open for title in found), 2)


def _due_on(found: list[Title], at: datetime) -> float:
    return _sum(title for title in found if title.due.date() == at.date())


def _balance(desk: Desk, at: datetime) -> float:
    """Return what all accounts hold at the end of a day."""
    held = 0.0
    for account in desk.company.table(contas_correntes.NOUN.table):
        held += float(account.record.get("saldo_inicial") or 0)
        entries = entries_of(desk, account.id)
        held += sum(lancamentos.signed(each) for each in entries if day(each.record["cabecalho"]["dDtLanc"]) <= at)
    return round(held, 2)


def _side(found: list[Title], at: datetime) -> Record:
    late = _sum(title for title in found if title.due < at)
    total, color = _sum(found), _LATE if late else _CALM
    return {"nTotal": float(len(found)), "vTotal": total, "vAtraso": late, "cIcone": "carteira", "cCor": color}


def _by_category(desk: Desk, found: list[Title]) -> list[Record]:
    groups: dict[str, list[Title]] = defaultdict(list)
    for title in found:
        groups[title.record.get("codigo_categoria", "")].append(title)
    return [
        {
            "cCodCateg": code,
            "cDescCateg": category_of(desk, code),
            "nTotal": float(len(group)),
            "vTotal": _sum(group),
        }
        for code, group in sorted(groups.items())
    ]


def _line(desk: Desk, title: Title, at: datetime) -> Record:
    late = title.days_late(at)
    code = title.record.get("codigo_categoria", "")
    return {
        "nIdTitulo": title.row.id,
        "nIdCliente": title.record["codigo_cliente_fornecedor"],
        "cNomeCliente": _name(desk, title),
        "vDoc": title.open,
        "dVencimento": title.record["data_vencimento"],
        "dEmissao": title.record["data_emissao"],
        "cCodCateg": code,
        "cDescCateg": category_of(desk, code),
        "nDiasAtraso": float(late),
        "cIcone": "titulo",
        "cCor": _LATE if late else _CALM,
    }


def _dated(desk: Desk, title: Title) -> Record:
    record = title.record
    return {
        "nIdTitulo": title.row.id,
        "nIdCliente": record["codigo_cliente_fornecedor"],
        "cNomeCliente": _name(desk, title),
        "vDoc": title.open,
        "dVencimento": record["data_vencimento"],
        "dEmissao": record["data_emissao"],
        "dPrevisao": record.get("data_previsao", record["data_vencimento"]),
        "nIdConta": record.get("id_conta_corrente", 0),
        "cNomeConta": _account_name(desk, title),
        "cNumDocumentoFiscal": record.get("numero_documento_fiscal", ""),
        "cNumDocumento": record.get("numero_documento", ""),
    }


def _payable_by(title: Title) -> Record:
    is_receivable = title.letter == "R"
    has_slip = title.record.get("boleto", {}).get("cGerado") == "S"
    return {
        "nQtdeAnexos": 0,
        "cBolGerado": "S" if has_slip else "N",
        "cBolPodeGerar": "S" if is_receivable and not has_slip else "N",
        "cPixGerado": "N",
        "cPixPodeGerar": "S" if is_receivable else "N",
    }


def _name(desk: Desk, title: Title) -> str:
    known = customer_of(desk, title.record["codigo_cliente_fornecedor"])
    return str(known.get("nome_fantasia") or known.get("razao_social") or "")


def _account_name(desk: Desk, title: Title) -> str:
    row = desk.company.table(contas_correntes.NOUN.table).get(title.record.get("id_conta_corrente", 0))
    return "" if row is None else str(row.record["descricao"])
