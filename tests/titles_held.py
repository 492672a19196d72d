"""The titles and entries that the simulator holds, reckoned anew: what reports are compared with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from tests.tool_stories import House

BRASILIA = timezone(timedelta(hours=-3))


@dataclass(frozen=True)
class Held:
    """A title as the simulator's tables have it. Money exact, in reais."""

    id: int
    side: str
    client: int
    category: str
    account: int
    due: date
    issued: date
    value: Decimal
    paid: Decimal
    is_cancelled: bool

    @property
    def open(self) -> Decimal:
        return Decimal(0) if self.is_cancelled else self.value - self.paid


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007


def today() -> date:
    return datetime.now(BRASILIA).date()


def money(value: object) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def held(house: House, *sides: str) -> list[Held]:
    """List the titles of one side or both ("receber", "pagar")."""
    found = []
    for side in sides or ("receber", "pagar"):
        settled: dict[int, Decimal] = defaultdict(Decimal)
        for row in house.table(f"baixas_contas_{side}"):
            settled[row.record["title"]] += money(row.record["value"]) + money(row.record["discount"])
        for row in house.table(f"contas_{side}"):
            record = row.record
            found.append(
                Held(
                    row.id,
                    side,
                    record["codigo_cliente_fornecedor"],
                    record["codigo_categoria"],
                    record["id_conta_corrente"],
                    day(record["data_vencimento"]),
                    day(record["data_emissao"]),
                    money(record["valor_documento"]),
                    settled[row.id],
                    record.get("status_titulo") == "CANCELADO",
                )
            )
    return found


@dataclass(frozen=True)
class Moved:
    """An entry of an account, signed."""

    id: int
    account: int
    at: date
    value: Decimal
    category: str
    origin: str


def moved(house: House) -> list[Moved]:
    """List what went through the accounts, transfers too."""
    return [
        Moved(
            row.id,
            row.record["cabecalho"]["nCodCC"],
            day(row.record["cabecalho"]["dDtLanc"]),
            money(row.record["cabecalho"]["nValorLanc"]) * (-1 if row.record["diversos"]["cNatureza"] == "P" else 1),
            row.record.get("detalhes", {}).get("cCodCateg", ""),
            row.record["diversos"]["cOrigem"],
        )
        for row in house.table("lancamentos")
    ]


async def make_exceptions(house: House) -> None:
    """Make what a report must not overlook: a title paid in part, a cancelled one, one due today, a transfer."""
    account = next(iter(house.table("contas_correntes"))).id
    other = list(house.table("contas_correntes"))[1].id
    late = [each for each in held(house, "receber") if each.open == each.value and each.due < today()]
    await house.call(
        "lancar_recebimento",
        codigo_omie=late[0].id,
        codigo_conta_corrente=account,
        valor=10.01,
        data=today().isoformat(),
    )
    house.row("contas_receber", late[1].id).record["status_titulo"] = "CANCELADO"
    await house.call(
        "incluir_conta_receber",
        codigo_cliente=late[0].client,
        valor="123,45",
        vencimento=today().isoformat(),
        emissao=today().isoformat(),
        categoria="1.01.01",
        codigo_conta_corrente=account,
    )
    await house.call(
        "incluir_lancamento",
        codigo_conta_corrente=account,
        codigo_conta_destino=other,
        valor=1000,
        data=today().isoformat(),
    )
    await house.call(
        "incluir_lancamento",
        codigo_conta_corrente=account,
        valor="77,70",
        data=today().isoformat(),
        categoria="2.02.01",
    )
