"""`omie-control hold`: legal holds, which keep data from being erased."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from omie_control.cli.output import JsonFlag, print_done, print_listing
from omie_control.cli.session import operator, read_secret, with_app
from omie_control.cli.spans import in_zone
from omie_control.cli.usage import Commands

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.domain.erasures import Hold

commands = Commands(help="Retenções legais: o que não pode ser apagado por enquanto.")
COLUMNS = {
    "id": "retenção",
    "person": "pessoa",
    "company": "empresa",
    "since": "de",
    "until": "até",
    "reason": "motivo",
    "set_by": "por",
    "set_at": "desde",
    "lifted_at": "liberada em",
}


@commands.command("set")
def set_(
    *,
    reason: Annotated[str, typer.Option(help="Por que reter, por exemplo: processo judicial; fica no registro.")],
    person: Annotated[
        bool, typer.Option("--person", help="Retém os dados de uma pessoa; o CPF ou CNPJ é perguntado ou lido.")
    ] = False,
    company: Annotated[str | None, typer.Option(help="Só o que é desta empresa.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Só o que foi gravado a partir deste instante.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Só o que foi gravado antes deste instante.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Retém dados de uma pessoa, de uma empresa ou de um período, ou o que têm em comum."""
    document = read_secret(None, "CPF ou CNPJ") if person else None

    async def verb(app: App) -> None:
        zone, actor = app.settings.zone, operator()
        chosen = None if company is None else (await app.companies.resolve(actor, company)).id
        hold = await app.services.legal_holds.place(
            actor,
            reason,
            document=document,
            company=chosen,
            since=in_zone(since, zone),
            until=in_zone(until, zone),
        )
        print_done(f"Retido: {hold.id}", _row(hold), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command("list")
def list_(
    *, every: Annotated[bool, typer.Option("--all", help="Também as liberadas.")] = False, as_json: JsonFlag = False
) -> None:
    """Lista as retenções; a pessoa, só pelo código calculado."""

    async def verb(app: App) -> None:
        slugs = {company.id: company.slug for company in await app.companies.list(operator())}
        rows = [
            _row(hold) | {"company": None if hold.company_id is None else slugs.get(hold.company_id)}
            for hold in await app.services.legal_holds.list(operator(), live_only=not every)
        ]
        print_listing(rows, COLUMNS, as_json=as_json, empty="Nada está retido.", zone=app.settings.zone)

    with_app(verb, as_json=as_json)


@commands.command()
def lift(
    hold_id: UUID,
    *,
    reason: Annotated[str, typer.Option(help="Por que liberar; fica no registro.")],
    as_json: JsonFlag = False,
) -> None:
    """Libera o que estava retido; nada é apagado por isto."""

    async def verb(app: App) -> None:
        hold = await app.services.legal_holds.lift(operator(), hold_id, reason)
        print_done(f"Liberado: {hold.id}", _row(hold), as_json=as_json)

    with_app(verb, as_json=as_json)


def _row(hold: Hold) -> dict[str, Any]:
    return asdict(hold) | {"person": None if hold.person is None else hold.person.name}
