"""Purchases: requisitions, orders to suppliers, and the suppliers' notes that arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoOmie,
    CodigoProjeto,
    Data,
    Dinheiro,
    EmissaoAte,
    EmissaoDe,
    PrecoUnitario,
    Quantidade,
)
from omie_control.mcp.tools.shapes import Row, Shape, code, days, money, text, whole
from omie_control.mcp.tools.values import amount
from omie_control.mcp.tools.wire import Fields, between, only_one

ORDERS, REQUESTS, NOTES = "produtos/pedidocompra/", "produtos/requisicaocompra/", "produtos/recebimentonfe/"
# What each word of ours switches on in the search for orders: the stage of an order does not tell them apart.
_STATES: Mapping[str, tuple[str, ...]] = {
    "pendente": ("lExibirPedidosPendentes",),
    "parcial": ("lExibirPedidosRecParciais", "lExibirPedidosFatParciais"),
    "faturado": ("lExibirPedidosFaturados",),
    "recebido": ("lExibirPedidosRecebidos",),
    "encerrado": ("lExibirPedidosEncerrados",),
    "cancelado": ("lExibirPedidosCancelados",),
}
_EXPECTED = ("pendente", "parcial")
_PARTS = {
    "produtos_consulta": "itens",
    "parcelas_consulta": "parcelas",
    "departamentos_consulta": "departamentos",
    "frete_consulta": "frete",
}


def _worth(order: Row) -> Decimal:
    items = order.get("produtos_consulta")
    return sum((amount(each.get("nValTot")) for each in items or () if isinstance(each, Mapping)), Decimal(0))


def _order(record: Row) -> dict[str, Any]:
    """Shape one whole order: its head plain, its parts by name."""
    shown = whole(record)
    parts = {name: shown[key] for key, name in _PARTS.items() if key in shown}
    return {**shown.get("cabecalho_consulta", {}), **parts}


PEDIDOS = Listing(
    ORDERS,
    "PesquisarPedCompra",
    "pedidos de compra",
    key="pedidos",
    shape=Shape(
        codigo_omie=code("cabecalho_consulta.nCodPed", "código"),
        codigo_integracao=text("cabecalho_consulta.cCodIntPed"),
        numero=text("cabecalho_consulta.cNumero", "número"),
        codigo_fornecedor=code("cabecalho_consulta.nCodFor", "fornecedor"),
        incluido_em=days("cabecalho_consulta.dIncData", "incluído em"),
        previsao=days("cabecalho_consulta.dDtPrevisao", "previsão"),
        etapa=text("cabecalho_consulta.cEtapa"),
        categoria=text("cabecalho_consulta.cCodCateg"),
        codigo_projeto=code("cabecalho_consulta.nCodProj"),
        itens=code(lambda order: len(order.get("produtos_consulta") or ())),
        valor_dos_itens=money(_worth, "valor dos itens"),
    ),
)
PEDIDO = Reading(ORDERS, "ConsultarPedCompra", "Pedido de compra", key="pedido", title="cNumero", read=_order)
INCLUIR_PEDIDO = Writing(
    ORDERS,
    "IncluirPedCompra",
    "Pedido de compra",
    "incluído",
    Shape(codigo_omie=code("nCodPed"), codigo_integracao=text("cCodIntPed"), numero=text("cNumero")),
    has_other_fields=True,
)
REQUISICOES = Listing(
    REQUESTS,
    "PesquisarReq",
    "requisições de compra",
    key="requisicoes",
    shape=Shape(
        codigo_omie=code("codReqCompra", "código"),
        codigo_integracao=text("codIntReqCompra"),
        sugestao=days("dtSugestao", "para quando"),
        categoria=text("codCateg", "categoria"),
        codigo_projeto=code("codProj"),
        itens=code(lambda request: len(request.get("ItensReqCompra") or ()), "itens"),
        observacao=text("obsReqCompra", "observação"),
    ),
)
INCLUIR_REQUISICAO = Writing(
    REQUESTS,
    "IncluirReq",
    "Requisição de compra",
    "incluída",
    Shape(codigo_omie=code("codReqCompra"), codigo_integracao=text("codIntReqCompra")),
)
RECEBIMENTOS = Listing(
    NOTES,
    "ListarRecebimentos",
    "notas de entrada",
    key="notas",
    shape=Shape(
        codigo_recebimento=code("cabec.nIdReceb", "código"),
        numero=text("cabec.cNumeroNFe", "nota"),
        serie=text("cabec.cSerieNFe"),
        chave=text("cabec.cChaveNfe"),
        codigo_fornecedor=code("cabec.nIdFornecedor"),
        fornecedor=text("cabec.cNome", "fornecedor"),
        emissao=days("cabec.dEmissaoNFe", "emissão"),
        valor=money("cabec.nValorNFe", "valor"),
        etapa=text("cabec.cEtapa", "etapa"),
        recebida=text("infoCadastro.cRecebido"),
        recebida_em=days("infoCadastro.dRec"),
        cancelada=text("infoCadastro.cCancelada"),
    ),
)

Situacao = Literal["pendente", "parcial", "faturado", "recebido", "encerrado", "cancelado"]
Categoria = Annotated[
    str, Field(description="Código da categoria de despesa.", min_length=1, max_length=20, examples=["2.01.01"])
]
Observacao = Annotated[str | None, Field(description="Observação.", max_length=4000, examples=["Entregar de manhã"])]
CodigoDeCompra = Annotated[
    str | None,
    Field(
        description="Código do registro no sistema de quem integra.", min_length=1, max_length=20, examples=["OC-881"]
    ),
]


class ItemDeCompra(BaseModel):
    """Um produto a comprar."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    codigo_produto: Codigo
    """Código do produto no Omie."""
    quantidade: Quantidade
    """Quantidade."""
    valor_unitario: PrecoUnitario
    """Preço de uma unidade em R$."""
    observacao: Annotated[str, Field(max_length=500)] | None = None
    """Observação do item."""


