"""A sales order or quote as tools take and give it: one resource of Omie; a quote stands at stage 00."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from omie_control.mcp.tools import shapes
from omie_control.mcp.tools.parameters import Codigo, Data, Dinheiro, Quantidade, SimNao
from omie_control.mcp.tools.shapes import Shape, code, days, flag, money, text
from omie_control.mcp.tools.wire import Fields

PATH = "produtos/pedido/"
QUOTE, ORDER = "00", "10"
# Groups of an item that only tax experts read; they are most of an order's size.
_NOT_SHOWN = frozenset({"imposto", "tributavel", "combustivel"})

ROW = Shape(
    codigo_omie=code("cabecalho.codigo_pedido", "código"),
    codigo_integracao=text("cabecalho.codigo_pedido_integracao"),
    numero=text("cabecalho.numero_pedido", "número"),
    codigo_cliente=code("cabecalho.codigo_cliente", "cliente"),
    etapa=text("cabecalho.etapa", "etapa"),
    emissao=days("infoCadastro.dInc", "emissão"),
    previsao=days("cabecalho.data_previsao", "previsão"),
    valor=money("total_pedido.valor_total_pedido", "valor"),
    itens=code("cabecalho.quantidade_itens"),
    codigo_vendedor=code("informacoes_adicionais.codVend"),
    codigo_projeto=code("informacoes_adicionais.codProj"),
    faturado=flag("infoCadastro.faturado", "faturado"),
    faturamento=days("infoCadastro.dFat"),
    cancelado=flag("infoCadastro.cancelado", "cancelado"),
)
CODES = Shape(
    codigo_omie=code("codigo_pedido"),
    codigo_integracao=text("codigo_pedido_integracao"),
    numero=text("numero_pedido"),
)

Cliente = Annotated[Codigo, Field(description="Código do cliente no Omie, de consultar_clientes.")]
Previsao = Annotated[Data, Field(description="Previsão de faturamento.")]
Categoria = Annotated[str, Field(description="Código da categoria de receita.", max_length=20, examples=["1.01.01"])]
ContaCorrente = Annotated[Codigo, Field(description="Conta corrente em que se recebe, código no Omie.")]
Parcela = Annotated[
    str,
    Field(
        description="Condição de pagamento: 000 à vista, 001 a n parcelas, A30 em 30 dias.",
        min_length=3,
        max_length=3,
        examples=["000"],
    ),
]
Etapa = Annotated[
    str,
    Field(
        description="Etapa, de listar_etapas_faturamento: 00 orçamento, 10 pedido, 50 a faturar, 60 faturado.",
        pattern=r"^[0-9]{2}$",
        examples=["10"],
    ),
]
Vendedor = Annotated[Codigo | None, Field(description="Código do vendedor no Omie, de listar_vendedores.")]
NumeroDoCliente = Annotated[
    str | None, Field(description="Número do pedido de compra do cliente.", max_length=30, examples=["OC-881"])
]
Contato = Annotated[str | None, Field(description="Contato no cliente.", max_length=100, examples=["Ana"])]
Observacao = Annotated[
    str | None, Field(description="Observação interna.", max_length=4000, examples=["Entregar de manhã"])
]
DadosDaNota = Annotated[
    str | None, Field(description="Texto que sai na nota fiscal.", max_length=4000, examples=["Pedido OC-881"])
]
Frete = Annotated[
    Literal["0", "1", "2", "3", "4", "9"] | None,
    Field(description="Modalidade do frete: 0 do emitente, 1 do destinatário, 9 sem frete."),
]
ValorDoFrete = Annotated[Dinheiro | None, Field(description="Valor do frete em R$.")]
ConsumidorFinal = Annotated[SimNao | None, Field(description="Se o cliente é consumidor final.")]
Numero = Annotated[str | None, Field(description="Número do pedido.", max_length=15, examples=["1001"])]


class Item(BaseModel):
    """Um produto do pedido."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    codigo_produto: Codigo
    """Código do produto no Omie."""
    quantidade: Quantidade
    """Quantidade vendida."""
    valor_unitario: Quantidade
    """Preço de uma unidade em R$."""
    valor_desconto: Dinheiro | None = None
    """Desconto do item em R$."""
    codigo_local_estoque: Codigo | None = None
    """De que estoque sai."""
    observacao: Annotated[str, Field(max_length=500)] | None = None
    """Observação do item."""


