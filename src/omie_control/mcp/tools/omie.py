"""How a tool asks Omie: a page of a list, all pages of it, one record, one write; every answer in the same form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from fastmcp.tools import ToolResult

from omie_control.app import App
from omie_control.domain.companies import Company
from omie_control.errors import InvalidInput
from omie_control.mcp.control import ToolCall, this_call
from omie_control.mcp.tools.parameters import PAGE_MAX
from omie_control.mcp.tools.shapes import Row, Shape, at, result_schema, shown, whole
from omie_control.mcp.tools.wire import Fields, has_field, leaves, merged, wired
from omie_control.mcp.tools.words import answer, bullets, cell, filled, plain
from omie_control.omie.catalog import Method, catalog
from omie_control.services.answers import FROM_OMIE, Answer

_AGE = {"idade_segundos": {"type": "integer"}, "fonte": {"type": "string"}}
_COUNTS = {name: {"type": "integer"} for name in ("pagina", "total_de_paginas", "registros", "total_de_registros")} | {
    "tem_mais": {"type": "boolean"}
}


@dataclass(frozen=True)
class Asked:
    """A method of the catalogue as a tool uses it. `noun`: what it is about, for texts.

    `always` is sent with every request, empty values too, unless the tool says otherwise.
    """

    path: str
    call: str
    noun: str
    always: Fields = field(default_factory=dict, kw_only=True)

    @cached_property
    def method(self) -> Method:
        """Return the method; NotFound when the catalogue has none of this name."""
        return catalog().method(self.path, self.call)

    def unknown(self) -> list[str]:
        """Return the fields named here that the method does not have."""
        return []


@dataclass(frozen=True)
class Listing(Asked):
    """A list: its rows are answered under `key`, in the columns of `shape`."""

    key: str
    shape: Shape

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Return the output schema of a page."""
        rows = {self.key: {"type": "array", "items": self.shape.schema()}}
        return result_schema({**_COUNTS, **rows, **_AGE}, *_COUNTS, *rows, *_AGE)

    def unknown(self) -> list[str]:
        """Return the columns that a row of the list does not have."""
        method = self.method
        row = f"{method.list_key}." if method.list_key else ""
        return [path for path in self.shape.paths() if not has_field(method, method.response_type, row + path)]


@dataclass(frozen=True)
class Reading(Asked):
    """One record, answered whole under `key`. `inside`: the field that Omie wraps it in; `title`: what it is called."""

    key: str
    title: str | None = None
    inside: str | None = None
    read: Any = whole

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Return the output schema of a record."""
        return result_schema({self.key: {"type": "object"}, **_AGE}, self.key, *_AGE)


@dataclass(frozen=True)
class Writing(Asked):
    """A write. `done`: the participle for texts; `shape`: what is told of Omie's answer, or else of what was sent.

    `keys` are the fields that only name the record: a change must bring at least one other.
    """

    done: str
    shape: Shape
    keys: tuple[str, ...] = ()
    has_other_fields: bool = False

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Return the output schema of a write."""
        said = {name: {"type": "string"} for name in ("situacao", "repetida_de", "observacao")}
        return result_schema({**self.shape.schema()["properties"], **said})

    def unknown(self) -> list[str]:
        """Return the columns that are neither answered nor sent, and the keys that cannot be sent."""
        known, method = (self.method.response_type, self.method.request_type), self.method
        columns = [path for path in self.shape.paths() if not any(has_field(method, each, path) for each in known)]
        return columns + [path for path in self.keys if not has_field(method, method.request_type, path)]


@dataclass(frozen=True)
class Page:
    """One page. `rows` are in our columns; the counts are Omie's own, never the size that was asked for."""

    number: int
    pages: int
    total: int
    rows: list[dict[str, Any]]
    got: Answer

    @property
    def has_more(self) -> bool:
        """Say whether another page follows."""
        return self.number < self.pages


@dataclass
class Scan:
    """All pages of a list, or as many as were allowed. `is_complete` False: there is more than `rows` tells."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    pages_read: int = 0
    total: int = 0
    is_complete: bool = True
    age_seconds: float = 0.0
    source: str = FROM_OMIE

    def facts(self) -> dict[str, Any]:
        """Return what a report says about its data; `dados_completos` must be told wherever figures are."""
        return {
            "dados_completos": self.is_complete,
            "registros_lidos": len(self.rows),
            "total_de_registros": max(self.total, len(self.rows)),
            "idade_segundos": round(self.age_seconds),
            "fonte": self.source,
        }

    def warning(self) -> str | None:
        """Say in a report's text that it does not know everything."""
        if self.is_complete:
            return None
        return (
            f"**Atenção: dados incompletos.** Foram lidos {len(self.rows)} de {self.total} registros; os valores são "
            "parciais. Reduza o período ou use filtros."
        )


