"""financas/contapagar: payables."""

from __future__ import annotations

from omie_control.simulator.families.titulos import Side

PATH = "financas/contapagar/"
SIDE = Side(PATH, "contas_pagar", "ListarContasPagar", "PAGO", "BAXP", "data_entrada")

HANDLERS = {
    "ListarContasPagar": SIDE.listar,
    "ConsultarContaPagar": SIDE.consultar,
    "IncluirContaPagar": SIDE.incluir,
    "AlterarContaPagar": SIDE.alterar,
    "UpsertContaPagar": SIDE.upsert,
    "ExcluirContaPagar": SIDE.excluir,
    "LancarPagamento": SIDE.baixar,
    "CancelarPagamento": SIDE.cancelar_baixa,
}
