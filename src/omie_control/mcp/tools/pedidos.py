"""Sales orders: list, show, create, change, move from stage to stage, delete."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools import pedido_record as record
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    CodigoCliente,
    CodigoIntegracao,
    CodigoOmie,
    CodigoProjeto,
    Data,
    EmissaoAte,
    EmissaoDe,
)
from omie_control.mcp.tools.wire import Fields, Key, between, numbered, only_one

PATH = record.PATH

PEDIDOS = Listing(PATH, "ListarPedidos", "pedidos de venda", key="pedidos", shape=record.ROW)
PEDIDO = Reading(
    PATH,
    "ConsultarPedido",
    "Pedido de venda",
    key="pedido",
    title="cabecalho.numero_pedido",
    inside="pedido_venda_produto",
    read=record.whole,
)
KEY = Key("codigo_pedido", "codigo_pedido_integracao", "listar_pedidos_venda")
IN_HEAD = Key("cabecalho.codigo_pedido", "cabecalho.codigo_pedido_integracao", "listar_pedidos_venda")
INCLUIR = Writing(PATH, "IncluirPedido", "Pedido de venda", "incluído", record.CODES, has_other_fields=True)
ALTERAR = Writing(
    PATH, "AlterarPedidoVenda", "Pedido de venda", "alterado", record.CODES, IN_HEAD.fields, has_other_fields=True
)
TROCAR = Writing(PATH, "TrocarEtapaPedido", "Pedido de venda", "movido de etapa", record.CODES)
EXCLUIR = Writing(PATH, "ExcluirPedido", "Pedido de venda", "excluído", record.CODES)

family = Family(Category.COMERCIAL)
register = family.register


def named(codigo_omie: int | None, codigo_integracao: str | None, numero: str | None) -> Fields:
    """Return the field that names an order. Raises InvalidInput unless exactly one is given."""
    only_one(codigo_omie=codigo_omie, codigo_integracao=codigo_integracao, numero=numero)
    return {"codigo_pedido": codigo_omie, "codigo_pedido_integracao": codigo_integracao, "numero_pedido": numero}


@family.lists(
    "Listar pedidos de venda",
    Complexity.INTERMEDIARIA,
    PEDIDOS,
    "Lista pedidos de venda e orçamentos (etapa 00), uma página por vez. Filtre por etapa, datas, cliente, vendedor, "
    "projeto ou número. Um cancelado fica na etapa em que estava: veja a coluna cancelado. Depois chame "
    "consultar_pedido_venda; para somas, relatorio_vendas_periodo.",
)
def listar_pedidos_venda(
    *,
    etapa: record.Etapa | None = None,
    codigo_cliente: CodigoCliente = None,
    codigo_vendedor: record.Vendedor = None,
    codigo_projeto: CodigoProjeto = None,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    previsao_de: Annotated[Data | None, Field(description="Previsão de faturamento a partir de.")] = None,
    previsao_ate: Annotated[Data | None, Field(description="Previsão de faturamento até.")] = None,
    faturamento_de: Annotated[Data | None, Field(description="Faturado a partir de.")] = None,
    faturamento_ate: Annotated[Data | None, Field(description="Faturado até.")] = None,
    numero_de: Annotated[int | None, Field(description="Número inicial.", ge=1, examples=[1001])] = None,
    numero_ate: Annotated[int | None, Field(description="Número final.", ge=1, examples=[1050])] = None,
) -> Fields:
    return {
        "etapa": etapa,
        "filtrar_por_cliente": codigo_cliente,
        "filtrar_por_vendedor": codigo_vendedor,
        "filtrar_por_projeto": codigo_projeto,
        **between("emissao", emissao_de, emissao_ate, "data_emissao_de", "data_emissao_ate"),
        **between("previsao", previsao_de, previsao_ate, "data_previsao_de", "data_previsao_ate"),
        **between("faturamento", faturamento_de, faturamento_ate, "data_faturamento_de", "data_faturamento_ate"),
        **numbered("numero", numero_de, numero_ate, "numero_pedido_de", "numero_pedido_ate"),
    }


@family.gets(
    "Consultar pedido de venda",
    Complexity.BASICA,
    PEDIDO,
    "Mostra um pedido ou orçamento inteiro: cabeçalho, itens, parcelas, totais, se foi faturado ou cancelado. Informe "
    "codigo_omie, codigo_integracao ou numero. Use antes de alterar, faturar, cancelar ou excluir. Os impostos de cada "
    "item ficam de fora; para vê-los, chame executar_metodo_omie com produtos/pedido/ e ConsultarPedido.",
)
def consultar_pedido_venda(
    *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None, numero: record.Numero = None
) -> Fields:
    return named(codigo_omie, codigo_integracao, numero)


@family.writes(
    "Incluir pedido de venda",
    Complexity.AVANCADA,
    INCLUIR,
    "Inclui um pedido de venda; para uma proposta ainda sem compromisso, use incluir_orcamento. Ache antes os códigos: "
    "consultar_clientes, listar_produtos, consultar_categorias, listar_contas_correntes. Não emite nota nem gera "
    "título: isso só faz faturar_pedido_venda. Depois confira com consultar_pedido_venda.",
    destructive=False,
    idempotent=False,
)
def incluir_pedido_venda(
    *,
    codigo_cliente: record.Cliente,
    previsao: record.Previsao,
    categoria: record.Categoria,
    codigo_conta_corrente: record.ContaCorrente,
    itens: record.Itens,
    etapa: record.Etapa = record.ORDER,
    condicao_pagamento: record.Parcela = "000",
    codigo_vendedor: record.Vendedor = None,
    codigo_projeto: CodigoProjeto = None,
    numero_pedido_cliente: record.NumeroDoCliente = None,
    contato: record.Contato = None,
    consumidor_final: record.ConsumidorFinal = None,
    modalidade_frete: record.Frete = None,
    valor_frete: record.ValorDoFrete = None,
    dados_adicionais_nf: record.DadosDaNota = None,
    observacao: record.Observacao = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return record.new_order(etapa, locals())


@family.writes(
    "Alterar pedido de venda",
    Complexity.AVANCADA,
    ALTERAR,
    "Altera um pedido ou orçamento ainda não faturado nem cancelado, achado por codigo_omie ou codigo_integracao. "
    "Envie só o que muda; de itens, só os que mudam (remover=true tira um). Chame antes consultar_pedido_venda e "
    "confira depois com ela. Para mudar só de etapa, use trocar_etapa_pedido.",
    destructive=True,
    idempotent=True,
)
def alterar_pedido_venda(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    previsao: record.Previsao | None = None,
    condicao_pagamento: record.Parcela | None = None,
    categoria: record.Categoria | None = None,
    codigo_conta_corrente: record.ContaCorrente | None = None,
    codigo_vendedor: record.Vendedor = None,
    codigo_projeto: CodigoProjeto = None,
    numero_pedido_cliente: record.NumeroDoCliente = None,
    contato: record.Contato = None,
    dados_adicionais_nf: record.DadosDaNota = None,
    observacao: record.Observacao = None,
    itens: record.ItensMudados = None,
) -> Fields:
    for position, item in enumerate(itens or ()):
        if item.codigo_item is None and item.codigo_item_integracao is None:
            raise InvalidInput(
                f"itens[{position}]: informe codigo_item, ou codigo_item_integracao para um item novo.",
                hint="Os códigos dos itens estão em consultar_pedido_venda.",
            )
        values = (item.codigo_produto, item.quantidade, item.valor_unitario, item.valor_desconto)
        if not item.remover and all(value is None for value in values):
            raise InvalidInput(
                f"itens[{position}]: informe o que muda (produto, quantidade, preço ou desconto), ou remover=true.",
                hint="Veja o item com consultar_pedido_venda; nada foi enviado.",
            )
    changed = record.details(locals()) | {"det": record.changed_items(itens)}
    return changed | IN_HEAD(codigo_omie, codigo_integracao)


@family.writes(
    "Trocar etapa do pedido",
    Complexity.INTERMEDIARIA,
    TROCAR,
    "Move um pedido para outra etapa (coluna) do funil de vendas. Informe codigo_omie, codigo_integracao ou numero. "
    "Não fatura: a etapa 50 só o deixa pronto para faturar_pedido_venda. As etapas da empresa estão em "
    "listar_etapas_faturamento.",
    destructive=False,
    idempotent=True,
)
def trocar_etapa_pedido(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    numero: record.Numero = None,
    etapa: record.Etapa,
) -> Fields:
    return {**named(codigo_omie, codigo_integracao, numero), "etapa": etapa}


@family.writes(
    "Excluir pedido de venda",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui para sempre um pedido ou orçamento que não foi faturado. Confirme com o usuário; veja antes com "
    "consultar_pedido_venda. Para guardar o histórico, prefira cancelar_pedido_venda.",
    destructive=True,
    idempotent=True,
)
def excluir_pedido_venda(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)
