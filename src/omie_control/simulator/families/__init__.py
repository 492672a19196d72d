"""The methods that are simulated, a file a service; what is not here answers that it is not simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from omie_control.simulator.families import (
    categorias,
    clientes,
    contas_correntes,
    contas_pagar,
    contas_receber,
    lancamentos,
    produtos,
)
from omie_control.simulator.families.vendas import etapas, faturamento, pedidos, simplificado
from omie_control.simulator.world import Desk, Record

Handler = Callable[[Desk, Record], dict[str, Any]]

_FAMILIES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    (clientes.PATH, clientes.HANDLERS),
    (categorias.PATH, categorias.HANDLERS),
    (produtos.PATH, produtos.HANDLERS),
    (contas_correntes.PATH, contas_correntes.HANDLERS),
    (contas_receber.PATH, contas_receber.HANDLERS),
    (contas_pagar.PATH, contas_pagar.HANDLERS),
    (lancamentos.PATH, lancamentos.HANDLERS),
    (pedidos.PATH, pedidos.HANDLERS),
    (simplificado.PATH, simplificado.HANDLERS),
    (faturamento.PATH, faturamento.HANDLERS),
    (etapas.HISTORY_PATH, etapas.HISTORY_HANDLERS),
    (etapas.STAGES_PATH, etapas.STAGES_HANDLERS),
)

HANDLERS: Mapping[str, Handler] = {path + call: handler for path, calls in _FAMILIES for call, handler in calls.items()}
