"""Invoicing sales orders: whether one may be invoiced, doing it, undoing it, and what became of the note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastmcp.tools import ToolResult

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import OmieFault
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Asked, Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import CodigoIntegracao, CodigoOmie
from omie_control.mcp.tools.pedido_record import PATH
from omie_control.mcp.tools.shapes import Column, Shape, code, result_schema, text
from omie_control.mcp.tools.wire import Fields, Key
from omie_control.mcp.tools.words import plain
from omie_control.omie.facts import facts_of

INVOICING_PATH = "produtos/pedidovendafat/"


def _stages(value: Any) -> list[dict[str, str]]:
    """Read the stages of an operation that are in use: their codes and names."""
    rows = [row for row in value or () if isinstance(row, Mapping) and row.get("cInativo") != "S"]
    return [
        {"etapa": plain(row.get("cCodigo")), "nome": plain(row.get("cDescricao")) or plain(row.get("cDescrPadrao"))}
        for row in rows
    ]


def _told(stages: list[dict[str, str]]) -> str:
    return "; ".join(f"{row['etapa']} {row['nome']}" for row in stages)


ETAPAS = Listing(
    "produtos/etapafat/",
    "ListarEtapasFaturamento",
    "operações com etapas",
    key="operacoes",
    shape=Shape(
        codigo=text("cCodOperacao", "código"),
        operacao=text("cDescOperacao", "operação"),
        etapas=Column("etapas", _stages, "array", "etapas", _told),
    ),
)
STATUS = Reading(PATH, "StatusPedido", "Pedido de venda", key="pedido", title="numero_pedido")
KEY = Key("codigo_pedido", "codigo_pedido_integracao", "listar_pedidos_venda")
SHORT_KEY = Key("nCodPed", "cCodIntPed", "listar_pedidos_venda")
CODES = Shape(codigo_omie=code("nCodPed"), codigo_integracao=text("cCodIntPed"))
VALIDAR = Asked(INVOICING_PATH, "ValidarPedidoVenda", "Pedido de venda")
FATURAR = Writing(INVOICING_PATH, "FaturarPedidoVenda", "Pedido de venda", "faturado", CODES)
CANCELAR = Writing(INVOICING_PATH, "CancelarPedidoVenda", "Pedido de venda", "cancelado", CODES)
PERMISSION = result_schema({"pode_faturar": {"type": "boolean"}, "motivo": {"type": "string"}}, "pode_faturar")

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar etapas de faturamento",
    Complexity.BASICA,
    ETAPAS,
    "Lista as etapas (colunas do funil) de cada operação como a empresa as nomeou: 11 venda de produto, 01 serviço, 21 "
    "compra, 28 produção. Use antes de trocar_etapa_pedido ou trocar_etapa_ordem_servico.",
)
def listar_etapas_faturamento() -> Fields:
    return {}


@family.asks(
    "Validar pedido para faturamento",
    Complexity.INTERMEDIARIA,
    PERMISSION,
    "Pergunta ao Omie se um pedido pode ser faturado agora, sem emitir nada; quando não, diz o motivo. Chame antes de "
    "faturar_pedido_venda e mostre o resultado ao usuário.",
    VALIDAR,
)
async def validar_pedido_venda(
    omie: Omie, *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None
) -> ToolResult:
    return await may_invoice(omie, VALIDAR, SHORT_KEY(codigo_omie, codigo_integracao))


@family.writes(
    "Faturar pedido de venda",
    Complexity.ESPECIALIZADA,
    FATURAR,
    "Emite a nota fiscal (NF-e) de um pedido que está na etapa 50, gera os títulos a receber e baixa o estoque. É um "
    "ato fiscal, que só se desfaz cancelando a nota no prazo da lei: confirme com o usuário cliente, itens e valor, e "
    "chame antes validar_pedido_venda. A SEFAZ autoriza depois: acompanhe com status_pedido_venda. Se terminar "
    "incerta, nunca repita sem ver o status.",
    destructive=True,
    idempotent=False,
)
def faturar_pedido_venda(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return SHORT_KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Cancelar pedido de venda",
    Complexity.AVANCADA,
    CANCELAR,
    "Cancela um pedido ou orçamento; ele fica na etapa em que estava, marcado como cancelado. Se já foi faturado, a "
    "nota fiscal é cancelada também, com títulos e saída de estoque. Não se desfaz: confirme com o usuário e veja "
    "antes status_pedido_venda.",
    destructive=True,
    idempotent=True,
)
def cancelar_pedido_venda(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return SHORT_KEY(codigo_omie, codigo_integracao)


@family.gets(
    "Status do pedido de venda",
    Complexity.BASICA,
    STATUS,
    "Diz em que pé está um pedido: etapa, se foi faturado ou cancelado, valor, e as notas com número, chave, situação "
    "e mensagens da SEFAZ. Use depois de faturar_pedido_venda ou de uma escrita incerta. A nota inteira está em "
    "consultar_nota_fiscal.",
)
def status_pedido_venda(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


async def may_invoice(omie: Omie, asked: Asked, named: Fields) -> ToolResult:
    """Ask a method that checks before invoicing; its "no" is an answer, anything else that goes wrong a failure."""
    try:
        data = (await omie.read(asked, named)).payload.data
    except OmieFault as fault:
        facts = facts_of(fault)
        if facts is None or not (facts.fault_code or "").startswith("status "):
            raise
        reason = plain(facts.text) or fault.message
        return omie.answer({"pode_faturar": False, "motivo": reason}, f"Ainda não pode ser faturado: {reason}")
    told = plain(data.get(asked.method.status_fields[1]))
    return omie.answer({"pode_faturar": True, "motivo": told}, f"Pode ser faturado. {told}")
