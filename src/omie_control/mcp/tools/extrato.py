"""The statement of an account, and its comparison with the bank's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastmcp.tools import ToolResult
from pydantic import BaseModel, ConfigDict, Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.extrato_lido import CONTA, EXTRATO, MOVIMENTOS, SALDOS, is_reconciled, read_statement
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie
from omie_control.mcp.tools.parameters import Codigo, Data, DinheiroComSinal, Pagina, RegistrosPorPagina, SimNao
from omie_control.mcp.tools.periodo import require_period
from omie_control.mcp.tools.shapes import Shape, code, days, result_schema
from omie_control.mcp.tools.values import shown_day, shown_money
from omie_control.mcp.tools.words import bullets, table

LINES_MAX = 300
SHOWN_MAX = 100
# The settlements of an account: what ties a line of the statement to the code that ConciliarRecebimento asks for.
BAIXAS = Listing(
    "financas/mf/",
    "ListarMovimentos",
    "baixas",
    key="baixas",
    shape=Shape(
        codigo_lancamento=code("detalhes.nCodMovCC"),
        codigo_baixa=code("detalhes.nCodBaixa"),
        codigo_titulo=code("detalhes.nCodTitulo"),
        codigo_conta_corrente=code("detalhes.nCodCC"),
        data=days("detalhes.dDtPagamento"),
    ),
)
_PAGES = 10
_BALANCES = {
    "anterior": "saldo anterior",
    "atual": "saldo atual",
    "previsto": "saldo previsto",
    "conciliado": "saldo conciliado",
    "disponivel": "saldo disponível",
}

Conta = Annotated[Codigo, Field(description="Conta corrente, código no Omie, de listar_contas_correntes.")]
De = Annotated[Data, Field(description="Primeiro dia.", examples=["01/11/2026"])]
Ate = Annotated[Data, Field(description="Último dia.", examples=["30/11/2026"])]


class LinhaDoBanco(BaseModel):
    """One line of the bank's own statement."""

    model_config = ConfigDict(extra="forbid")

    data: Annotated[Data, Field(description="Dia.")]
    valor: Annotated[DinheiroComSinal, Field(description="Valor em R$, negativo se saiu.")]
    historico: Annotated[str | None, Field(description="Texto do banco.", max_length=200)] = None


family = Family(Category.FINANCEIRO)
register = family.register

_MOVIMENTOS = {"type": "array", "items": MOVIMENTOS.schema()}
_TOTALS = {name: {"type": "number"} for name in ("entradas", "saidas")}
_AGE = {"idade_segundos": {"type": "integer"}, "fonte": {"type": "string"}}
_HEAD = {"conta": CONTA.schema(), "saldos": SALDOS.schema(), "de": {"type": "string"}, "ate": {"type": "string"}}


