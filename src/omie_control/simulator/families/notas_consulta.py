"""produtos/nfconsultar, dfedocs and notafiscalutil: the notes that invoicing left, their documents and links."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.documents import bare
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_receber, notas
from omie_control.simulator.families.lists import page_of, touched, within
from omie_control.simulator.families.records import info
from omie_control.simulator.families.vendas.orders import NOUN as ORDERS
from omie_control.simulator.families.vendas.orders import find as find_order
from omie_control.simulator.world import Desk, Record, Row

PATH = "produtos/nfconsultar/"
DOCUMENTS_PATH = "produtos/dfedocs/"
LINKS_PATH = "produtos/notafiscalutil/"
_PORTAL = "https://exemplo.com.br/documentos"


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarNF: by id, number and series, access key, or order."""
    keys = ("nCodNF", "nNF", "cChaveNFe", "nIdPedido")
    if not any(param.get(tag) for tag in keys):
        raise Refusal("Client-101", "ERROR: Informe o Número da Nota Fiscal, a Chave de Acesso ou o Pedido!")
    row = next((row for row in desk.company.table(notas.TABLE) if _is_meant(row, param)), None)
    if row is None:
        told = next(str(param[tag]) for tag in keys if param.get(tag))
        raise Refusal("Client-105", f"ERROR: Nota Fiscal não cadastrada para o Código [{told}] !")
    return full(desk, row)


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarNF: as Omie's, it heeds the window of changes only when one of the two flags is S."""
    has_window = "S" in (param.get("filtrar_apenas_inclusao"), param.get("filtrar_apenas_alteracao"))
    rows = [
        row
        for row in desk.company.table(notas.TABLE)
        if _passes(desk, row, param) and (not has_window or touched(param, row))
    ]
    return page_of(catalog().method(PATH, "ListarNF"), param, rows, lambda row: full(desk, row))


