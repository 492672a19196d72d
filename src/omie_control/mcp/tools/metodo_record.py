"""A method of Omie as tools show it: in a list, described whole, and what it answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from omie_control.errors import InvalidInput
from omie_control.mcp.tools.words import filled
from omie_control.omie.catalog import Method, Service
from omie_control.omie.classes import category_of, complexity_of
from omie_control.omie.examples import example_of
from omie_control.omie.fields import Field, Fields, near_match
from omie_control.omie.risks import changes, risk_of
from omie_control.services.methods import Ran

FIELDS_SHOWN = 120
_DEPTH_SHOWN = 3
_TEXT_MAX = 20_000
_KINDS = {
    "list": "listar",
    "get": "consultar",
    "create": "incluir",
    "update": "alterar",
    "upsert": "incluir ou alterar",
    "delete": "excluir",
    "action": "ação",
}
_FORMATS = {"date": "data dd/mm/aaaa", "time": "hora hh:mm:ss", "flag": "S ou N"}
_TYPES = {"string": "texto", "integer": "número inteiro", "decimal": "número", "boolean": "true ou false"}


class Metodo(TypedDict, total=False):
    """One method in a list."""

    metodo: str
    titulo: str
    tipo: str
    escreve: bool
    irreversivel: str
    obsoleto: bool
    ferramentas: list[str]


class Achados(TypedDict):
    """The methods that fit some words, best first."""

    metodos: list[Metodo]
    encontrados: int


class Campo(TypedDict, total=False):
    """One field, by its path."""

    campo: str
    tipo: str
    obrigatorio: str
    tamanho_maximo: int
    valores: list[str]
    de: str
    obsoleto: bool
    campos: int


class Descricao(Metodo, total=False):
    """A method whole."""

    categoria: str
    complexidade: str
    paginacao: dict[str, str]
    codigos_de_integracao: list[str]
    em_lote: bool
    parametros: list[Campo]
    campos_omitidos: int
    exemplo: dict[str, Any]
    resposta: list[Campo]
    lista_da_resposta: str


class Resposta(TypedDict, total=False):
    """What a method answered; `resposta` has Omie's own field names."""

    metodo: str
    empresa: str
    escreve: bool
    sem_registros: bool
    pagina: int
    total_de_paginas: int
    total_de_registros: int
    tem_mais: bool
    resposta: dict[str, Any]
    idade_segundos: int
    fonte: str
    repetida_de: str
    observacao: str
    aviso: str
    execution_id: str


FOUND_SCHEMA = TypeAdapter(Achados).json_schema()
DESCRIBED_SCHEMA = TypeAdapter(Descricao).json_schema()
ANSWERED_SCHEMA = TypeAdapter(Resposta).json_schema()
RETIRED = "O Omie marcou este método como obsoleto e pode retirá-lo: prefira outro."