class Omie:
    """Omie for the tool call that runs now: its company, its execution."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def call(self) -> ToolCall:
        """Return the tool call that runs now."""
        return this_call()

    @property
    def company(self) -> Company:
        """Return the company that the call is for."""
        company = this_call().company
        if company is None:
            raise InvalidInput("Nenhuma empresa foi escolhida.", hint="Informe `empresa`.")
        return company

    @property
    def today(self) -> date:
        """Return the day that it is where people read the answers."""
        return datetime.now(self._app.settings.zone).date()

    def stamp(self) -> dict[str, Any]:
        """Return what every answer says of its call."""
        return {"empresa": self.company.slug, "execution_id": self.call.handle.execution_id}

    async def read(self, asked: Asked, fields: Fields) -> Answer:
        """Ask any reading method; fields by their dotted paths, empty ones left out."""
        param = wired(asked.method, {**asked.always, **filled(fields)})
        return await self._app.calls.read(self.call.handle, self.company, asked.method, param)

    async def page(self, listing: Listing, fields: Fields, number: int = 1, size: int = PAGE_MAX) -> Page:
        """Read one page of a list, in whatever dialect it is paged. Without rows it is an empty page, no failure."""
        method, paging = listing.method, listing.method.paging
        counts = {} if paging is None else {paging.page: number, paging.size: size}
        got = await self.read(listing, {**counts, **fields})
        nothing = got.payload.is_empty_page or got.payload.is_past_end
        data: Row = got.payload.data
        raw = [] if nothing else [row for row in method.rows(data) if isinstance(row, Mapping)]
        if paging is None:
            return _cut(raw, listing.shape, number, size, got)
        total = 0 if got.payload.is_empty_page else _count(data, paging.answered_total)
        if paging.answered_pages is None:
            pages = -(-total // size)
        else:
            pages = 0 if got.payload.is_empty_page else _count(data, paging.answered_pages)
        return Page(number, pages, total, [listing.shape.read(row) for row in raw], got)

    async def every_page(self, listing: Listing, fields: Fields, *, max_pages: int = 20) -> Scan:
        """Read a list to its end, one page after the other, at most `max_pages`; says when that was not the end."""
        scan = Scan()
        first: list[dict[str, Any]] | None = None
        for number in range(1, max_pages + 1):
            page = await self.page(listing, fields, number)
            if not page.rows or (number > 1 and page.rows == first):
                # Nothing more, or page 1 again: some lists answer it for ever.
                scan.is_complete = len(scan.rows) >= scan.total
                return scan
            first = first or page.rows
            scan.rows += page.rows
            scan.pages_read = number
            scan.total = max(scan.total, page.total)
            scan.age_seconds = max(scan.age_seconds, page.got.age_seconds)
            scan.source = page.got.source if number == 1 or page.got.source != FROM_OMIE else scan.source
            if not page.has_more:
                return scan
        scan.is_complete = False
        return scan

    async def page_answer(self, listing: Listing, fields: Fields, number: int, size: int) -> ToolResult:
        """Answer with one page of a list."""
        page = await self.page(listing, fields, number, size)
        found = {
            "pagina": page.number,
            "total_de_paginas": page.pages,
            "registros": len(page.rows),
            "total_de_registros": page.total,
            "tem_mais": page.has_more,
            listing.key: page.rows,
        }
        return self.answer(found | _age(page.got), _page_text(listing, page, self.company.slug) + _age_text(page.got))

    async def record_answer(self, reading: Reading, fields: Fields) -> ToolResult:
        """Answer with one whole record."""
        got = await self.read(reading, fields)
        data: Any = {} if got.payload.is_empty_page else got.payload.data
        record = reading.read(at(data, reading.inside) or data if reading.inside else data)
        name = cell(at(record, reading.title)) if reading.title else ""
        head = f"**{name or reading.noun}** · empresa {self.company.slug}{_age_text(got)}"
        facts = [(key, value) for key, value in record.items() if not isinstance(value, dict | list)]
        return self.answer({reading.key: record} | _age(got), head, bullets(facts))

    async def write_answer(
        self, writing: Writing, fields: Fields, key: str | None, others: Mapping[str, Any] | None = None
    ) -> ToolResult:
        """Write once under the caller's key, and answer with what Omie said."""
        method = writing.method
        param = merged(others or {}, wired(method, fields))
        if method.kind == "update" and not leaves(param) - set(writing.keys):
            raise InvalidInput("Nenhum campo para alterar foi informado.", hint="Informe ao menos um campo.")
        written = await self._app.calls.write(self.call.handle, self.company, method, param, key)
        data = written.payload.data
        told = {**writing.shape.read(param), **writing.shape.read(data)}
        state = plain(data.get(method.status_fields[1])) if len(method.status_fields) > 1 else ""
        again = filled({"repetida_de": written.repeated_of, "observacao": written.note})
        text = f"{writing.noun} {writing.done} na empresa {self.company.slug}: {cell(state)}"
        facts = [*told.items(), *again.items()]
        return self.answer(told | filled({"situacao": state}) | again, text, bullets(shown(facts)))

    def answer(self, facts: Mapping[str, Any], *paragraphs: str | None) -> ToolResult:
        """Make a tool's answer: facts as plain JSON with the stamp of the call, and markdown to read."""
        return answer(shown(facts) | self.stamp(), *paragraphs)


def _cut(raw: Sequence[Row], shape: Shape, number: int, size: int, got: Answer) -> Page:
    """Cut a page out of a list that Omie gives whole."""
    chosen = raw[(number - 1) * size : number * size]
    return Page(number, -(-len(raw) // size), len(raw), [shape.read(row) for row in chosen], got)


def _count(data: Row, name: str) -> int:
    value = data.get(name)
    return int(value) if isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal()) else 0


def _age(got: Answer) -> dict[str, Any]:
    return {"idade_segundos": round(got.age_seconds), "fonte": got.source}


def _age_text(got: Answer) -> str:
    """Say how old an answer is that did not come from Omie just now."""
    return "" if got.source == FROM_OMIE else f"\n\n(Dados de {round(got.age_seconds)} s atrás.)"


def _page_text(listing: Listing, page: Page, slug: str) -> str:
    if not page.rows:
        return f"Nada encontrado: {listing.noun}, empresa {slug}, página {page.number}."
    head = f"{len(page.rows)} de {page.total} {listing.noun}, página {page.number} de {page.pages} (empresa {slug})."
    more = f"\n\nPróxima página: pagina={page.number + 1}." if page.has_more else ""
    return f"{head}\n\n{listing.shape.table(page.rows)}{more}"
