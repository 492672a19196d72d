"""What hangs on a record: tags of customers, characteristics of customers and accounts, departments of titles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine.shelf import Handler, status_of
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import cadastros, clientes, contas_receber, crm
from omie_control.simulator.families.records import require
from omie_control.simulator.world import Desk, Record, Row

TAGS_PATH = "geral/clientetag/"
_Find = Callable[[Desk, Record], Row]
_Change = Callable[[list[Record], Record], list[Record]]


def _customer(desk: Desk, param: Record) -> Row:
    key = {clientes.NOUN.id_tag: param.get("nCodCliente"), clientes.NOUN.code_tag: param.get("cCodIntCliente")}
    return clientes.NOUN.find(desk, key)


def tags(call: str, change: Callable[[list[str], list[str]], list[str]] | None) -> Handler:
    """Change a customer's tags, or only show them."""
    method = catalog().method(TAGS_PATH, call)

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = _customer(desk, param)
        held = [each["tag"] for each in row.record.get("tags", [])]
        if change is not None:
            given = param.get("tags", {})
            named = [given["tag"]] if given.get("tag") else []
            held = change(held, named)
            desk.change(clientes.NOUN.table, row, {"tags": [{"tag": tag} for tag in held]})
        shown: dict[str, Any] = {"nCodCliente": row.id, "cCodIntCliente": row.code}
        if "tagsLista" in method.response_fields:
            shown["tagsLista"] = [{"tag": tag, "nCodTag": crc32(tag.encode())} for tag in held]
        return shown | status_of(method, "Tags do cliente alteradas com sucesso!")

    return handle


def _without(held: list[str], named: list[str]) -> list[str]:
    gone = {tag.lower() for tag in named}
    return [tag for tag in held if tag.lower() not in gone]


TAGS_HANDLERS: Mapping[str, Handler] = {
    "IncluirTags": tags("IncluirTags", lambda held, named: [*_without(held, named), *named]),
    "ExcluirTags": tags("ExcluirTags", _without),
    "ExcluirTodas": tags("ExcluirTodas", lambda held, named: []),
    "ListarTags": tags("ListarTags", None),
}


def _known(held: list[Record], field: str) -> bool:
    return any(each["campo"].lower() == field.lower() for each in held)


def _added(held: list[Record], param: Record) -> list[Record]:
    if _known(held, param["campo"]):
        raise Refusal("Client-102", f"ERROR: Característica [{param['campo']}] já cadastrada!")
    return [*held, {"campo": param["campo"], "conteudo": param.get("conteudo", "")}]


def _changed(held: list[Record], param: Record) -> list[Record]:
    fresh = _removed(held, param)
    return [*fresh, {"campo": param["campo"], "conteudo": param.get("conteudo", "")}]


def _removed(held: list[Record], param: Record) -> list[Record]:
    if not _known(held, param["campo"]):
        raise Refusal("Client-105", f"ERROR: Característica não cadastrada para o Código [{param['campo']}] !")
    return [each for each in held if each["campo"].lower() != param["campo"].lower()]


def characteristics(path: str, table: str, find: _Find, keys: tuple[str, str]) -> dict[str, Handler]:
    """Return the five handlers of a service that keeps characteristics of a record."""

    def handler(call: str, change: _Change | None, *, needs_field: bool = True) -> Handler:
        method = catalog().method(path, call)

        def handle(desk: Desk, param: Record) -> dict[str, Any]:
            if needs_field:
                require(param, "campo")
            row = find(desk, param)
            held: list[Record] = row.record.get("caracteristicas", [])
            if change is not None:
                desk.change(table, row, {"caracteristicas": change(held, param)})
            return {keys[0]: row.id, keys[1]: row.code, **_answer(method, held)}

        return handle

    changes: dict[str, tuple[_Change | None, bool]] = {
        "create": (_added, True),
        "update": (_changed, True),
        "get": (None, False),
    }
    handlers = {}
    for method in catalog().methods:
        if method.path != path:
            continue
        clears = method.kind == "delete" and "Todas" in method.call
        removing: tuple[_Change | None, bool] = (lambda held, param: [], False) if clears else (_removed, True)
        change, needs_field = changes.get(method.kind, removing)
        handlers[method.call] = handler(method.call, change, needs_field=needs_field)
    return handlers


def _answer(method: Method, held: list[Record]) -> Record:
    field = method.response_fields.get("caracteristicas")
    if field is None:
        return status_of(method, "Característica processada com sucesso!")
    if field.is_list:
        return {"caracteristicas": held}
    return {"caracteristicas": held[0]} if held else {}


def departments(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirDistribuicaoDepartamento, AlterarDistribuicaoDepartamento: a title's share for a department."""
    row, code = contas_receber.SIDE.find(desk, param), str(param.get("codigo_departamento") or "")
    owner = cadastros.DEPARTAMENTOS.find(desk, {"codigo": code})
    share = float(param.get("percentual_rateio") or 0)
    value = float(param.get("valor") or row.record["valor_documento"] * share / 100)
    line = {"cCodDep": code, "cDesDep": owner.record["descricao"], "nValDep": round(value, 2), "nPerDep": share}
    kept = [each for each in row.record.get("distribuicao", []) if each["cCodDep"] != code]
    desk.change(contas_receber.SIDE.table, row, {"distribuicao": [*kept, line]})
    return {"chave_lancamento": row.id, "codigo_lancamento_integracao": row.code}


def no_departments(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirDistribuicaoDepartamento."""
    row = contas_receber.SIDE.find(desk, param)
    desk.change(contas_receber.SIDE.table, row, {"distribuicao": []})
    return contas_receber.SIDE.noun.status(row, "alterado")


HANDLERS: dict[str, Mapping[str, Handler]] = {
    TAGS_PATH: TAGS_HANDLERS,
    "geral/clientescaract/": characteristics(
        "geral/clientescaract/",
        clientes.NOUN.table,
        clientes.NOUN.find,
        (clientes.NOUN.id_tag, clientes.NOUN.code_tag),
    ),
    "crm/contascaract/": characteristics(
        "crm/contascaract/", crm.CONTAS.table, crm.CONTAS.find, (crm.CONTAS.id_tag, crm.CONTAS.code_tag)
    ),
    contas_receber.PATH: {
        "IncluirDistribuicaoDepartamento": departments,
        "AlterarDistribuicaoDepartamento": departments,
        "ExcluirDistribuicaoDepartamento": no_departments,
    },
}
