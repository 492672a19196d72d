"""Every argument of a declared tool arrives in a field of its method, in the form that the catalogue wants there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter

from omie_control.errors import InvalidInput
from omie_control.mcp.server import FAMILIES
from omie_control.mcp.tools.family import Curated
from omie_control.mcp.tools.omie import Omie
from omie_control.mcp.tools.wire import wired
from omie_control.omie.fields import find_problems

# What an argument needs beside it that the examples do not give.
BESIDE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("incluir_ajuste_estoque", "codigo_local_destino"): {"tipo": "TRF"},
    ("incluir_lancamento", "codigo_conta_destino"): {"codigo_conta_corrente": 5500000002},
    ("listar_movimentos_financeiros", "status"): {"tipo": "titulos"},
}


def _declared() -> Iterator[Curated]:
    """Give the tools whose function returns the fields; the others ask Omie by themselves."""
    for family in FAMILIES:
        for tool in getattr(getattr(family, "family", None), "tools", ()):
            if Omie not in get_type_hints(tool.function).values():
                yield tool


TOOLS = {tool.names[0]: tool for tool in _declared()}


def _shown(schema: Mapping[str, Any], types: Mapping[str, Any]) -> Any:
    """Return a value that a parameter's schema shows: its example, or the first of its words."""
    if "$ref" in schema:
        schema = types[schema["$ref"].rpartition("/")[2]]
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    if "anyOf" in schema:
        return next(_shown(each, types) for each in schema["anyOf"] if each != {"type": "null"})
    if schema["type"] == "array":
        return [_shown(schema["items"], types)]
    return {"boolean": True, "integer": schema.get("minimum", 1)}[schema["type"]]


def _values(tool: Curated) -> dict[str, Any]:
    """Read each parameter's example as a call would."""
    hints = get_type_hints(tool.function, include_extras=True)
    adapters = {name: TypeAdapter(hints[name]) for name in inspect.signature(tool.function).parameters}
    schemas = {name: adapter.json_schema() for name, adapter in adapters.items()}
    return {
        name: adapter.validate_python(_shown(schemas[name], schemas[name].get("$defs", {})))
        for name, adapter in adapters.items()
    }


def _sent(tool: Curated, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what leaves when this argument is given, with as little beside it as the tool accepts."""
    parameters = inspect.signature(tool.function).parameters
    due = [each for each, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    given = {each: values[each] for each in (*due, name)} | BESIDE.get((tool.names[0], name), {})
    others = [each for each in values if each not in given]
    for more in ((), *((each,) for each in others)):
        try:
            return wired(tool.asks[0].method, tool.function(**given, **{each: values[each] for each in more}))
        except InvalidInput:
            continue
    raise AssertionError(f"{tool.names[0]} takes {name} with no one other argument")


@pytest.mark.parametrize("name", TOOLS)
def test_arguments_arrive_in_fields_of_the_catalogue(name: str) -> None:
    tool, method = TOOLS[name], TOOLS[name].asks[0].method
    values = _values(tool)
    for argument in values:
        sent = _sent(tool, argument, values)
        problems = [str(each) for each in find_problems(method.request_fields, sent, method.service.fields)]
        assert problems == [], f"{name}({argument}) sends to {method.endpoint}"


def test_most_tools_are_declared_so() -> None:
    assert len(TOOLS) > 80, "the scan found next to nothing, so it proves nothing"
