"""What the stories of orders, quotes and invoicing share: an order to sell, and orders at any stage."""

from __future__ import annotations

from typing import Any

from tests.tool_stories import House

from omie_control.simulator.world import Row

ORDERS, NOTES = "pedidos", "notas"


def a_new_order(house: House, **more: Any) -> dict[str, Any]:
    """Return the arguments of an order of two items."""
    first, second, *_ = [row for row in house.table("produtos") if row.record.get("inativo") != "S"]
    return {
        "codigo_cliente": house.first("clientes", inativo="N").id,
        "previsao": "15/12/2026",
        "categoria": "1.01.01",
        "codigo_conta_corrente": next(iter(house.table("contas_correntes"))).id,
        "itens": [
            {"codigo_produto": first.id, "quantidade": 3, "valor_unitario": "10,50"},
            {"codigo_produto": second.id, "quantidade": "2", "valor_unitario": 100, "valor_desconto": "1,50"},
        ],
        **more,
    }


def at_stage(house: House, stage: str) -> Row:
    """Find an order at a stage that nobody cancelled."""
    return next(
        row
        for row in house.table(ORDERS)
        if row.record["cabecalho"]["etapa"] == stage and row.record["cancelled_at"] is None
    )


def named(house: House, stage: str) -> dict[str, int]:
    """Name an order at a stage by Omie's code."""
    return {"codigo_omie": at_stage(house, stage).id}


async def made(house: House, tool: str = "incluir_pedido_venda", **more: Any) -> int:
    """Make an order of our own through the tools, and return its code."""
    answer = await house.call(tool, **a_new_order(house, **more))
    assert not answer.is_error, answer.text
    code = answer.data["codigo_omie"]
    assert isinstance(code, int)
    return code
