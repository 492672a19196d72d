"""Price lists: which there are, what each product costs in them, and a fixed price for one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Writing
from omie_control.mcp.tools.parameters import Codigo, CodigoTexto, PrecoUnitario, SimNao
from omie_control.mcp.tools.shapes import Shape, code, days, flag, number, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "produtos/tabelaprecos/"

TABELAS = Listing(
    PATH,
    "ListarTabelasPreco",
    "tabelas de preço",
    key="tabelas",
    shape=Shape(
        codigo_omie=code("nCodTabPreco", "código no Omie"),
        codigo_integracao=text("cCodIntTabPreco"),
        codigo=text("cCodigo", "código"),
        nome=text("cNome", "nome"),
        ativa=flag("cAtiva", "ativa"),
        origem=text("cOrigem", "origem"),
        acrescimo_percentual=number("outrasInfo.nPercAcrescimo"),
        desconto_percentual=number("outrasInfo.nPercDesconto"),
        vale_de=days("caracteristicas.dDtInicial"),
        vale_ate=days("caracteristicas.dDtFinal"),
        desconto_maximo_percentual=number("caracteristicas.nPercDescMax"),
    ),
)
ITENS = Listing(
    PATH,
    "ListarTabelaItens",
    "preços da tabela",
    key="precos",
    shape=Shape(
        codigo_produto=code("nCodProd", "produto"),
        codigo=text("cCodigoProduto", "código"),
        descricao=text("cDescricaoProduto", "descrição"),
        preco=number("nValorTabela", "preço na tabela"),
        preco_de_cadastro=number("nValorOriginal", "preço de cadastro"),
        fixado=flag("cManual", "fixado"),
        desconto_maximo=number("nDescMaximo"),
        codigo_familia=code("nCodFamilia"),
    ),
)
ALTERAR = Writing(
    PATH,
    "AlterarPrecoItem",
    "Preço",
    "alterado",
    Shape(codigo_tabela=code("nCodTabPreco"), codigo_produto=code("nCodProd"), preco=number("nValorTabela")),
    ("nCodTabPreco", "nCodProd"),
)
KEY = Key("nCodTabPreco", "cCodIntTabPreco", "listar_tabelas_preco", ("codigo_tabela", "codigo_tabela_integracao"))

family = Family(Category.PRODUTOS)
register = family.register


@family.lists(
    "Listar tabelas de preço",
    Complexity.BASICA,
    TABELAS,
    "Lista as tabelas de preço da empresa, com vigência e de onde vêm os preços: PRD do cadastro do produto, CMC do "
    "custo médio, TBL de outra tabela. Depois chame consultar_precos com o codigo_omie.",
)
def listar_tabelas_preco() -> Fields:
    return {}


@family.lists(
    "Consultar preços",
    Complexity.INTERMEDIARIA,
    ITENS,
    "Lista os preços de uma tabela, produto por produto, ao lado do preço de cadastro. Use para cotar ou conferir uma "
    "tabela; o preço sem tabela está em consultar_produto. Para mudar um, alterar_preco_item.",
)
def consultar_precos(
    *,
    codigo_tabela: Annotated[Codigo | None, Field(description="Código da tabela no Omie.")] = None,
    codigo_tabela_integracao: Annotated[
        CodigoTexto | None, Field(description="Código da tabela no sistema de quem integra.")
    ] = None,
    apenas_fixados: Annotated[SimNao, Field(description="Só preços fixados à mão.")] = False,
) -> Fields:
    return KEY(codigo_tabela, codigo_tabela_integracao) | {"cApenasFixado": True if apenas_fixados else None}


@family.writes(
    "Alterar preço de tabela",
    Complexity.AVANCADA,
    ALTERAR,
    "Fixa o preço de um produto em uma tabela de preços. Confirme com o usuário. O produto precisa estar na tabela: "
    "veja antes com consultar_precos, e confira depois com ela. O preço de cadastro muda com alterar_produto.",
    destructive=True,
    idempotent=True,
)
def alterar_preco_item(
    *,
    codigo_tabela: Annotated[Codigo, Field(description="Código da tabela no Omie.")],
    codigo_produto: Annotated[Codigo, Field(description="Código do produto no Omie.")],
    preco: Annotated[PrecoUnitario, Field(description="Novo preço por unidade em R$.", gt=0)],
) -> Fields:
    return {"nCodTabPreco": codigo_tabela, "nCodProd": codigo_produto, "nValorTabela": preco}
