"""`omie-control company`: the companies whose Omie we may call."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from omie_control.cli.output import JsonFlag, print_done, print_listing, print_object
from omie_control.cli.session import operator, read_secret, with_app
from omie_control.cli.usage import Commands

if TYPE_CHECKING:
    from omie_control.app import App

commands = Commands(help="Empresas: conectar, listar, testar.")
COLUMNS = {
    "slug": "empresa",
    "name": "nome",
    "app_key_hint": "app_key",
    "is_demo": "demonstração",
    "is_active": "ativa",
    "created_at": "desde",
}


@commands.command()
def add(
    slug: Annotated[str, typer.Argument(help="Nome curto, por exemplo: minha-empresa.")],
    *,
    name: Annotated[str | None, typer.Option(help="Nome por extenso.")] = None,
    app_key: Annotated[str, typer.Option(help="app_key do Omie.")],
    app_secret: Annotated[
        str | None,
        typer.Option(help="app_secret; melhor deixar que o comando pergunte."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Conecta uma empresa; as credenciais são guardadas cifradas."""
    secret = read_secret(app_secret, "app_secret")

    async def verb(app: App) -> None:
        made = await app.companies.add(operator(), slug, name or slug, app_key, secret)
        said = f"Empresa '{made.slug}' conectada. Confira com: omie-control company test {made.slug}"
        print_done(said, asdict(made), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista as empresas; nunca mostra as credenciais."""

    async def verb(app: App) -> None:
        rows = [asdict(company) for company in await app.companies.list(operator())]
        print_listing(rows, COLUMNS, as_json=as_json, empty="Nenhuma empresa conectada ainda.", zone=app.settings.zone)

    with_app(verb, as_json=as_json)


@commands.command()
def test(
    slug: Annotated[str | None, typer.Argument(help="Qual empresa; sem nome, a única.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Faz uma leitura pequena no Omie e diz se as credenciais funcionam."""

    async def verb(app: App) -> None:
        found = await app.connections.test(operator(), slug)
        error = found.error
        if as_json:
            print_object(asdict(replace(found, error=None)) | {"error": error and error.code}, as_json=True)
        elif error is None:
            sys.stdout.write(f"{found.company}: {found.message}\n")
        if error is not None:
            # As what it is: a script waits for an Omie that is away, and calls a person for one that refuses.
            said = f"{found.company}: {found.message}"
            raise type(error)(said, hint=f"Registro: {found.execution_id}", code=error.code, until=error.until)

    with_app(verb, as_json=as_json)
