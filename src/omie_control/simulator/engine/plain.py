"""Services that only show: official tables with made-up rows, answers to look-ups, and acts that leave a trace.

Nothing here is remembered but acts: rows are made anew from the company's seed, the same ones each time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from omie_control.omie.catalog import Method
from omie_control.simulator.engine.projection import flat, project
from omie_control.simulator.engine.shelf import Handler, answer_list, path_to_list, status_of
from omie_control.simulator.engine.specimen import invent
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.world import Company, Desk, Record

_ROWS = 120
# What a list's request has of its own and no row is to be compared with.
_NO_FILTERS = frozenset({"pagina", "registros_por_pagina", "ordenar_por", "apenas_importado_api"})
Rows = Callable[[Company], list[Record]]


def list_of(method: Method, rows: Rows | None = None, filters: Mapping[str, str] | None = None) -> Handler:
    """List rows, by default made-up ones, filtered by the tags that request and row have in common.

    `filters` names, per request tag, the row's tag (`~` first: a part of it).
    """
    own = filters or {}
    row_type = path_to_list(method)[-1].type
    scalars = {name for name, field in method.request_fields.items() if field.is_scalar} - _NO_FILTERS

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        found = rows(desk.company) if rows is not None else invented(desk.company, method, row_type)
        wanted = {own.get(tag, tag): value for tag, value in param.items() if tag in scalars and value not in ("", 0)}
        chosen = [row for row in found if _fits(row, wanted)]
        return answer_list(method, param, chosen, lambda row: row)

    return handle


def one_of(method: Method, listing: Method, rows: Rows | None = None) -> Handler:
    """Show the row of a list that has the key which came, or say that there is none."""
    row_type = path_to_list(listing)[-1].type

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        found = rows(desk.company) if rows is not None else invented(desk.company, listing, row_type)
        wanted = {tag: value for tag, value in param.items() if value not in ("", 0)}
        row = next((row for row in found if _fits(row, wanted)), None)
        if row is None:
            told = next(iter(wanted.values()), "")
            raise Refusal("Client-105", f"ERROR: Registro não cadastrado para o Código [{told}] !")
        return project(method.service, method.response_type, row, {})

    return handle


def answer(method: Method) -> Handler:
    """Answer a question with made-up values that are true to the type; what was asked is told back."""

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        random = desk.company.random(method.endpoint + json.dumps(param, sort_keys=True))
        made = invent(desk.company, method.service, method.response_type, random, 1)
        echoed = project(method.service, method.response_type, param, {})
        return made | echoed | status_of(method, "Consulta realizada com sucesso!")

    return handle


def act(method: Method) -> Handler:
    """Carry out an act on something that is not kept here: it leaves its own tags under its service's name."""

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = desk.add(method.path.strip("/"), {"call": method.call, **flat(param)}, "")
        fields = method.response_fields
        echoed = project(method.service, method.response_type, param, {})
        ids = {name: row.id for name, each in fields.items() if each.type == "integer" and name not in echoed}
        return echoed | ids | status_of(method, "Solicitação processada com sucesso!")

    return handle


def invented(company: Company, method: Method, row_type: str) -> list[Record]:
    """Return the made-up rows of a list."""
    random = company.random(method.path)
    return [invent(company, method.service, row_type, random, number) for number in range(1, _ROWS + 1)]


def _fits(row: Record, wanted: Record) -> bool:
    leaves = flat(row)
    for tag, value in wanted.items():
        held, asked = leaves.get(tag.lstrip("~")), str(value).lower()
        if held is not None and (asked not in str(held).lower() if tag.startswith("~") else asked != str(held).lower()):
            return False
    return True
