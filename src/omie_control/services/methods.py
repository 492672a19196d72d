"""Omie's 460 methods for whoever has no tool of their own for one: found by words, found by name, run under control.

A name outside the catalogue reaches nothing. What Omie does not take back is run only for somebody who says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.companies import Company
from omie_control.domain.search import Index
from omie_control.errors import InvalidInput, NotFound
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.fields import near_match
from omie_control.omie.protocol import Payload
from omie_control.omie.risks import changes, risk_of
from omie_control.services.access import Access
from omie_control.services.answers import FROM_OMIE
from omie_control.services.calls import OmieCalls
from omie_control.services.recording import Handle

# What the kinds of the catalogue are called by those who look for one.
_KIND_WORDS = {
    "list": "listar",
    "get": "consultar",
    "create": "incluir",
    "update": "alterar",
    "upsert": "incluir alterar",
    "delete": "excluir",
    "action": "",
}
# Among equals reading comes first, and what Omie retires comes last.
_READ_BONUS, _DEPRECATED_MALUS = 1.1, 0.4
_NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class Ran:
    """What a method answered: from where and how old, or whose answer it repeats."""

    payload: Payload
    age_seconds: float = 0.0
    source: str = FROM_OMIE
    repeated_of: str | None = None
    note: str | None = None


class Methods:
    """The verbs of a method."""

    def __init__(self, calls: OmieCalls, access: Access) -> None:
        self._calls = calls
        self._access = access

    async def run(
        self,
        handle: Handle,
        company: Company,
        method: Method,
        param: Mapping[str, Any],
        *,
        key: str | None = None,
        is_confirmed: bool = False,
    ) -> Ran:
        """Run a method as `OmieCalls` does: a read from what is kept if it may be, a write under its key.

        Raises InvalidInput before anything leaves when a field does not fit the catalogue, or when the method cannot
        be undone and nobody said that this is meant; and whatever `OmieCalls` raises.
        """
        if changes(method):
            # A method that only seems to read is asked for the right to write here; the others again further on.
            await self._access.require(handle.request.actor, Right.OMIE_WRITE, company.id)
        method.check(param)
        _require_meant(method, is_confirmed=is_confirmed)
        if method.writes:
            written = await self._calls.write(handle, company, method, param, key)
            return Ran(written.payload, repeated_of=written.repeated_of, note=written.note)
        got = await self._calls.read(handle, company, method, param)
        return Ran(got.payload, got.age_seconds, got.source)


def find_methods(words: str, *, writes: bool | None = None) -> list[Method]:
    """Return the methods that fit some Portuguese words, best first; `writes` keeps only those that do or do not."""
    scored = [(_weighed(method, score), method) for method, score in _index().find(words)]
    scored.sort(key=lambda found: -found[0])
    return [method for _, method in scored if writes is None or changes(method) == writes]


def method_named(name: str, service: str | None = None) -> Method:
    """Return the method of a full name (`geral/clientes/ListarClientes`), or of a service and a call.

    A call alone will do where only one service has it. Raises NotFound that names the nearest; InvalidInput when
    several services have it.
    """
    wanted = _bare(name if service is None else f"{service}/{name}")
    found = _by_endpoint().get(wanted)
    if found is not None:
        return found
    call = wanted.rpartition("/")[2]
    namesakes = [method for method in catalog().methods if method.call == call]
    if "/" not in wanted and len(namesakes) == 1:
        return namesakes[0]
    if "/" not in wanted and namesakes:
        raise InvalidInput(
            f"Vários serviços do Omie têm o método '{call}'.",
            hint=f"Use o nome completo de um deles: {', '.join(method.endpoint for method in namesakes)}.",
        )
    raise NotFound(f"O método '{_clip(wanted)}' não existe no Omie.", hint=_nearest(wanted, namesakes))


def _require_meant(method: Method, *, is_confirmed: bool) -> None:
    risk = risk_of(method)
    if risk is not None and not is_confirmed:
        raise InvalidInput(
            f"{method.endpoint} {risk}. Nada foi enviado.",
            hint="Confirme com a pessoa responsável o registro exato; depois repita a chamada com "
            "confirmo_irreversivel: true.",
            code="falta_confirmacao",
        )


def _weighed(method: Method, score: float) -> float:
    if method.is_deprecated:
        return score * _DEPRECATED_MALUS
    return score * _READ_BONUS if method.kind in ("list", "get") else score


def _bare(name: str) -> str:
    text = name.strip()[:_NAME_MAX].removeprefix(catalog().base_url).strip("/")
    return "/".join(filter(None, text.split("/")))


def _nearest(wanted: str, namesakes: list[Method]) -> str:
    near = namesakes[0].endpoint if namesakes else near_match(wanted, _by_endpoint())
    if near is None:
        by_call = {method.call: method.endpoint for method in catalog().methods}
        call = near_match(wanted.rpartition("/")[2], by_call)
        near = None if call is None else by_call[call]
    search = "Procure com buscar_metodos_omie; nenhum nome fora do catálogo é enviado."
    return search if near is None else f"O nome certo parece ser '{near}'. {search}"


def _clip(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


@cache
def _by_endpoint() -> Mapping[str, Method]:
    return {method.endpoint: method for method in catalog().methods}


@cache
def _index() -> Index[Method]:
    return Index(
        {
            method: [
                (3.0, method.call),
                (2.0, method.service.title),
                (1.0, method.path),
                (0.5, _KIND_WORDS[method.kind]),
            ]
            for method in catalog().methods
        }
    )
