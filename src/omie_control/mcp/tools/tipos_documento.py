"""Kinds of documents: Omie's own table of what a title may be (boleto, invoice, cheque …)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing
from omie_control.mcp.tools.shapes import Shape, text
from omie_control.mcp.tools.wire import Fields

TIPOS = Listing(
    "geral/tiposdoc/",
    "PesquisarTipoDocumento",
    "tipos de documento",
    key="tipos_documento",
    shape=Shape(codigo=text("codigo", "código"), descricao=text("descricao", "descrição")),
    # Everybody who asks for all of them sends the empty code; a request without any field can be refused.
    always={"codigo": ""},
)

family = Family(Category.SISTEMA)
register = family.register


@family.lists(
    "Consultar tipos de documento",
    Complexity.BASICA,
    TIPOS,
    "Lista os tipos de documento do Omie (boleto, nota fiscal, cheque …), todos ou o de um código. Use para achar o "
    "código que títulos e parcelas de compra pedem. A tabela é do Omie e não muda.",
)
def consultar_tipos_documento(
    *, codigo: Annotated[str | None, Field(description="Só este código.", max_length=10, examples=["BOL"])] = None
) -> Fields:
    return {"codigo": codigo}
