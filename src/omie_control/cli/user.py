"""`omie-control user`: people who may enter the dashboard."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from omie_control.cli.output import JsonFlag, local_time, print_listing, print_object
from omie_control.cli.session import operator, read_secret, with_app

if TYPE_CHECKING:
    from omie_control.app import App

commands = typer.Typer(help="Pessoas que entram no painel.", no_args_is_help=True)
COLUMNS = {
    "username": "nome",
    "role": "papel",
    "is_active": "ativa",
    "has_totp": "segundo fator",
    "last_login_at": "última entrada",
}


@commands.callback()
def root() -> None:
    """Pessoas que entram no painel."""


@commands.command()
def create(
    username: Annotated[str, typer.Argument(help="Nome de acesso, em minúsculas.")],
    *,
    role: Annotated[
        str, typer.Option(help="viewer, operator, approver, admin, auditor ou um papel próprio.")
    ] = "viewer",
    company: Annotated[list[str] | None, typer.Option(help="Só esta empresa; pode repetir. Sem ela: todas.")] = None,
    password: Annotated[
        str | None, typer.Option(help="Senha; melhor deixar que o comando pergunte, ou mandar pela entrada padrão.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Cria uma pessoa."""
    secret = read_secret(password, "Senha")

    async def verb(app: App) -> None:
        actor = operator()
        companies = [(await app.companies.resolve(actor, slug)).id for slug in company] if company else None
        made = await app.users.create(actor, username, secret, await app.services.roles.named(role), companies)
        if as_json:
            print_object({"id": made.id, "username": made.username, "role": made.role.value}, as_json=True)
        else:
            sys.stdout.write(f"Pessoa '{made.username}' criada com o papel {made.role}.\n")

    with_app(verb, as_json=as_json)


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista as pessoas, o papel de cada uma e quando entraram pela última vez."""

    async def verb(app: App) -> None:
        rows = [asdict(person) | {"role": person.role.value} for person in await app.users.list(operator())]
        if not as_json:
            for row in rows:
                row["last_login_at"] = local_time(row["last_login_at"], app.settings.zone)
        print_listing(rows, COLUMNS, as_json=as_json, empty="Nenhuma pessoa ainda.")

    with_app(verb, as_json=as_json)


@commands.command()
def role(
    username: Annotated[str, typer.Argument(help="Nome de acesso.")],
    role: Annotated[str, typer.Argument(help="O novo papel, do sistema ou próprio.")],
    *,
    company: Annotated[list[str] | None, typer.Option(help="Só esta empresa; pode repetir. Sem ela: todas.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Dá outro papel a uma pessoa."""

    async def verb(app: App) -> None:
        actor = operator()
        companies = [(await app.companies.resolve(actor, slug)).id for slug in company] if company else None
        now = await app.users.change_role(actor, username, await app.services.roles.named(role), companies)
        if as_json:
            print_object({"id": now.id, "username": now.username, "role": now.role.value}, as_json=True)
        else:
            sys.stdout.write(f"Pessoa '{now.username}' agora tem o papel {now.role}.\n")

    with_app(verb, as_json=as_json)
