"""Every method of Omie: its service, fields, paging, and whether it writes. No name is typed from memory.

Pure but for reading the packaged `catalog.json` once. Types are built when somebody first asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain, islice
from types import MappingProxyType
from typing import Any

import orjson

from omie_control.errors import InvalidInput, NotFound
from omie_control.omie.fields import Field, Fields, Problem, find_missing, find_problems, near_match

_PROBLEMS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Paging:
    """The names by which a list method is paged. Absent counts are None."""

    page: str
    size: str
    answered_page: str
    answered_pages: str | None
    answered_count: str | None
    answered_total: str


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """One URL of Omie and the types its methods speak."""

    path: str
    title: str
    _types: Mapping[str, list[dict[str, Any]]] = field(repr=False)
    _built: dict[str, Fields] = field(default_factory=dict, repr=False)

    @property
    def type_names(self) -> tuple[str, ...]:
        """Name every type of the service."""
        return tuple(self._types)

    def fields(self, type_name: str) -> Fields:
        """Return the fields of a type, by name."""
        built = self._built.get(type_name)
        if built is None:
            built = MappingProxyType({row["n"]: _field(row) for row in self._types[type_name]})
            self._built[type_name] = built
        return built


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """One thing Omie can be asked to do. `kind`: list, get, create, update, upsert, delete or action."""

    service: Service = field(repr=False)
    call: str
    kind: str
    writes: bool
    request_type: str
    response_type: str
    paging: Paging | None = None
    list_key: str | None = None
    other_lists: tuple[str, ...] = ()
    status_fields: tuple[str, ...] = ()
    integration_codes: tuple[str, ...] = ()
    is_batch: bool = False
    is_deprecated: bool = False

    @property
    def path(self) -> str:
        """Return the service's path, with the slash that Omie wants at its end."""
        return self.service.path

    @property
    def endpoint(self) -> str:
        """Name the method for records, e.g. `geral/clientes/ListarClientes`."""
        return self.service.path + self.call

    @property
    def request_fields(self) -> Fields:
        """Return what `param` may hold."""
        return self.service.fields(self.request_type)

    @property
    def response_fields(self) -> Fields:
        """Return what Omie answers with."""
        return self.service.fields(self.response_type)

    def rows(self, data: Mapping[str, Any]) -> list[Any]:
        """Return the records of a list's answer; `list_key` may be a path into it. Absent ones are none."""
        found: Any = data
        for name in (self.list_key or "").split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, list) else []

    def problems(self, param: Any) -> Iterator[Problem]:
        """Yield everything that Omie would refuse in `param`, without judging which field excludes which."""
        found = find_problems(self.request_fields, param, self.service.fields)
        if self.kind != "create" or not isinstance(param, Mapping):
            return found
        return chain(find_missing(self.request_fields, param), found)

    def check(self, param: Any) -> None:
        """Raise InvalidInput that lists up to five problems of `param`, each with its field and an example."""
        found = list(islice(self.problems(param), _PROBLEMS_SHOWN + 1))
        if not found:
            return
        more = " Há mais problemas além destes." if len(found) > _PROBLEMS_SHOWN else ""
        listed = " ".join(f"({number}) {problem}" for number, problem in enumerate(found[:_PROBLEMS_SHOWN], 1))
        raise InvalidInput(
            f"Os dados de {self.endpoint} não são válidos: {listed}{more}",
            hint="Corrija os campos indicados e chame de novo; nada foi enviado ao Omie.",
        )


class Catalog:
    """All services and methods, by path and call."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.base_url: str = document["base"]
        self.services: Mapping[str, Service] = {
            row["path"]: Service(row["path"], row["title"], row["types"]) for row in document["services"]
        }
        self._methods = {
            (row["path"], raw["call"]): _method(self.services[row["path"]], raw)
            for row in document["services"]
            for raw in row["methods"]
        }

    @property
    def methods(self) -> tuple[Method, ...]:
        """Return every method, in the order of the catalogue."""
        return tuple(self._methods.values())

    def service(self, path: str) -> Service:
        """Return a service by its path, or raise NotFound that names the nearest one."""
        wanted = path.strip("/") + "/"
        found = self.services.get(wanted)
        if found is None:
            near = near_match(wanted, self.services)
            raise NotFound(f"O serviço '{_clip(path)}' do Omie não existe.", hint=_did_you_mean(near))
        return found

    def method(self, service: str, call: str) -> Method:
        """Return a method by service path and call, or raise NotFound that names the nearest one."""
        found = self._methods.get((service, call))
        if found is not None:
            return found
        path = self.service(service).path
        found = self._methods.get((path, call))
        if found is not None:
            return found
        near = near_match(call, {name: None for owner, name in self._methods if owner == path})
        raise NotFound(f"O método '{_clip(call)}' não existe em {path}.", hint=_did_you_mean(near))


@cache
def catalog() -> Catalog:
    """Return the packaged catalogue; read once per process."""
    return Catalog(orjson.loads(files("omie_control.omie").joinpath("catalog.json").read_bytes()))


def _field(row: Mapping[str, Any]) -> Field:
    required = row.get("r")
    return Field(
        name=row["n"],
        type=row.get("t", "string"),
        is_list=row.get("l", False),
        is_required=required is True,
        is_required_on_create=required == "create",
        is_conditional=required == "cond",
        is_generated=row.get("g", False),
        is_deprecated=row.get("d", False),
        max_length=row.get("m"),
        values=tuple(row.get("v", ())),
        format=row.get("f"),
        reference=row.get("ref"),
    )


def _method(service: Service, raw: Mapping[str, Any]) -> Method:
    return Method(
        service=service,
        call=raw["call"],
        kind=raw["kind"],
        writes=raw["write"],
        request_type=raw["request"],
        response_type=raw["response"],
        paging=_paging(raw.get("paging")),
        list_key=raw.get("list_key"),
        other_lists=tuple(raw.get("other_lists", ())),
        status_fields=tuple(raw.get("status_fields", ())),
        integration_codes=tuple(raw.get("integration_codes", ())),
        is_batch=raw.get("batch", False),
        is_deprecated=raw.get("deprecated", False),
    )


def _paging(raw: Mapping[str, str] | None) -> Paging | None:
    if raw is None:
        return None
    return Paging(
        page=raw["page"],
        size=raw["size"],
        answered_page=raw["resp_page"],
        answered_pages=raw.get("resp_pages"),
        answered_count=raw.get("resp_count"),
        answered_total=raw["resp_total"],
    )


def _did_you_mean(near: str | None) -> str:
    if near is None:
        return "Procure o nome certo com buscar_metodos_omie."
    return f"O nome certo parece ser '{near}'."


def _clip(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
