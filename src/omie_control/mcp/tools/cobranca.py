"""Collecting: who owes what, what to write to them, and bank slips for what has none.

Omie's API sends nothing to customers. What it really offers for an overdue title is a bank slip; so that is all that
this tool ever writes, and only when it is told not to simulate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import ControlError, OmieFault
from omie_control.mcp.tools.boletos import GERAR
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.financas_lidas import BASIS, TITULOS, based_on, days_late, open_titles, total, warned
from omie_control.mcp.tools.omie import Asked, Listing, Omie
from omie_control.mcp.tools.parameters import Codigo, SimNao, Valor
from omie_control.mcp.tools.shapes import Row, Shape, code, result_schema, text
from omie_control.mcp.tools.values import Misread, read_flag, shown_day, shown_money
from omie_control.mcp.tools.words import table
from omie_control.mcp.traits import Traits, varying

CLIENTS_MAX = 50
SLIPS_MAX = 20
TITLES_TOLD = 5
# So many refusals in a row are one cause; Omie blocks a company after ten.
_REFUSALS_MAX = 3
CLIENTES = Listing(
    "geral/clientes/",
    "ListarClientes",
    "clientes",
    key="clientes",
    shape=Shape(
        codigo=code("codigo_cliente_omie"),
        nome=text("nome_fantasia"),
        razao_social=text("razao_social"),
        email=text("email"),
        telefone=text(lambda row: f"{row.get('telefone1_ddd') or ''} {row.get('telefone1_numero') or ''}"),
    ),
)
DETALHES = Asked("financas/resumo/", "ObterDetalhesLancamento", "título")

family = Family(Category.FINANCEIRO)
register = family.register


def only_when_meant(base: Traits, arguments: Mapping[str, Any]) -> Traits:
    """Let a call that simulates be one that reads. Raw arguments: what cannot be read is refused anyway."""
    try:
        is_simulated = read_flag(arguments.get("simular_apenas", True))
    except Misread:
        is_simulated = True
    return replace(base, writes=not is_simulated, varies=None)


@dataclass
class Slips:
    """What became of the titles that had no bank slip."""

    made: list[dict[str, Any]] = field(default_factory=list)
    had: list[int] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


@family.asks(
    "Processar cobrança",
    Complexity.ESPECIALIZADA,
    result_schema(
        {
            "simulacao": {"type": "boolean"},
            "hoje": {"type": "string"},
            "total_de_clientes": {"type": "integer"},
            "total_de_titulos": {"type": "integer"},
            "total_vencido": {"type": "number"},
            "titulos_sem_boleto": {"type": "integer"},
            **{name: {"type": "array", "items": {"type": "object"}} for name in ("clientes", "boletos", "recusados")},
            **{name: {"type": "array", "items": {"type": "integer"}} for name in ("ja_tinham_boleto", "nao_tentados")},
            **BASIS,
        },
        "simulacao",
        "clientes",
        "total_vencido",
        "dados_completos",
    ),
    "Mostra quem está em atraso: por cliente, títulos, total em aberto, contato e uma mensagem sugerida. Não envia "
    "nada a ninguém: a API do Omie não envia mensagens. Com simular_apenas=false, depois que uma pessoa confirmar, "
    f"também gera boleto para os títulos mostrados que não têm (até {SLIPS_MAX} por vez, só onde o Omie diz que pode); "
    "os links voltam em boletos.",
    TITULOS,
    CLIENTES,
    DETALHES,
    GERAR,
    may_write=True,
)
@varying(only_when_meant)
async def processar_cobranca_automatica(
    omie: Omie,
    *,
    simular_apenas: Annotated[SimNao, Field(description="false: gera os boletos que faltam.")] = True,
    dias_minimos: Annotated[int, Field(description="Atraso mínimo em dias.", ge=1, le=3650, examples=[5])] = 1,
    valor_minimo: Annotated[Valor | None, Field(description="Só clientes que devem ao menos isto.")] = None,
    codigo_cliente: Annotated[Codigo | None, Field(description="Só este cliente, código no Omie.")] = None,
    limite: Annotated[int, Field(description="Clientes na resposta.", ge=1, le=CLIENTS_MAX, examples=[20])] = 20,
) -> ToolResult:
    scan = await open_titles(omie, "receber", {"nCodCliente": codigo_cliente}, late_only=True)
    debts = debts_of(scan.rows, omie.today, dias_minimos, valor_minimo or Decimal(0))
    chosen = debts[:limite]
    contacts = await _contacts(omie, [client for client, _ in chosen])
    late = [row for _, titles in debts for row in titles]
    facts: dict[str, Any] = {
        "simulacao": simular_apenas,
        "hoje": omie.today,
        "total_de_clientes": len(debts),
        "total_de_titulos": len(late),
        "total_vencido": total(late),
        "titulos_sem_boleto": sum(1 for row in late if "numero_boleto" not in row),
        "clientes": [_debtor(client, titles, contacts.get(client, {}), omie.today) for client, titles in chosen],
        **based_on([scan]),
    }
    head = f"{len(debts)} clientes em atraso, {shown_money(total(late))} (empresa {omie.company.slug})."
    if not debts:
        return omie.answer(facts, warned([scan]), f"Nenhum título vencido a cobrar (empresa {omie.company.slug}).")
    if simular_apenas:
        sent = "Simulação: nada foi gravado nem enviado."
        return omie.answer(facts, warned([scan]), head, _debtors_table(facts["clientes"]), sent)
    slips = await _issue(omie, [row for _, titles in chosen for row in titles if "numero_boleto" not in row])
    facts |= {"boletos": slips.made, "recusados": slips.refused}
    facts |= {"ja_tinham_boleto": slips.had, "nao_tentados": slips.left}
    done = f"{len(slips.made)} boletos gerados, {len(slips.refused)} recusados, {len(slips.left)} não tentados."
    return omie.answer(facts, warned([scan]), head, _debtors_table(facts["clientes"]), done)


def debts_of(rows: Sequence[Row], today: date, days_min: int, least: Decimal) -> list[tuple[int, list[Row]]]:
    """Gather overdue titles by customer, oldest first; whoever owes most comes first."""
    of_client: dict[int, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.get("vencimento", today)):
        if days_late(row, today) >= days_min and "codigo_cliente" in row:
            of_client[row["codigo_cliente"]].append(row)
    owing = [(client, titles) for client, titles in of_client.items() if total(titles) >= least]
    return sorted(owing, key=lambda pair: -total(pair[1]))


def message_to(name: str, titles: Sequence[Row], today: date) -> str:
    """Write what one could send to a customer; a person sends it, or not."""
    lines = [
        f"- {row.get('documento') or row['codigo_omie']}: R$ {shown_money(row['valor_aberto'])}, vencido em "
        f"{shown_day(row['vencimento'])}, há {days_late(row, today)} dias"
        for row in titles[:TITLES_TOLD]
    ]
    more = len(titles) - TITLES_TOLD
    return "\n".join(
        [
            f"Olá{f', {name}' if name else ''}! Consta em aberto conosco R$ {shown_money(total(titles))}:",
            *lines,
            *([f"- e mais {more} títulos"] if more > 0 else []),
            "Se já pagou, desconsidere e nos avise, por favor. Podemos ajudar com a forma de pagamento?",
        ]
    )


async def _contacts(omie: Omie, clients: Sequence[int]) -> dict[int, Row]:
    if not clients:
        return {}
    wanted = [{"codigo_cliente_omie": client} for client in sorted(clients)]
    page = await omie.page(CLIENTES, {"clientesPorCodigo": wanted}, size=CLIENTS_MAX)
    return {row["codigo"]: row for row in page.rows if "codigo" in row}


def _debtor(client: int, titles: Sequence[Row], contact: Row, today: date) -> dict[str, Any]:
    name = contact.get("nome") or contact.get("razao_social", "")
    known = {key: contact[key] for key in ("email", "telefone") if contact.get(key)}
    shown = ("codigo_omie", "documento", "parcela", "vencimento", "valor_aberto", "numero_boleto")
    return {
        "codigo_cliente": client,
        **({"nome": name} if name else {}),
        **known,
        "total_vencido": total(titles),
        "maior_atraso_dias": max(days_late(row, today) for row in titles),
        "titulos": [
            {key: row[key] for key in shown if key in row} | {"dias_de_atraso": days_late(row, today)} for row in titles
        ],
        "mensagem_sugerida": message_to(name, titles, today),
    }


async def _issue(omie: Omie, titles: Sequence[Row]) -> Slips:
    """Make a bank slip for each title for which Omie says that it can be made.

    A refusal concerns one title; anything else (busy, away, in doubt) ends the run, and what was made is told.
    """
    slips = Slips(left=[row["codigo_omie"] for row in titles[SLIPS_MAX:]])
    in_a_row = 0
    for position, row in enumerate(titles[:SLIPS_MAX]):
        if in_a_row >= _REFUSALS_MAX:
            slips.left = [each["codigo_omie"] for each in titles[position:]]
            return slips
        title = {"codigo_omie": row["codigo_omie"]}
        try:
            known = (await omie.read(DETALHES, {"nIdTitulo": row["codigo_omie"]})).payload.data
            if known.get("cBolGerado") == "S":
                slips.had.append(row["codigo_omie"])
                continue
            if known.get("cBolPodeGerar") != "S":
                slips.refused.append(title | {"motivo": "O Omie não diz que este título pode ter boleto."})
                continue
            made = await omie.write_answer(GERAR, {"nCodTitulo": row["codigo_omie"]}, None)
        except OmieFault as error:
            slips.refused.append(title | {"motivo": error.message})
            in_a_row += 1
        except ControlError as error:
            if slips.made:
                done = ", ".join(str(each["codigo_omie"]) for each in slips.made)
                error.message += f" Antes disso foram gerados os boletos dos títulos {done}."
            raise
        else:
            in_a_row = 0
            told = dict(made.structured_content or {})
            slips.made.append({key: value for key, value in told.items() if key not in ("empresa", "execution_id")})
    return slips


def _debtors_table(debtors: Sequence[Mapping[str, Any]]) -> str:
    columns = {"codigo_cliente": "cliente", "nome": "nome", "titulos": "títulos", "maior_atraso_dias": "dias"}
    columns["total_vencido"] = "vencido"
    rows = [
        {**each, "titulos": len(each["titulos"]), "total_vencido": shown_money(each["total_vencido"])}
        for each in debtors
    ]
    return table(columns, rows)
