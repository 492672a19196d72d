"""The summaries of sales, services and purchases in a period, and of the CRM: counted from orders and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.engine.shelf import Handler
from omie_control.simulator.families import cadastros, crm, notas
from omie_control.simulator.families.compras import pedidos as purchases
from omie_control.simulator.families.compras import recebimentos
from omie_control.simulator.families.lists import day, page_of
from omie_control.simulator.families.servicos import contratos, notas_servico
from omie_control.simulator.families.servicos import orders as work
from omie_control.simulator.families.vendas import orders
from omie_control.simulator.world import Desk, Record, Row

_Total = tuple[int, float]


def vendas(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterResumoProdutos: notes of the period, orders and quotes that are open now."""
    since, until = _period(desk, param)
    invoiced, cancelled = _notes(desk, notas.TABLE, since, until)
    table = desk.company.table(orders.NOUN.table)
    open_now = [row for row in table if row.record["invoiced_at"] is None and row.record["cancelled_at"] is None]
    quotes = [row for row in open_now if row.record["cabecalho"]["etapa"] == orders.QUOTE]
    real = [row for row in open_now if row.record["cabecalho"]["etapa"] != orders.QUOTE]
    ready = [row for row in real if row.record["cabecalho"]["etapa"] == orders.INVOICING]
    counts = _counts(invoiced, cancelled)
    totals = {"nTotal": float(invoiced[0] + cancelled[0]), "vTotal": round(invoiced[1] + cancelled[1], 2)}
    return {
        **_dates(since, until),
        "painelNfeVenda": {"emitidasEmpresaNfe": {"cVisualizar": "S", "saidaNfe": counts | totals}},
        "faturamentoResumo": counts | totals,
        "propostaVenda": {
            "cNome": "Orçamento",
            "cNomePlural": "Orçamentos",
            "emAberto": _amount(orders.value_of(row) for row in quotes),
        },
        "pedidoVenda": {
            "cNome": "Pedido de Venda",
            "cNomePlural": "Pedidos de Venda",
            "emAberto": _amount(orders.value_of(row) for row in real),
            "faturarHoje": _amount(orders.value_of(row) for row in ready),
            **counts,
        },
    }


