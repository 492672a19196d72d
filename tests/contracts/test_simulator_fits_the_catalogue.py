"""The simulator speaks the catalogue: all of its methods answer, each with only fields of its response type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, simulated

from omie_control.omie.catalog import Method, Service, catalog
from omie_control.omie.fields import Field
from omie_control.simulator.families import handlers, known_by_hand
from omie_control.simulator.seed import DEMO_COMPANIES

DAY = "15/06/2026"
KINDS: Mapping[str, Any] = {"integer": int, "decimal": int | float, "boolean": bool, "string": str}
SMALL = (replace(DEMO_COMPANIES[0], customers=15, titles=12),)
ORDER = ("list", "get", "create", "upsert", "update", "action", "delete")
METHODS: Mapping[str, list[Method]] = {
    path: sorted((each for each in catalog().methods if each.path == path), key=lambda each: ORDER.index(each.kind))
    for path in catalog().services
}


def strangers(service: Service, type_name: str, value: Any, path: str = "") -> list[str]:
    """Return the paths of an answer that the type does not know, or knows otherwise."""
    fields = service.fields(type_name)
    found = []
    for name, item in value.items():
        here, field = f"{path}.{name}", fields.get(name)
        if field is None:
            found.append(here)
        elif field.is_list and not isinstance(item, list):
            found.append(f"{here}: no list")
        elif field.is_scalar:
            kind = {"integer": int, "decimal": int | float, "boolean": bool}.get(field.type, str)
            found += [f"{here}: {type(one).__name__}" for one in (item if field.is_list else [item])
                      if not isinstance(one, kind)]  # fmt: skip
        else:
            for each in item if field.is_list else [item]:
                found += strangers(service, field.type, each, here)
    return found


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the plain values of an answer by name, in lists too."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, dict | list):
                yield from leaves(item)
            else:
                yield name, item
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)


def minimal(method: Method, known: Mapping[str, Any]) -> dict[str, Any]:
    """Make the smallest request that the schema allows: what is required, and what is known from the service's list."""
    param = _minimal(method.service, method.request_type, known, 0)
    if method.paging is not None:
        return {method.paging.page: 1}
    if not param and len(method.request_fields):
        name, field = next((name, field) for name, field in method.request_fields.items() if field.is_scalar)
        return {name: _value(field)}
    return param


