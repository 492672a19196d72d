"""A client as tools take and give it: Omie's own field names going in, few clean fields coming out."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from omie_control.mcp.tools import shapes
from omie_control.mcp.tools.parameters import Cep, Documento, Email, SimNao, Uf
from omie_control.mcp.tools.words import filled, plain
from omie_control.omie.catalog import Method

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
Banco = Annotated[
    str | None, Field(description="Código do banco, de 3 dígitos.", pattern=r"^[0-9]{3}$", examples=["341"])
]
Agencia = Annotated[str | None, Field(description="Agência.", max_length=20, examples=["0123"])]
ContaBancaria = Annotated[str | None, Field(description="Conta com dígito.", max_length=30, examples=["12345-6"])]
ChavePix = Annotated[str | None, Field(description="Chave PIX.", max_length=80, examples=["contato@exemplo.com.br"])]
DocTitular = Annotated[Documento | None, Field(description="CPF ou CNPJ do titular da conta.")]
NomeTitular = Annotated[str | None, Field(description="Nome do titular da conta.", max_length=60, examples=["Ana"])]

_BANK = {
    "banco": "codigo_banco",
    "agencia": "agencia",
    "conta": "conta_corrente",
    "chave_pix": "cChavePix",
    "documento_titular": "doc_titular",
    "nome_titular": "nome_titular",
}
_ID = "codigo_cliente_omie"
_OURS = frozenset({"codigo_omie", "codigo_integracao", "tags", *_BANK})
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


def bank(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Collect where somebody is paid from a tool's arguments."""
    return {
        f"dadosBancarios.{omie}": arguments[ours] for ours, omie in _BANK.items() if arguments.get(ours) is not None
    }


def phone(row: Mapping[str, Any]) -> str:
    """Return the phone of a row in one text."""
    return f"{plain(row.get('telefone1_ddd'))} {plain(row.get('telefone1_numero'))}".strip()


def whole(record: Mapping[str, Any]) -> dict[str, Any]:
    """Shape one whole record: clean, without empty fields, tags as a plain list."""
    shown = shapes.whole({name: value for name, value in record.items() if name not in _NOT_SHOWN})
    if isinstance(shown.get("tags"), list):
        shown["tags"] = [row["tag"] for row in shown["tags"] if isinstance(row, Mapping) and row.get("tag")]
    return filled(shown)


def sendable(record: Mapping[str, Any], method: Method) -> dict[str, Any]:
    """Return a record as it was read in the form in which it can be sent back, named by Omie's own code."""
    own = {"codigo_cliente_integracao", "info", "importado_api"}
    known = {name for name, field in method.request_fields.items() if name == _ID or not field.is_generated}
    return filled({name: _as_written(value) for name, value in record.items() if name in known - own})


def _as_written(value: Any) -> Any:
    """Undo the HTML entities that Omie answers with, so that they are not stored; blanks and lines stay."""
    if isinstance(value, Mapping):
        return filled({name: _as_written(item) for name, item in value.items()})
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    return html.unescape(value).rstrip() if isinstance(value, str) else value