def servicos(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterResumoServicos."""
    since, until = _period(desk, param)
    invoiced, cancelled = _notes(desk, notas_servico.TABLE, since, until)
    table = desk.company.table(work.NOUN.table)
    open_now = [row for row in table if row.record["invoiced_at"] is None and row.record["cancelled_at"] is None]
    ready = [row for row in open_now if row.record["Cabecalho"]["cEtapa"] == work.INVOICING]
    active = [
        row for row in desk.company.table(contratos.CONTRATOS.table) if row.record["cabecalho"]["cCodSit"] == "10"
    ]
    counts = _counts(invoiced, cancelled)
    totals = {"nTotal": float(invoiced[0] + cancelled[0]), "vTotal": round(invoiced[1] + cancelled[1], 2)}
    return {
        **_dates(since, until),
        "painel": {"faturamentoResumo": counts | totals, "faturamentoNFSe": {"cVisualizar": "S"} | counts | totals},
        "ordemServico": {
            "cNome": "Ordem de Serviço",
            "cNomePlural": "Ordens de Serviço",
            "emAberto": _amount(work.value_of(row.record) for row in open_now),
            "faturarHoje": _amount(work.value_of(row.record) for row in ready),
            **counts,
        },
        "contratoServico": {"emAberto": _amount(float(row.record["cabecalho"]["nValTotMes"]) for row in active)},
    }


def compras(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterResumoCompras."""
    since, until = _period(desk, param)
    pending = [row for row in desk.company.table(purchases.PEDIDOS.table) if _stage_of(row) != "60"]
    received = [
        row
        for row in desk.company.table(recebimentos.RECEBIMENTOS.table)
        if row.record["infoCadastro"].get("cRecebido") == "S"
        and since <= day(row.record["infoCadastro"]["dRec"]) <= until
    ]
    amount = _amount(float(row.record["cabec"]["nValorNFe"]) for row in received)
    notes = {"nFaturadas": amount["nTotal"], "vFaturadas": amount["vTotal"], "nCanceladas": 0.0, "vCanceladas": 0.0}
    open_requests = len(desk.company.table("requisicoes_compra"))
    return {
        **_dates(since, until),
        "painelNfeCompra": {"emitidasFornecedorNfe": {"entradaNfe": notes | amount}},
        "requisicaoCompra": {"emAberto": {"nTotal": float(open_requests), "vTotal": 0.0}},
        "pedidoCompra": {"emAberto": _amount(_ordered(row) for row in pending), "recebido": amount},
        "faturamentoResumo": notes | amount,
    }


def funil(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterResumoOp: open opportunities by the month in which they are expected."""
    groups: dict[str, list[Row]] = {"mesAtual": [], "proximoMes": [], "mesesSeguintes": []}
    now = desk.now.year * 12 + desk.now.month
    for row in desk.company.table(crm.OPORTUNIDADES.table):
        hope = row.record.get("previsaoTemp", {})
        away = int(hope.get("nAnoPrev") or 0) * 12 + int(hope.get("nMesPrev") or 0) - now
        groups["mesAtual" if away <= 0 else "proximoMes" if away == 1 else "mesesSeguintes"].append(row)
    return {
        "nIdVendedor": param.get("nIdVendedor", 0),
        "cMesAno": f"{desk.now:%m/%Y}",
        "funilOportunidades": {part: _funnel(rows) for part, rows in groups.items()},
    }


def tarefas(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterListaTarefas: the CRM's tasks of a day, or all of them."""
    rows = [
        row for row in desk.company.table(crm.TAREFAS.table) if param.get("dDia") in (None, "", row.record["dData"])
    ]
    size, number = min(param.get("nRegPorPagina") or 50, 100), max(param.get("nPagina") or 1, 1)
    chosen = rows[(number - 1) * size : number * size]
    return {
        "nPagina": number,
        "nTotPaginas": -(-len(rows) // size),
        "nRegistros": len(chosen),
        "nTotRegistros": len(rows),
        "listaDetalhesTarefas": [
            {
                "nIdTarefa": float(row.id),
                "dDataTarefa": row.record["dData"],
                "cHoraTarefa": row.record.get("cHora", ""),
                "cRealizada": row.record.get("cRealizada", "N"),
                "nIdOportunidade": row.record.get("nCodOp", 0),
                "cNomeAtividade": row.record["cDescricao"],
            }
            for row in chosen
        ],
    }


def documentos(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarDocumentos: the notes of goods as the accountant fetches them."""
    since = day(param["dEmiInicial"]) if param.get("dEmiInicial") else None
    until = day(param["dEmiFinal"]) if param.get("dEmiFinal") else None
    rows = [
        row
        for row in desk.company.table(notas.TABLE)
        if (since is None or row.record["emitted_at"] >= since)
        and (until is None or row.record["emitted_at"].date() <= until.date())
        and param.get("nIdPedido") in (None, 0, row.record["order"])
    ]
    return page_of(catalog().method("contador/xml/", "ListarDocumentos"), param, rows, _document)


def total_de_tarefas(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterTotalTarefas: the tasks of an origin, or of one document of it."""
    rows = [
        row
        for row in desk.company.table(cadastros.TAREFAS.table)
        if param.get("cOrigem") in (None, "", row.record.get("cOrigem"))
        and param.get("nCodDoc") in (None, 0, row.record.get("nCodDoc"))
    ]
    return {"cCodStatus": "0", "cDesStatus": "Tarefas contadas com sucesso!", "nTarefas": len(rows)}


HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    cadastros.TAREFAS.path: {"ObterTotalTarefas": total_de_tarefas},
    "produtos/vendas-resumo/": {"ObterResumoProdutos": vendas},
    "servicos/resumo/": {"ObterResumoServicos": servicos},
    "produtos/compras-resumo/": {"ObterResumoCompras": compras},
    "crm/oportunidades-resumo/": {"ObterResumoOp": funil},
    "crm/tarefas-resumo/": {"ObterListaTarefas": tarefas},
    "contador/xml/": {"ListarDocumentos": documentos},
}


def _period(desk: Desk, param: Record) -> tuple[datetime, datetime]:
    since = day(param.get("dDataInicio") or f"01/{desk.now:%m/%Y}")
    return since, day(param.get("dDataFim") or f"{desk.now:%d/%m/%Y}")


def _dates(since: datetime, until: datetime) -> Record:
    return {"dDataInicio": f"{since:%d/%m/%Y}", "dDataFim": f"{until:%d/%m/%Y}"}


def _notes(desk: Desk, table: str, since: datetime, until: datetime) -> tuple[_Total, _Total]:
    """Return how many notes of a period are good and how many cancelled, each with their value."""
    found = [
        row for row in desk.company.table(table) if since.date() <= row.record["emitted_at"].date() <= until.date()
    ]
    good = [float(row.record["value"]) for row in found if row.record["cancelled_at"] is None]
    gone = [float(row.record["value"]) for row in found if row.record["cancelled_at"] is not None]
    return (len(good), round(sum(good), 2)), (len(gone), round(sum(gone), 2))


def _counts(invoiced: _Total, cancelled: _Total) -> Record:
    none = dict.fromkeys(("nRejeitadas", "vRejeitadas"), 0.0)
    good = {"nFaturadas": float(invoiced[0]), "vFaturadas": invoiced[1]}
    return good | {"nCanceladas": float(cancelled[0]), "vCanceladas": cancelled[1]} | none


def _amount(values: Iterable[float]) -> Record:
    listed = list(values)
    return {"nTotal": float(len(listed)), "vTotal": round(sum(listed), 2)}


def _stage_of(row: Row) -> str:
    return str(row.record["cabecalho_consulta"]["cEtapa"])


def _ordered(row: Row) -> float:
    return sum(float(line["nValTot"]) for line in row.record.get("produtos_consulta", []))


def _funnel(rows: list[Row]) -> Record:
    bands = {"EmProcesso": (0, 2), "BoasChances": (3, 4), "Comprometido": (5, 9)}
    shown: Record = {}
    for name, (low, high) in bands.items():
        chosen = [
            row for row in rows if low <= int(row.record.get("previsaoTemp", {}).get("nTemperatura") or 0) <= high
        ]
        shown[f"n{name}"] = float(len(chosen))
        shown[f"v{name}"] = round(sum(float(row.record.get("ticket", {}).get("nTicket") or 0) for row in chosen), 2)
    return shown


def _warmth(row: Row) -> int:
    return int(row.record.get("previsaoTemp", {}).get("nTemperatura") or 0)


def _document(row: Row) -> Record:
    record, at = row.record, row.record["emitted_at"]
    return {
        "nNumero": record["number"],
        "cSerie": record["series"],
        "nChave": record["key"],
        "dEmissao": f"{at:%d/%m/%Y}",
        "hEmissao": f"{at:%H:%M:%S}",
        "nValor": float(record["value"]),
        "cXml": f'<nfeProc versao="4.00"><infNFe Id="NFe{record["key"]}"/></nfeProc>',
        "nIdNF": row.id,
        "nIdPedido": record["order"],
        "cStatus": "00" if record["cancelled_at"] is None else "20",
    }
