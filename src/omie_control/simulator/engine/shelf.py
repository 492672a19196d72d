"""A shelf: one kind of record of one service, kept by the catalogue alone.

Where create, list, get and their kin speak of the same record, a shelf gives them real state; a family that knows
more overrides the calls it knows better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine.projection import deep_merge, find_tag, flat, project, stamps, without
from omie_control.simulator.families.lists import PastEnd, page_of, touched, within
from omie_control.simulator.families.records import Noun, require
from omie_control.simulator.world import SEEDERS, Company, Desk, Record, Row

Handler = Callable[[Desk, Record], dict[str, Any]]
_DONE = {"create": "cadastrado", "update": "alterado", "upsert": "salvo", "delete": "excluído", "action": "processado"}
_FILTER_NOISE = frozenset({"pagina", "registros_por_pagina", "apenas_importado_api", "ordenar_por"})


@dataclass(frozen=True)
class Shelf:
    """How a service keeps its record. `filters` names, per request tag, the record's tag (`~` first: a part of it)."""

    path: str
    table: str
    label: str
    id_tag: str
    code_tag: str = ""
    is_feminine: bool = False
    required: tuple[str, ...] = ()
    refers: Mapping[str, Noun] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    past_end: PastEnd = PastEnd.FAULT
    seeds: Callable[[Company], Iterable[tuple[str, Record]]] | None = None
    unknown_code: str = "Client-103"
    unknown_id: str = "Client-105"
    # How a request is kept, where the answer has other names for its parts.
    kept_as: Callable[[Record], Record] = dict
    # Calls of the service that speak of something else.
    not_mine: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.seeds is not None:
            SEEDERS[self.table] = self.seeds

    @property
    def noun(self) -> Noun:
        """Return how a record is found."""
        return Noun(
            self.table,
            self.label,
            self.id_tag,
            self.code_tag,
            is_feminine=self.is_feminine,
            unknown_code=self.unknown_code,
            unknown_id=self.unknown_id,
        )

    def handlers(self) -> dict[str, Handler]:
        """Return a handler for each call of the service whose kind says what it does."""
        makers = {
            "create": self.create,
            "update": self.update,
            "upsert": self.upsert,
            "delete": self.delete,
            "get": self.show,
            "list": self.list,
            "action": self.act,
        }
        return {
            method.call: makers[method.kind](method)
            for method in catalog().methods
            if method.path == self.path and not method.is_batch and method.call not in self.not_mine
        }

    def find(self, desk: Desk, param: Record) -> Row:
        """Return the record that a request speaks of, or refuse; its id may come as text."""
        id = find_tag(param, self.id_tag)
        key = {self.id_tag: int(id) if str(id or "").isdigit() else 0, self.code_tag: find_tag(param, self.code_tag)}
        if id and not key[self.id_tag]:
            key[self.id_tag] = -1
        return self.noun.find(desk, key)

    def create(self, method: Method) -> Handler:
        """Make a record of what came."""
        return lambda desk, param: self.status(method, self.add(desk, method, param), param)

    def update(self, method: Method) -> Handler:
        """Lay what came over the record."""
        return lambda desk, param: self.status(method, self.change(desk, self.find(desk, param), param), param)

    def upsert(self, method: Method) -> Handler:
        """Change the record of that id or integration code, or make one."""

        def handle(desk: Desk, param: Record) -> dict[str, Any]:
            row = self.known(desk, param)
            made = self.add(desk, method, param) if row is None else self.change(desk, row, param)
            return self.status(method, made, param)

        return handle

    def delete(self, method: Method) -> Handler:
        """Delete the record."""

        def handle(desk: Desk, param: Record) -> dict[str, Any]:
            row = self.find(desk, param)
            desk.remove(self.table, row)
            return self.status(method, row, param)

        return handle

    def show(self, method: Method) -> Handler:
        """Show the record as the call's answer has it."""
        return lambda desk, param: self.shown(method, method.response_type, self.find(desk, param))

    def act(self, method: Method) -> Handler:
        """Do to the record what the call's own tags say; associating gives it an integration code."""

        def handle(desk: Desk, param: Record) -> dict[str, Any]:
            if method.call.startswith("AssociarCodInt"):
                return self.status(method, self.associate(desk, param), param)
            return self.status(method, self.change(desk, self.find(desk, param), param), param)

        return handle

    def list(self, method: Method) -> Handler:
        """List the records that pass the filters."""
        row_type = path_to_list(method)[-1].type

        def handle(desk: Desk, param: Record) -> dict[str, Any]:
            rows = [row for row in desk.company.table(self.table) if self.passes(row, param)]
            return answer_list(method, param, rows, lambda row: self.shown(method, row_type, row), self.past_end)

        return handle

    def known(self, desk: Desk, param: Record) -> Row | None:
        """Return the record that an upsert means, or None when it is new."""
        code, id = find_tag(param, self.code_tag), find_tag(param, self.id_tag)
        table = desk.company.table(self.table)
        found = table.with_code(str(code)) if code else None
        return found if found is not None or not id else self.find(desk, {self.id_tag: id})

    def add(self, desk: Desk, method: Method, param: Record) -> Row:
        """Make a record, or refuse what it lacks, repeats, or refers to."""
        self.refuse_missing(method, param)
        self.refuse_bad_references(desk, param)
        code = str(find_tag(param, self.code_tag) or "")
        self.noun.refuse_known_code(desk, code)
        return desk.add(self.table, self.kept_as(without(param, self._keys)), code)

    def change(self, desk: Desk, row: Row, param: Record) -> Row:
        """Lay what came over the record."""
        self.refuse_bad_references(desk, param)
        desk.change(self.table, row, deep_merge(row.record, self.kept_as(without(param, self._keys))))
        return row

    def associate(self, desk: Desk, param: Record) -> Row:
        """Give a record made by hand an integration code."""
        require(param, self.id_tag, self.code_tag)
        row = self.find(desk, {self.id_tag: param[self.id_tag]})
        self.noun.refuse_known_code(desk, param[self.code_tag], but=row)
        desk.name(self.table, row, param[self.code_tag])
        return row

    def shown(self, method: Method, type_name: str, row: Row) -> Record:
        """Return a record as a type has it."""
        keys = {self.id_tag: row.id, self.code_tag: row.code} if self.code_tag else {self.id_tag: row.id}
        shown = project(method.service, type_name, stamps(row) | row.record, keys)
        has_status = bool(method.status_fields) and type_name == method.response_type
        return shown | (status_of(method, f"{self.label} encontrado com sucesso!") if has_status else {})

    def status(self, method: Method, row: Row, param: Record) -> dict[str, Any]:
        """Return the small answer of a write that went well."""
        done = _DONE[method.kind]
        done = done[:-1] + "a" if self.is_feminine else done
        keys = {self.id_tag: row.id, self.code_tag: row.code} if self.code_tag else {self.id_tag: row.id}
        echoed = project(method.service, method.response_type, param, keys)
        return echoed | status_of(method, f"{self.label} {done} com sucesso!")

    def passes(self, row: Row, param: Record) -> bool:
        """Apply the windows of time and each filter whose tag is one of the record's."""
        return (
            touched(param, row) and _in_windows(row, param) and all(_fits(row, *each) for each in self._wanted(param))
        )

    def refuse_missing(self, method: Method, param: Record) -> None:
        """Refuse a new record that lacks what the catalogue or the shelf says it needs."""
        for name, each in method.request_fields.items():
            is_due = (each.is_required or each.is_required_on_create) and not each.is_generated
            if is_due and each.type != "integer":
                require(param, name)
        for tag in self.required:
            require({tag: find_tag(param, tag)}, tag)

    def refuse_bad_references(self, desk: Desk, param: Record) -> None:
        """Refuse the ids of records that do not exist."""
        for tag, noun in self.refers.items():
            for id in _all(param, tag):
                if id:
                    noun.find(desk, {noun.id_tag: id})

    @property
    def _keys(self) -> frozenset[str]:
        return frozenset({self.id_tag, self.code_tag} - {""})

    def _wanted(self, param: Record) -> Iterator[tuple[str, Any]]:
        for tag, value in param.items():
            if value not in (None, "", 0) and not isinstance(value, dict | list) and tag not in _FILTER_NOISE:
                yield self.filters.get(tag, tag), value


