"""geral/parcelas and the forms of payment of sales and purchases: one table of terms, three ways to read it."""

from __future__ import annotations

import re
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import PastEnd, page_of
from omie_control.simulator.families.records import require
from omie_control.simulator.families.terms import OWN, TERMS, Term, term_of
from omie_control.simulator.world import Desk, Record

PATH = "geral/parcelas/"
SALES_PATH = "produtos/formaspagvendas/"
PURCHASES_PATH = "produtos/formaspagcompras/"
# The terms that a company added for itself.
TABLE = "parcelas"


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarParcelas."""
    shown = [{"nCodigo": term.code, "cDescricao": term.description, "nParcelas": len(term.days)} for term in _all(desk)]
    return page_of(catalog().method(PATH, "ListarParcelas"), param, shown, dict, PastEnd.EMPTY)


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirParcela: days with slashes between them, as 30/60/90."""
    require(param, "cParcela")
    text = str(param["cParcela"])
    if not re.fullmatch(r"\d{1,3}(/\d{1,3}){0,35}", text):
        raise Refusal("Client-101", "ERROR: A condição da tag [cParcela] deve ter a forma 30/60/90!")
    known = next((term for term in _all(desk) if term.description == text), None)
    if known is not None:
        raise Refusal("Client-102", f"ERROR: Parcela já cadastrada para o Código de Integração [{known.code}] !")
    code = f"{OWN}{text}"
    desk.add(TABLE, {"days": text}, code)
    done = {"cCodStatus": "0", "cDesStatus": "Parcela cadastrada com sucesso!"}
    return {**done, "cCodParcela": code, "cDesParcela": text}


def listar_vendas(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarFormasPagVendas."""
    return _forms(desk, param, SALES_PATH, "ListarFormasPagVendas")


def listar_compras(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarFormasPagCompras."""
    return _forms(desk, param, PURCHASES_PATH, "ListarFormasPagCompras")


HANDLERS = {
    PATH: {"ListarParcelas": listar, "IncluirParcela": incluir},
    SALES_PATH: {"ListarFormasPagVendas": listar_vendas},
    PURCHASES_PATH: {"ListarFormasPagCompras": listar_compras},
}


def _all(desk: Desk) -> list[Term]:
    own = [term_of(row.code) for row in desk.company.table(TABLE)]
    return [*TERMS.values(), *own]


def _forms(desk: Desk, param: Record, path: str, call: str) -> dict[str, Any]:
    shown = [
        {
            "cCodigo": term.code,
            "cDescricao": term.description,
            "nQtdeParc": len(term.days),
            "cListaParc": "/".join(str(day) for day in term.days),
            "nDiasParc": term.days[0],
        }
        for term in _all(desk)
    ]
    return page_of(catalog().method(path, call), param, shown, dict, PastEnd.EMPTY)
