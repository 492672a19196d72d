"""The `…PorLote` methods: up to 50 records a call, each as if it came alone; what failed is told in the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.engine.shelf import Handler, status_of
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_correntes, contas_pagar, contas_receber, produtos
from omie_control.simulator.world import Desk, Record

_MOST = 50
_One = Callable[[Desk, Record], dict[str, Any]]


def batch(path: str, call: str, tag: str, one: _One) -> Handler:
    """Return the handler of a batch whose records stand under `tag`; a bad record does not stop the others."""
    method = catalog().method(path, call)

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        records: list[Record] = param.get(tag, [])
        if not records:
            raise Refusal("Client-1000", f"ERROR: O preenchimento da(s) tag(s) [{tag}] é obrigatório!")
        if len(records) > _MOST:
            raise Refusal("Client-101", f"ERROR: O lote aceita no máximo {_MOST} registros!")
        told = [_attempt(one, desk, record) for record in records]
        failed = [each["descricao_status"] for each in told if each["codigo_status"] != "0"]
        text = f"{len(told) - len(failed)} de {len(told)} registros processados. {' '.join(failed)}".strip()
        answered: dict[str, Any] = {"lote": param.get("lote", 0), **status_of(method, text, "1" if failed else "0")}
        if "status_lote" in method.response_fields:
            answered["status_lote"] = told
        return answered

    return handle


HANDLERS: dict[str, dict[str, Handler]] = {
    clientes.PATH: {
        call: batch(clientes.PATH, call, "clientes_cadastro", one)
        for call, one in (("IncluirClientesPorLote", clientes.incluir), ("UpsertClientesPorLote", clientes.upsert))
    },
    produtos.PATH: {
        call: batch(produtos.PATH, call, "produto_servico_cadastro", one)
        for call, one in (("IncluirProdutosPorLote", produtos.incluir), ("UpsertProdutosPorLote", produtos.upsert))
    },
    contas_correntes.PATH: {
        "UpsertContaCorrentePorLote": batch(
            contas_correntes.PATH, "UpsertContaCorrentePorLote", "fin_conta_corrente_cadastro", contas_correntes.upsert
        )
    },
    contas_pagar.PATH: {
        call: batch(contas_pagar.PATH, call, "conta_pagar_cadastro", one)
        for call, one in (
            ("IncluirContaPagarPorLote", contas_pagar.SIDE.incluir),
            ("UpsertContaPagarPorLote", contas_pagar.SIDE.upsert),
        )
    },
    contas_receber.PATH: {
        call: batch(contas_receber.PATH, call, "conta_receber_cadastro", one)
        for call, one in (
            ("IncluirContaReceberPorLote", contas_receber.SIDE.incluir),
            ("UpsertContaReceberPorLote", contas_receber.SIDE.upsert),
        )
    },
}


def _attempt(one: _One, desk: Desk, record: Record) -> Record:
    try:
        done = one(desk, record)
    except Refusal as refusal:
        code = str(record.get("codigo_lancamento_integracao") or "")
        return {"codigo_lancamento_integracao": code, "codigo_status": refusal.code, "descricao_status": refusal.text}
    tags = ("codigo_lancamento_omie", "codigo_lancamento_integracao", "codigo_status", "descricao_status")
    return {"codigo_status": "0", "descricao_status": ""} | {tag: done[tag] for tag in tags if tag in done}