class ItemDePedido(ItemDeCompra):
    """Um produto do pedido de compra."""

    valor_desconto: Dinheiro | None = None
    """Desconto do item em R$."""
    codigo_local_estoque: Codigo | None = None
    """Em que estoque entra."""


_ONE = [{"codigo_produto": 5500000001, "quantidade": 10, "valor_unitario": 12.5}]
ItensDeCompra = Annotated[
    list[ItemDeCompra], Field(description="Produtos a comprar.", min_length=1, max_length=200, examples=[_ONE])
]
ItensDePedido = Annotated[
    list[ItemDePedido], Field(description="Produtos do pedido.", min_length=1, max_length=200, examples=[_ONE])
]

family = Family(Category.PRODUTOS)
register = family.register


@family.lists(
    "Listar pedidos de compra",
    Complexity.INTERMEDIARIA,
    PEDIDOS,
    "Lista pedidos de compra pela situação; sem ela, os que ainda se esperam (pendente e parcial). A etapa não separa "
    "pendentes de encerrados: use a situação. O Omie não filtra por fornecedor nem, com segurança, por data. Para ver "
    "os itens, consultar_pedido_compra; o que já chegou, listar_notas_entrada.",
)
def listar_pedidos_compra(
    *,
    situacao: Annotated[
        list[Situacao] | None,
        Field(description="Situações que entram.", min_length=1, max_length=6, examples=[["pendente", "parcial"]]),
    ] = None,
) -> Fields:
    wanted = {flag for state in situacao or _EXPECTED for flag in _STATES[state]}
    return {flag: flag in wanted for flags in _STATES.values() for flag in flags}


@family.gets(
    "Consultar pedido de compra",
    Complexity.BASICA,
    PEDIDO,
    "Mostra um pedido de compra inteiro, com itens, parcelas e frete, pelo código do Omie, pelo de integração ou pelo "
    "número: um dos três. Em cada item, nQtdeRec é o que já foi recebido.",
)
def consultar_pedido_compra(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoDeCompra = None,
    numero: Annotated[str | None, Field(description="Número do pedido.", max_length=15, examples=["1001"])] = None,
) -> Fields:
    only_one(codigo_omie=codigo_omie, codigo_integracao=codigo_integracao, numero=numero)
    return {"nCodPed": codigo_omie, "cCodIntPed": codigo_integracao, "cNumero": numero}