def _minimal(service: Service, type_name: str, known: Mapping[str, Any], depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, field in service.fields(type_name).items():
        is_due = field.is_required or field.is_required_on_create
        if field.is_scalar:
            if name in known or is_due:
                value = known[name] if isinstance(known.get(name), KINDS[field.type]) else _value(field)
                made[name] = [value] if field.is_list else value
        elif depth < 2:
            part = _minimal(service, field.type, known, depth + 1)
            if part:
                made[name] = [part] if field.is_list else part
    return made


def _value(field: Field) -> Any:
    if field.type == "integer":
        return 1
    if field.type == "decimal":
        return 1.5
    if field.type == "boolean":
        return True
    if field.format == "date" or field.name.startswith(("dDt", "dData", "dtS")):
        return DAY
    return field.accepted[0] if field.accepted else field.values[0] if field.values else "S"


def test_every_method_of_the_catalogue_has_a_handler_and_no_handler_is_a_strangers() -> None:
    assert set(handlers()) == {method.endpoint for method in catalog().methods}
    assert len(handlers()) == 460
    assert known_by_hand() <= set(handlers())


def fresh(method: Method, param: dict[str, Any]) -> dict[str, Any]:
    """Give a record to be made keys that no other has."""
    codes = {path.rpartition(".")[2] for path in method.integration_codes}
    return {
        name: fresh(method, item) if isinstance(item, dict) else "N-1" if name in codes else item
        for name, item in param.items()
    }


# What these say is about the request's form, which the catalogue made: none of them may be heard.
FORM = ("Client-5001", "Client-3102", "Client-71", "Server")
# Lists that are empty at the beginning: nobody has deleted, charged, attached or gathered anything yet.
EMPTY_AT_FIRST = frozenset(
    (
        "PesquisarExcluidos",
        "ListarLotesContrato",
        "ListarLotesOS",
        "ListarPix",
        "ListarStatusPix",
        "ListarAnexo",
        "ListarOrcamentos",
    )
)


async def world(omie: Omie) -> dict[str, Any]:
    """Ask what there is, so that a request may speak of records that exist, whatever its service calls their keys."""
    client = (await omie.ask("ListarClientes", pagina=1))["clientes_cadastro"][0]["codigo_cliente_omie"]
    product = (await omie.at("geral/produtos/").ask("ListarProdutos", pagina=1, filtrar_apenas_omiepdv="N"))[
        "produto_servico_cadastro"
    ][0]["codigo_produto"]
    accounts = await omie.at("geral/contacorrente/").ask("ListarContasCorrentes", pagina=1)
    account = accounts["ListarContasCorrentes"][0]["nCodCC"]
    titles = await omie.at("financas/contareceber/").ask("ListarContasReceber", filtrar_por_status="EMABERTO")
    title = titles["conta_receber_cadastro"][0]["codigo_lancamento_omie"]
    contracts = await omie.at("servicos/contrato/").ask("ListarContratos", pagina=1)
    contract = contracts["contratoCadastro"][0]["cabecalho"]["nCodCtr"]
    note = (await omie.at("produtos/nfconsultar/").ask("ListarNF", pagina=1))["nfCadastro"][0]["compl"]["nIdNF"]
    return {
        **dict.fromkeys(("codigo_cliente", "codigo_cliente_omie", "nCodCliente", "nCodCli", "nIdCliente"), client),
        **dict.fromkeys(("id_prod", "nCodProd", "nIdProduto", "codigo_produto"), product),
        **dict.fromkeys(("nCodCC", "nIdConta", "codigo_conta_corrente", "id_conta_corrente"), account),
        **dict.fromkeys(("nCodTitulo", "nIdTitulo"), title),
        **dict.fromkeys(("nIdNfe", "nCodNF"), note),
        "nCodCtr": contract,
        "codigo_categoria": "1.01.01",
        "cCodCateg": "1.01.01",
        "codigo_parcela": "001",
        "cCodParc": "001",
        "cTipo": "R",
        "codigo_cenario_impostos_item": 1,
    }


@pytest.mark.parametrize("path", METHODS, ids=str)
async def test_each_method_of_a_service_answers_as_its_type_says(path: str) -> None:
    async with simulated(companies=SMALL) as http:
        common = await world(Omie(http))
        own: dict[str, Any] = {}
        for method in METHODS[path]:
            param = minimal(method, common | own)
            if method.kind == "create":
                param = fresh(method, param)
            answer = await Omie(http, path).post(method.call, param)
            data = answer.json()
            if "faultstring" in data:
                assert not data["faultcode"].removeprefix("SOAP-ENV:").startswith(FORM), (method.call, data)
                assert method.call in EMPTY_AT_FIRST or method.kind != "list" or "[" in data["faultstring"], data
                continue
            assert data, method.call
            assert strangers(method.service, method.response_type, data) == [], method.call
            assert set(data) & set(method.status_fields) or not method.status_fields, method.call
            if method.paging is not None and method.list_key:
                assert method.rows(data) or method.call in EMPTY_AT_FIRST, method.call
                own = own or dict(leaves(method.rows(data)[:1]))


async def test_most_methods_do_what_the_smallest_request_asks() -> None:
    """A simulator that only ever refused would fit its types too."""
    refused = []
    for path, methods in METHODS.items():
        async with simulated(companies=SMALL) as http:
            common = await world(Omie(http))
            own: dict[str, Any] = {}
            for method in methods:
                param = minimal(method, common | own)
                param = fresh(method, param) if method.kind == "create" else param
                data = (await Omie(http, path).post(method.call, param)).json()
                refused += [method.endpoint] if "faultstring" in data else []
                if method.kind == "list" and method.list_key and not own:
                    own = dict(leaves(method.rows(data)[:1]))
    assert len(refused) <= 120, refused


ODD: tuple[Any, ...] = ("", "x" * 30, 0, -1, "31/02/2026", DAY, "N-1", 10**9, 2.5)


def odd(service: Service, type_name: str, known: Mapping[str, Any], dice: Random, depth: int = 0) -> dict[str, Any]:
    """Make a request that the schema allows and nobody in his right mind would send."""
    made: dict[str, Any] = {}
    for name, field in service.fields(type_name).items():
        if dice.random() < 0.5 and name not in known:
            continue
        if field.is_scalar:
            value = dice.choice((known.get(name, 0), *ODD))
            is_number = field.type in ("integer", "decimal") and not isinstance(value, int | float)
            made[name] = dice.choice((0, 1, -5)) if is_number else value
        elif depth < 3:
            part = odd(service, field.type, known, dice, depth + 1)
            made[name] = [part] * dice.randrange(3) if field.is_list else part
    return made


async def test_no_request_however_odd_breaks_a_method() -> None:
    dice = Random(7)
    async with simulated(companies=SMALL) as http:
        known = await world(Omie(http))
        for method in catalog().methods:
            for _ in range(3):
                param = odd(method.service, method.request_type, known, dice)
                data = (await Omie(http, method.path).post(method.call, param)).json()
                if "faultstring" not in data:
                    assert strangers(method.service, method.response_type, data) == [], (method.endpoint, param)