@family.asks(
    "Consultar extrato",
    Complexity.INTERMEDIARIA,
    result_schema(
        {
            **_HEAD,
            **_TOTALS,
            "saldo_confere": {"type": "boolean"},
            **{name: {"type": "integer"} for name in ("pagina", "total_de_paginas", "total_de_registros")},
            "tem_mais": {"type": "boolean"},
            "movimentos": _MOVIMENTOS,
            "previstos": _MOVIMENTOS,
            **_AGE,
        },
        "conta",
        "saldos",
        "movimentos",
    ),
    "Mostra o extrato de uma conta corrente: saldo anterior, atual e conciliado, total de entradas e saídas e cada "
    "movimento com sinal; previstos são títulos ainda não pagos e não entram nos totais. Com so_saldo=true, só os "
    "saldos. Para conferir com o banco, chame conciliar_bancaria.",
    EXTRATO,
)
async def consultar_extrato(
    omie: Omie,
    *,
    codigo_conta_corrente: Conta,
    de: De,
    ate: Ate,
    so_saldo: Annotated[SimNao, Field(description="true: sem os movimentos.")] = False,
    pagina: Pagina = 1,
    registros_por_pagina: RegistrosPorPagina = 50,
) -> ToolResult:
    require_period(de, ate, days_max=None)
    read = await read_statement(omie, codigo_conta_corrente, de, ate, only_balance=so_saldo)
    first = (pagina - 1) * registros_por_pagina
    chosen = read.happened[first : first + registros_por_pagina]
    pages = -(-len(read.happened) // registros_por_pagina)
    head = f"**{read.conta.get('descricao', 'Conta')}**, {shown_day(de)} a {shown_day(ate)} ({omie.company.slug})."
    facts = {
        "conta": read.conta,
        "de": de,
        "ate": ate,
        "saldos": read.saldos,
        **({} if so_saldo else {"entradas": read.entradas, "saidas": read.saidas, "saldo_confere": read.adds_up}),
        "pagina": pagina,
        "total_de_paginas": pages,
        "total_de_registros": len(read.happened),
        "tem_mais": pagina < pages,
        "movimentos": chosen,
        "previstos": read.expected[:SHOWN_MAX] if pagina == 1 else [],
        **read.age(),
    }
    told = [(_BALANCES[name], shown_money(value)) for name, value in read.saldos.items()]
    if not so_saldo:
        told += [("entradas", shown_money(read.entradas)), ("saídas", shown_money(read.saidas))]
    none = None if chosen or so_saldo else "Nada encontrado: movimentos neste período."
    odd = None if so_saldo or read.adds_up else "**Atenção:** os movimentos não explicam a diferença entre os saldos."
    return omie.answer(facts, head, bullets(told), odd, MOVIMENTOS.table(chosen) if chosen else none)


@dataclass(frozen=True)
class Compared:
    """The bank's lines against Omie's: pairs of positions, and what is left over on either side."""

    pairs: list[tuple[int, int, bool]]
    only_bank: list[int]
    only_omie: list[int]


@family.asks(
    "Conciliação bancária",
    Complexity.AVANCADA,
    result_schema(
        {
            **_HEAD,
            **{name: {"type": "integer"} for name in ("conciliados", "total_de_pendentes")},
            **{name: {"type": "number"} for name in ("entradas_pendentes", "saidas_pendentes")},
            "pendentes": {"type": "array", "items": {"type": "object"}},
            **{name: {"type": "array", "items": {"type": "object"}} for name in ("batem", "so_no_banco", "so_no_omie")},
            "dados_completos": {"type": "boolean"},
            **_AGE,
        },
        "conta",
        "saldos",
        "pendentes",
        "dados_completos",
    ),
    "Confere uma conta corrente com o banco, sem mudar nada: mostra o que ainda não foi conciliado no Omie e, com "
    "linhas_do_banco, o que bate (mesmo valor, data próxima), o que só o banco tem e o que só o Omie tem. Recebimentos "
    "trazem codigo_baixa: depois que alguém confirmar, chame conciliar_recebimento. Pagamentos e avulsos só se "
    "conciliam na tela do Omie. O que falta no Omie entra com lancar_recebimento, lancar_pagamento ou "
    "incluir_lancamento.",
    EXTRATO,
    BAIXAS,
)
async def conciliar_bancaria(
    omie: Omie,
    *,
    codigo_conta_corrente: Conta,
    de: De,
    ate: Ate,
    linhas_do_banco: Annotated[
        list[LinhaDoBanco] | None,
        Field(description="O extrato do banco no mesmo período.", min_length=1, max_length=LINES_MAX),
    ] = None,
    tolerancia_dias: Annotated[
        int, Field(description="Quantos dias as datas podem diferir.", ge=0, le=10, examples=[2])
    ] = 2,
) -> ToolResult:
    require_period(de, ate, days_max=None)
    outside = [n for n, line in enumerate(linhas_do_banco or (), 1) if not de <= line.data <= ate]
    if outside:
        raise InvalidInput(
            f"linhas_do_banco: a {outside[0]}ª está fora do período de {shown_day(de)} a {shown_day(ate)}.",
            hint="Aumente o período ou tire a linha; nada foi consultado.",
        )
    read = await read_statement(omie, codigo_conta_corrente, de, ate)
    lines = read.happened
    fields = {"cTpLancamento": "BX", "nCodCC": codigo_conta_corrente, "dDtPagtoDe": de, "dDtPagtoAte": ate}
    scan = await omie.every_page(BAIXAS, fields, max_pages=_PAGES)
    settled = {
        row["codigo_lancamento"]: row
        for row in scan.rows
        if "codigo_lancamento" in row and row.get("codigo_conta_corrente") == codigo_conta_corrente
    }
    shown = [_with_way(line, settled) for line in lines]
    pending = [line for line in shown if not line["conciliado"]]
    facts: dict[str, Any] = {
        "conta": read.conta,
        "de": de,
        "ate": ate,
        "saldos": read.saldos,
        "conciliados": len(shown) - len(pending),
        "total_de_pendentes": len(pending),
        "entradas_pendentes": sum((line["valor"] for line in pending if line["valor"] > 0), Decimal(0)),
        "saidas_pendentes": -sum((line["valor"] for line in pending if line["valor"] < 0), Decimal(0)),
        "pendentes": pending[:SHOWN_MAX],
        "dados_completos": scan.is_complete and len(pending) <= SHOWN_MAX,
        **read.age(),
    }
    head = f"**{read.conta.get('descricao', 'Conta')}**: {len(pending)} de {len(lines)} movimentos por conciliar."
    more = None if facts["dados_completos"] else "**Atenção:** nem tudo é mostrado; reduza o período."
    if linhas_do_banco is None:
        return omie.answer(facts, head, table(_HEADINGS, _readable(pending)) if pending else None, more)
    compared = compare(
        [(line.data, line.valor) for line in linhas_do_banco],
        [(line["data"], line["valor"]) for line in lines],
        tolerancia_dias,
    )
    bank = [line.model_dump(exclude_none=True) for line in linhas_do_banco]
    facts["batem"] = [_pair(bank[b], shown[o], doubtful=doubt) for b, o, doubt in compared.pairs]
    facts["so_no_banco"] = [bank[b] for b in compared.only_bank]
    facts["so_no_omie"] = [shown[o] for o in compared.only_omie][:SHOWN_MAX]
    counts = [
        ("batem", len(compared.pairs)),
        ("só no banco", len(compared.only_bank)),
        ("só no Omie", len(compared.only_omie)),
    ]
    return omie.answer(facts, head, bullets([(name, str(count)) for name, count in counts]), more)


_HEADINGS = {"data": "data", "valor": "valor", "cliente": "cliente", "como_conciliar": "como conciliar"}


def compare(
    bank: Sequence[tuple[date, Decimal]], omie: Sequence[tuple[date, Decimal]], tolerance_days: int
) -> Compared:
    """Pair lines of equal value, nearest days first, each once; a pair is doubtful when others would do as well."""
    near = [
        (abs((day - other).days), b, o)
        for b, (day, value) in enumerate(bank)
        for o, (other, amount) in enumerate(omie)
        if value == amount and abs((day - other).days) <= tolerance_days
    ]
    pairs: dict[int, tuple[int, int]] = {}
    taken: set[int] = set()
    for distance, b, o in sorted(near):
        if b not in pairs and o not in taken:
            pairs[b] = (o, distance)
            taken.add(o)
    of_bank = Counter((b, distance) for distance, b, _ in near)
    of_omie = Counter((o, distance) for distance, _, o in near)
    judged = [
        (b, o, of_bank[b, distance] > 1 or of_omie[o, distance] > 1) for b, (o, distance) in sorted(pairs.items())
    ]
    return Compared(
        judged, [b for b in range(len(bank)) if b not in pairs], [o for o in range(len(omie)) if o not in taken]
    )


def _with_way(line: dict[str, Any], settled: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Add to a line of the statement how it can be ticked off."""
    is_done = is_reconciled(line["situacao"])
    found = settled.get(line.get("codigo_lancamento", 0), {})
    is_receipt = bool(found) and line["valor"] > 0
    way = "" if is_done else "conciliar_recebimento" if is_receipt else "na tela do Omie"
    codes: dict[str, Any] = {name: found[name] for name in ("codigo_baixa", "codigo_titulo") if name in found}
    kept = {name: value for name, value in line.items() if name not in ("situacao", "saldo")}
    return {**kept, **codes, "conciliado": is_done, **({"como_conciliar": way} if way else {})}


def _pair(bank: dict[str, Any], line: dict[str, Any], *, doubtful: bool) -> dict[str, Any]:
    names = ("codigo_lancamento", "codigo_baixa", "cliente", "documento", "conciliado", "como_conciliar")
    ours = {name: line[name] for name in names if name in line}
    return {**bank, **ours, "data_no_omie": line["data"], **({"ha_outros_iguais": True} if doubtful else {})}


def _readable(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line | {"data": shown_day(line["data"]), "valor": shown_money(line["valor"])} for line in lines[:30]]