def obter_nfe(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterNfe."""
    row = _by_id(desk, param.get("nIdNfe"))
    record = row.record
    return {
        "cNumNfe": record["number"],
        "nChaveNfe": record["key"],
        "dDataEmisNfe": f"{record['emitted_at']:%d/%m/%Y}",
        "cXmlNfe": f'<nfeProc versao="4.00"><infNFe Id="NFe{record["key"]}"/></nfeProc>',
        "cPdf": f"{_PORTAL}/{row.id}/danfe.pdf",
        "cLinkPortal": f"{_PORTAL}/{row.id}",
        "cCodStatus": "0",
        "cDesStatus": "Documento obtido com sucesso!",
    }


def obter_danfe(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterDanfeSimp."""
    found = obter_nfe(desk, param)
    return {tag: found[tag] for tag in ("cNumNfe", "nChaveNfe", "cPdf", "cCodStatus", "cDesStatus")}


def obter_pedido(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterPedVenda."""
    row = find_order(desk, {ORDERS.id_tag: param.get("nIdPed")})
    text = "Documento obtido com sucesso!"
    pdf = f"{_PORTAL}/{row.id}/pedido.pdf"
    return {"cNumPed": row.record["number"], "cPdfPed": pdf, "cCodStatus": "0", "cDesStatus": text}


def link_nota(desk: Desk, param: Record) -> dict[str, Any]:
    """GetUrlNotaFiscal."""
    row = _by_id(desk, param.get("nCodNF"))
    return {"cUrlNF": f"{_PORTAL}/{row.id}/nota.xml", "dtValUrl": _tomorrow(desk)}


def link_danfe(desk: Desk, param: Record) -> dict[str, Any]:
    """GetUrlDanfe."""
    row = _by_id(desk, param.get("nCodNF"))
    return {"cUrlDanfe": f"{_PORTAL}/{row.id}/danfe.pdf", "dtValUrl": _tomorrow(desk)}


def link_logo(desk: Desk, param: Record) -> dict[str, Any]:
    """GetUrlLogo."""
    return {"cUrlLogo": f"{_PORTAL}/logo.png", "dtValUrl": _tomorrow(desk)}


HANDLERS = {"ConsultarNF": consultar, "ListarNF": listar}
DOCUMENTS_HANDLERS = {"ObterNfe": obter_nfe, "ObterDanfeSimp": obter_danfe, "ObterPedVenda": obter_pedido}
LINKS_HANDLERS = {"GetUrlNotaFiscal": link_nota, "GetUrlDanfe": link_danfe, "GetUrlLogo": link_logo}


def full(desk: Desk, row: Row) -> Record:
    """Return a note as ConsultarNF shows it."""
    record = row.record
    at, gone = record["emitted_at"], record["cancelled_at"]
    customer = desk.company.table(clientes.NOUN.table).get(record["customer"])
    order = desk.company.table(ORDERS.table).get(record["order"])
    buyer = {} if customer is None else customer.record
    goods = round(sum(item["produto"]["valor_mercadoria"] for item in record["det"]), 2)
    discount = round(sum(item["produto"]["valor_desconto"] for item in record["det"]), 2)
    return {
        "ide": {
            "mod": "55",
            "serie": record["series"],
            "nNF": record["number"],
            "dEmi": f"{at:%d/%m/%Y}",
            "hEmi": f"{at:%H:%M:%S}",
            "dSaiEnt": f"{at:%d/%m/%Y}",
            "dReg": f"{at:%d/%m/%Y}",
            "tpNF": "1",
            "tpAmb": "1",
            "finNFe": "1",
            "dCan": "" if gone is None else f"{gone:%d/%m/%Y}",
            "cDeneg": "N",
        },
        "compl": {
            "nIdNF": row.id,
            "nIdPedido": record["order"],
            "cCodCateg": record["category"],
            "cChaveNFe": record["key"],
            "cModFrete": "9",
        },
        "nfDestInt": {
            "nCodCli": record["customer"],
            "cCodCliInt": "" if customer is None else customer.code,
            "cRazao": buyer.get("razao_social", ""),
            "cnpj_cpf": buyer.get("cnpj_cpf", ""),
        },
        "det": [_item(item) for item in record["det"]],
        "total": {"ICMSTot": {"vProd": goods, "vDesc": discount, "vNF": record["value"], "vICMS": 0.0, "vIPI": 0.0}},
        "titulos": [_title(title) for title in _titles(desk, row)],
        "pedido": {
            "cNumPedido": "" if order is None else order.record["number"],
            "cCancelado": "N" if gone is None else "S",
            "nIdVendedor": record["seller"] or 0,
            "nIdProjeto": record["project"] or 0,
            "opPedido": "11",
        },
        "info": info(row),
    }


def _item(item: Record) -> Record:
    product = item["produto"]
    return {
        "prod": {
            "cProd": product.get("codigo", ""),
            "xProd": product.get("descricao", ""),
            "NCM": product.get("ncm", ""),
            "CFOP": product["cfop"],
            "uCom": product.get("unidade", ""),
            "qCom": product["quantidade"],
            "vUnCom": product["valor_unitario"],
            "vProd": product["valor_mercadoria"],
            "vDesc": product["valor_desconto"],
            "vTotItem": product["valor_total"],
        },
        "nfProdInt": {
            "nCodProd": product["codigo_produto"],
            "cCodProdInt": product["codigo_produto_integracao"],
            "nCodItem": item["ide"]["codigo_item"],
        },
    }


def _titles(desk: Desk, note: Row) -> list[Row]:
    table = desk.company.table(contas_receber.SIDE.table)
    return [row for id in note.record["titles"] if (row := table.get(id)) is not None]


def _title(row: Row) -> Record:
    record = row.record
    number, _, count = str(record.get("numero_parcela", "001/001")).partition("/")
    return {
        "nCodTitulo": row.id,
        "cCodIntTitulo": row.code,
        "cNumTitulo": record.get("numero_documento", ""),
        "dDtEmissao": record["data_emissao"],
        "dDtVenc": record["data_vencimento"],
        "nValorTitulo": float(record["valor_documento"]),
        "cCodCateg": record.get("codigo_categoria", ""),
        "nParcela": int(number),
        "nTotParc": int(count or 1),
    }


def _is_meant(row: Row, param: Record) -> bool:
    record = row.record
    number = str(param.get("nNF") or "").lstrip("0")
    return (
        param.get("nCodNF") in (None, 0, row.id)
        and (not number or record["number"].lstrip("0") == number)
        and param.get("serie") in (None, "", record["series"])
        and param.get("cChaveNFe") in (None, "", record["key"])
        and param.get("nIdPedido") in (None, 0, record["order"])
    )


def _passes(desk: Desk, row: Row, param: Record) -> bool:
    record = row.record
    at, number = f"{record['emitted_at']:%d/%m/%Y}", int(record["number"])
    document = param.get("cnpj_cpf")
    buyer = desk.company.table(clientes.NOUN.table).get(record["customer"])
    own = "" if buyer is None else str(buyer.record.get("cnpj_cpf", ""))
    gone = record["cancelled_at"]
    return (
        all(within(param, f"d{part}Inicial", f"d{part}Final", at) for part in ("Emi", "SaiEnt", "Reg"))
        and within(param, "dCanInicial", "dCanFinal", "" if gone is None else f"{gone:%d/%m/%Y}")
        and param.get("cSerie") in (None, "", record["series"])
        and param.get("tpNF") in (None, "", "1")
        and param.get("nIdCliente") in (None, 0, record["customer"])
        and (not document or bare(document) == bare(own))
        and number >= (param.get("nNFInicial") or 0)
        and (not param.get("nNFFinal") or number <= param["nNFFinal"])
    )


def _by_id(desk: Desk, id: int | None) -> Row:
    row = desk.company.table(notas.TABLE).get(id or 0)
    if row is None:
        raise Refusal("Client-105", f"ERROR: Nota Fiscal não cadastrada para o Código [{id}] !")
    return row


def _tomorrow(desk: Desk) -> str:
    return f"{desk.now + timedelta(days=1):%d/%m/%Y}"
