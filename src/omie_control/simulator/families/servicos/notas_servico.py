"""Service notes (NFS-e): booking one from a work order with its titles, listing them, and their documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine.projection import project
from omie_control.simulator.engine.shelf import Handler, status_of
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_receber
from omie_control.simulator.families.lists import PastEnd, page_of, within
from omie_control.simulator.families.servicos.orders import NOUN, find, parcels, value_of
from omie_control.simulator.world import Desk, Record, Row

PATH = "servicos/nfse/"
DOCUMENTS_PATH = "servicos/osdocs/"
TABLE = "notas_servico"
_PORTAL = "https://exemplo.com.br/documentos"


def invoice(desk: Desk, order: Row, *, title: Row | None = None) -> Row:
    """Book the note of a work order and a receivable an instalment; or the one title that is there already."""
    record = order.record
    number = desk.company.next_number(TABLE)
    fields = {
        "order": order.id,
        "number": f"{number:06d}",
        "value": value_of(record),
        "customer": record["Cabecalho"]["nCodCli"],
        "more": record.get("InformacoesAdicionais", {}),
        "seller": record["Cabecalho"].get("nCodVend", 0),
        "lines": record["ServicosPrestados"],
        "emitted_at": desk.now,
        "cancelled_at": None,
        "titles": [] if title is None else [title.id],
    }
    row = desk.add(TABLE, fields, "")
    if title is None and record.get("ServicosPrestados"):
        row.record["titles"] = [_title(desk, order, row, each).id for each in parcels(record)]
    return row


def cancel(desk: Desk, note: Row) -> None:
    """Cancel a note and its titles; settled titles hold it."""
    side = contas_receber.SIDE
    rows = [row for id in note.record["titles"] if (row := desk.company.table(side.table).get(id)) is not None]
    if any(side.is_settled(desk, row) for row in rows):
        raise Refusal("Client-101", "ERROR: A nota possui títulos com baixa e não pode ser cancelada!")
    for row in rows:
        desk.remove(side.table, row)
    desk.change(TABLE, note, {"cancelled_at": desk.now, "titles": []})


def rps(note: Row) -> Record:
    """Return a note as StatusOS lists it."""
    number = int(note.record["number"])
    return {
        "nLote": number,
        "cStatusLote": "004",
        "cProtocolo": f"{note.id}",
        "nRps": f"{number}",
        "cStatusRps": "004",
        "nNfse": note.record["number"],
        "cCodVerif": _proof(note),
        "mensagens": [],
        "cUrlNfse": f"{_PORTAL}/{note.id}/nfse",
    }


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarNFSEs."""
    rows = [row for row in desk.company.table(TABLE) if _passes(row, param)]
    return page_of(catalog().method(PATH, "ListarNFSEs"), param, rows, lambda row: _full(desk, row), PastEnd.EMPTY)


def document(call: str) -> Handler:
    """Show the documents of a note, of a receipt or of a work order by their ids."""
    method = catalog().method(DOCUMENTS_PATH, call)

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        if param.get("nIdOs"):
            order = find(desk, {"nCodOS": param["nIdOs"]})
            return _document(method, order, order.record["number"], "")
        id = param.get("nIdNf") or param.get("nIdRec") or 0
        note = desk.company.table(TABLE).get(id)
        if note is None:
            raise Refusal("Client-105", f"ERROR: Nota Fiscal não cadastrada para o Código [{id}] !")
        owner = desk.company.table(NOUN.table).get(note.record["order"])
        return _document(method, note, "" if owner is None else owner.record["number"], note.record["number"])

    return handle


HANDLERS = {"ListarNFSEs": listar}
DOCUMENTS_HANDLERS: Mapping[str, Handler] = {
    call: document(call)
    for call in ("ObterNFSe", "ObterViaUnica", "ObterRPS", "ObterRecibo", "ObterDemonst", "ObterOS")
}


def _document(method: Method, row: Row, order: str, number: str) -> dict[str, Any]:
    proof = _proof(row)
    pdf = f"{_PORTAL}/{row.id}/documento.pdf"
    known: Record = {"cNumOs": order, "cCodVerif": proof, "cLinkPortal": f"{_PORTAL}/{row.id}", "cSerieNFSe": "1"}
    known |= dict.fromkeys(("cNumNFSe", "cNumRPS", "cNumRecibo", "cNumViaUnica"), number)
    known |= dict.fromkeys(("cPdfNFSe", "cPdfRPS", "cPdfRecibo", "cPdfOs", "cPdfDemonst", "cPdfViaUnica"), pdf)
    known |= {"cUrlNFSe": f"{_PORTAL}/{row.id}/nfse", "cXmlNFSe": f"<nfse><numero>{number}</numero></nfse>"}
    shown = project(method.service, method.response_type, known, {})
    return shown | status_of(method, "Documento obtido com sucesso!")


