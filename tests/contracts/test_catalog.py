"""Promises of the packaged catalogue: whole, consistent, and nothing in it that does not belong there."""

from __future__ import annotations

import json
from importlib.resources import files

from omie_control.omie.build import compact
from omie_control.omie.catalog import catalog
from omie_control.omie.fields import SCALARS


def text() -> str:
    return files("omie_control.omie").joinpath("catalog.json").read_text(encoding="utf-8")


def test_every_method_of_the_api_is_there() -> None:
    methods = catalog().methods
    assert (len(catalog().services), len(methods)) == (134, 460)
    assert sum(method.writes for method in methods) == 233
    assert len({method.endpoint for method in methods}) == len(methods)


def test_every_type_that_is_named_can_be_built() -> None:
    for method in catalog().methods:
        assert method.request_fields is not None
        assert method.response_fields is not None
    for service in catalog().services.values():
        for name in service.type_names:
            for field in service.fields(name).values():
                assert field.type in SCALARS or field.type in service.type_names, (service.path, name, field)


def test_every_name_that_a_method_relies_on_is_a_field_of_its_types() -> None:
    for method in catalog().methods:
        asked, answered = method.request_fields, method.response_fields
        if method.paging is not None:
            assert {method.paging.page, method.paging.size} <= set(asked), method.endpoint
            counts = {method.paging.answered_page, method.paging.answered_pages, method.paging.answered_count}
            assert counts - {None} <= set(answered), method.endpoint
        if method.list_key is not None:
            assert method.list_key.partition(".")[0] in answered, method.endpoint
        assert set(method.status_fields) <= set(answered), method.endpoint
        for path in method.integration_codes:
            assert path.partition(".")[0].removesuffix("[]") in asked, (method.endpoint, path)


def test_only_known_read_verbs_are_reads() -> None:
    verbs = (
        "Incluir",
        "Alterar",
        "Upsert",
        "Excluir",
        "Cancelar",
        "Faturar",
        "Lancar",
        "Associar",
        "Gerar",
        "Concluir",
    )
    for method in catalog().methods:
        if method.call.startswith(verbs):
            assert method.writes, method.endpoint


def test_every_example_that_we_show_would_itself_be_accepted() -> None:
    for method in catalog().methods:
        for field in method.request_fields.values():
            if field.is_scalar:
                problems = [str(each) for each in method.problems({field.name: json.loads(field.example)})]
                own = [each for each in problems if each.startswith(f"{field.name}: ") and "obrigatório" not in each]
                assert own == [], (method.endpoint, own)


def test_building_it_again_from_its_own_facts_changes_nothing() -> None:
    source = {"about": {"base_url": "https://example.invalid/"}, "services": [_service()]}
    built = json.loads(compact(source))
    assert built["base"] == "https://example.invalid/"
    assert built["services"][0]["types"] == {
        "a": [{"n": "nome", "m": 9, "r": True}, {"n": "itens", "t": "a", "l": True}, {"n": "dia", "f": "date"}]
    }
    assert compact(source) == compact(json.loads(json.dumps(source)))


def _service() -> dict[str, object]:
    fields = [
        {"name": "nome", "type": "string", "max": 9, "required": True},
        {"name": "itens", "type": "a", "list": True, "required": False},
        {"name": "dia", "type": "string", "format": "dd/mm/aaaa"},
    ]
    method = {"call": "Listar", "kind": "list", "write": False, "request": "a", "response": "a"}
    return {"path": "x/y/", "title": "X", "methods": [method], "types": {"a": fields}}


def test_it_stays_small_and_names_no_source() -> None:
    assert len(text().encode()) < 900_000
    assert "github" not in text()
    assert max(len(line) for line in text().splitlines()) < 20_000
