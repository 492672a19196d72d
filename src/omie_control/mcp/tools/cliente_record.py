"""A client as tools take and give it: Omie's own field names going in, few clean fields coming out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from omie_control.mcp.tools import shapes
from omie_control.mcp.tools.parameters import Cep, Documento, Email, SimNao, Uf
from omie_control.mcp.tools.words import filled, plain

RazaoSocial = Annotated[
    str, Field(description="Razão social ou nome completo.", min_length=1, max_length=60, examples=["Padaria Sol Ltda"])
]
RazaoSocialNova = Annotated[
    str | None,
    Field(description="Razão social ou nome completo.", min_length=1, max_length=60, examples=["Padaria Sol Ltda"]),
]
NomeFantasia = Annotated[str | None, Field(description="Nome fantasia.", max_length=100, examples=["Padaria Sol"])]
CpfCnpj = Annotated[Documento | None, Field(description="CPF ou CNPJ, com ou sem pontuação; o CNPJ pode ter letras.")]
EMail = Annotated[Email | None, Field(description="E-mail; vários separados por vírgula.")]
Ddd = Annotated[str | None, Field(description="DDD do telefone.", max_length=5, examples=["11"])]
Telefone = Annotated[
    str | None, Field(description="Número do telefone, sem o DDD.", max_length=15, examples=["4002-8922"])
]
Contato = Annotated[str | None, Field(description="Nome da pessoa de contato.", max_length=100, examples=["Ana"])]
Endereco = Annotated[str | None, Field(description="Logradouro.", max_length=60, examples=["Avenida Brasil"])]
Numero = Annotated[str | None, Field(description="Número do endereço.", max_length=60, examples=["100"])]
Complemento = Annotated[str | None, Field(description="Complemento do endereço.", max_length=60, examples=["Sala 2"])]
Bairro = Annotated[str | None, Field(description="Bairro.", max_length=60, examples=["Centro"])]
Cidade = Annotated[
    str | None, Field(description="Cidade como o Omie a escreve.", max_length=40, examples=["SAO PAULO (SP)"])
]
Estado = Annotated[Uf | None, Field(description="Sigla do estado.")]
CodigoPostal = Annotated[Cep | None, Field(description="CEP.")]
Inscricao = Annotated[str | None, Field(description="Inscrição estadual.", max_length=20, examples=["110042490114"])]
Observacao = Annotated[
    str | None, Field(description="Observação interna.", max_length=4000, examples=["Prefere contato por e-mail"])
]
Inativo = Annotated[SimNao | None, Field(description="true inativa o cadastro; false o reativa.")]
Tags = Annotated[
    list[str] | None,
    Field(description="Etiquetas, como Cliente ou Fornecedor.", max_length=50, examples=[["Fornecedor"]]),
]

_OURS = frozenset({"codigo_omie", "codigo_integracao", "tags"})
# Filled by Omie itself, or noise: neither worth showing nor to be sent back.
_NOT_SHOWN = frozenset({"importado_api", "bloquear_exclusao", "enviar_anexos", "logradouro"})


def filters(*, tags: list[str] | None, **fields: Any) -> dict[str, Any]:
    """Build the filter of a list of clients from those that have an effect in Omie."""
    wanted = filled({**fields, "tags": [{"tag": tag} for tag in tags or ()]})
    return {f"clientesFiltro.{name}": value for name, value in wanted.items()}


def named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Collect a tool's arguments that are fields of Omie; what was not given is left out."""
    fields = {name: value for name, value in arguments.items() if name not in _OURS and value is not None}
    if arguments.get("tags") is not None:
        fields["tags"] = [{"tag": tag} for tag in arguments["tags"]]
    return fields


def phone(row: Mapping[str, Any]) -> str:
    """Return the phone of a row in one text."""
    return f"{plain(row.get('telefone1_ddd'))} {plain(row.get('telefone1_numero'))}".strip()


def whole(record: Mapping[str, Any]) -> dict[str, Any]:
    """Shape one whole record: clean, without empty fields, tags as a plain list."""
    shown = shapes.whole({name: value for name, value in record.items() if name not in _NOT_SHOWN})
    if isinstance(shown.get("tags"), list):
        shown["tags"] = [row["tag"] for row in shown["tags"] if isinstance(row, Mapping) and row.get("tag")]
    return filled(shown)
