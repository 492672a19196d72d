"""servicos/contrato, contratofat and contratolote: contracts, and the work orders that invoicing them leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.documents import bare
from omie_control.simulator.engine.shelf import Handler, Shelf
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_correntes
from omie_control.simulator.families.lists import PastEnd, page_of
from omie_control.simulator.families.servicos import os
from omie_control.simulator.families.servicos.faturamento import add_lot, find_lot, invoice, lots, shown_lot
from omie_control.simulator.families.servicos.orders import NOUN as ORDERS
from omie_control.simulator.world import Company, Desk, Record, Row

INVOICING_PATH = "servicos/contratofat/"
LOT_PATH = "servicos/contratolote/"
LOTS = "lotes_contrato"
_ACTIVE, _SUSPENDED, _CANCELLED = "10", "90", "99"


def _seeds(company: Company) -> Iterable[tuple[str, Record]]:
    customers = [row for row in company.table(clientes.NOUN.table) if row.record["inativo"] == "N"]
    account = next(iter(company.table(contas_correntes.NOUN.table)))
    for number, customer in enumerate(customers[:8], 1):
        value = 150.0 * number
        item = {"codItem": 9_200_000_000 + number, "codIntItem": f"I-{number}", "seq": 1, "natOperacao": "01"}
        item |= {"codServMunic": "07498", "codLC116": "14.01", "quant": 1.0, "valorUnit": value, "valorTotal": value}
        yield (
            f"CTR-{number:03d}",
            {
                "cabecalho": {
                    "nCodCli": customer.id,
                    "cNumCtr": f"{number:04d}",
                    "cCodSit": _SUSPENDED if number == 8 else _ACTIVE,
                    "dVigInicial": f"{company.founded_at:%d/%m/%Y}",
                    "dVigFinal": f"{company.founded_at + timedelta(days=730):%d/%m/%Y}",
                    "nDiaFat": 5,
                    "nValTotMes": value,
                    "cTipoFat": "01",
                },
                "infAdic": {"cCodCateg": "1.01.02", "nCodCC": account.id},
                "vencTextos": {"cTpVenc": "001", "nDias": 10},
                "itensContrato": [
                    {"itemCabecalho": item, "itemDescrServ": {"descrCompleta": "Manutenção mensal de demonstração."}}
                ],
            },
        )


class _Contracts(Shelf):
    """Contracts list by customer, and their values follow their items."""

    def passes(self, row: Row, param: Record) -> bool:
        whose = param.get("filtrar_cliente")
        return super().passes(row, param) and whose in (None, 0, row.record["cabecalho"]["nCodCli"])

    def add(self, desk: Desk, method: Method, param: Record) -> Row:
        row = super().add(desk, method, param)
        row.record["cabecalho"].setdefault("cCodSit", _ACTIVE)
        row.record["cabecalho"].setdefault("cNumCtr", f"{desk.company.next_number(self.table) + 100:04d}")
        _reckon(desk, row)
        return row

    def change(self, desk: Desk, row: Row, param: Record) -> Row:
        super().change(desk, row, param)
        _reckon(desk, row)
        return row


CONTRATOS = _Contracts(
    "servicos/contrato/",
    "contratos",
    "Contrato",
    "nCodCtr",
    "cCodIntCtr",
    required=("nCodCli", "dVigInicial", "dVigFinal", "nDiaFat", "cTipoFat"),
    refers={"nCodCli": clientes.NOUN},
    seeds=_seeds,
    not_mine=("ExcluirItem",),
)
PATH = CONTRATOS.path


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarContratos: also by the customer's document."""
    method = catalog().method(PATH, "ListarContratos")
    document = param.get("filtrar_cnpj_cpf")
    rows = [row for row in desk.company.table(CONTRATOS.table) if CONTRATOS.passes(row, param)]
    chosen = [row for row in rows if not document or bare(document) == bare(_document(desk, row))]
    return page_of(method, param, chosen, lambda row: CONTRATOS.shown(method, "contratoCadastro", row))


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarContrato: the whole contract, in a wrapping."""
    row = CONTRATOS.find(desk, param.get("contratoChave", {}))
    shown = CONTRATOS.shown(catalog().method(PATH, "ListarContratos"), "contratoCadastro", row)
    return {"contratoCadastro": shown}


def excluir_item(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirItem."""
    row = CONTRATOS.find(desk, param.get("contratoChave", {}))
    gone = param.get("ItensExclusao", [])
    ids = {each.get("codItem") for each in gone} | {each.get("codIntItem") for each in gone} - {None, "", 0}
    kept = [
        each
        for each in row.record["itensContrato"]
        if not ids & {each["itemCabecalho"].get("codItem"), each["itemCabecalho"].get("codIntItem")}
    ]
    if len(kept) == len(row.record["itensContrato"]):
        raise Refusal("Client-105", "ERROR: Item não cadastrado no contrato!")
    desk.change(CONTRATOS.table, row, {"itensContrato": kept})
    _reckon(desk, row)
    return _status(row, "Item excluído com sucesso!") | {"cCodIntCtr": row.code}


def validar(desk: Desk, param: Record) -> dict[str, Any]:
    """ValidarContrato: what is wrong comes in the answer."""
    row = CONTRATOS.find(desk, param)
    is_active = row.record["cabecalho"]["cCodSit"] == _ACTIVE
    if is_active:
        return _status(row, "O contrato pode ser faturado!")
    return _status(row, "O contrato não está ativo!") | {"cCodStatus": "1"}


