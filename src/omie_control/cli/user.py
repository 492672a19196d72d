"""`omie-control user`: people who may enter the dashboard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from omie_control.cli.output import JsonFlag, print_object
from omie_control.cli.session import operator, read_secret, with_app
from omie_control.domain.actors import Role
from omie_control.errors import InvalidInput

if TYPE_CHECKING:
    from omie_control.app import App

commands = typer.Typer(help="Pessoas que entram no painel.", no_args_is_help=True)


@commands.callback()
def root() -> None:
    """Pessoas que entram no painel."""


@commands.command()
def create(
    username: Annotated[str, typer.Argument(help="Nome de acesso, em minúsculas.")],
    *,
    role: Annotated[str, typer.Option(help="viewer, operator, approver, admin ou auditor.")] = "viewer",
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
        made = await app.users.create(actor, username, secret, role_of(role), companies)
        if as_json:
            print_object({"id": made.id, "username": made.username, "role": made.role}, as_json=True)
        else:
            sys.stdout.write(f"Pessoa '{made.username}' criada com o papel {made.role}.\n")

    with_app(verb, as_json=as_json)


def role_of(text: str) -> Role:
    """Read a role's name. Raises InvalidInput listing the roles."""
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput(f"O papel '{text[:40]}' não existe.", hint=f"Use um destes: {', '.join(Role)}.") from None
