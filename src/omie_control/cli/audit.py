"""`omie-control audit`: the audit read, verified, exported; a file of it verified without any database."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from omie_control.cli.output import JsonFlag, local_time, print_json, print_listing, print_object
from omie_control.cli.session import operator, run_async, with_app
from omie_control.cli.usage import Commands
from omie_control.domain.damages import Finding, differences
from omie_control.domain.system_faults import reason_of
from omie_control.errors import Conflict, ControlError, InvalidInput
from omie_control.settings import Settings

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.domain.audit_file import FileReckoning

commands = Commands(help="A auditoria: ler, verificar, exportar.")
COLUMNS = {
    "at": "quando",
    "actor": "quem",
    "action": "ação",
    "outcome": "resultado",
    "object_id": "objeto",
    "id": "id",
}
_PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")
_INSTANTS = "Data ou instante: 2026-11-01 ou 2026-11-01T10:00."


@commands.command("list")
def list_(
    *,
    actor: Annotated[str | None, typer.Option(help="Quem, por exemplo user:maria ou token:*.")] = None,
    action: Annotated[str | None, typer.Option(help="Ação, por exemplo login.refused ou token.*.")] = None,
    outcome: Annotated[str | None, typer.Option(help="done, refused ou failed.")] = None,
    object: Annotated[str | None, typer.Option(help="O objeto: nome ou id do que foi mudado ou recusado.")] = None,
    since: Annotated[str | None, typer.Option(help=_INSTANTS)] = None,
    before: Annotated[str | None, typer.Option(help="Continua depois da última página.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Quantos.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Lista os eventos de auditoria, dos mais novos aos mais antigos."""

    async def verb(app: App) -> None:
        found = await app.services.trail.list(
            operator(),
            by=actor,
            action=action,
            outcome=outcome,
            object_id=object,
            since=None if since is None else instant(since, app.settings),
            before=None if before is None else _id(before),
            limit=limit,
        )
        rows = [asdict(event) for event in found]
        next_ = str(found[-1].id) if len(found) == limit else None
        print_listing(
            rows, COLUMNS, next=next_, as_json=as_json, empty="Nenhum evento encontrado.", zone=app.settings.zone
        )

    with_app(verb, as_json=as_json)


