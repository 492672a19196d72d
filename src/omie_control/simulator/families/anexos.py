"""geral/anexo: files that hang on records: base64 of a zip, with the MD5 of that text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import page_of, within
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.world import Desk, Record, Row

PATH = "geral/anexo/"
NOUN = Noun("anexos", "Anexo", "nIdAnexo", "cCodIntAnexo", status_tags=("cCodStatus", "cDesStatus"))
_SHOWN = ("nId", "cTabela", "cNomeArquivo", "cTipoArquivo")


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirAnexo: refuses what is no zip in base64, and an MD5 that is not the text's."""
    require(param, "nId", "cTabela", "cNomeArquivo", "cArquivo")
    code = str(param.get(NOUN.code_tag) or "")
    NOUN.refuse_known_code(desk, code)
    _refuse_bad_file(param)
    row = desk.add(NOUN.table, {tag: value for tag, value in param.items() if tag not in (NOUN.code_tag, "cMd5")}, code)
    return _key(row) | NOUN.status(row, "incluído")


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarAnexo: what there is to know of the file, not the file."""
    return _full(find(desk, param))


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirAnexo."""
    row = find(desk, param)
    desk.remove(NOUN.table, row)
    return _key(row) | NOUN.status(row, "excluído")


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarAnexo: those of one record of one table."""
    rows = [
        row
        for row in desk.company.table(NOUN.table)
        if param.get("nId") in (None, 0, row.record["nId"])
        and param.get("cTabela") in (None, "", row.record["cTabela"])
        and within(param, "dDtIncDe", "dDtIncAte", f"{row.created_at:%d/%m/%Y}")
    ]
    return page_of(catalog().method(PATH, "ListarAnexo"), param, rows, _full)


def obter(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterAnexo: a link that is good for a day."""
    row = find(desk, param)
    link = f"https://exemplo.com.br/anexos/{row.id}"
    until = f"{desk.now + timedelta(days=1):%d/%m/%Y}"
    return _key(row) | {"cLinkDownload": link, "dDtExpiracao": until} | NOUN.status(row, "obtido")


HANDLERS = {
    "IncluirAnexo": incluir,
    "ConsultarAnexo": consultar,
    "ExcluirAnexo": excluir,
    "ListarAnexo": listar,
    "ObterAnexo": obter,
}


def find(desk: Desk, param: Record) -> Row:
    """Return a file by its id or code, or by its name among those of a record."""
    if param.get(NOUN.id_tag) or param.get(NOUN.code_tag):
        return NOUN.find(desk, param)
    require(param, "nId", "cNomeArquivo")
    for row in desk.company.table(NOUN.table):
        if row.record["nId"] == param["nId"] and row.record["cNomeArquivo"] == param["cNomeArquivo"]:
            return row
    raise Refusal("Client-105", f"ERROR: Anexo não cadastrado para o Código [{param['nId']}] !")


def _refuse_bad_file(param: Record) -> None:
    text = param["cArquivo"]
    try:
        content = base64.b64decode(text, validate=True)
        is_zip = zipfile.is_zipfile(io.BytesIO(content))
    except (binascii.Error, ValueError):
        is_zip = False
    if not is_zip:
        raise Refusal("Client-101", "ERROR: O conteúdo da tag [cArquivo] deve ser um arquivo zip em base64!")
    given = str(param.get("cMd5") or "").lower()
    # MD5 is what Omie asks for; it guards nothing here.
    if given != hashlib.md5(text.encode(), usedforsecurity=False).hexdigest():
        raise Refusal("Client-101", "ERROR: O MD5 informado na tag [cMd5] não confere com o arquivo!")


def _key(row: Row) -> Record:
    return {tag: row.record[tag] for tag in ("nId", "cTabela", "cNomeArquivo")}


def _full(row: Row) -> Record:
    head = {NOUN.id_tag: row.id, NOUN.code_tag: row.code}
    return head | {tag: row.record[tag] for tag in _SHOWN if tag in row.record} | {"info": info(row)}
