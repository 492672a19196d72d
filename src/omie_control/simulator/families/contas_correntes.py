"""geral/contacorrente: the company's accounts: banks, cash, cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import page, touched
from omie_control.simulator.families.records import Noun, require
from omie_control.simulator.world import Desk, Record, Row

PATH = "geral/contacorrente/"
NOUN = Noun(
    "contas_correntes",
    "Conta Corrente",
    "nCodCC",
    "cCodCCInt",
    is_feminine=True,
    unknown_code="Client-832",
    status_tags=("cCodStatus", "cDesStatus"),
)
_KEYS = frozenset({NOUN.id_tag, NOUN.code_tag})
# What the summary shows, and the record's own name for it.
_SUMMARY = {
    "descricao": "descricao",
    "codigo_banco": "codigo_banco",
    "codigo_agencia": "codigo_agencia",
    "conta_corrente": "numero_conta_corrente",
    "tipo": "tipo_conta_corrente",
    "saldo_inicial": "saldo_inicial",
}


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarContasCorrentes."""
    return _listed(desk, param, "ListarContasCorrentes", full)


def listar_resumo(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarResumoContasCorrentes."""
    return _listed(desk, param, "ListarResumoContasCorrentes", _summary)


def pesquisar(desk: Desk, param: Record) -> dict[str, Any]:
    """PesquisarContaCorrente."""
    return _listed(desk, param, "PesquisarContaCorrente", _summary)


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarContaCorrente."""
    return full(NOUN.find(desk, param))


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirContaCorrente."""
    require(param, "descricao", "tipo_conta_corrente")
    code = str(param.get(NOUN.code_tag) or "")
    NOUN.refuse_known_code(desk, code)
    return NOUN.status(desk.add(NOUN.table, new_record(param), code), "cadastrada")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarContaCorrente."""
    row = NOUN.find(desk, param)
    desk.change(NOUN.table, row, {tag: value for tag, value in param.items() if tag not in _KEYS})
    return NOUN.status(row, "alterada")


def upsert(desk: Desk, param: Record) -> dict[str, Any]:
    """UpsertContaCorrente, by integration code."""
    require(param, NOUN.code_tag)
    is_known = desk.company.table(NOUN.table).with_code(param[NOUN.code_tag]) is not None
    return alterar(desk, param) if is_known else incluir(desk, param)


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirContaCorrente."""
    row = NOUN.find(desk, param)
    desk.remove(NOUN.table, row)
    return NOUN.status(row, "excluída")


HANDLERS = {
    "ListarContasCorrentes": listar,
    "ListarResumoContasCorrentes": listar_resumo,
    "PesquisarContaCorrente": pesquisar,
    "ConsultarContaCorrente": consultar,
    "IncluirContaCorrente": incluir,
    "AlterarContaCorrente": alterar,
    "UpsertContaCorrente": upsert,
    "ExcluirContaCorrente": excluir,
}


def new_record(param: Record) -> Record:
    """Return an account with what Omie adds by itself to the tags that came."""
    kept = {tag: value for tag, value in param.items() if tag not in _KEYS}
    return {"bloqueado": "N", "inativo": "N", "saldo_inicial": 0.0, **kept}


def full(row: Row) -> Record:
    """Return an account as ConsultarContaCorrente shows it."""
    return {
        NOUN.id_tag: row.id,
        NOUN.code_tag: row.code,
        **row.record,
        "data_inc": f"{row.created_at:%d/%m/%Y}",
        "hora_inc": f"{row.created_at:%H:%M:%S}",
        "data_alt": f"{row.changed_at:%d/%m/%Y}",
        "hora_alt": f"{row.changed_at:%H:%M:%S}",
    }


def _summary(row: Row) -> Record:
    return {NOUN.id_tag: row.id, NOUN.code_tag: row.code} | {
        shown: row.record[tag] for shown, tag in _SUMMARY.items() if tag in row.record
    }


def _listed(desk: Desk, param: Record, call: str, show: Callable[[Row], Record]) -> dict[str, Any]:
    rows = [row for row in desk.company.table(NOUN.table) if touched(param, row) and _passes(row, param)]
    if not rows:
        raise Refusal("Client-101", "ERROR: Nenhuma conta corrente foi encontrada!")
    return page(catalog().method(PATH, call), param, rows, show)


def _passes(row: Row, param: Record) -> bool:
    id, code = param.get("codigo"), param.get("codigo_integracao")
    if (id and id != row.id) or (code and code != row.code):
        return False
    if param.get("filtrar_apenas_ativo") == "S" and row.record["inativo"] == "S":
        return False
    return str(param.get("filtrar_por_descricao", "")).lower() in row.record["descricao"].lower()