@commands.command()
def show(event: Annotated[str, typer.Argument(help="id do evento.")], *, as_json: JsonFlag = False) -> None:
    """Mostra um evento de auditoria, com o antes e o depois."""

    async def verb(app: App) -> None:
        row = asdict(await app.services.trail.show(operator(), _id(event)))
        if not as_json:
            row["at"] = local_time(row["at"], app.settings.zone)
        print_object(row, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def verify(
    *,
    since: Annotated[str | None, typer.Option(help=f"Só o que foi selado desde então. {_INSTANTS}")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Verifica toda a auditoria: encontra e nomeia o que foi alterado, removido, inserido ou trocado de lugar."""
    found: list[Finding] = []

    def hear(finding: Finding) -> None:
        if as_json:
            found.append(finding)
        else:
            sys.stdout.write(f"{finding.damage.value:<18} {finding.message}\n")

    async def verb(app: App) -> None:
        at = None if since is None else instant(since, app.settings)
        done = await app.services.trail.verify(operator(), hear, at)
        if as_json:
            facts = {"seals": done.seals, "first": done.first, "last": done.last, "records": done.records}
            items = [finding.as_fields() for finding in found]
            print_json({**facts, "waiting": done.waiting, "findings": done.findings, "items": items, "next": None})
        elif not done.findings:
            proved = f"{_many(done.records, 'registro')} em {_many(done.seals, 'selo')}"
            waiting = f" Ainda sem selo: {_many(done.waiting, 'registro')}." if done.waiting else ""
            sys.stdout.write(f"Tudo confere: {proved}.{waiting}\n")
        if done.findings:
            raise _damaged(f"A auditoria não confere: {differences(done.findings)}.")

    with_app(verb, as_json=as_json)


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


@commands.command()
def export(
    *,
    from_: Annotated[str, typer.Option("--from", help=f"Início. {_INSTANTS}")],
    to: Annotated[str | None, typer.Option("--to", help=f"Fim. {_INSTANTS} Sem ele: agora.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Arquivo novo a escrever.")],
    as_json: JsonFlag = False,
) -> None:
    """Escreve um arquivo assinado com a auditoria de um período, que se verifica sem o banco de dados."""

    async def verb(app: App) -> None:
        until = datetime.now(UTC) if to is None else instant(to, app.settings)
        made = await app.services.audit_export.write(operator(), instant(from_, app.settings), until, out)
        if as_json:
            print_json(asdict(made))
        else:
            sys.stdout.write(
                f"{made.records} registros de {made.seals} selos em {made.file}, assinado por {made.key_id}.\n"
            )

    with_app(verb, as_json=as_json)


@commands.command("public-key")
def public_key(*, as_json: JsonFlag = False) -> None:
    """Mostra a chave pública que assina os selos, para quem verifica arquivos em outro lugar."""

    async def verb(app: App) -> None:
        id, key = await app.services.audit_export.public_key(operator())
        print_object({"id": id, "public_key": key}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command("verify-file")
def verify_file(
    file: Annotated[Path, typer.Argument(help="Arquivo de `audit export`.")],
    *,
    public_key: Annotated[
        list[str] | None,
        typer.Option(help="Chave pública em que se confia, como a mostra `audit public-key`; pode repetir."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Verifica um arquivo exportado, sem banco de dados e sem a chave mestra."""
    from omie_control.domain.audit_file import FileCheck  # noqa: PLC0415 - cryptography, which `--help` need not load

    async def work() -> None:
        trusted = None if public_key is None else [_public_key(text) for text in public_key]
        try:
            with file.open("rb") as lines:
                check = FileCheck(lines, trusted)
                findings = list(check.findings())
        except OSError as exc:
            raise InvalidInput(f"O arquivo {file} não pode ser lido: {reason_of(exc)}.") from exc
        _print_file(check.reckoning, findings, is_trusted=trusted is not None, as_json=as_json)
        if findings:
            raise _damaged(f"O arquivo não confere: {differences(len(findings))}.")

    run_async(work(), as_json=as_json)


def _print_file(read: FileReckoning, findings: list[Finding], *, is_trusted: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "seals": read.seals,
                "records": read.records,
                "superseded": read.superseded,
                "retired": read.retired,
                "rewritten": read.rewritten,
                "keys": list(read.keys),
                "key_was_given": is_trusted,
                "findings": len(findings),
                "items": [finding.as_fields() for finding in findings],
                "next": None,
            }
        )
        return
    for finding in findings:
        sys.stdout.write(f"{finding.damage.value:<18} {finding.message}\n")
    if not findings:
        sys.stdout.write(f"Tudo confere: {read.records} registros em {read.seals} selos.\n")
        if not is_trusted:
            keys = ", ".join(f"{id} ({key.hex()})" for id, key in read.keys.items())
            sys.stdout.write(
                f"Assinado por {keys}. Confira a chave com quem exportou: omie-control audit public-key; "
                "depois repita com --public-key.\n"
            )


def instant(text: str, settings: Settings) -> datetime:
    """Read a date or an instant in the installation's zone. Raises InvalidInput with examples."""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(f"A data '{text[:40]}' não é válida.", hint=_INSTANTS) from None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=settings.zone)


def _id(text: str) -> UUID:
    try:
        return UUID(text.strip())
    except ValueError:
        raise InvalidInput(f"'{text[:40]}' não é o id de um evento.", hint="Veja omie-control audit list.") from None


def _public_key(text: str) -> bytes:
    plain = text.strip().lower()
    if not _PUBLIC_KEY.fullmatch(plain):
        raise InvalidInput(
            "A chave pública não é válida.", hint="São os 64 caracteres de omie-control audit public-key."
        )
    return bytes.fromhex(plain)


def _damaged(message: str) -> ControlError:
    """What a finding is for a script: what is stored contradicts what was sealed, exit 3."""
    return Conflict(message, hint="Guarde o banco como está e chame quem responde por ele.", code="auditoria_violada")
