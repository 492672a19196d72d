"""geral/clientes: customers and suppliers, one record for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.documents import bare, is_person, is_valid
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import page, touched
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.world import Desk, Record, Row

PATH = "geral/clientes/"
NOUN = Noun("clientes", "Cliente", "codigo_cliente_omie", "codigo_cliente_integracao")
_KEYS = frozenset({NOUN.id_tag, NOUN.code_tag, "info"})
# Only these filters have an effect; the real Omie takes the others and ignores them.
_EXACT_FILTERS = ("nome_fantasia", "inativo")


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarClientes."""
    return page(_method("ListarClientes"), param, _matching(desk, param), lambda row: _shown(row, param))


def listar_resumido(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarClientesResumido."""
    return page(_method("ListarClientesResumido"), param, _matching(desk, param), _summary)


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarCliente, by id or integration code."""
    return full(NOUN.find(desk, param))


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirCliente."""
    require(param, "razao_social")
    code = str(param.get(NOUN.code_tag) or "")
    NOUN.refuse_known_code(desk, code)
    _refuse_bad_document(param)
    _refuse_known_document(desk, param)
    row = desk.add(NOUN.table, new_record(param), code)
    return NOUN.status(row, "cadastrado")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarCliente: the tags that came replace those of the record."""
    return _change(desk, NOUN.find(desk, param), param)


def upsert(desk: Desk, param: Record) -> dict[str, Any]:
    """UpsertCliente, by integration code."""
    require(param, NOUN.code_tag)
    row = desk.company.table(NOUN.table).with_code(param[NOUN.code_tag])
    return incluir(desk, param) if row is None else _change(desk, row, param)


def upsert_by_document(desk: Desk, param: Record) -> dict[str, Any]:
    """UpsertClienteCpfCnpj, by document."""
    require(param, "cnpj_cpf")
    row = _with_document(desk, param["cnpj_cpf"])
    return incluir(desk, param) if row is None else _change(desk, row, param)


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirCliente."""
    row = NOUN.find(desk, param)
    if row.record.get("bloquear_exclusao") == "S":
        raise Refusal("Client-101", "ERROR: A exclusão deste Cliente está bloqueada!")
    desk.remove(NOUN.table, row)
    return NOUN.status(row, "excluído")


HANDLERS = {
    "ListarClientes": listar,
    "ListarClientesResumido": listar_resumido,
    "ConsultarCliente": consultar,
    "IncluirCliente": incluir,
    "AlterarCliente": alterar,
    "UpsertCliente": upsert,
    "UpsertClienteCpfCnpj": upsert_by_document,
    "ExcluirCliente": excluir,
    "AssociarCodIntCliente": NOUN.associate,
}


def new_record(param: Record) -> Record:
    """Return a record with what Omie adds by itself to the tags that came."""
    document = param.get("cnpj_cpf", "")
    return {
        "bloquear_faturamento": "N",
        "codigo_pais": "1058",
        "enviar_anexos": "N",
        "inativo": "N",
        "nome_fantasia": param["razao_social"],
        "tags": [],
        **{tag: value for tag, value in param.items() if tag not in _KEYS},
        "exterior": "S" if _is_abroad(param) else "N",
        "pessoa_fisica": "S" if document and is_person(document) else "N",
    }


def full(row: Row) -> Record:
    """Return a record as ConsultarCliente shows it."""
    return {NOUN.id_tag: row.id, NOUN.code_tag: row.code, **row.record, "info": info(row)}


def _shown(row: Row, param: Record) -> Record:
    record = full(row)
    if param.get("exibir_caracteristicas") != "S":
        record.pop("caracteristicas", None)
    if param.get("exibir_obs") != "S":
        record.pop("observacao", None)
    return record


def _summary(row: Row) -> Record:
    names = ("razao_social", "nome_fantasia", "cnpj_cpf")
    head = {"codigo_cliente": row.id, NOUN.code_tag: row.code}
    return head | {name: row.record.get(name, "") for name in names}


def _matching(desk: Desk, param: Record) -> list[Row]:
    wanted: Record = param.get("clientesFiltro", {})
    chosen = _chosen(desk, param.get("clientesPorCodigo", []))
    return [row for row in chosen if touched(param, row) and _passes(row, wanted)]


def _chosen(desk: Desk, keys: list[Record]) -> list[Row]:
    table = desk.company.table(NOUN.table)
    if not keys:
        return list(table)
    ids = {key.get(NOUN.id_tag) for key in keys}
    codes = {key.get(NOUN.code_tag) for key in keys} - {None, ""}
    return [row for row in table if row.id in ids or row.code in codes]


def _passes(row: Row, wanted: Mapping[str, Any]) -> bool:
    record = row.record
    id, code, name = wanted.get(NOUN.id_tag), wanted.get(NOUN.code_tag), wanted.get("razao_social")
    document, tags = wanted.get("cnpj_cpf"), {tag.get("tag", "").lower() for tag in wanted.get("tags", [])}
    if (id and id != row.id) or (code and code != row.code):
        return False
    if name and str(name).lower() not in record["razao_social"].lower():
        return False
    if document and bare(document) != bare(record.get("cnpj_cpf", "")):
        return False
    if tags and not tags & {tag["tag"].lower() for tag in record["tags"]}:
        return False
    return all(
        not wanted.get(tag) or str(wanted[tag]).lower() == str(record.get(tag, "")).lower() for tag in _EXACT_FILTERS
    )


def _change(desk: Desk, row: Row, param: Record) -> dict[str, Any]:
    fields = {tag: value for tag, value in param.items() if tag not in _KEYS}
    code = param.get(NOUN.code_tag)
    if code:
        NOUN.refuse_known_code(desk, code, but=row)
    if fields.get("cnpj_cpf"):
        _refuse_bad_document(fields)
        _refuse_known_document(desk, fields, but=row)
    if code and code != row.code:
        desk.company.table(NOUN.table).name(row, code)
    desk.change(NOUN.table, row, fields)
    return NOUN.status(row, "alterado")


def _is_abroad(param: Record) -> bool:
    return param.get("estado") == "EX" or param.get("codigo_pais", "1058") != "1058"


def _refuse_bad_document(param: Record) -> None:
    document = param.get("cnpj_cpf", "")
    if document and not _is_abroad(param) and not is_valid(document):
        raise Refusal("Client-101", "ERROR: O CPF/CNPJ informado na tag [cnpj_cpf] está inválido!")


def _refuse_known_document(desk: Desk, param: Record, *, but: Row | None = None) -> None:
    row = _with_document(desk, param.get("cnpj_cpf", ""))
    if row is not None and row is not but:
        raise Refusal(
            "Client-102",
            f"ERROR: Cliente já cadastrado para o CPF/CNPJ [{param['cnpj_cpf']}] com o Id [{row.id}] e código de "
            f"integração [{row.code}] ! (add)",
        )


def _with_document(desk: Desk, document: str) -> Row | None:
    plain = bare(document)
    rows = desk.company.table(NOUN.table)
    return next((row for row in rows if plain and bare(row.record.get("cnpj_cpf", "")) == plain), None)


def _method(call: str) -> Method:
    return catalog().method(PATH, call)
