"""financas/contareceberboleto and financas/pix: how receivables are collected; both answer some failures in-band."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.documents import bare
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_correntes, contas_receber
from omie_control.simulator.families.lists import day, page_of, within
from omie_control.simulator.families.records import Noun, require
from omie_control.simulator.world import Desk, Record, Row

SLIP_PATH = "financas/contareceberboleto/"
PIX_PATH = "financas/pix/"
PIX = Noun("pix", "PIX", "nIdPix", "cCodIntPix", unknown_code="Client-5113", unknown_id="Client-5113")
_SIDE = contas_receber.SIDE
# Only accounts of Omie.CASH make QR codes.
_CASH_BANK = "613"
_SITE = "https://exemplo.com.br"


def gerar_boleto(desk: Desk, param: Record) -> dict[str, Any]:
    """GerarBoleto: an unknown title is answered with code 103, not with a fault."""
    title = _title(desk, param)
    if title is None:
        return _unknown()
    if _SIDE.left(desk, title) <= 0:
        raise Refusal("Client-101", "ERROR: O título já foi liquidado!")
    if not _has_slip(title):
        number = desk.company.next_number("boletos")
        slip: Record = {"cGerado": "S", "dDtEmBol": f"{desk.now:%d/%m/%Y}", "cNumBoleto": f"{number:08d}"}
        slip |= {"cNumBancario": f"{number:011d}", "nPerJuros": 1.0, "nPerMulta": 2.0}
        desk.change(_SIDE.table, title, {"boleto": slip})
    return _slip(title)


def obter_boleto(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterBoleto: an unknown title, and one without a slip, are answered with code 103."""
    title = _title(desk, param)
    return _slip(title) if title is not None and _has_slip(title) else _unknown()


def prorrogar_boleto(desk: Desk, param: Record) -> dict[str, Any]:
    """ProrrogarBoleto: the title is due later with it."""
    require(param, "dDtVenc")
    title = _title(desk, param)
    if title is None or not _has_slip(title):
        return _unknown()
    day(param["dDtVenc"])
    desk.change(_SIDE.table, title, {"data_vencimento": param["dDtVenc"]})
    return {tag: value for tag, value in _slip(title).items() if tag != "vDescontoCond3"}


def cancelar_boleto(desk: Desk, param: Record) -> dict[str, Any]:
    """CancelarBoleto."""
    title = _title(desk, param)
    if title is None or not _has_slip(title):
        return _unknown()
    desk.change(_SIDE.table, title, {"boleto": {"cGerado": "N"}})
    return {"cCodStatus": "0", "cDesStatus": "Boleto cancelado com sucesso!"}


def gerar_pix(desk: Desk, param: Record) -> dict[str, Any]:
    """GerarPix: of a title, or of a value for a customer."""
    code = str(param.get("cCodIntPix") or "")
    PIX.refuse_known_code(desk, code)
    title = desk.company.table(_SIDE.table).get(param.get("nCodTitulo") or 0)
    if param.get("nCodTitulo") and title is None:
        raise Refusal("Client-105", f"ERROR: Título não cadastrado para o Código [{param['nCodTitulo']}] !")
    value = float(param.get("vValor") or (0 if title is None else _SIDE.left(desk, title)))
    if value <= 0:
        raise Refusal("Client-1000", "ERROR: O preenchimento da(s) tag(s) [vValor] é obrigatório!")
    customer = _payer(desk, param) if title is None else title.record["codigo_cliente_fornecedor"]
    today = f"{desk.now:%d/%m/%Y}"
    record = {
        "cCliente": customer,
        "nCodTitulo": 0 if title is None else title.id,
        "vValor": value,
        "dEmissao": today,
        "dVencimento": today if title is None else title.record["data_vencimento"],
        "cStatus": "REGISTRADO",
    }
    row = desk.add(PIX.table, record, code)
    keys = {"nIdPix": row.id, "cCodIntPix": row.code, "nCodTitulo": record["nCodTitulo"], "cCliente": customer}
    return {**keys, **_code(row), "cCodStatus": "0", "cDescStatus": "PIX gerado com sucesso!"}


