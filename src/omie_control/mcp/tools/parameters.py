"""The parameters that many tools share, each checked before anything leaves, each with a short schema.

A type says how a value is read; the tool that uses it adds what the value is for:
`Annotated[Data | None, Field(description="Vencimento.")] = None`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, TypeVar

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from omie_control.mcp.faults import OWN_FAULT
from omie_control.mcp.tools import values
from omie_control.mcp.tools.values import Misread

PAGE_MAX = 100
T = TypeVar("T")


def _told(read: Callable[[Any], T], sent: Any = str) -> PlainValidator:
    """Let pydantic collect our refusals, so that all wrong fields are told at once, in our words."""

    def validate(value: Any) -> T:
        try:
            return read(value)
        except Misread as error:
            raise PydanticCustomError(OWN_FAULT, "{said}", {"said": str(error)}) from None

    return PlainValidator(validate, json_schema_input_type=sent)


def _amount(**bounds: Any) -> PlainValidator:
    return _told(partial(values.read_number, **bounds), float | str)


Data = Annotated[date, _told(values.read_date), Field(examples=["31/12/2026"])]
# Amounts are numbers, or text with comma or point; inside they are Decimal, never float.
Dinheiro = Annotated[Decimal, _amount(), Field(examples=[1234.56])]
Valor = Annotated[Decimal, _amount(above=True), Field(examples=[1234.56])]
DinheiroComSinal = Annotated[Decimal, _amount(lowest=None), Field(examples=[-1234.56])]
Quantidade = Annotated[Decimal, _amount(decimals=6, above=True), Field(examples=[12.5])]
PrecoUnitario = Annotated[Decimal, _amount(decimals=6), Field(examples=[9.9])]
Documento = Annotated[str, _told(values.read_document), Field(examples=["11.222.333/0001-81"])]
SimNao = Annotated[bool, _told(values.read_flag, bool)]
Email = Annotated[str, _told(values.read_email), Field(examples=["contato@exemplo.com.br"])]
Cep = Annotated[str, _told(values.read_cep), Field(examples=["01310-100"])]
Uf = Annotated[str, _told(values.read_uf), Field(examples=["SP"])]
Codigo = Annotated[int, Field(ge=1, examples=[5500000001])]
CodigoTexto = Annotated[str, Field(min_length=1, max_length=60, examples=["ABC-0001"])]

CodigoOmie = Annotated[Codigo | None, Field(description="Código do registro no Omie.")]
CodigoIntegracao = Annotated[CodigoTexto | None, Field(description="Código do registro no sistema de quem integra.")]

# Filters and codes that the tools of many nouns take alike.
EmissaoDe = Annotated[Data | None, Field(description="Emissão a partir de.")]
EmissaoAte = Annotated[Data | None, Field(description="Emissão até.")]
SoInativos = Annotated[SimNao | None, Field(description="true: só inativos; false: só ativos; omita: todos.")]
CodigoCliente = Annotated[Codigo | None, Field(description="Código do cliente no Omie.")]
CodigoProjeto = Annotated[Codigo | None, Field(description="Código do projeto no Omie.")]

# What the kit adds to tools by itself.
Pagina = Annotated[int, Field(description="Página, a partir de 1.", ge=1, examples=[1])]
RegistrosPorPagina = Annotated[int, Field(description="Registros por página.", ge=1, le=PAGE_MAX, examples=[50])]
Empresa = Annotated[
    str | None,
    Field(
        description="Nome curto da empresa. Omita para usar a empresa padrão deste acesso, ou a única.",
        max_length=60,
        examples=["demo-comercio"],
    ),
]
Chave = Annotated[
    str | None,
    Field(
        description="Identifica esta escrita: repetir a chamada com a mesma chave devolve a primeira resposta e nada "
        "é enviado de novo. Sem ela, chamadas iguais em 10 minutos contam como a mesma.",
        min_length=1,
        max_length=200,
        examples=["pedido-4711-cliente"],
    ),
]
OutrosCampos = Annotated[
    dict[str, Any] | None,
    Field(description="Outros campos do método, com os nomes da API do Omie.", examples=[{"observacao": "texto"}]),
]
