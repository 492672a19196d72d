"""Stock: how much there is and where, what moved it, adjustments by hand, minimum levels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import Codigo, CodigoIntegracao, Data, PrecoUnitario, SimNao
from omie_control.mcp.tools.shapes import Shape, code, flag, number, text
from omie_control.mcp.tools.wire import Fields, Key

PATH, ADJUST = "estoque/consulta/", "estoque/ajuste/"
PRODUCT = ("codigo_produto", "codigo_produto_integracao")

POSICOES = Listing(
    PATH,
    "ListarPosEstoque",
    "posições de estoque",
    key="posicoes",
    shape=Shape(
        codigo_produto=code("nCodProd", "produto"),
        codigo_produto_integracao=text("cCodInt"),
        codigo=text("cCodigo", "código"),
        descricao=text("cDescricao", "descrição"),
        disponivel=number("nSaldo", "disponível"),
        fisico=number("fisico", "físico"),
        reservado=number("reservado"),
        pendente=number("nPendente"),
        minimo=number("estoque_minimo", "mínimo"),
        custo_medio=number("nCMC", "custo médio"),
        preco=number("nPrecoUnitario"),
        codigo_local_estoque=code("codigo_local_estoque"),
    ),
)
POSICAO = Reading(
    PATH,
    "PosicaoEstoque",
    "Posição de estoque",
    key="posicao",
    read=Shape(
        disponivel=number("saldo"),
        fisico=number("fisico"),
        reservado=number("reservado"),
        pendente=number("pendente"),
        minimo=number("estoque_minimo"),
        custo_medio=number("cmc"),
        codigo_local_estoque=code("codigo_local_estoque"),
    ).read,
)
LOCAIS = Listing(
    "estoque/local/",
    "ListarLocaisEstoque",
    "locais de estoque",
    key="locais",
    shape=Shape(
        codigo_local_estoque=code("codigo_local_estoque", "código no Omie"),
        codigo=text("codigo", "código"),
        descricao=text("descricao", "descrição"),
        padrao=flag("padrao", "padrão"),
        inativo=flag("inativo", "inativo"),
    ),
)
AJUSTAR = Writing(
    ADJUST,
    "IncluirAjusteEstoque",
    "Ajuste de estoque",
    "incluído",
    Shape(
        codigo_ajuste=code("id_ajuste"),
        codigo_movimento=code("id_movest"),
        codigo_integracao=text("cod_int_ajuste"),
    ),
)
DESFAZER = Writing(
    ADJUST,
    "ExcluirAjusteEstoque",
    "Ajuste de estoque",
    "excluído",
    Shape(codigo_ajuste=code("id_ajuste"), codigo_movimento=code("id_movest")),
)
MINIMO = Writing(
    ADJUST,
    "AlterarEstoqueMinimo",
    "Estoque mínimo",
    "alterado",
    Shape(codigo_produto=code("id_prod"), codigo_produto_integracao=text("cod_int"), minimo=number("quan_min")),
    ("id_prod", "cod_int", "codigo_local_estoque"),
)
KEY = Key("id_prod", "cod_int", "listar_produtos", PRODUCT)

Produto = Annotated[Codigo | None, Field(description="Código do produto no Omie.")]
ProdutoIntegracao = Annotated[
    str | None,
    Field(description="Código de integração do produto.", min_length=1, max_length=60, examples=["PRD-0001"]),
]
Local = Annotated[
    Codigo | None, Field(description="Local de estoque, de listar_locais_estoque. Sem ele, o local padrão.")
]

family = Family(Category.PRODUTOS)
register = family.register


@family.lists(
    "Consultar estoque",
    Complexity.INTERMEDIARIA,
    POSICOES,
    "Lista saldo disponível, físico, reservado, mínimo e custo médio dos produtos de um local, em uma data. Só "
    "aparecem produtos que já tiveram movimento, a não ser com todos=true. Saldos negativos existem: saída sem "
    "entrada. Para valor total e problemas, relatorio_posicao_estoque; para um produto, posicao_estoque.",
)
def consultar_estoque(
    *,
    codigo_local_estoque: Local = None,
    data: Annotated[Data | None, Field(description="Posição no fim deste dia; sem ela, hoje.")] = None,
    codigos_produto: Annotated[
        list[Codigo] | None,
        Field(description="Só estes produtos, códigos no Omie.", min_length=1, max_length=50, examples=[[5500000001]]),
    ] = None,
    todos: Annotated[SimNao, Field(description="Também os que nunca tiveram movimento, 50 por página.")] = False,
) -> Fields:
    return {
        "codigo_local_estoque": codigo_local_estoque,
        "dDataPosicao": data,
        "lista_produtos": None if codigos_produto is None else [{"nCodProd": each} for each in codigos_produto],
        "cExibeTodos": True if todos else None,
    }


@family.gets(
    "Posição de estoque",
    Complexity.BASICA,
    POSICAO,
    "Mostra o estoque de um produto em um local e uma data: disponível para vender, físico, reservado por pedidos, "
    "pendente, mínimo e custo médio. Use antes de vender ou ajustar, e depois de um ajuste.",
)
def posicao_estoque(
    *,
    codigo_produto: Produto = None,
    codigo_produto_integracao: ProdutoIntegracao = None,
    data: Annotated[Data, Field(description="Posição no fim deste dia.")],
    codigo_local_estoque: Local = None,
) -> Fields:
    return KEY(codigo_produto, codigo_produto_integracao) | {
        "data": data,
        "codigo_local_estoque": codigo_local_estoque,
    }


@family.lists(
    "Listar locais de estoque",
    Complexity.BASICA,
    LOCAIS,
    "Lista os locais de estoque da empresa e diz qual é o padrão. Use para achar o codigo_local_estoque que as "
    "outras ferramentas de estoque, pedidos e compras pedem.",
)
def listar_locais_estoque() -> Fields:
    return {}


@family.writes(
    "Incluir ajuste de estoque",
    Complexity.AVANCADA,
    AJUSTAR,
    "Ajusta o estoque de um produto: ENT soma, SAI tira, SLD leva o saldo à quantidade dada, TRF transfere a outro "
    "local. Muda o custo médio. Confirme com o usuário e veja antes posicao_estoque. Guarde o codigo_ajuste: "
    "excluir_ajuste_estoque o pede. Depois de um ajuste o produto nunca mais pode ser excluído.",
    destructive=False,
    idempotent=False,
)
def incluir_ajuste_estoque(
    *,
    codigo_produto: Produto = None,
    codigo_produto_integracao: ProdutoIntegracao = None,
    tipo: Annotated[
        Literal["ENT", "SAI", "SLD", "TRF"], Field(description="ENT entrada, SAI saída, SLD saldo, TRF transferência.")
    ],
    quantidade: Annotated[PrecoUnitario, Field(description="Quantidade; em SLD, o saldo que deve ficar.")],
    custo_unitario: Annotated[
        PrecoUnitario,
        Field(description="Custo de uma unidade em R$; em saída e transferência, o custo médio de posicao_estoque."),
    ],
    data: Annotated[Data, Field(description="Dia do ajuste.")],
    motivo: Annotated[
        Literal["INV", "OPE", "INI", "TRF"],
        Field(description="INV inventário, OPE operacional, INI estoque inicial, TRF transferência."),
    ],
    observacao: Annotated[
        str, Field(description="Por que se ajusta.", min_length=1, max_length=500, examples=["Contagem de novembro"])
    ],
    codigo_local_estoque: Local = None,
    codigo_local_destino: Annotated[Codigo | None, Field(description="Só em TRF: para qual local.")] = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    if (tipo == "TRF") != (codigo_local_destino is not None):
        raise InvalidInput(
            "codigo_local_destino: é obrigatório em TRF e só nele.", hint="Ache o local com listar_locais_estoque."
        )
    if quantidade == 0 and tipo != "SLD":
        raise InvalidInput("quantidade: esperado mais que 0.", hint="Só em SLD o zero tem sentido: zera o saldo.")
    return KEY(codigo_produto, codigo_produto_integracao) | {
        "cod_int_ajuste": codigo_integracao,
        "tipo": tipo,
        "quan": quantidade,
        "valor": custo_unitario,
        "data": data,
        "motivo": motivo,
        "origem": "AJU",
        "obs": observacao,
        "codigo_local_estoque": codigo_local_estoque,
        "codigo_local_estoque_destino": codigo_local_destino,
    }


@family.writes(
    "Excluir ajuste de estoque",
    Complexity.AVANCADA,
    DESFAZER,
    "Desfaz um ajuste: o saldo volta ao que era. Confirme com o usuário. O codigo_ajuste vem de "
    "incluir_ajuste_estoque ou de listar_movimentos_estoque. Confira depois com posicao_estoque.",
    destructive=True,
    idempotent=True,
)
def excluir_ajuste_estoque(
    *, codigo_ajuste: Annotated[Codigo, Field(description="Código do ajuste no Omie.")]
) -> Fields:
    return {"id_ajuste": codigo_ajuste}


@family.writes(
    "Alterar estoque mínimo",
    Complexity.INTERMEDIARIA,
    MINIMO,
    "Muda o estoque mínimo de um produto em um local: abaixo dele, o produto aparece em relatorio_posicao_estoque "
    "como a repor. Zero tira o aviso. Não move estoque.",
    destructive=True,
    idempotent=True,
)
def alterar_estoque_minimo(
    *,
    codigo_produto: Produto = None,
    codigo_produto_integracao: ProdutoIntegracao = None,
    minimo: Annotated[PrecoUnitario, Field(description="Nova quantidade mínima.")],
    codigo_local_estoque: Local = None,
) -> Fields:
    return KEY(codigo_produto, codigo_produto_integracao) | {
        "quan_min": minimo,
        "codigo_local_estoque": codigo_local_estoque,
    }
