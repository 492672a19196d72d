"""A FastMCP server of your own, under control: the two marked lines are all it takes.

Run it with `python examples/own_server.py` (stdio). With no `OMIE_CONTROL_*` variable set, the control starts
its own PostgreSQL and Valkey; `omie-control process list` then shows every call of these tools.
"""

from __future__ import annotations

import asyncio

from fastmcp import FastMCP
from fastmcp.exceptions import ToolError

from omie_control import DatabaseManager, ProcessController, control

controller = ProcessController(DatabaseManager())
mcp: FastMCP = FastMCP("loja", lifespan=controller.lifespan)  # 1: opens and closes with your server
mcp.add_middleware(control(controller))  # 2: every tool call is on record from here on


@mcp.tool(annotations={"readOnlyHint": True}, tags={"categoria:produtos"})
async def consultar_preco(produto: str) -> dict[str, str]:
    """Diz o preço de um produto."""
    if produto != "café":
        raise ToolError("Produto não encontrado.")
    return {"produto": produto, "preco": "18.90"}


@mcp.tool(timeout=5.0)
@controller.process("fechar_caixa", category="financeiro", complexity="avancada")
async def fechar_caixa(dia: str, segundos: float = 0.0) -> str:
    """Fecha o caixa de um dia; passa do tempo limite se demorar mais de cinco segundos."""
    async with controller.track("somar_vendas", {"dia": dia}) as run:
        await asyncio.sleep(segundos)
        run.result = {"total": "1234.50"}
    return f"Caixa de {dia} fechado."


@mcp.tool
async def esperar(segundos: float) -> str:
    """Espera, para que se possa cancelar."""
    await asyncio.sleep(segundos)
    return "pronto"


if __name__ == "__main__":
    mcp.run(show_banner=False)