def status_of(method: Method, text: str, code: str = "0") -> Record:
    """Return the status pair of a method: its code, and the text beside it."""
    fields = method.response_fields
    known = [name for name in method.status_fields if name in fields]
    if known == ["status"] and "descricao" in fields:
        known.append("descricao")
    return dict(zip(known, (code, text), strict=False))


def path_to_list(method: Method) -> list[Any]:
    """Return the fields that lead from a list's answer to its rows, the rows' own field last."""
    fields, path = method.response_fields, []
    for name in (method.list_key or "").split("."):
        path.append(fields[name])
        if not path[-1].is_scalar:
            fields = method.service.fields(path[-1].type)
    return path


def answer_list(
    method: Method, param: Record, rows: list[Any], show: Callable[[Any], Record], past_end: PastEnd = PastEnd.FAULT
) -> dict[str, Any]:
    """Answer with a page, or with everything where the method does not page; tags that both sides have are echoed."""
    echoed = project(method.service, method.response_type, {k: v for k, v in param.items() if v != ""}, {})
    if method.paging is not None:
        return echoed | page_of(method, param, rows, show, past_end) | status_of(method, "Registros encontrados!")
    answered: dict[str, Any] = echoed
    *nested, last = (method.list_key or "").split(".")
    holder = answered
    for name in nested:
        holder = holder.setdefault(name, {})
    holder[last] = [show(row) for row in rows]
    return answered


def _fits(row: Row, tag: str, value: Any) -> bool:
    is_part = tag.startswith("~")
    own = flat(row.record).get(tag.lstrip("~"))
    if own is None:
        return True
    low, wanted = str(own).lower(), str(value).lower().strip("%")
    return wanted in low if is_part else wanted == low


def _in_windows(row: Row, param: Record) -> bool:
    made, changed = f"{row.created_at:%d/%m/%Y}", f"{row.changed_at:%d/%m/%Y}"
    return (
        within(param, "dDtIncDe", "dDtIncAte", made)
        and within(param, "dDtAltDe", "dDtAltAte", changed)
        and within(param, "dtAltDe", "dtAltAte", changed)
        and within(param, "dInclusaoInicial", "dInclusaoFinal", made)
        and within(param, "dAlteracaoInicial", "dAlteracaoFinal", changed)
    )


def _all(value: Any, tag: str) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == tag:
                yield item
            else:
                yield from _all(item, tag)
    elif isinstance(value, list):
        for item in value:
            yield from _all(item, tag)
