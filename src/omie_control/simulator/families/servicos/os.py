"""servicos/os: work orders."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import page_of, touched, within
from omie_control.simulator.families.records import require
from omie_control.simulator.families.servicos import notas_servico
from omie_control.simulator.families.servicos.orders import (
    NOUN,
    change,
    date_of,
    find,
    full,
    marks,
    move_to,
    new_record,
    refuse_bad_stage,
    refuse_closed,
    value_of,
)
from omie_control.simulator.world import Desk, Record, Row

PATH = "servicos/os/"


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirOS."""
    code = str(param.get("Cabecalho", {}).get("cCodIntOS") or "")
    NOUN.refuse_known_code(desk, code)
    return _status(desk.add(NOUN.table, new_record(desk, param), code), "cadastrada")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarOS."""
    row = find(desk, param.get("Cabecalho", {}))
    change(desk, row, param)
    return _status(row, "alterada")


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirOS."""
    row = find(desk, param)
    if row.record["invoiced_at"] is not None:
        number = row.record["number"].lstrip("0")
        raise Refusal("Client-101", f"ERROR: A ordem de serviço [{number}] já foi faturada e não pode ser excluída!")
    desk.remove(NOUN.table, row)
    return _status(row, "excluída")


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarOS."""
    return full(find(desk, param))


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarOS."""
    rows = [row for row in desk.company.table(NOUN.table) if _passes(row, param)]
    return page_of(catalog().method(PATH, "ListarOS"), param, rows, full)


def status(desk: Desk, param: Record) -> dict[str, Any]:
    """StatusOS."""
    row = find(desk, param)
    note = desk.company.table(notas_servico.TABLE).get(row.record["note"])
    shown = {tag: value for tag, value in marks(row).items() if tag not in ("uInc", "uAlt", "cOrigem")}
    return {
        "nCodOS": row.id,
        "cCodIntOS": row.code,
        "cNumOS": row.record["number"],
        "cEtapa": row.record["Cabecalho"]["cEtapa"],
        "nValorTot": value_of(row.record),
        **shown,
        "ListaRpsNfse": [] if note is None else [notas_servico.rps(note)],
    }


def trocar_etapa(desk: Desk, param: Record) -> dict[str, Any]:
    """TrocarEtapaOS."""
    require(param, "cEtapa")
    row = find(desk, param)
    refuse_closed(row)
    refuse_bad_stage(param["cEtapa"])
    move_to(desk, row, param["cEtapa"])
    text = "Etapa da ordem de serviço alterada com sucesso!"
    key = {"nCodOS": row.id, "cCodIntOS": row.code, "cNumOS": row.record["number"]}
    return {**key, "codigo_status": "0", "descricao_status": text}


HANDLERS = {
    "IncluirOS": incluir,
    "AlterarOS": alterar,
    "ExcluirOS": excluir,
    "ConsultarOS": consultar,
    "ListarOS": listar,
    "StatusOS": status,
    "TrocarEtapaOS": trocar_etapa,
}


def _status(row: Row, done: str) -> dict[str, Any]:
    return {**NOUN.status(row, done), "cNumOS": row.record["number"]}


def _passes(row: Row, param: Record) -> bool:
    record, head = row.record, row.record["Cabecalho"]
    keys: list[Record] = param.get("filtrar_por_codigo", [])
    chosen = {key.get("nCodOS") for key in keys} | {key.get("cCodIntOS") for key in keys} - {None, "", 0}
    # F invoiced, C cancelled, N neither.
    state = "C" if record["cancelled_at"] is not None else "F" if record["invoiced_at"] is not None else "N"
    return (
        (not keys or row.id in chosen or row.code in chosen)
        and param.get("filtrar_por_etapa") in (None, "", head["cEtapa"])
        and param.get("filtrar_por_cliente") in (None, 0, head["nCodCli"])
        and param.get("filtrar_por_status") in (None, "", state)
        and touched(param, row)
        and within(param, "filtrar_por_data_previsao_de", "filtrar_por_data_previsao_ate", head["dDtPrevisao"])
        and _in_window(param, "faturamento", date_of(record["invoiced_at"]))
        and _in_window(param, "cancelamento", date_of(record["cancelled_at"]))
    )


def _in_window(param: Record, what: str, value: str) -> bool:
    return within(param, f"filtrar_por_data_{what}_de", f"filtrar_por_data_{what}_ate", value)
