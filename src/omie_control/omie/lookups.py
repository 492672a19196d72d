"""How to learn, from the catalogue alone, whether a write was carried out: which method to ask, by which key.

Pure. A create carries an integration code of its own, so the record with that code is the proof. An update shows
in the record, a deletion in its absence. A create that takes no code is looked for among the rows of its list,
against those that were there before. For the rest (batches, fiscal and one-way actions) Omie has no question to
ask: only a person can tell. Decision 0008 says how safe each answer is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.omie.fields import Field

CODE_LENGTH = 20
_CODE_NAME = re.compile(r"integracao|^c?[Cc]od_?(?:CC)?Int|^cCodCCInt|^cod_int|CodInt")
# Their integration code names the record that they are a part of, so it proves nothing about the part.
_PARTS_OF_ANOTHER = frozenset(
    {
        "crm/contascaract/",
        "geral/anexo/",
        "geral/clientescaract/",
        "geral/clientetag/",
        "geral/malha/",
        "geral/prodcaract/",
        "geral/produtoskit/",
        "produtos/pedidovenda/",
        "produtos/variacao/",
    }
)
# The same for single methods of services that else keep records of their own.
_PARTLY = frozenset(
    {
        "financas/contareceber/AlterarDistribuicaoDepartamento",
        "financas/contareceber/ExcluirDistribuicaoDepartamento",
        "financas/contareceber/IncluirDistribuicaoDepartamento",
        "produtos/tabelaprecos/AlterarPrecoItem",
        "servicos/contrato/ExcluirItem",
    }
)
# Actions that make something new, and the code by which they name it.
_MAKING_ACTIONS = {
    "financas/pix/GerarPix": "cCodIntPix",
    "financas/contapagar/LancarPagamento": "codigo_baixa_integracao",
    "financas/contareceber/LancarRecebimento": "codigo_baixa_integracao",
}
# The id of a record under the name that another method of its service has for it.
_OTHER_NAMES = {"codigo_lancamento_omie": "chave_lancamento"}
_DEPTH = 2


class Evidence(StrEnum):
    """What proves that a write was carried out."""

    CODE = "code"
    """The record with the write's own integration code is there."""
    CHANGED = "changed"
    """The record shows what was sent."""
    GONE = "gone"
    """The record is not there any more."""
    LISTED = "listed"
    """The list has a row with what was sent, which was not there before."""
    NONE = "none"
    """Nothing that Omie could be asked."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """How one writing method is looked up. `code_path`: where its own integration code goes, whatever the evidence."""

    method: Method
    evidence: Evidence
    asked: Method | None = None
    code_path: tuple[str, ...] | None = None
    code_max: int = CODE_LENGTH
    keys: tuple[tuple[str, ...], ...] = ()
    """Paths in the asked method's request that name a record, the surest first."""
    is_stamped: bool = False
    """Whether the answer says when the record was made and last changed."""
    _leaves: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def needs_before(self) -> bool:
        """Say whether the outcome can be judged only against what was there before the write."""
        return self.evidence is Evidence.LISTED or (self.evidence is Evidence.CHANGED and not self.is_stamped)

    def code_in(self, param: Mapping[str, Any]) -> str | None:
        """Return the integration code that the caller gave to what is written, or None."""
        if self.code_path is None:
            return None
        found = _get(param, self.code_path)
        # Blanks are no code: Omie would keep none, and nothing could be found by them.
        return str(found) if found is not None and str(found).strip() else None

    def carrying(self, param: Mapping[str, Any], code: str | None) -> dict[str, Any]:
        """Return what to send: the caller's own code stays, else `code` joins where the method takes one."""
        if code is None or self.code_path is None or self.code_in(param) is not None:
            return dict(param)
        return _with(param, self.code_path, code[: self.code_max])

    def question(self, param: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what to ask `asked` with, for a write that sent `param`; None: nothing in it names the record."""
        if self.asked is None:
            return None
        if self.evidence is Evidence.LISTED:
            return _first_page(self.asked)
        for path in self.keys:
            source = self._leaves.get(path[-1])
            value = None if source is None else _get(param, source)
            if value not in (None, "", 0):
                return {**_first_page(self.asked), **_with({}, path, value)}
        return None


@cache
def lookup_for(endpoint: str) -> Lookup:
    """Return how the method of an endpoint is looked up. Raises NotFound for one that is not in the catalogue."""
    service, _, call = endpoint.rpartition("/")
    method = catalog().method(f"{service}/", call)
    leaves = {path[-1]: path for path, _ in reversed(list(_walk(method)))}
    leaves = {known: leaves[here] for known, here in _OTHER_NAMES.items() if here in leaves} | leaves
    if not method.writes or method.is_batch or endpoint in _PARTLY or method.path in _PARTS_OF_ANOTHER:
        return Lookup(method, Evidence.NONE)
    by_key = method.kind in {"update", "upsert", "delete"}
    if method.kind == "create" or endpoint in _MAKING_ACTIONS:
        return _made(method, leaves, _own_code(method, leaves))
    asked = _getter(method, leaves) if by_key else None
    if asked is None:
        return Lookup(method, Evidence.NONE)
    evidence = Evidence.GONE if method.kind == "delete" else Evidence.CHANGED
    return Lookup(method, evidence, asked, keys=_keys(asked, leaves), is_stamped=_is_stamped(asked), _leaves=leaves)


@cache
def asking(endpoint: str) -> tuple[str, ...]:
    """Name the writing methods whose own code is looked up by this method: their records are known to exist."""
    every = (method.endpoint for method in catalog().methods if method.writes)
    return tuple(
        each
        for each in every
        if (found := lookup_for(each)).evidence is Evidence.CODE
        and found.asked is not None
        and found.asked.endpoint == endpoint
    )


def _made(method: Method, leaves: Mapping[str, tuple[str, ...]], code: tuple[str, ...] | None) -> Lookup:
    if code is not None:
        most = min(CODE_LENGTH, _field_at(method, code).max_length or CODE_LENGTH)
        asked = _asked_by_code(method, code[-1])
        if asked is not None:
            keys = tuple(path for path, _ in _walk(asked) if path[-1] == code[-1])[:1]
            return Lookup(method, Evidence.CODE, asked, code, most, keys, _is_stamped(asked), leaves)
        return Lookup(method, Evidence.NONE, code_path=code, code_max=most)
    asked = _lister(method)
    if asked is None:
        return Lookup(method, Evidence.NONE)
    return Lookup(method, Evidence.LISTED, asked, _leaves=leaves)


def _own_code(method: Method, leaves: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """Find the field that holds the integration code of what this very method makes."""
    making = _MAKING_ACTIONS.get(method.endpoint)
    if making is not None:
        return leaves[making]
    said = [name for name in method.response_fields if name in leaves and _is_code(method, leaves[name])]
    listed = [code.split(".")[-1] for code in method.integration_codes if "[]" not in code]
    for name in [*said, *listed]:
        if name in leaves and (name in said or _asked_by_code(method, name) is not None):
            return leaves[name]
    return None


def _is_code(method: Method, path: tuple[str, ...]) -> bool:
    return _CODE_NAME.search(path[-1]) is not None and _field_at(method, path).type == "string"


def _asked_by_code(method: Method, name: str) -> Method | None:
    """Find who answers by this code: a get method first, else a list that filters by it."""
    accepting = [
        each for each in _reads(method) if any(path[-1] == name for path, _ in _walk(each)) and not each.is_deprecated
    ]
    return next((each for each in accepting if each.kind == "get"), accepting[0] if accepting else None)


def _getter(method: Method, leaves: Mapping[str, tuple[str, ...]]) -> Method | None:
    return next(
        (each for each in _reads(method) if each.call.startswith("Consulta") and _keys(each, leaves)),
        None,
    )


def _lister(method: Method) -> Method | None:
    return next(
        (each for each in _reads(method) if each.kind == "list" and each.list_key and each.call.startswith("Listar")),
        None,
    )


def _reads(method: Method) -> list[Method]:
    """Return the reading methods of the same service, those that show a whole record first."""
    found = [each for each in catalog().methods if each.service is method.service and each.kind in {"get", "list"}]
    return sorted(found, key=lambda each: (not each.call.startswith("Consulta"), -len(each.response_fields)))


def _keys(asked: Method, leaves: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return which fields of a get method name the record that a write names too: Omie's id, then the code."""
    walked = [(path, each) for path, each in _walk(asked) if each.is_scalar]
    ids = [path for path, each in walked if each.type == "integer"][:1]
    codes = [path for path, each in walked if each.type == "string" and _CODE_NAME.search(path[-1])]
    alone = [path for path, _ in walked] if len(walked) == 1 else []
    return tuple(dict.fromkeys(path for path in [*ids, *codes, *alone] if path[-1] in leaves))


def _walk(method: Method) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Yield the plain fields of a request by their paths, the outer ones first; lists hold other records' names."""
    level: list[tuple[tuple[str, ...], Mapping[str, Field]]] = [((), method.request_fields)]
    for _ in range(_DEPTH):
        inner: list[tuple[tuple[str, ...], Mapping[str, Field]]] = []
        for outer, fields in level:
            for name, each in fields.items():
                if each.is_list:
                    continue
                if each.is_scalar:
                    yield (*outer, name), each
                elif each.type in method.service.type_names:
                    inner.append(((*outer, name), method.service.fields(each.type)))
        level = inner


def _field_at(method: Method, path: tuple[str, ...]) -> Field:
    return next(each for found, each in _walk(method) if found == path)


def _is_stamped(asked: Method) -> bool:
    """Say whether an answer tells the instants of its record, as `info` does in most services."""
    types = [asked.response_type]
    for _ in range(_DEPTH):
        fields = [each for name in types for each in asked.service.fields(name).values()]
        if {"dAlt", "hAlt"} <= {each.name for each in fields}:
            return True
        types = [each.type for each in fields if not each.is_scalar and each.type in asked.service.type_names]
    names = {each.name for name in types for each in asked.service.fields(name).values()}
    return {"dAlt", "hAlt"} <= names


def _first_page(asked: Method) -> dict[str, Any]:
    return {} if asked.paging is None else {asked.paging.page: 1, asked.paging.size: 100}


def _get(holder: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        holder = holder.get(name) if isinstance(holder, Mapping) else None
    return holder


def _with(holder: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    name, *rest = path
    inner = holder.get(name)
    deeper = _with(inner if isinstance(inner, Mapping) else {}, tuple(rest), value) if rest else value
    return {**holder, name: deeper}