def faturar(desk: Desk, param: Record) -> dict[str, Any]:
    """FaturarContrato: leaves an invoiced work order with its note and title."""
    row = CONTRATOS.find(desk, param)
    if row.record["cabecalho"]["cCodSit"] != _ACTIVE:
        raise Refusal("Client-101", "ERROR: O contrato não está ativo e não pode ser faturado!")
    order = _invoice(desk, row)
    return _status(row, "Contrato faturado com sucesso!") | {"nCodOS": order.id}


def obter(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterContratos: the active ones."""
    rows = [row for row in desk.company.table(CONTRATOS.table) if row.record["cabecalho"]["cCodSit"] == _ACTIVE]
    listed = [{"nCodCtr": row.id, "cNumCtr": row.record["cabecalho"]["cNumCtr"]} for row in rows]
    return {"cEtapa": param.get("cEtapa", ""), "listaContratos": listed}


def situation(target: str, done: str) -> Handler:
    """Put a contract into another situation; a cancelled one stays cancelled unless it is made active again."""

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = CONTRATOS.find(desk, param)
        head = row.record["cabecalho"]
        if head["cCodSit"] == target:
            raise Refusal("Client-101", f"ERROR: O contrato já está {done}!")
        desk.change(CONTRATOS.table, row, {"cabecalho": head | {"cCodSit": target}})
        return _status(row, f"Contrato {done} com sucesso!")

    return handle


def faturar_lote(desk: Desk, param: Record) -> dict[str, Any]:
    """FaturarLoteContrato: invoices every active contract; ours is done when it answers."""
    rows = [row for row in desk.company.table(CONTRATOS.table) if row.record["cabecalho"]["cCodSit"] == _ACTIVE]
    lot = add_lot(desk, LOTS, [_invoice(desk, row).id for row in rows])
    text = "Lote de faturamento criado com sucesso!"
    return {"nQtdeFat": len(rows), "nIdLoteFat": lot.id, "cCodStatus": "0", "cDesStatus": text}


def status_lote(desk: Desk, param: Record) -> dict[str, Any]:
    """StatusLoteContrato."""
    return shown_lot(find_lot(desk, LOTS, param))


def listar_lotes(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarLotesContrato."""
    method = catalog().method(LOT_PATH, "ListarLotesContrato")
    return page_of(method, param, lots(desk, LOTS, param), shown_lot, PastEnd.EMPTY)


HANDLERS = {"ListarContratos": listar, "ConsultarContrato": consultar, "ExcluirItem": excluir_item}
INVOICING_HANDLERS: Mapping[str, Handler] = {
    "ValidarContrato": validar,
    "FaturarContrato": faturar,
    "ObterContratos": obter,
    "SuspenderContrato": situation(_SUSPENDED, "suspenso"),
    "AtivarContrato": situation(_ACTIVE, "ativado"),
    "ReativarContrato": situation(_ACTIVE, "ativado"),
    "CancelarContrato": situation(_CANCELLED, "cancelado"),
}
LOT_HANDLERS = {
    "FaturarLoteContrato": faturar_lote,
    "StatusLoteContrato": status_lote,
    "ListarLotesContrato": listar_lotes,
}


def _invoice(desk: Desk, row: Row) -> Row:
    """Make the work order of a contract's month and invoice it."""
    head, more = row.record["cabecalho"], row.record.get("infAdic", {})
    code = f"{head['cNumCtr']}-{desk.company.next_number('faturas_contrato'):05d}"
    account = more.get("nCodCC") or next(iter(desk.company.table(contas_correntes.NOUN.table))).id
    made = os.incluir(
        desk,
        {
            "Cabecalho": {
                "cCodIntOS": code,
                "nCodCli": head["nCodCli"],
                "dDtPrevisao": f"{desk.now:%d/%m/%Y}",
                "cEtapa": "50",
                "cCodParc": "000",
                "nCodCtr": row.id,
            },
            "InformacoesAdicionais": {"cCodCateg": more.get("cCodCateg") or "1.01.02", "nCodCC": account},
            "ServicosPrestados": [_line(each) for each in row.record["itensContrato"]],
        },
    )
    order = desk.company.table(ORDERS.table).get(made["nCodOS"])
    assert order is not None
    invoice(desk, order)
    return order


def _line(item: Record) -> Record:
    head = item["itemCabecalho"]
    text = item.get("itemDescrServ", {}).get("descrCompleta") or "Serviço do contrato"
    price = {"nQtde": float(head.get("quant") or 1), "nValUnit": float(head.get("valorUnit") or 0)}
    return {**price, "cDescServ": text, "cTribServ": head.get("natOperacao", "01")}


def _reckon(desk: Desk, row: Row) -> None:
    items = row.record.get("itensContrato", [])
    for item in items:
        head = item.setdefault("itemCabecalho", {})
        head.setdefault("codItem", next(desk.company.ids))
        head["valorTotal"] = round(float(head.get("quant") or 0) * float(head.get("valorUnit") or 0), 2)
    if items:
        row.record["cabecalho"]["nValTotMes"] = round(sum(each["itemCabecalho"]["valorTotal"] for each in items), 2)


def _document(desk: Desk, row: Row) -> str:
    customer = desk.company.table(clientes.NOUN.table).get(row.record["cabecalho"]["nCodCli"])
    return "" if customer is None else str(customer.record.get("cnpj_cpf", ""))


def _status(row: Row, text: str) -> dict[str, Any]:
    return {"nCodCtr": row.id, "cCodStatus": "0", "cDescStatus": text}
