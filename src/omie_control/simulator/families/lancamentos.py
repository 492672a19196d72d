"""financas/contacorrentelancamentos: what goes through the accounts, by hand or by settling a title."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import contas_correntes
from omie_control.simulator.families.lists import PastEnd, page, within
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.families.references import refuse_bad_category
from omie_control.simulator.world import Desk, Record, Row

PATH = "financas/contacorrentelancamentos/"
NOUN = Noun("lancamentos", "Lançamento", "nCodLanc", "cCodIntLanc", status_tags=("cCodStatus", "cDesStatus"))
_PARTS = ("cabecalho", "detalhes", "transferencia", "departamentos")


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarLancCC."""
    rows = [row for row in desk.company.table(NOUN.table) if _passes(row, param)]
    return page(catalog().method(PATH, "ListarLancCC"), param, rows, full, PastEnd.EMPTY)


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultaLancCC."""
    return full(NOUN.find(desk, param))


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirLancCC."""
    head: Record = param.get("cabecalho", {})
    require(head, "nCodCC", "dDtLanc", "nValorLanc")
    contas_correntes.NOUN.find(desk, {"nCodCC": head["nCodCC"]})
    code = str(param.get(NOUN.code_tag) or "")
    NOUN.refuse_known_code(desk, code)
    target = param.get("transferencia", {}).get("nCodCCDestino")
    if target:
        contas_correntes.NOUN.find(desk, {"nCodCC": target})
    nature = "P" if target else _nature(desk, param)
    record = {part: param[part] for part in _PARTS if part in param}
    record["diversos"] = {"cOrigem": f"{'TRA' if target else 'MAN'}{nature}", "cNatureza": nature}
    row = desk.add(NOUN.table, record, code)
    if target:
        other = record | {
            "cabecalho": head | {"nCodCC": target},
            "transferencia": {"nCodCCDestino": head["nCodCC"]},
            "diversos": {"cOrigem": "TRAR", "cNatureza": "R"},
        }
        desk.add(NOUN.table, other, "")
    return NOUN.status(row, "cadastrado")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarLancCC."""
    row = _by_hand(desk, param)
    desk.change(NOUN.table, row, {part: _laid(row.record.get(part), param[part]) for part in _PARTS if part in param})
    return NOUN.status(row, "alterado")


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirLancCC."""
    row = _by_hand(desk, param)
    desk.remove(NOUN.table, row)
    return NOUN.status(row, "excluído")


HANDLERS = {
    "ListarLancCC": listar,
    "ConsultaLancCC": consultar,
    "IncluirLancCC": incluir,
    "AlterarLancCC": alterar,
    "ExcluirLancCC": excluir,
}


def settled(desk: Desk, *, account: int, day: str, value: float, origin: str, title: Record) -> Row:
    """Write the entry that the settlement of a title leaves in its account (BAXR or BAXP)."""
    record = {
        "cabecalho": {"nCodCC": account, "dDtLanc": day, "nValorLanc": value},
        "detalhes": {
            "cCodCateg": title.get("codigo_categoria", ""),
            "nCodCliente": title["codigo_cliente_fornecedor"],
            "cNumDoc": title.get("numero_documento", ""),
        },
        "diversos": {"cOrigem": origin, "cNatureza": origin[-1]},
    }
    return desk.add(NOUN.table, record, "")


def reconcile(desk: Desk, row: Row, *, is_seen: bool) -> None:
    """Mark an entry as seen on the bank's statement, or take the mark away."""
    tags = ("dDtConc", "cHrConc", "cUsConc")
    marks = (f"{desk.now:%d/%m/%Y}", f"{desk.now:%H:%M:%S}", "WEBSERVICE") if is_seen else ("", "", "")
    desk.change(NOUN.table, row, {"diversos": row.record["diversos"] | dict(zip(tags, marks, strict=True))})


def signed(row: Row) -> float:
    """Return what an entry adds to its account, below zero when money leaves it."""
    value = float(row.record["cabecalho"]["nValorLanc"])
    return -value if row.record["diversos"]["cNatureza"] == "P" else value


def full(row: Row) -> Record:
    """Return an entry as ConsultaLancCC shows it."""
    return {NOUN.id_tag: row.id, NOUN.code_tag: row.code, **row.record, "info": info(row)}


def _nature(desk: Desk, param: Record) -> str:
    """Say whether money comes (R) or goes (P): the category knows; without one it comes."""
    code = str(param.get("detalhes", {}).get("cCodCateg") or "")
    refuse_bad_category(desk, code)
    return "P" if code.startswith("2") else "R"


def _laid(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def _by_hand(desk: Desk, param: Record) -> Row:
    row = NOUN.find(desk, param)
    if row.record["diversos"]["cOrigem"].startswith("BAX"):
        raise Refusal("Client-101", "ERROR: O lançamento de uma baixa só pode ser mudado pelo título!")
    return row


def _passes(row: Row, param: Record) -> bool:
    made, touched = f"{row.created_at:%d/%m/%Y}", f"{row.changed_at:%d/%m/%Y}"
    return (
        param.get("cOrigem") in (None, "", row.record["diversos"]["cOrigem"])
        and within(param, "dDtIncDe", "dDtIncAte", made)
        and within(param, "dDtAltDe", "dDtAltAte", touched)
        and within(param, "dtPagInicial", "dtPagFinal", row.record["cabecalho"]["dDtLanc"])
    )
