"""`omie-control config`: what is configured, who changed it when, and the way back."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omie_control.cli.output import JsonFlag, print_listing, print_object
from omie_control.cli.session import operator, with_app
from omie_control.cli.usage import Commands

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.configuration import Setting

commands = Commands(help="Configuração: chaves conhecidas, histórico e volta.")
COLUMNS = {
    "config_key": "chave",
    "value": "valor",
    "unit": "unidade",
    "default": "padrão",
    "description": "para que serve",
    "problem": "problema",
}
FIELDS = {
    "config_key": "chave",
    "config_type": "tipo",
    "value": "valor",
    "default": "padrão",
    "is_default": "está no padrão",
    "description": "para que serve",
    "unit": "unidade",
    "updated_at": "mudada em",
    "problem": "problema",
}
CHANGES = {
    "revision": "revisão",
    "at": "quando",
    "changed_by": "quem",
    "config_key": "chave",
    "before": "antes",
    "after": "depois",
}
DIFFERENCES = {"config_key": "chave", "before": "antes", "after": "depois"}
KeyArgument = Annotated[str, typer.Argument(help="A chave, como writes.enabled; `config list` mostra todas.")]


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista as chaves, o que vale agora e o padrão de cada uma."""

    async def verb(app: App) -> None:
        rows = [asdict(setting) for setting in await app.services.configurations.list(operator())]
        print_listing(rows, COLUMNS, as_json=as_json, empty="")

    with_app(verb, as_json=as_json)


@commands.command()
def get(key: KeyArgument, *, as_json: JsonFlag = False) -> None:
    """Mostra uma chave; de um segredo, só se ele existe."""

    async def verb(app: App) -> None:
        _print(await app.services.configurations.get(operator(), key), app, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command("set")
def set_(
    key: KeyArgument,
    value: Annotated[str | None, typer.Argument(help="O valor. Um segredo: omita e escreva na entrada padrão.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Muda um valor; em até 2 segundos todos os processos o usam, sem reiniciar."""
    given = value if value is not None else sys.stdin.readline().rstrip("\n")

    async def verb(app: App) -> None:
        _print(await app.services.configurations.set(operator(), key, given), app, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def unset(key: KeyArgument, *, as_json: JsonFlag = False) -> None:
    """Volta uma chave ao padrão."""

    async def verb(app: App) -> None:
        _print(await app.services.configurations.unset(operator(), key), app, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def history(
    key: Annotated[str | None, typer.Argument(help="Só esta chave.")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Quantas mudanças.")] = 50,
    before: Annotated[str | None, typer.Option(help="Cursor da página anterior.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Mostra quem mudou o quê e quando, também à mão no banco."""

    async def verb(app: App) -> None:
        found, cursor = await app.services.configurations.history(operator(), key, before=before, limit=limit)
        rows: list[dict[str, Any]] = [asdict(change) for change in found]
        print_listing(
            rows, CHANGES, next=cursor, as_json=as_json, empty="Nada foi mudado ainda.", zone=app.settings.zone
        )

    with_app(verb, as_json=as_json)


@commands.command()
def diff(
    since: Annotated[int, typer.Argument(help="Revisão de partida; 0 é antes da primeira.")],
    until: Annotated[int | None, typer.Argument(help="Revisão de chegada; sem ela, agora.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Mostra o que mudou de uma revisão a outra."""

    async def verb(app: App) -> None:
        rows = [asdict(each) for each in await app.services.configurations.diff(operator(), since, until)]
        print_listing(rows, DIFFERENCES, as_json=as_json, empty="Nada mudou entre as duas.")

    with_app(verb, as_json=as_json)


@commands.command()
def rollback(
    revision: Annotated[int, typer.Argument(help="Volta ao que valia logo depois desta revisão.")],
    *,
    key: Annotated[str | None, typer.Option(help="Só esta chave.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Volta a configuração a uma revisão; a volta é ela mesma uma mudança, com histórico e auditoria."""

    async def verb(app: App) -> None:
        rows = [asdict(each) for each in await app.services.configurations.roll_back(operator(), revision, key)]
        print_listing(rows, DIFFERENCES, as_json=as_json, empty="Já estava assim; nada mudou.")

    with_app(verb, as_json=as_json)


def _print(setting: Setting, app: App, *, as_json: bool) -> None:
    print_object(asdict(setting), as_json=as_json, titles=FIELDS, zone=app.settings.zone)
