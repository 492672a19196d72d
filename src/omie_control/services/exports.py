"""Exports: all pages of a list, read in the background by an execution of its own, fetched in parts when it is done.

The parts lie sealed in Valkey for an hour and are for nobody but the actor who asked. Reading goes through the same
limits as everything, behind whoever waits for an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from omie_control.domain.actors import Actor
from omie_control.domain.companies import Company
from omie_control.domain.executions import Execution, Status
from omie_control.errors import InvalidInput, NotFound, Overloaded
from omie_control.omie.catalog import Method, Paging
from omie_control.omie.protocol import Payload
from omie_control.services import answer_bodies
from omie_control.services.answer_bodies import Sealer
from omie_control.services.calls import OmieCalls
from omie_control.services.endings import outcome_of
from omie_control.services.executions import ABANDONED, Executions
from omie_control.services.keys import Keys
from omie_control.services.recording import Handle, Outcome, Request
from omie_control.valkey.cache import CacheKey
from omie_control.valkey.exports import ExportsAway, ExportStore

PROCESS_TYPE = "exportacao"
PAGES_MAX = 1_000
_PAGE_SIZE = 100
# A long reading keeps its first parts alive until it ends, so that all can be fetched for as long after it.
_RENEWED_EVERY = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export has come. `pages` is None until Omie has said how many there are.

    `total`: how many rows Omie says there are; `is_complete` False: the reading ended before them.
    """

    parts: int
    pages: int | None
    rows: int
    total: int | None = None
    is_complete: bool = True

    def facts(self) -> dict[str, Any]:
        """Return what the export's record keeps of its end."""
        told = {"registros": self.rows, "partes": self.parts, "dados_completos": self.is_complete}
        return told if self.total is None else told | {"total_de_registros": self.total}


