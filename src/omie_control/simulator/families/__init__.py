"""Who answers each method: a family that knows it, else a shelf that keeps its record, else a plain answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine import plain
from omie_control.simulator.engine.shelf import Handler, Shelf
from omie_control.simulator.families import (
    anexos,
    cadastros,
    categorias,
    clientes,
    cobranca,
    condicoes,
    contas_correntes,
    contas_pagar,
    contas_receber,
    crm,
    dre,
    empresas,
    lancamentos,
    lotes,
    marcas,
    notas_consulta,
    produtos,
    tabelas,
)
from omie_control.simulator.families.compras import notas_entrada, precos, recebimentos
from omie_control.simulator.families.compras import pedidos as pedidos_compra
from omie_control.simulator.families.estoque import ajustes, consultas
from omie_control.simulator.families.relatorios import extrato, financas, movimentos, resumos
from omie_control.simulator.families.servicos import contratos, notas_servico, os
from omie_control.simulator.families.servicos import faturamento as faturamento_os
from omie_control.simulator.families.vendas import etapas, faturamento, pedidos, simplificado

_SHELVES: tuple[Shelf, ...] = (
    *cadastros.SHELVES,
    *crm.SHELVES,
    *notas_entrada.SHELVES,
    contratos.CONTRATOS,
    pedidos_compra.PEDIDOS,
    precos.TABELAS,
)
_FAMILIES: tuple[Mapping[str, Mapping[str, Handler]], ...] = (
    {clientes.PATH: clientes.HANDLERS},
    {categorias.PATH: categorias.HANDLERS},
    {produtos.PATH: produtos.HANDLERS},
    {contas_correntes.PATH: contas_correntes.HANDLERS},
    {contas_receber.PATH: contas_receber.HANDLERS},
    {contas_pagar.PATH: contas_pagar.HANDLERS},
    {lancamentos.PATH: lancamentos.HANDLERS},
    {pedidos.PATH: pedidos.HANDLERS},
    {simplificado.PATH: simplificado.HANDLERS},
    {faturamento.PATH: faturamento.HANDLERS},
    {etapas.HISTORY_PATH: etapas.HISTORY_HANDLERS, etapas.STAGES_PATH: etapas.STAGES_HANDLERS},
    crm.HANDLERS,
    {movimentos.PATH: movimentos.HANDLERS, movimentos.SEARCH_PATH: movimentos.SEARCH_HANDLERS},
    {financas.PATH: financas.HANDLERS, financas.CASH_PATH: financas.CASH_HANDLERS},
    {extrato.PATH: extrato.HANDLERS},
    {dre.PATH: dre.HANDLERS},
    {empresas.PATH: empresas.HANDLERS},
    lotes.HANDLERS,
    tabelas.HANDLERS,
    resumos.HANDLERS,
    notas_entrada.HANDLERS,
    {pedidos_compra.PATH: pedidos_compra.HANDLERS, precos.PATH: precos.HANDLERS},
    {recebimentos.PATH: recebimentos.HANDLERS},
    marcas.HANDLERS,
    condicoes.HANDLERS,
    {cobranca.SLIP_PATH: cobranca.SLIP_HANDLERS, cobranca.PIX_PATH: cobranca.PIX_HANDLERS},
    {anexos.PATH: anexos.HANDLERS},
    {notas_consulta.PATH: notas_consulta.HANDLERS, notas_consulta.LINKS_PATH: notas_consulta.LINKS_HANDLERS},
    {notas_consulta.DOCUMENTS_PATH: notas_consulta.DOCUMENTS_HANDLERS},
    {os.PATH: os.HANDLERS},
    {faturamento_os.PATH: faturamento_os.HANDLERS, faturamento_os.LOT_PATH: faturamento_os.LOT_HANDLERS},
    {notas_servico.PATH: notas_servico.HANDLERS, notas_servico.DOCUMENTS_PATH: notas_servico.DOCUMENTS_HANDLERS},
    {contratos.PATH: contratos.HANDLERS, contratos.INVOICING_PATH: contratos.INVOICING_HANDLERS},
    {contratos.LOT_PATH: contratos.LOT_HANDLERS},
    {ajustes.PATH: ajustes.HANDLERS, consultas.ASK_PATH: consultas.ASK_HANDLERS},
    {consultas.LIST_PATH: consultas.LIST_HANDLERS, consultas.SUMMARY_PATH: consultas.SUMMARY_HANDLERS},
)


@cache
def handlers() -> Mapping[str, Handler]:
    """Return the handler of each method of the catalogue, by endpoint."""
    known = dict(_known())
    return {method.endpoint: known.get(method.endpoint) or _plain(method) for method in catalog().methods}


@cache
def known_by_hand() -> frozenset[str]:
    """Return the endpoints that a family answers."""
    return frozenset(path + call for family in _FAMILIES for path, calls in family.items() for call in calls)


def _known() -> Iterator[tuple[str, Handler]]:
    for shelf in _SHELVES:
        for call, handler in shelf.handlers().items():
            yield shelf.path + call, handler
    for family in _FAMILIES:
        for path, calls in family.items():
            for call, handler in calls.items():
                yield path + call, handler


def _plain(method: Method) -> Handler:
    if method.kind == "list" and method.list_key is not None:
        return plain.list_of(method)
    if method.writes:
        return plain.act(method)
    listing = _listing_of(method)
    return plain.one_of(method, listing) if listing is not None else plain.answer(method)


def _listing_of(method: Method) -> Method | None:
    """Return the list in which the record that a `Consultar` asks for stands, where the service has just one."""
    if not method.call.startswith("Consultar"):
        return None
    lists = [each for each in catalog().methods if each.path == method.path and each.kind == "list" and each.list_key]
    return lists[0] if len(lists) == 1 else None