class ItemMudado(BaseModel):
    """Um item que muda, sai ou entra no pedido."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    codigo_item: Codigo | None = None
    """Item que já está no pedido, de consultar_pedido_venda."""
    codigo_item_integracao: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    """Em vez de codigo_item; num item novo, um código à escolha, único no pedido."""
    codigo_produto: Codigo | None = None
    """Código do produto no Omie."""
    quantidade: Quantidade | None = None
    """Quantidade."""
    valor_unitario: Quantidade | None = None
    """Preço de uma unidade em R$."""
    valor_desconto: Dinheiro | None = None
    """Desconto do item em R$."""
    remover: SimNao = False
    """true tira o item do pedido."""


Itens = Annotated[
    list[Item],
    Field(
        description="Produtos do pedido.",
        min_length=1,
        max_length=200,
        examples=[[{"codigo_produto": 5500000001, "quantidade": 2, "valor_unitario": 49.9}]],
    ),
]
ItensMudados = Annotated[
    list[ItemMudado] | None,
    Field(
        description="Só os itens que mudam, cada um inteiro; os outros ficam.",
        max_length=200,
        examples=[[{"codigo_item": 5500000099, "codigo_produto": 5500000001, "quantidade": 3, "valor_unitario": 49.9}]],
    ),
]


def items(given: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the items of a new order, numbered: Omie wants a code of ours for each."""
    return [
        {
            "ide": {"codigo_item_integracao": str(number)},
            "produto": _product(item),
            "inf_adic": {"codigo_local_estoque": item.codigo_local_estoque} if item.codigo_local_estoque else None,
            "observacao": {"obs_item": item.observacao} if item.observacao else None,
        }
        for number, item in enumerate(given, 1)
    ]


def changed_items(given: Sequence[ItemMudado] | None) -> list[dict[str, Any]] | None:
    """Return items that change; those that leave are marked."""
    if not given:
        return None
    return [
        {
            "ide": {
                "codigo_item": item.codigo_item,
                "codigo_item_integracao": item.codigo_item_integracao,
                "acao_item": "E" if item.remover else None,
            },
            "produto": None if item.remover else _product(item),
        }
        for item in given
    ]


def new_order(stage: str, arguments: Mapping[str, Any]) -> Fields:
    """Return the fields of a new order or quote from the arguments that both tools share."""
    return details(arguments) | {
        "cabecalho.codigo_pedido_integracao": arguments["codigo_integracao"],
        "cabecalho.etapa": stage,
        "cabecalho.codigo_cliente": arguments["codigo_cliente"],
        "informacoes_adicionais.consumidor_final": arguments["consumidor_final"],
        "frete.modalidade": arguments["modalidade_frete"],
        "frete.valor_frete": arguments["valor_frete"],
        "det": items(arguments["itens"]),
    }


def details(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a new order has and a changed one may have."""
    return {
        "cabecalho.data_previsao": arguments["previsao"],
        "cabecalho.codigo_parcela": arguments["condicao_pagamento"],
        "informacoes_adicionais.codigo_categoria": arguments["categoria"],
        "informacoes_adicionais.codigo_conta_corrente": arguments["codigo_conta_corrente"],
        "informacoes_adicionais.codVend": arguments["codigo_vendedor"],
        "informacoes_adicionais.codProj": arguments["codigo_projeto"],
        "informacoes_adicionais.numero_pedido_cliente": arguments["numero_pedido_cliente"],
        "informacoes_adicionais.contato": arguments["contato"],
        "informacoes_adicionais.dados_adicionais_nf": arguments["dados_adicionais_nf"],
        "observacoes.obs_venda": arguments["observacao"],
    }


def whole(record: Mapping[str, Any]) -> dict[str, Any]:
    """Shape one whole order: clean, without the tax groups of its items."""
    shown = shapes.whole(record)
    if isinstance(shown.get("det"), list):
        shown["det"] = [
            {name: value for name, value in item.items() if name not in _NOT_SHOWN} for item in shown["det"]
        ]
    return shown


def _product(item: Item | ItemMudado) -> dict[str, Any]:
    return {
        "codigo_produto": item.codigo_produto,
        "quantidade": item.quantidade,
        "valor_unitario": item.valor_unitario,
        "tipo_desconto": "V" if item.valor_desconto is not None else None,
        "valor_desconto": item.valor_desconto,
    }
