"""Quotes: sales orders at stage 00, until they are accepted."""

from __future__ import annotations

from fastmcp.tools import ToolResult

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import Conflict
from omie_control.mcp.tools import pedido_record as record
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Chave,
    CodigoCliente,
    CodigoIntegracao,
    CodigoOmie,
    CodigoProjeto,
    EmissaoAte,
    EmissaoDe,
)
from omie_control.mcp.tools.wire import Fields, Key, between
from omie_control.mcp.tools.words import plain

PATH = record.PATH

ORCAMENTOS = Listing(PATH, "ListarPedidos", "orçamentos", key="orcamentos", shape=record.ROW)
STATUS = Reading(PATH, "StatusPedido", "Orçamento", key="orcamento", title="numero_pedido")
KEY = Key("codigo_pedido", "codigo_pedido_integracao", "listar_orcamentos")
INCLUIR = Writing(PATH, "IncluirPedido", "Orçamento", "incluído", record.CODES, has_other_fields=True)
CONVERTER = Writing(PATH, "TrocarEtapaPedido", "Orçamento", "convertido em pedido", record.CODES)

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar orçamentos",
    Complexity.BASICA,
    ORCAMENTOS,
    "Lista os orçamentos da empresa (pedidos na etapa 00), uma página por vez; cancelados aparecem marcados. Use para "
    "acompanhar propostas em aberto. O inteiro está em consultar_pedido_venda; aceito pelo cliente, chame "
    "converter_orcamento_em_pedido.",
)
def listar_orcamentos(
    *,
    codigo_cliente: CodigoCliente = None,
    codigo_vendedor: record.Vendedor = None,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
) -> Fields:
    return {
        "etapa": record.QUOTE,
        "filtrar_por_cliente": codigo_cliente,
        "filtrar_por_vendedor": codigo_vendedor,
        **between("emissao", emissao_de, emissao_ate, "data_emissao_de", "data_emissao_ate"),
    }


@family.writes(
    "Incluir orçamento",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Inclui um orçamento: uma proposta de venda na etapa 00, sem efeito fiscal, financeiro ou de estoque. Ache antes "
    "os códigos com consultar_clientes e listar_produtos. Para mudar itens ou condições, alterar_pedido_venda; aceito "
    "pelo cliente, converter_orcamento_em_pedido.",
    destructive=False,
    idempotent=False,
)
def incluir_orcamento(
    *,
    codigo_cliente: record.Cliente,
    previsao: record.Previsao,
    categoria: record.Categoria,
    codigo_conta_corrente: record.ContaCorrente,
    itens: record.Itens,
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
    return record.new_order(record.QUOTE, locals())


@family.acts(
    "Converter orçamento em pedido",
    Complexity.INTERMEDIARIA,
    CONVERTER,
    "Faz de um orçamento (proposta) que o cliente aceitou um pedido de venda: troca a etapa 00 pela informada, depois "
    "de conferir que ele ainda é um orçamento e não foi cancelado. Preços e itens ficam como estão: confira-os antes "
    "com consultar_pedido_venda.",
    STATUS,
    destructive=False,
    idempotent=True,
)
async def converter_orcamento_em_pedido(
    omie: Omie,
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    etapa: record.Etapa = record.ORDER,
    chave_idempotencia: Chave = None,
) -> ToolResult:
    named = KEY(codigo_omie, codigo_integracao)
    found = (await omie.read(STATUS, named)).payload.data
    stage, number = plain(found.get("etapa")), plain(found.get("numero_pedido"))
    if found.get("cancelada") == "S":
        raise Conflict(f"O orçamento {number} foi cancelado.", hint="Inclua outro com incluir_orcamento.")
    if stage == etapa:
        said = f"O orçamento {number} já está na etapa {stage}; nada foi enviado."
        return omie.answer(record.CODES.read(found) | {"situacao": said}, said)
    if stage != record.QUOTE:
        raise Conflict(
            f"O registro {number} não é um orçamento: está na etapa {stage}.",
            hint="Veja-o com consultar_pedido_venda; para mudar de etapa, use trocar_etapa_pedido.",
        )
    return await omie.write_answer(CONVERTER, {**named, "etapa": etapa}, chave_idempotencia)