def obter_pix(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterPix."""
    row = _pix(desk, param)
    return _shown(desk, row) | _code(row)


def obter_status_pix(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterStatusPix."""
    return _status(desk, _pix(desk, param))


def listar_pix(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarPix."""
    rows = _matching(desk, param)
    return page_of(catalog().method(PIX_PATH, "ListarPix"), param, rows, lambda row: _shown(desk, row))


def listar_status_pix(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarStatusPix."""
    rows = _matching(desk, param)
    return page_of(catalog().method(PIX_PATH, "ListarStatusPix"), param, rows, lambda row: _status(desk, row))


def cancelar_pix(desk: Desk, param: Record) -> dict[str, Any]:
    """CancelarPix."""
    row = _pix(desk, param)
    desk.change(PIX.table, row, {"cStatus": "CANCELADO"})
    return {"cCodStatus": "0", "cDescStatus": "PIX cancelado com sucesso!"}


def gerar_qr_code(desk: Desk, param: Record) -> dict[str, Any]:
    """GerarQrCodePix: an account of another bank is answered with code 719, not with a fault."""
    account = contas_correntes.NOUN.find(desk, {"nCodCC": param.get("nIdConta")})
    if account.record.get("codigo_banco") != _CASH_BANK:
        text = "A conta corrente informada não é uma conta Omie.CASH!"
        return {"cUrlPix": "", "cQrCode": "", "cCopiaCola": "", "cCodStatus": "719", "cDescStatus": text}
    return {**_code(account), "cCodStatus": "0", "cDescStatus": "QR Code gerado com sucesso!"}


SLIP_HANDLERS = {
    "GerarBoleto": gerar_boleto,
    "ObterBoleto": obter_boleto,
    "ProrrogarBoleto": prorrogar_boleto,
    "CancelarBoleto": cancelar_boleto,
}
PIX_HANDLERS = {
    "GerarPix": gerar_pix,
    "ObterPix": obter_pix,
    "ObterStatusPix": obter_status_pix,
    "ListarPix": listar_pix,
    "ListarStatusPix": listar_status_pix,
    "CancelarPix": cancelar_pix,
    "GerarQrCodePix": gerar_qr_code,
}


def _title(desk: Desk, param: Record) -> Row | None:
    if not param.get("nCodTitulo") and not param.get("cCodIntTitulo"):
        require({}, "nCodTitulo")
    table = desk.company.table(_SIDE.table)
    id, code = param.get("nCodTitulo"), str(param.get("cCodIntTitulo") or "")
    return table.get(id) if id else table.with_code(code)


def _has_slip(title: Row) -> bool:
    return str(title.record.get("boleto", {}).get("cGerado")) == "S"


def _slip(title: Row) -> Record:
    slip = title.record["boleto"]
    cents = round(float(title.record["valor_documento"]) * 100)
    return {
        "cLinkBoleto": f"{_SITE}/boleto/{title.id}",
        "cCodStatus": "0",
        "cDesStatus": "Boleto obtido com sucesso!",
        "dDtEmBol": slip["dDtEmBol"],
        "cNumBoleto": slip["cNumBoleto"],
        "cNumBancario": slip["cNumBancario"],
        "cCodBarras": f"6139{slip['cNumBancario']}{title.id:019d}{cents:010d}"[:44],
        "nPerJuros": slip["nPerJuros"],
        "nPerMulta": slip["nPerMulta"],
    }


def _unknown() -> Record:
    return {"cCodStatus": "103", "cDesStatus": "Boleto não encontrado para o título informado!"}


def _payer(desk: Desk, param: Record) -> int:
    document = param.get("cCnpjCpf")
    if document:
        rows = desk.company.table(clientes.NOUN.table)
        found = (row.id for row in rows if bare(row.record.get("cnpj_cpf", "")) == bare(document))
        return next(found, 0)
    return clientes.NOUN.find(desk, {clientes.NOUN.id_tag: param["nIdCliente"]}).id if param.get("nIdCliente") else 0


def _pix(desk: Desk, param: Record) -> Row:
    if param.get("nCodTitulo") and not param.get("nIdPix") and not param.get("cCodIntPix"):
        rows = desk.company.table(PIX.table).where("nCodTitulo", param["nCodTitulo"])
        row = rows[-1] if rows else None
    else:
        table = desk.company.table(PIX.table)
        row = table.get(param["nIdPix"]) if param.get("nIdPix") else table.with_code(str(param.get("cCodIntPix") or ""))
    if row is None:
        raise Refusal("Client-5113", "ERROR: Registro não encontrado!")
    return row


def _status(desk: Desk, row: Row) -> Record:
    title = desk.company.table(_SIDE.table).get(row.record["nCodTitulo"])
    is_paid = title is not None and _SIDE.left(desk, title) <= 0 and row.record["cStatus"] == "REGISTRADO"
    status = "LIQUIDADO" if is_paid else row.record["cStatus"]
    tags = ("nCodTitulo", "vValor")
    return {"nIdPix": row.id, "cCodIntPix": row.code, "cStatus": status} | {tag: row.record[tag] for tag in tags}


def _shown(desk: Desk, row: Row) -> Record:
    at, code = row.created_at, _code(row)
    made = {"dInc": f"{at:%d/%m/%Y}", "hInc": f"{at:%H:%M:%S}", "uInc": "WEBSERVICE"}
    urls = {tag: code[tag] for tag in ("cUrlPix", "cCopiaCola")}
    return row.record | _status(desk, row) | urls | {"cInfo": made}


def _code(row: Row) -> Record:
    text = f"00020126360014br.gov.bcb.pix0114+5511400010{row.id % 100:02d}5204000053039865802BR6304{row.id % 9999:04d}"
    return {"cUrlPix": f"{_SITE}/pix/{row.id}", "cQrCode": f"{_SITE}/pix/{row.id}.png", "cCopiaCola": text}


def _matching(desk: Desk, param: Record) -> list[Row]:
    return [
        row
        for row in desk.company.table(PIX.table)
        if within(param, "dEmissaoDe", "dEmissaoAte", row.record["dEmissao"])
        and param.get("cStatus") in (None, "", _status(desk, row)["cStatus"])
    ]
