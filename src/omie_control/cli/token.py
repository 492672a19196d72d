"""`omie-control token`: keys of agents and scripts; shown once, stored hashed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from omie_control.cli.output import JsonFlag, print_done, print_listing, print_object
from omie_control.cli.scopes import CompaniesOption, companies_of
from omie_control.cli.session import operator, with_app
from omie_control.cli.spans import read_span
from omie_control.cli.usage import Commands
from omie_control.domain.networks import require_networks
from omie_control.errors import InvalidInput

if TYPE_CHECKING:
    from omie_control.app import App

commands = Commands(help="Tokens de agentes e scripts.")
COLUMNS = {
    "id": "id",
    "name": "nome",
    "prefix": "prefixo",
    "role": "papel",
    "networks": "só de",
    "not_before": "vale desde",
    "expires_at": "expira",
    "last_used_at": "último uso",
    "revoked_at": "revogado",
}


@commands.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Para quem é, por exemplo: claude-financeiro.")],
    role: Annotated[
        str, typer.Option(help="agent, viewer, operator, approver, admin, auditor ou um papel próprio.")
    ] = "agent",
    company: CompaniesOption = None,
    expires: Annotated[
        str | None, typer.Option(help="Quando expira: 90d, 12h, 30m ou uma data AAAA-MM-DD. Sem ela: nunca.")
    ] = None,
    starts: Annotated[str | None, typer.Option(help="Quando começa a valer, na mesma forma. Sem ela: agora.")] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(help="Só vale deste endereço ou rede (203.0.113.7, 10.20.0.0/16); pode repetir. Sem ela: todos."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Cria um token e o mostra uma única vez."""

    async def verb(app: App) -> None:
        actor = operator()
        companies = await companies_of(app, actor, company)
        made, secret = await app.tokens.create(
            actor,
            name,
            await app.services.roles.named(role),
            companies=companies,
            default_company=companies[0] if companies and len(companies) == 1 else None,
            networks=require_networks(network or ()),
            not_before=expiry(starts, datetime.now(UTC)),
            expires_at=expiry(expires, datetime.now(UTC)),
        )
        if as_json:
            print_object({"token": secret, "id": made.id}, as_json=True)
        else:
            sys.stdout.write(f"{secret}\n")
            sys.stderr.write("Guarde agora: este token não será mostrado de novo.\n")

    with_app(verb, as_json=as_json)


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista os tokens; nunca mostra o segredo."""

    async def verb(app: App) -> None:
        rows = [
            asdict(token) | {"role": token.role.value, "networks": [str(network) for network in token.networks]}
            for token in await app.tokens.list(operator())
        ]
        if not as_json:
            for row in rows:
                row["networks"] = ", ".join(row["networks"]) or None
        print_listing(rows, COLUMNS, as_json=as_json, empty="Nenhum token criado ainda.", zone=app.settings.zone)

    with_app(verb, as_json=as_json)


@commands.command()
def revoke(
    token: Annotated[str, typer.Argument(help="id, nome ou prefixo do token.")], *, as_json: JsonFlag = False
) -> None:
    """Revoga um token; ele deixa de valer em toda parte em até 2 segundos."""

    async def verb(app: App) -> None:
        gone = await app.tokens.revoke(operator(), token)
        facts = {"id": gone.id, "revoked_at": gone.revoked_at}
        print_done(f"Token '{gone.name}' revogado.", facts, as_json=as_json)

    with_app(verb, as_json=as_json)


def expiry(text: str | None, now: datetime) -> datetime | None:
    """Read an expiry: a span from now, or a date. Raises InvalidInput with examples."""
    if text is None:
        return None
    span = read_span(text)
    try:
        if span is not None:
            return now + span
        parsed = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise InvalidInput(f"A data '{text[:40]}' não é válida.", hint="Exemplos: 90d, 12h, 2027-01-31.") from None
    instant = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
    if instant <= now:
        raise InvalidInput(f"A data '{text[:40]}' já passou.", hint="Exemplos: 90d, 12h, 2027-01-31.")
    return instant
