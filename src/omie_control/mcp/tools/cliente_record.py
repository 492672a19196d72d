"""A client as tools take and give it: Omie's own field names going in, few clean fields coming out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from omie_control.mcp.tools.words import filled, plain

RazaoSocial = Annotated[str, Field(description="Razão social ou nome completo.", min_length=1, max_length=60)]
RazaoSocialNova = Annotated[
    str | None, Field(description="Razão social ou nome completo.", min_length=1, max_length=60)
]
NomeFantasia = Annotated[str | None, Field(description="Nome fantasia.", max_length=100)]
Email = Annotated[str | None, Field(description="E-mail; vários separados por vírgula.", max_length=500)]
Ddd = Annotated[str | None, Field(description="DDD do telefone, como 11.", max_length=5)]
Telefone = Annotated[str | None, Field(description="Número do telefone, sem o DDD.", max_length=15)]
Contato = Annotated[str | None, Field(description="Nome da pessoa de contato.", max_length=100)]
Endereco = Annotated[str | None, Field(description="Logradouro.", max_length=60)]
Numero = Annotated[str | None, Field(description="Número do endereço.", max_length=60)]
Complemento = Annotated[str | None, Field(description="Complemento do endereço.", max_length=60)]
Bairro = Annotated[str | None, Field(description="Bairro.", max_length=60)]
Cidade = Annotated[
    str | None, Field(description="Cidade como o Omie a escreve, por exemplo SAO PAULO (SP).", max_length=40)
]
Estado = Annotated[str | None, Field(description="Sigla do estado, como SP.", min_length=2, max_length=2)]
Cep = Annotated[str | None, Field(description="CEP, como 01310-100.", max_length=10)]
Inscricao = Annotated[str | None, Field(description="Inscrição estadual.", max_length=20)]
Observacao = Annotated[str | None, Field(description="Observação interna.", max_length=4000)]
Inativo = Annotated[bool | None, Field(description="true inativa o cadastro; false o reativa.")]
Tags = Annotated[list[str] | None, Field(description="Etiquetas, como Cliente ou Fornecedor.", max_length=50)]
OutrosCampos = Annotated[
    dict[str, Any] | None,
    Field(description="Outros campos do cadastro, com os nomes da API do Omie, como {'contribuinte': 'S'}."),
]

_OURS = frozenset({"codigo_omie", "codigo_integracao", "chave_idempotencia", "empresa", "tags", "outros_campos"})
# Filled by Omie itself, or noise: neither worth showing nor to be sent back.
_NOT_SHOWN = frozenset({"importado_api", "bloquear_exclusao", "enviar_anexos", "logradouro"})


class ClienteResumo(TypedDict, total=False):
    """One line of a list."""

    codigo_omie: int
    codigo_integracao: str
    razao_social: str
    nome_fantasia: str
    cnpj_cpf: str
    email: str
    telefone: str
    cidade: str
    estado: str
    inativo: bool


class Pagina(TypedDict):
    """One page of clients."""

    empresa: str
    pagina: int
    total_de_paginas: int
    registros: int
    total_de_registros: int
    tem_mais: bool
    clientes: list[ClienteResumo]
    idade_segundos: int
    fonte: str
    execution_id: str


class Registro(TypedDict):
    """One client, whole, with the field names of Omie."""

    empresa: str
    cliente: dict[str, Any]
    idade_segundos: int
    fonte: str
    execution_id: str


class Gravado(TypedDict, total=False):
    """What Omie said to a write."""

    empresa: str
    codigo_omie: int
    codigo_integracao: str
    situacao: str
    repetida_de: str
    observacao: str
    execution_id: str


PAGE_SCHEMA = TypeAdapter(Pagina).json_schema()
RECORD_SCHEMA = TypeAdapter(Registro).json_schema()
WRITTEN_SCHEMA = TypeAdapter(Gravado).json_schema()
COLUMNS = {
    "codigo_omie": "código",
    "razao_social": "nome",
    "cnpj_cpf": "CPF/CNPJ",
    "cidade": "cidade",
    "email": "e-mail",
}


def filters(*, inativo: bool | None, tags: list[str] | None, **fields: Any) -> dict[str, Any]:
    """Build `clientesFiltro` from the filters that have an effect in Omie (others are silently ignored there)."""
    wanted = filled(fields)
    if inativo is not None:
        wanted["inativo"] = "S" if inativo else "N"
    if tags:
        wanted["tags"] = [{"tag": tag} for tag in tags]
    return wanted


def named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Collect a tool's arguments that are fields of Omie; `outros_campos` joins them, typed ones win."""
    fields = dict(arguments.get("outros_campos") or {})
    for name, value in arguments.items():
        if isinstance(value, str) and name not in _OURS:
            fields[name] = value
        elif isinstance(value, bool):
            fields[name] = "S" if value else "N"
    if arguments.get("tags") is not None:
        fields["tags"] = [{"tag": tag} for tag in arguments["tags"]]
    return fields


def page(payload: Mapping[str, Any], asked: int) -> dict[str, Any]:
    """Shape a page; the counts are Omie's own, never the size that was asked for."""
    rows = [_line(row) for row in payload.get("clientes_cadastro") or []]
    pages = int(payload.get("total_de_paginas") or 0)
    number = int(payload.get("pagina") or asked)
    return {
        "pagina": number,
        "total_de_paginas": pages,
        "registros": len(rows),
        "total_de_registros": int(payload.get("total_de_registros") or 0),
        "tem_mais": number < pages,
        "clientes": rows,
    }


def whole(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Shape one whole record: clean, without empty fields, tags as a plain list."""
    shown: dict[str, Any] = {}
    for name, value in payload.items():
        if name == "tags":
            shown[name] = _tags(value)
        elif name not in _NOT_SHOWN:
            shown[name] = (
                filled({key: _clean(item) for key, item in value.items()}) if _is_map(value) else _clean(value)
            )
    return filled(shown)


def written(payload: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Shape what Omie said to a write; the code that was sent stands in where it repeats none."""
    return filled(
        {
            "codigo_omie": payload.get("codigo_cliente_omie") or sent.get("codigo_cliente_omie"),
            "codigo_integracao": plain(payload.get("codigo_cliente_integracao"))
            or sent.get("codigo_cliente_integracao"),
            "situacao": plain(payload.get("descricao_status")),
        }
    )


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    phone = f"{plain(row.get('telefone1_ddd'))} {plain(row.get('telefone1_numero'))}".strip()
    line = filled(
        {
            "codigo_omie": row.get("codigo_cliente_omie"),
            "codigo_integracao": plain(row.get("codigo_cliente_integracao")),
            "razao_social": plain(row.get("razao_social")),
            "nome_fantasia": plain(row.get("nome_fantasia")),
            "cnpj_cpf": plain(row.get("cnpj_cpf")),
            "email": plain(row.get("email")),
            "telefone": phone,
            "cidade": plain(row.get("cidade")),
            "estado": plain(row.get("estado")),
        }
    )
    line["inativo"] = row.get("inativo") == "S"
    return line


def _tags(value: Any) -> list[str]:
    return [plain(row.get("tag")) for row in value if _is_map(row)] if isinstance(value, list) else []


def _clean(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)