def _title(desk: Desk, order: Row, note: Row, parcel: Record) -> Row:
    more, head = order.record.get("InformacoesAdicionais", {}), order.record["Cabecalho"]
    count = len(parcels(order.record))
    refers = {"codigo_projeto": more.get("nCodProj"), "codigo_vendedor": head.get("nCodVend")}
    return contas_receber.SIDE.book(
        desk,
        {
            "codigo_cliente_fornecedor": head["nCodCli"],
            "data_vencimento": parcel["dDtVenc"],
            "valor_documento": float(parcel["nValor"]),
            "codigo_categoria": more["cCodCateg"],
            "id_conta_corrente": more["nCodCC"],
            "numero_parcela": f"{parcel['nParcela']:03d}/{count:03d}",
            "numero_documento": note.record["number"],
            "numero_documento_fiscal": note.record["number"],
            "nCodOS": order.id,
            "id_origem": "VENR",
            **{tag: value for tag, value in refers.items() if value},
        },
    )


def _full(desk: Desk, row: Row) -> Record:
    record = row.record
    at, gone, more = record["emitted_at"], record["cancelled_at"], record["more"]
    customer = desk.company.table(clientes.NOUN.table).get(record["customer"])
    order = desk.company.table(NOUN.table).get(record["order"])
    document = "" if customer is None else str(customer.record.get("cnpj_cpf", ""))
    return {
        "Cabecalho": {
            "nNumeroNFSe": record["number"],
            "cSerieNFSe": "1",
            "nValorNFSe": record["value"],
            "cStatusNFSe": "F" if gone is None else "C",
            "cCodigoVerifNFSe": _proof(row),
            "nCodNF": row.id,
            "cAmbienteNFSe": "P",
            "cCNPJDestinatario": document,
            "nCodigoCliente": record["customer"],
        },
        "OrdemServico": {
            "nCodigoOS": record["order"],
            "nNumeroOS": "" if order is None else order.record["number"],
            "nValorOS": record["value"],
        },
        "RPS": {"nNumeroRPS": record["number"], "cStatusRPS": "004", "cDataRPS": f"{at:%d/%m/%Y}"},
        "Adicionais": {
            "cCodigoCategoria": more.get("cCodCateg", ""),
            "nCodigoCC": more.get("nCodCC", 0),
            "nCodigoProjeto": more.get("nCodProj", 0),
            "nCodigoVendedor": record["seller"] or 0,
        },
        "Valores": {"nValorTotalServicos": record["value"], "nValorLiquido": record["value"]},
        "Emissao": {"cDataEmissao": f"{at:%d/%m/%Y}", "cHoraEmissao": f"{at:%H:%M:%S}"},
        "Cancelamento": {"cDataCancelamento": "" if gone is None else f"{gone:%d/%m/%Y}"},
        "ListaServicos": [
            {
                "nQuantidade": float(line["nQtde"]),
                "nValorUnitario": float(line["nValUnit"]),
                "nValorTotal": round(float(line["nQtde"]) * float(line["nValUnit"]), 2),
                "cDescricao": line["cDescServ"],
            }
            for line in record["lines"]
        ],
    }


def _passes(row: Row, param: Record) -> bool:
    record, more = row.record, row.record["more"]
    same = (
        ("nCodNF", row.id),
        ("nCodigoCliente", record["customer"]),
        ("nCodigoOS", record["order"]),
        ("cCodigoCategoria", more.get("cCodCateg")),
        ("nCodigoCC", more.get("nCodCC")),
        ("nCodigoProjeto", more.get("nCodProj")),
        ("nCodigoVendedor", record["seller"]),
        ("cStatusNFSe", "F" if record["cancelled_at"] is None else "C"),
    )
    number = str(param.get("nNumeroNFSe") or "").lstrip("0")
    return (
        all(param.get(tag) in (None, "", 0, own) for tag, own in same)
        and (not number or number == record["number"].lstrip("0"))
        and within(param, "dEmiInicial", "dEmiFinal", f"{record['emitted_at']:%d/%m/%Y}")
    )


def _proof(row: Row) -> str:
    return f"{row.id % 0xFFFFFF:06X}"
