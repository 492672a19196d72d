"""The register of services that work orders and contracts refer to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing
from omie_control.mcp.tools.parameters import SoInativos
from omie_control.mcp.tools.shapes import Shape, code, flag, money, text
from omie_control.mcp.tools.wire import Fields

SERVICOS = Listing(
    "servicos/servico/",
    "ListarCadastroServico",
    "serviços cadastrados",
    key="servicos",
    shape=Shape(
        codigo_omie=code("intListar.nCodServ", "código"),
        codigo_integracao=text("intListar.cCodIntServ"),
        codigo=text("cabecalho.cCodigo", "referência"),
        descricao=text("cabecalho.cDescricao", "descrição"),
        preco=money("cabecalho.nPrecoUnit", "preço"),
        tributacao=text("cabecalho.cIdTrib"),
        codigo_municipal=text("cabecalho.cCodServMun"),
        codigo_lc116=text("cabecalho.cCodLC116", "LC 116"),
        categoria=text("cabecalho.cCodCateg"),
        inativo=flag("info.inativo"),
    ),
)

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar serviços",
    Complexity.BASICA,
    SERVICOS,
    "Lista os serviços cadastrados, com preço e códigos fiscais, uma página por vez. Use para achar o codigo_servico "
    "antes de incluir_ordem_servico. As ordens estão em listar_ordens_servico; os contratos, em listar_contratos.",
)
def listar_servicos(
    *,
    descricao: Annotated[
        str | None, Field(description="Descrição, ou parte.", max_length=100, examples=["Manutenção"])
    ] = None,
    codigo: Annotated[
        str | None, Field(description="Código de referência.", max_length=20, examples=["SRV-01"])
    ] = None,
    inativo: SoInativos = None,
) -> Fields:
    return {"cDescricao": descricao, "cCodigo": codigo, "inativo": inativo}
