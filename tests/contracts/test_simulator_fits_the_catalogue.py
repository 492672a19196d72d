"""The simulator speaks the catalogue: each of its answers has only fields of its method's response type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, simulated

from omie_control.omie.catalog import Method, Service, catalog
from omie_control.simulator.families import HANDLERS

ASKED: Mapping[str, dict[str, Any]] = {
    "ConsultarCliente": {"codigo_cliente_integracao": "CLI-0002"},
    "ConsultarCategoria": {"codigo": "1.01.01"},
    "ConsultarProduto": {"codigo": "PRD-0001"},
    "ConsultarContaCorrente": {"cCodCCInt": "CC-CAIXA"},
    "ConsultarContaReceber": {"codigo_lancamento_integracao": "R-00001"},
    "ConsultarContaPagar": {"codigo_lancamento_integracao": "P-00001"},
}
READS = [catalog().method(*endpoint.rsplit("/", 1)) for endpoint in HANDLERS]
READS = [method for method in READS if method.kind == "list" or method.call in ASKED]


def strangers(service: Service, type_name: str, value: Any, path: str = "") -> list[str]:
    """Return the paths of an answer that the type does not know, or knows otherwise."""
    fields = service.fields(type_name)
    found = []
    for name, item in value.items():
        here, field = f"{path}.{name}", fields.get(name)
        if field is None:
            found.append(here)
        elif not field.is_scalar:
            for each in item if field.is_list else [item]:
                found += strangers(service, field.type, each, here)
        elif not isinstance(item, {"integer": int, "decimal": int | float, "boolean": bool}.get(field.type, str)):
            found.append(f"{here}: {type(item).__name__}")
    return found


def test_every_simulated_method_is_one_of_the_catalogue() -> None:
    assert set(HANDLERS) <= {method.endpoint for method in catalog().methods}


@pytest.mark.parametrize("method", READS, ids=lambda method: method.endpoint)
async def test_an_answer_has_only_fields_of_its_type(method: Method) -> None:
    async with simulated() as http:
        page = {method.paging.page: 1} if method.paging is not None else {}
        data = await Omie(http, method.path).ask(method.call, **ASKED.get(method.call, page))
    assert strangers(method.service, method.response_type, data) == []
    if method.kind == "list":
        assert method.rows(data)
