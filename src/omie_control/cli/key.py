"""`omie-control key`: master keys: which are in force, a new one, the change from one to the next."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from omie_control.cli.output import JsonFlag, print_listing, print_object
from omie_control.cli.session import operator, with_app
from omie_control.cli.usage import Commands

if TYPE_CHECKING:
    from omie_control.app import App

commands = Commands(help="Chaves mestras: listar, gerar, trocar.")
COLUMNS = {
    "id": "chave",
    "is_current": "em uso",
    "created_at": "desde",
    "retired_at": "até",
    "data_keys": "chaves de dados",
    "companies": "empresas",
    "seal_keys": "chaves de selo",
    "configurations": "configurações",
}
ROTATED = {"before": "chave antiga", "after": "chave nova", "rows": "cifras refeitas"}


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista as chaves mestras pelo nome, e quanto ainda está cifrado com cada uma; nunca mostra uma chave."""

    async def verb(app: App) -> None:
        rows = [asdict(use) for use in await app.services.key_rotation.list(operator())]
        print_listing(rows, COLUMNS, as_json=as_json, empty="Nenhuma chave em uso ainda.", zone=app.settings.zone)

    with_app(verb, as_json=as_json)


@commands.command()
def new() -> None:
    """Gera uma chave mestra e a mostra; guarde-a num cofre. Não muda nada."""
    from omie_control.domain.sealing import key_text, new_key  # noqa: PLC0415 - the ciphers load only here

    sys.stdout.write(key_text(new_key()) + "\n")


@commands.command()
def rotate(
    *,
    to: Annotated[str | None, typer.Option(help="Nome da chave nova, quando as chaves vêm de um ajuste.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Troca a chave mestra enquanto tudo roda; a antiga fica, para as cópias de segurança feitas com ela."""

    def wait() -> None:
        if not as_json:
            sys.stderr.write("Trocada. Esperando os outros processos saberem…\n")

    async def verb(app: App) -> None:
        done = await app.services.key_rotation.rotate(operator(), to, wait=wait)
        print_object(asdict(done), as_json=as_json, titles=ROTATED)
        if not as_json and app.services.keys.ring.is_ours:
            sys.stderr.write(f"Faça agora uma cópia de {app.services.keys.ring.path}: ela tem a chave nova.\n")

    with_app(verb, as_json=as_json)
