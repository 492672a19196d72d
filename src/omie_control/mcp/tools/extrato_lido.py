"""An account's statement as tools work with it: what happened, what is only expected, and the balances."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from omie_control.mcp.tools.omie import Listing, Omie
from omie_control.mcp.tools.shapes import Row, Shape, code, days, money, text
from omie_control.services.answers import Answer

MOVIMENTOS = Shape(
    codigo_lancamento=code("nCodLancamento", "código"),
    data=days("dDataLancamento", "data"),
    valor=money("nValorDocumento", "valor"),
    cliente=text(lambda row: row.get("cRazCliente") or row.get("cDesCliente"), "cliente"),
    documento=text("cNumero", "documento"),
    origem=text("cOrigem", "origem"),
    situacao=text("cSituacao", "situação"),
    categoria=text("cCodCategoria"),
    observacao=text("cObservacoes"),
    saldo=money("nSaldo", "saldo"),
)
SALDOS = Shape(
    anterior=money("nSaldoAnterior"),
    atual=money("nSaldoAtual"),
    previsto=money("nSaldoAtualPrevisto"),
    conciliado=money("nSaldoConciliado"),
    disponivel=money("nSaldoDisponivel"),
)
CONTA = Shape(
    codigo_omie=code("nCodCC"),
    descricao=text("cDescricao"),
    banco=text("nCodBanco"),
    agencia=text("nCodAgencia"),
    numero=text("nNumConta"),
)
EXTRATO = Listing("financas/extrato/", "ListarExtrato", "movimentos do extrato", key="movimentos", shape=MOVIMENTOS)


@dataclass(frozen=True)
class Extrato:
    """A statement. `happened` moved the balance; `expected` are titles that have not been paid. Signed amounts."""

    conta: Row
    saldos: Row
    happened: list[dict[str, Any]]
    expected: list[dict[str, Any]]
    got: Answer

    @property
    def entradas(self) -> Decimal:
        """Return what came in."""
        return sum((row["valor"] for row in self.happened if row["valor"] > 0), Decimal(0))

    @property
    def saidas(self) -> Decimal:
        """Return what went out, without a sign."""
        return -sum((row["valor"] for row in self.happened if row["valor"] < 0), Decimal(0))

    @property
    def adds_up(self) -> bool:
        """Say whether the movements explain how the balance changed, as far as both balances are known."""
        before, after = self.saldos.get("anterior"), self.saldos.get("atual")
        return before is None or after is None or before + self.entradas - self.saidas == after

    def age(self) -> dict[str, Any]:
        """Return how old the statement is and whence it came."""
        return {"idade_segundos": round(self.got.age_seconds), "fonte": self.got.source}


async def read_statement(omie: Omie, account: int, since: date, until: date, *, only_balance: bool = False) -> Extrato:
    """Read an account's statement, which Omie gives whole."""
    fields = {"nCodCC": account, "dPeriodoInicial": since, "dPeriodoFinal": until}
    got = await omie.read(EXTRATO, fields | ({"cExibirApenasSaldo": True} if only_balance else {}))
    data = got.payload.data
    rows = [MOVIMENTOS.read(row) for row in EXTRATO.method.rows(data)]
    # Omie puts a row with the balance, without a situation, between the days.
    moved = [row for row in rows if {"situacao", "valor", "data"} <= row.keys()]
    happened = [row for row in moved if is_settled(row["situacao"])]
    expected = [row for row in moved if not is_settled(row["situacao"])]
    return Extrato(CONTA.read(data), SALDOS.read(data), happened, expected, got)


def is_settled(situation: str) -> bool:
    """Say whether a line of a statement has happened, ticked off or not; otherwise it is only expected."""
    return plainly(situation) in ("conciliado", "nao conciliado")


def is_reconciled(situation: str) -> bool:
    """Say whether a line was ticked off against the bank's statement."""
    return plainly(situation) == "conciliado"


def plainly(label: str) -> str:
    """Return a label of Omie's in small letters without accents: they vary."""
    bare = unicodedata.normalize("NFD", label)
    return "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold().strip()
