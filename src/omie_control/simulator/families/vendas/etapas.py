"""produtos/pedidoetapas and produtos/etapafat: where orders have stood, and which stages there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.families import notas
from omie_control.simulator.families.lists import PastEnd, moment, page_of
from omie_control.simulator.families.records import info
from omie_control.simulator.families.vendas.orders import NOUN
from omie_control.simulator.world import Desk, Record, Row

HISTORY_PATH = "produtos/pedidoetapas/"
STAGES_PATH = "produtos/etapafat/"

# By operation: its name and the names of its stages.
OPERATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "01": (
        "Ordem de Serviço",
        {"10": "Ordem de Serviço", "20": "Em Execução", "30": "Executada", "50": "Faturar", "60": "Faturado"},
    ),
    "11": (
        "Venda de Produto",
        {
            "00": "Orçamento",
            "10": "Pedido de Venda",
            "20": "Separar Estoque",
            "30": "Em Separação",
            "40": "Conferido",
            "50": "Faturar",
            "60": "Faturado",
            "70": "Entrega",
        },
    ),
    "21": (
        "Compra de Produto",
        {
            "10": "Pedido de Compra",
            "15": "Aprovação",
            "20": "Faturado pelo Fornecedor",
            "40": "Recebido",
            "60": "Concluído",
        },
    ),
    "28": ("Ordem de Produção", {"10": "A Produzir", "20": "Em Produção", "60": "Concluída"}),
}


def listar_historico(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarEtapasPedido: every change of stage, oldest first."""
    since, until = _bound(param, "Inicial", "00:00:00"), _bound(param, "Final", "23:59:59")
    events = [
        (row, stage, at)
        for row, stage, at in _changes(desk)
        if (since is None or at >= since)
        and (until is None or at <= until)
        and param.get("nCodPed") in (None, 0, row.id)
        and param.get("cCodIntPed") in (None, "", row.code)
        and param.get("cEtapa") in (None, "", stage)
    ]
    method = catalog().method(HISTORY_PATH, "ListarEtapasPedido")
    return page_of(method, param, events, lambda event: _event(desk, *event))


def listar_etapas(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarEtapasFaturamento: the stages of each operation."""
    shown = [
        {
            "cCodOperacao": code,
            "cDescOperacao": name,
            "etapas": [
                {"cCodigo": stage, "cDescricao": label, "cDescrPadrao": label, "cInativo": "N"}
                for stage, label in stages.items()
            ],
        }
        for code, (name, stages) in OPERATIONS.items()
    ]
    return page_of(catalog().method(STAGES_PATH, "ListarEtapasFaturamento"), param, shown, dict, PastEnd.EMPTY)


HISTORY_HANDLERS = {"ListarEtapasPedido": listar_historico}
STAGES_HANDLERS = {"ListarEtapasFaturamento": listar_etapas}


def _changes(desk: Desk) -> Iterator[tuple[Row, str, datetime]]:
    for row in desk.company.table(NOUN.table):
        for stage, at in row.record["stages"]:
            yield row, stage, at


def _bound(param: Record, which: str, default: str) -> datetime | None:
    date = param.get(f"dDt{which}")
    return moment(date, param.get(f"cHr{which}") or default) if date else None


def _event(desk: Desk, row: Row, stage: str, at: datetime) -> Record:
    record = row.record
    note = desk.company.table(notas.TABLE).get(record["note"])
    return {
        "nCodPed": row.id,
        "cCodIntPed": row.code,
        "cNumero": record["number"],
        "cEtapa": stage,
        "dDtEtapa": f"{at:%d/%m/%Y}",
        "cHrEtapa": f"{at:%H:%M:%S}",
        "cUsEtapa": "WEBSERVICE",
        "faturamento": {"cFaturado": "N"} if note is None else _invoiced(note),
        "cancelamento": {"cCancelado": "N" if record["cancelled_at"] is None else "S"},
        "devolucao": {"cDevolvido": "N" if record["returned_at"] is None else "S"},
        "info": info(row),
    }


def _invoiced(note: Row) -> Record:
    at = note.record["emitted_at"]
    return {
        "cFaturado": "S",
        "dDtFat": f"{at:%d/%m/%Y}",
        "cHrFat": f"{at:%H:%M:%S}",
        "cAutorizado": "S",
        "cDenegado": "N",
        "cAmbiente": "P",
        "cChaveNFE": note.record["key"],
        "cNumNFE": note.record["number"],
        "cSerieNFE": note.record["series"],
    }