@family.writes(
    "Incluir pedido de compra",
    Complexity.AVANCADA,
    INCLUIR_PEDIDO,
    "Inclui um pedido de compra a um fornecedor. Confirme com o usuário fornecedor, itens e preços. Ache antes o "
    "fornecedor com consultar_fornecedores, os produtos com listar_produtos e a condição com listar_parcelas. Sem "
    "codigo_integracao, um é criado e devolvido. Confira depois com consultar_pedido_compra.",
    destructive=False,
    idempotent=False,
)
def incluir_pedido_compra(
    *,
    codigo_fornecedor: Annotated[Codigo, Field(description="Código do fornecedor no Omie.")],
    itens: ItensDePedido,
    previsao: Annotated[Data, Field(description="Previsão de entrega.")],
    categoria: Categoria,
    condicao_pagamento: Annotated[
        str,
        Field(description="Código de listar_parcelas: 000 à vista.", min_length=3, max_length=3, examples=["000"]),
    ],
    codigo_conta_corrente: Annotated[Codigo | None, Field(description="Conta de que se paga.")] = None,
    codigo_projeto: CodigoProjeto = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoDeCompra = None,
) -> Fields:
    head = {
        "cCodIntPed": codigo_integracao,
        "dDtPrevisao": previsao,
        "cCodParc": condicao_pagamento,
        "nCodFor": codigo_fornecedor,
        "cCodCateg": categoria,
        "nCodCC": codigo_conta_corrente,
        "nCodProj": codigo_projeto,
        "cObs": observacao,
    }
    return {f"cabecalho_incluir.{name}": value for name, value in head.items()} | {"produtos_incluir": _items(itens)}


@family.lists(
    "Listar requisições de compra",
    Complexity.BASICA,
    REQUISICOES,
    "Lista as requisições de compra (o que foi pedido dentro da empresa e ainda não virou pedido a um fornecedor), "
    "por quando foram incluídas ou alteradas. Para pedir algo novo, incluir_requisicao_compra.",
)
def listar_requisicoes_compra(
    *,
    alterada_de: Annotated[Data | None, Field(description="Incluída ou alterada a partir de.")] = None,
    alterada_ate: Annotated[Data | None, Field(description="Incluída ou alterada até.")] = None,
) -> Fields:
    period = between("alterada", alterada_de, alterada_ate, "filtrar_por_data_de", "filtrar_por_data_ate")
    return {**period, "filtrar_apenas_alteracao": True if period else None}


@family.writes(
    "Incluir requisição de compra",
    Complexity.INTERMEDIARIA,
    INCLUIR_REQUISICAO,
    "Inclui uma requisição de compra: um pedido interno, sem fornecedor, que alguém aprova e transforma em pedido no "
    "Omie. Bom para repor o que relatorio_posicao_estoque mostra abaixo do mínimo. Sem codigo_integracao, um é criado "
    "e devolvido.",
    destructive=False,
    idempotent=False,
)
def incluir_requisicao_compra(
    *,
    itens: ItensDeCompra,
    sugestao: Annotated[Data, Field(description="Para quando se precisa.")],
    categoria: Categoria,
    codigo_projeto: CodigoProjeto = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoDeCompra = None,
) -> Fields:
    return {
        "codIntReqCompra": codigo_integracao,
        "codCateg": categoria,
        "codProj": codigo_projeto,
        "dtSugestao": sugestao,
        "obsReqCompra": observacao,
        "ItensReqCompra": [
            {
                "codIntItem": str(number),
                "codProd": item.codigo_produto,
                "qtde": item.quantidade,
                "precoUnit": item.valor_unitario,
                "obsItem": item.observacao,
            }
            for number, item in enumerate(itens, 1)
        ],
    }


@family.lists(
    "Listar notas de entrada",
    Complexity.INTERMEDIARIA,
    RECEBIMENTOS,
    "Lista as notas fiscais de fornecedores que chegaram para receber, por emissão, fornecedor ou etapa. Concluir um "
    "recebimento gera estoque e contas a pagar: isso se faz no Omie, ou com executar_metodo_omie. As contas que uma "
    "nota gerou estão em consultar_contas_pagar.",
)
def listar_notas_entrada(
    *,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    codigo_fornecedor: Annotated[Codigo | None, Field(description="Código do fornecedor no Omie.")] = None,
    etapa: Annotated[str | None, Field(description="Etapa do recebimento.", max_length=10, examples=["40"])] = None,
) -> Fields:
    return {
        **between("emissao", emissao_de, emissao_ate, "dtEmissaoDe", "dtEmissaoAte"),
        "nIdFornecedor": codigo_fornecedor,
        "cEtapa": etapa,
    }


def _items(given: Sequence[ItemDePedido]) -> list[dict[str, Any]]:
    """Return an order's items, numbered, so that each can be named later."""
    return [
        {
            "cCodIntItem": str(number),
            "nCodProd": item.codigo_produto,
            "nQtde": item.quantidade,
            "nValUnit": item.valor_unitario,
            "nDesconto": item.valor_desconto,
            "cObs": item.observacao,
            "codigo_local_estoque": item.codigo_local_estoque,
        }
        for number, item in enumerate(given, 1)
    ]
