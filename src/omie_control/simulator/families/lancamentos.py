"""financas/contacorrentelancamentos: what goes through the accounts, by hand or by settling a title."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import contas_correntes
from omie_control.simulator.families.lists import PastEnd, page, within
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.world import Desk, Record, Row

PATH = "financas/contacorrentelancamentos/"
NOUN = Noun("lancamentos", "Lançamento", "nCodLanc", "cCodIntLanc", status_tags=("cCodStatus", "cDesStatus"))
_PARTS = ("cabecalho", "detalhes")


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
    record = {part: dict(param.get(part, {})) for part in _PARTS} | {"diversos": {"cOrigem": "MANR"}}
    return NOUN.status(desk.add(NOUN.table, record, code), "cadastrado")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarLancCC."""
    row = _by_hand(desk, param)
    desk.change(NOUN.table, row, {part: row.record[part] | param.get(part, {}) for part in _PARTS})
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


def full(row: Row) -> Record:
    """Return an entry as ConsultaLancCC shows it."""
    return {NOUN.id_tag: row.id, NOUN.code_tag: row.code, **row.record, "info": info(row)}


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
