"""`omie-control`: every command, by noun. Heavy rooms load only when their command runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from omie_control import __version__
from omie_control.cli import company, process, servers, token, upkeep, user
from omie_control.cli.output import JsonFlag, print_json

main = typer.Typer(
    name="omie-control",
    help="Torre de controle entre agentes de IA e o ERP Omie.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
main.command("up")(servers.up)
main.command("serve")(servers.serve)
main.command("worker")(servers.worker)
main.command("mcp")(servers.mcp)
main.command("simulate")(servers.simulate)
main.command("migrate")(upkeep.migrate)
main.command("doctor")(upkeep.doctor)
main.add_typer(process.commands, name="process")
main.add_typer(company.commands, name="company")
main.add_typer(user.commands, name="user")
main.add_typer(token.commands, name="token")


@main.command()
def version(*, as_json: JsonFlag = False) -> None:
    """Mostra a versão."""
    if as_json:
        print_json({"version": __version__, "python": sys.version.split()[0]})
    else:
        sys.stdout.write(f"omie-control {__version__}\n")


@main.callback()
def root(
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Mostra a versão e sai.", is_eager=True)] = False,
) -> None:
    """Torre de controle entre agentes de IA e o ERP Omie."""
    if show_version:
        version()
        raise typer.Exit


def run() -> None:
    """Run the command line; the entry point of the package."""
    main()