def line(method: Method, curated: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a method in a few words."""
    return filled(
        {
            "metodo": method.endpoint,
            "titulo": method.service.title,
            "tipo": _KINDS[method.kind],
            "escreve": changes(method),
            "irreversivel": risk_of(method),
            "obsoleto": method.is_deprecated or None,
            "ferramentas": list(curated.get(method.endpoint, ())),
        }
    )


def described(method: Method, curated: Mapping[str, Sequence[str]], inside: str | None = None) -> dict[str, Any]:
    """Return everything known of a method; `inside` opens one object of its request by its path."""
    service, type_name = method.service, method.request_type
    if inside:
        type_name = _type_at(method, inside)
    every = [_field(path, field, service) for path, field in _walk(service, type_name, inside or "")]
    paging = method.paging
    return line(method, curated) | filled(
        {
            "categoria": category_of(method).value,
            "complexidade": complexity_of(method).value,
            "paginacao": None if paging is None else {"pagina": paging.page, "registros_por_pagina": paging.size},
            "codigos_de_integracao": list(method.integration_codes),
            "em_lote": method.is_batch or None,
            "parametros": every[:FIELDS_SHOWN],
            "campos_omitidos": max(0, len(every) - FIELDS_SHOWN) or None,
            "exemplo": None if inside else example_of(method),
            "resposta": None if inside else [_field(f.name, f, service) for f in method.response_fields.values()],
            "lista_da_resposta": None if inside else method.list_key,
        }
    )


def described_text(shown: Mapping[str, Any]) -> str:
    """Write a description for reading."""
    lines = [f"**{shown['metodo']}** · {shown.get('titulo', '')} · {shown['tipo']}"]
    lines += [f"Atenção: {RETIRED}"] if shown.get("obsoleto") else []
    lines += [f"Atenção: {shown['irreversivel']}. Exige confirmo_irreversivel."] if shown.get("irreversivel") else []
    lines.append("Escreve no Omie." if shown["escreve"] else "Só leitura.")
    if shown.get("ferramentas"):
        lines.append(f"Ferramenta pronta para isto: {', '.join(shown['ferramentas'])}.")
    if shown.get("paginacao"):
        lines.append("Paginação: " + ", ".join(f"{name} = {field}" for name, field in shown["paginacao"].items()) + ".")
    lines += ["", "Parâmetros:" if shown.get("parametros") else "Sem parâmetros."]
    lines += [f"- {_field_text(field)}" for field in shown.get("parametros", [])]
    if shown.get("campos_omitidos"):
        lines.append(f"- e mais {shown['campos_omitidos']}: abra um objeto com `dentro_de`.")
    if shown.get("exemplo"):
        lines += ["", f"Exemplo de parametros: {orjson.dumps(shown['exemplo']).decode()}"]
    if shown.get("resposta"):
        answered = ", ".join(field["campo"] for field in shown["resposta"])
        lines += ["", f"Resposta: {answered}."]
    return "\n".join(lines)


def answered(method: Method, ran: Ran, fields: Sequence[str] | None) -> dict[str, Any]:
    """Shape what a method answered; `fields` keeps only these of each row of a list."""
    data = {} if ran.payload.is_empty_page else dict(ran.payload.data)
    if fields and method.list_key:
        data = _only(data, method.list_key.split("."), fields)
    return (
        {"metodo": method.endpoint, "escreve": changes(method)}
        | _page(method, ran.payload.data)
        | filled({"sem_registros": ran.payload.is_empty_page or None})
        | {"resposta": data}
        | ({} if method.writes else {"idade_segundos": round(ran.age_seconds), "fonte": ran.source})
        | filled({"repetida_de": ran.repeated_of, "observacao": ran.note})
        | ({"aviso": RETIRED} if method.is_deprecated else {})
    )


def answered_text(shown: Mapping[str, Any]) -> str:
    """Write an answer for reading: what it is, then Omie's fields as JSON, cut where it gets long."""
    head = [f"{shown['metodo']} (empresa {shown['empresa']})."]
    head += [shown[name] for name in ("aviso", "observacao") if name in shown]
    if shown.get("sem_registros"):
        return "\n".join([*head, "Nenhum registro."])
    if "pagina" in shown:
        head.append(
            f"Página {shown['pagina']} de {shown.get('total_de_paginas', '?')}, "
            f"{shown.get('total_de_registros', '?')} registros no total."
        )
    # Not orjson: it writes no number beyond 64 bits, and what Omie answered is shown whatever it is.
    body = json.dumps(shown["resposta"], default=str, ensure_ascii=False, separators=(",", ":"))
    if len(body) > _TEXT_MAX:
        body = body[:_TEXT_MAX] + "…"
        head.append("Texto cortado: peça menos registros por página, ou só alguns `campos`.")
    return "\n".join(head) + f"\n\n{body}"


def _page(method: Method, data: Mapping[str, Any]) -> dict[str, Any]:
    paging = method.paging
    if paging is None:
        return {}
    counts = {
        "pagina": data.get(paging.answered_page),
        "total_de_paginas": data.get(paging.answered_pages or ""),
        "total_de_registros": data.get(paging.answered_total),
    }
    known = {name: int(value) for name, value in counts.items() if isinstance(value, int)}
    if "pagina" in known and "total_de_paginas" in known:
        return known | {"tem_mais": known["pagina"] < known["total_de_paginas"]}
    return known


def _only(data: dict[str, Any], path: Sequence[str], fields: Sequence[str]) -> dict[str, Any]:
    name, *rest = path
    inner = data.get(name)
    if rest and isinstance(inner, dict):
        return data | {name: _only(inner, rest, fields)}
    if not rest and isinstance(inner, list):
        rows = [{key: row[key] for key in fields if key in row} if isinstance(row, dict) else row for row in inner]
        return data | {name: rows}
    return data


def _type_at(method: Method, path: str) -> str:
    known: Fields = method.request_fields
    type_name = method.request_type
    for name in path.replace("[]", "").split("."):
        objects = {field.name: field for field in known.values() if not field.is_scalar}
        if name not in objects:
            near = near_match(name, objects)
            hint = f"Use um destes: {', '.join(objects)}." if objects else "Chame sem `dentro_de`."
            raise InvalidInput(
                f"dentro_de: '{path[:60]}' não é um objeto dos parâmetros de {method.endpoint}.",
                hint=hint if near is None else f"O nome certo parece ser '{near}'.",
            )
        type_name = objects[name].type
        known = method.service.fields(type_name)
    return type_name


def _walk(service: Service, type_name: str, prefix: str, depth: int = 1) -> Iterator[tuple[str, Field]]:
    for field in service.fields(type_name).values():
        path = f"{prefix}.{field.name}" if prefix else field.name
        if field.is_list:
            path += "[]"
        yield path, field
        if not field.is_scalar and depth < _DEPTH_SHOWN:
            yield from _walk(service, field.type, path, depth + 1)


def _field(path: str, field: Field, service: Service) -> dict[str, Any]:
    is_object = not field.is_scalar
    due = (
        "sempre"
        if field.is_required
        else "ao incluir"
        if field.is_required_on_create
        else "conforme o caso"
        if field.is_conditional
        else None
    )
    kind = _FORMATS.get(field.format or "") or _TYPES.get(field.type, "objeto")
    return filled(
        {
            "campo": path,
            "tipo": f"lista de {kind}" if field.is_list else kind,
            "obrigatorio": due,
            "tamanho_maximo": field.max_length,
            "valores": list(field.values) if field.format != "flag" else None,
            "de": field.reference,
            "obsoleto": field.is_deprecated or None,
            "campos": len(service.fields(field.type)) if is_object else None,
        }
    )


def _field_text(field: Mapping[str, Any]) -> str:
    said = [field["tipo"]]
    said += [f"obrigatório {field['obrigatorio']}"] if "obrigatorio" in field else []
    said += [f"até {field['tamanho_maximo']} caracteres"] if "tamanho_maximo" in field else []
    said += [f"um de {', '.join(field['valores'])}"] if "valores" in field else []
    said += [f"de {field['de']}"] if "de" in field else []
    said += [f"{field['campos']} campos"] if "campos" in field else []
    said += ["obsoleto"] if field.get("obsoleto") else []
    return f"{field['campo']}: {'; '.join(said)}"