class Exports:
    """The verbs of an export. One object per process, since it holds those that run here."""

    def __init__(self, store: ExportStore, keys: Keys, executions: Executions, calls: OmieCalls) -> None:
        self._store = store
        self._sealer = Sealer(keys)
        self._executions = executions
        self._calls = calls
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, asked_by: Handle, company: Company, method: Method, param: Mapping[str, Any]) -> str:
        """Begin to read every page of a list, and return the execution_id to ask for it by.

        Raises InvalidInput for a method that is no paged list or parameters that do not fit it.
        """
        if method.kind != "list" or method.paging is None or method.writes:
            raise InvalidInput(
                f"{method.endpoint} não é uma lista com páginas, e só listas se exportam.",
                hint="Para uma chamada só, use executar_metodo_omie; listas: buscar_metodos_omie.",
            )
        method.check(param)
        request = asked_by.request
        wanted = Request(
            PROCESS_TYPE,
            {"metodo": method.endpoint, "parametros": dict(param)},
            request.actor,
            # In the line before Omie it stands behind those who wait for an answer.
            origin=replace(request.origin, transport="job"),
            company=company.id,
            parent=asked_by.id,
            writes=False,
            category=request.category,
            complexity=request.complexity,
            omie_endpoint=method.endpoint,
        )
        opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(wanted, company, method, method.paging, dict(param), opened))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await opened

    async def progress(self, actor: Actor, execution: Execution) -> Progress | None:
        """Return how far an actor's own export has come; None while nobody can tell."""
        _require_own(actor, execution)
        try:
            found = await self._store.progress(str(execution.company_id), str(execution.id))
        except ExportsAway:
            return None
        return None if found is None else Progress(found["parts"], found["pages"], found["rows"])

    async def part(self, actor: Actor, execution: Execution, number: int) -> list[Any]:
        """Return the rows of one part, from 1 on. Raises NotFound when it is not there (any more)."""
        _require_own(actor, execution)
        company = str(execution.company_id)
        try:
            kept = await self._store.part(company, str(execution.id), number)
        except ExportsAway as exc:
            raise _away() from exc
        found = None if kept is None else await self._sealer.open(_key(company, execution.id, number), kept)
        if found is None:
            raise NotFound(
                f"A parte {number} desta exportação não existe ou já não está guardada.",
                hint="As partes ficam guardadas por uma hora; para tê-las de novo, exporte outra vez.",
            )
        return list(found.data["rows"])

    async def close(self) -> None:
        """Stop what runs here; each ends as cancelled."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(
        self,
        request: Request,
        company: Company,
        method: Method,
        paging: Paging,
        param: dict[str, Any],
        opened: asyncio.Future[str],
    ) -> None:
        try:
            handle = await self._executions.start(request)
        except BaseException as error:
            if not opened.done():
                opened.set_exception(error)
            return
        if opened.done():
            # Nobody would ever learn its name.
            await self._executions.finish(handle, ABANDONED)
            return
        opened.set_result(handle.execution_id)
        try:
            progress = await self._read(handle, company, method, paging, param)
            outcome = Outcome(Status.COMPLETED, response=progress.facts())
        except (Exception, asyncio.CancelledError) as error:
            outcome = outcome_of(handle, error)
        await asyncio.shield(self._executions.finish(handle, outcome))

    async def _read(
        self, handle: Handle, company: Company, method: Method, paging: Paging, param: dict[str, Any]
    ) -> Progress:
        number = first = param.get(paging.page) or 1
        size = param.get(paging.size) or _PAGE_SIZE
        parts = rows = 0
        total: int | None = None
        while True:
            asked = {**param, paging.page: number, paging.size: size}
            payload = (await self._calls.read(handle, company, method, asked)).payload
            found = [] if payload.is_empty_page else method.rows(payload.data)
            pages, total = _pages(paging, payload, size), _total(paging, payload, total)
            # A list that answers another page than was asked for would be read for ever.
            is_astray = payload.data.get(paging.answered_page) not in (None, number)
            if found and not is_astray:
                parts, rows = parts + 1, rows + len(found)
                await self._keep(handle, company, parts, found, Progress(parts, pages, rows))
                if parts % _RENEWED_EVERY == 0:
                    await self._renew(handle, company, parts)
            has_all = total is not None and rows >= total - (first - 1) * size
            # The pages that we reckon ourselves are too few where Omie cuts the size that was asked for.
            is_last = has_all if paging.answered_pages is None or pages is None else number >= pages
            if not found or is_astray or is_last or parts >= PAGES_MAX:
                await self._renew(handle, company, parts)
                is_whole = has_all or (bool(found) and is_last and not is_astray) or (not found and total is None)
                return Progress(parts, pages, rows, total, is_complete=is_whole)
            number += 1

    async def _keep(self, handle: Handle, company: Company, number: int, rows: list[Any], progress: Progress) -> None:
        id = str(company.id)
        clear = answer_bodies.write(Payload({"rows": rows}, 200))
        sealed = await self._sealer.seal(company.id, _key(id, handle.id, number), clear, datetime.now(UTC))
        if sealed is None:
            raise Overloaded("Uma página desta lista é grande demais para guardar.", hint="Peça páginas menores.")
        told = {"parts": progress.parts, "pages": progress.pages, "rows": progress.rows}
        try:
            await self._store.put(id, str(handle.id), number, sealed, told)
        except ExportsAway as exc:
            raise _away() from exc

    async def _renew(self, handle: Handle, company: Company, parts: int) -> None:
        try:
            await self._store.renew(str(company.id), str(handle.id), parts)
        except ExportsAway as exc:
            raise _away() from exc


def _total(paging: Paging, payload: Payload, before: int | None) -> int | None:
    """Return how many rows Omie says there are; a page past the end says 0 of those that were told of before."""
    said = payload.data.get(paging.answered_total)
    return max(said, before or 0) if isinstance(said, int) else before


def _pages(paging: Paging, payload: Payload, size: int) -> int | None:
    pages, total = payload.data.get(paging.answered_pages or ""), payload.data.get(paging.answered_total)
    if isinstance(pages, int):
        return pages
    return -(-total // size) if isinstance(total, int) else None


def _key(company: str, execution: UUID, number: int) -> CacheKey:
    return CacheKey(company, f"export:{execution}:{number}", ())


def _require_own(actor: Actor, execution: Execution) -> None:
    if execution.actor != actor.label or execution.process_type != PROCESS_TYPE:
        raise NotFound("Esta exportação não existe.", hint="Confira o execution_id.")


def _away() -> Overloaded:
    return Overloaded(
        "A memória de apoio, onde as exportações ficam guardadas, está fora do ar.",
        hint="Espere alguns minutos e exporte de novo; leituras página a página funcionam.",
    )
