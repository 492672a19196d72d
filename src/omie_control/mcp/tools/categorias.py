"""Categories: the chart in which every revenue and expense is booked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import SimNao
from omie_control.mcp.tools.shapes import Shape, flag, text
from omie_control.mcp.tools.wire import Fields

PATH = "geral/categorias/"

CATEGORIAS = Listing(
    PATH,
    "ListarCategorias",
    "categorias",
    key="categorias",
    shape=Shape(
        codigo=text("codigo", "código"),
        descricao=text("descricao", "descrição"),
        natureza=text("natureza", "R/D"),
        totalizadora=flag("totalizadora", "totalizadora"),
        categoria_superior=text("categoria_superior"),
        inativa=flag("conta_inativa"),
        codigo_dre=text("codigo_dre"),
        linha_da_dre=text("dadosDRE.descricaoDRE"),
    ),
)
CATEGORIA = Reading(PATH, "ConsultarCategoria", "Categoria", key="categoria", title="descricao")
INCLUIR = Writing(
    PATH, "IncluirCategoria", "Categoria", "incluída", Shape(codigo=text("codigo"), descricao=text("descricao"))
)

Codigo = Annotated[str, Field(description="Código da categoria.", min_length=1, max_length=20, examples=["2.01.01"])]

family = Family(Category.ORGANIZACIONAL)
register = family.register


@family.lists(
    "Consultar categorias",
    Complexity.INTERMEDIARIA,
    CATEGORIAS,
    "Lista as categorias de receita e despesa da empresa, uma página por vez. Use para achar o código que títulos, "
    "lançamentos, pedidos e compras pedem. Só as que não são totalizadoras recebem lançamentos.",
)
def consultar_categorias(
    *,
    descricao: Annotated[str | None, Field(description="Parte do nome.", max_length=50, examples=["Aluguel"])] = None,
    tipo: Annotated[Literal["R", "D"] | None, Field(description="R: receitas; D: despesas.")] = None,
    apenas_ativas: Annotated[SimNao, Field(description="Deixa as inativas de fora.")] = True,
) -> Fields:
    return {
        "descricao": descricao,
        "filtrar_por_tipo": tipo,
        "filtrar_apenas_ativo": True if apenas_ativas else None,
    }


@family.gets(
    "Consultar categoria",
    Complexity.BASICA,
    CATEGORIA,
    "Mostra uma categoria inteira pelo código, com a linha da DRE em que ela entra. Use para conferir se ela está "
    "ativa e se é de receita ou despesa antes de lançar.",
)
def consultar_categoria(*, codigo: Codigo) -> Fields:
    return {"codigo": codigo}


@family.writes(
    "Incluir categoria",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Inclui uma categoria abaixo de uma totalizadora; o Omie escolhe o código e o devolve. Confira antes com "
    "consultar_categorias que ela não existe: pela API uma categoria não se exclui.",
    destructive=False,
    idempotent=False,
)
def incluir_categoria(
    *,
    categoria_superior: Annotated[
        str,
        Field(description="Código da totalizadora acima dela.", min_length=1, max_length=20, examples=["2.02"]),
    ],
    descricao: Annotated[str, Field(description="Nome.", min_length=1, max_length=50, examples=["Manutenção"])],
    codigo_dre: Annotated[
        str | None, Field(description="Código da linha da DRE.", max_length=20, examples=["2.02"])
    ] = None,
) -> Fields:
    return {"categoria_superior": categoria_superior, "descricao": descricao, "codigo_dre": codigo_dre}
