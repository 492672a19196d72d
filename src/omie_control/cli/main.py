"""`omie-control`: every command, by noun. Heavy rooms load only when their command runs."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Annotated

import typer

from omie_control import __version__
from omie_control.cli import audit, company, config, hold, key, person, process, role, token, user, webhook
from omie_control.cli.output import JsonFlag, accept_any_charset, print_error, print_json
from omie_control.cli.usage import Commands, mistake

main = Commands(
    name="omie-control",
    help="Torre de controle entre agentes de IA e o ERP Omie.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
main.add_typer(process.commands, name="process")
main.add_typer(company.commands, name="company")
main.add_typer(user.commands, name="user")
main.add_typer(role.commands, name="role")
main.add_typer(token.commands, name="token")
main.add_typer(audit.commands, name="audit")
main.add_typer(config.commands, name="config")
main.add_typer(key.commands, name="key")
main.add_typer(person.commands, name="person")
main.add_typer(hold.commands, name="hold")
main.add_typer(webhook.commands, name="webhook")

HostOption = Annotated[str | None, typer.Option(help="Endereço em que o servidor escuta.")]
PortOption = Annotated[int | None, typer.Option(min=0, max=65535, help="Porta do servidor HTTP.")]


@main.command()
def up(*, host: HostOption = None, port: PortOption = None) -> None:
    """Prepara e roda tudo nesta máquina: bancos, painel, MCP, trabalho de fundo e, sem empresa, o simulador."""
    _room("up").up(host=host, port=port)


@main.command()
def serve(*, host: HostOption = None, port: PortOption = None) -> None:
    """Roda só o servidor HTTP (painel, MCP, métricas); quantos quiser, sobre o mesmo banco."""
    _room("serve").serve(host=host, port=port)


@main.command()
def worker() -> None:
    """Roda só o trabalho de fundo; quantos quiser, sobre o mesmo banco."""
    _room("worker").worker()


@main.command()
def mcp(
    *,
    company: Annotated[str | None, typer.Option(help="Só esta empresa. Sem ela: todas.")] = None,
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Permite incluir e alterar; sem isto, só leitura.")
    ] = False,
    all_tools: Annotated[
        bool,
        typer.Option("--all-tools", help="Lista todas as ferramentas de uma vez, em vez da lista curta com busca."),
    ] = False,
) -> None:
    """Roda o servidor MCP por stdio; só leitura, a menos que se permita escrever."""
    _room("mcp").mcp(company=company, allow_writes=allow_writes, all_tools=all_tools)


@main.command()
def simulate(
    *,
    host: Annotated[str, typer.Option(help="Endereço em que o simulador escuta.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Porta; 0 escolhe uma livre.")] = 8899,
) -> None:
    """Roda o simulador do Omie sozinho, para testes."""
    _room("simulate").simulate(host=host, port=port)


@main.command()
def migrate(*, as_json: JsonFlag = False) -> None:
    """Atualiza o esquema do banco; repetir não muda nada."""
    _room("upkeep").migrate(as_json=as_json)


@main.command()
def doctor(*, as_json: JsonFlag = False) -> None:
    """Confere a instalação e diz, item a item, o que está bem e o que fazer com o que não está."""
    _room("upkeep").doctor(as_json=as_json)


@main.command()
def version(*, as_json: JsonFlag = False) -> None:
    """Mostra a versão."""
    if as_json:
        print_json({"version": __version__, "python": sys.version.split()[0]})
    else:
        sys.stdout.write(f"omie-control {__version__}\n")


def _say_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@main.callback()
def root(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Mostra a versão e sai.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Torre de controle entre agentes de IA e o ERP Omie."""


def run() -> None:
    """Run the command line; the entry point of the package."""
    accept_any_charset()
    try:
        ended = main(prog_name="omie-control", standalone_mode=False)
    except typer.Abort:
        sys.stderr.write("Interrompido; nada foi feito.\n")
        sys.exit(1)
    except typer.TyperException as error:
        # Who asked for nothing was shown the help already.
        if error.format_message():
            print_error(mistake(error), as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    sys.exit(ended if isinstance(ended, int) else 0)


def _room(name: str) -> ModuleType:
    """Load a command's module when it runs: the servers' rooms take more than a second to import."""
    return import_module(f"omie_control.cli.{name}")
