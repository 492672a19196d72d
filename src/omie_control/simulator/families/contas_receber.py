"""financas/contareceber: receivables."""

from __future__ import annotations

from omie_control.simulator.families.titulos import Side

PATH = "financas/contareceber/"
SIDE = Side(PATH, "contas_receber", "ListarContasReceber", "RECEBIDO", "BAXR", "data_registro")

HANDLERS = {
    "ListarContasReceber": SIDE.listar,
    "ConsultarContaReceber": SIDE.consultar,
    "IncluirContaReceber": SIDE.incluir,
    "AlterarContaReceber": SIDE.alterar,
    "UpsertContaReceber": SIDE.upsert,
    "ExcluirContaReceber": SIDE.excluir,
    "CancelarContaReceber": SIDE.cancelar,
    "LancarRecebimento": SIDE.baixar,
    "CancelarRecebimento": SIDE.cancelar_baixa,
    "ConciliarRecebimento": SIDE.conciliar,
    "DesconciliarRecebimento": SIDE.desconciliar,
}
