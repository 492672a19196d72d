"""Build `catalog.json`, the packaged catalogue, from a full description of the Omie API.

`python -m omie_control.omie.build <source.json>` keeps what the product uses, under short keys and with one
method or type per line, so that a change of Omie's shows as a readable diff.

Short keys of a field: n name, t type (absent: string), l list, r required (true, "create", "cond"), g generated,
d deprecated, m maximum length, v known values, f format (date, time, flag), ref where valid values come from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("catalog.json")

_FORMATS = {"dd/mm/aaaa": "date", "hh:mm:ss": "time", "S/N": "flag"}
_REQUIRED = {True: True, "on_create": "create", "conditional": "cond"}
_METHOD_KEYS = ("call", "kind", "write", "request", "response", "paging", "list_key", "other_lists", "status_fields")
_METHOD_TAIL = ("integration_codes", "batch", "deprecated")


def compact(source: Mapping[str, Any]) -> str:
    """Return the packaged form of a full catalogue as JSON text; equal sources give equal bytes."""
    services = ",\n".join("\n".join(_service(service)) for service in source["services"])
    return f'{{"base":{_dump(source["about"]["base_url"])},"services":[\n{services}\n]}}\n'


def _service(service: Mapping[str, Any]) -> Iterator[str]:
    yield f'{{"path":{_dump(service["path"])},"title":{_dump(service["title"])},"methods":['
    yield ",\n".join(_dump(_method(method)) for method in service["methods"])
    yield '],"types":{'
    types = service["types"].items()
    yield ",\n".join(f"{_dump(name)}:{_dump([_field(field) for field in fields])}" for name, fields in types)
    yield "}}"


def _method(method: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: method[key] for key in (*_METHOD_KEYS, *_METHOD_TAIL) if key in method}
    if "paging" in kept:
        kept["paging"] = {key: name for key, name in kept["paging"].items() if key != "style"}
    return kept


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    short: dict[str, Any] = {"n": field["name"]}
    if field["type"] != "string":
        short["t"] = field["type"]
    for key, name in (("l", "list"), ("g", "generated"), ("d", "deprecated"), ("m", "max"), ("v", "values")):
        if field.get(name):
            short[key] = field[name]
    if required := _REQUIRED.get(field.get("required", False)):
        short["r"] = required
    if form := _FORMATS.get(field.get("format", "")):
        short["f"] = form
    if reference := field.get("ref"):
        short["ref"] = reference["service"] + reference.get("method", "")
    return short


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Write `catalog.json` beside this file from the source named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m omie_control.omie.build <source.json>")
    source = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    TARGET.write_text(compact(source), encoding="utf-8")


if __name__ == "__main__":
    main()
