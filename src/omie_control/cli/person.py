"""`omie-control person`: what is held about one CPF or CNPJ, its erasure, and the record of processing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omie_control.cli.output import JsonFlag, print_error, print_listing, print_object
from omie_control.cli.session import operator, read_secret, with_app
from omie_control.cli.usage import Commands
from omie_control.errors import InvalidInput

if TYPE_CHECKING:
    from uuid import UUID

    from omie_control.app import App
    from omie_control.services.erasures import Erased, Report

commands = Commands(help="Dados pessoais (LGPD): levantar, apagar, registro de tratamento.")
DocumentArgument = Annotated[
    str | None,
    typer.Argument(help="CPF ou CNPJ. Sem ele, é perguntado ou lido da entrada, e não fica no histórico do terminal."),
]
CompanyOption = Annotated[str | None, typer.Option(help="Só esta empresa. Sem ela: todas.")]
HELD_COLUMNS = {
    "started_at": "início",
    "kind": "o quê",
    "process_type": "tipo",
    "execution_id": "execution_id",
    "places": "onde",
}
ERASURE_COLUMNS = {
    "requested_at": "pedida em",
    "person": "pessoa",
    "requested_by": "por",
    "reason": "motivo",
    "executions": "execuções",
    "writes": "escritas",
    "events": "eventos",
    "applied_at": "concluída em",
}
PROCESSING_COLUMNS = {
    "subject": "de quem",
    "data": "dados",
    "where": "onde",
    "form": "como",
    "kept": "por quanto tempo",
    "purpose": "para quê",
    "basis": "base legal",
}


@commands.command()
def report(document: DocumentArgument = None, *, company: CompanyOption = None, as_json: JsonFlag = False) -> None:
    """Levanta o que se guarda de um CPF ou CNPJ: em que execuções e em que campos. Fica na auditoria."""
    text = read_secret(document, "CPF ou CNPJ")

    async def verb(app: App) -> None:
        found = await app.services.erasures.report(operator(), text, await _company(app, company))
        _print_report(found, app, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def erase(
    document: DocumentArgument = None,
    *,
    reason: Annotated[str, typer.Option(help="Por que apagar, por exemplo: pedido do titular; fica no registro.")],
    company: CompanyOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Apaga para sempre o conteúdo cifrado em que uma pessoa aparece. Não pode ser desfeito."""
    text = read_secret(document, "CPF ou CNPJ")
    if not yes:
        _confirm(as_json=as_json)

    async def verb(app: App) -> None:
        done = await app.services.erasures.erase(operator(), text, reason, await _company(app, company))
        _print_erased(done, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def erasures(*, as_json: JsonFlag = False) -> None:
    """Lista as eliminações: quando, por quem, por quê, quanto; a pessoa, só pelo código calculado."""

    async def verb(app: App) -> None:
        rows: list[dict[str, Any]] = []
        for each in await app.services.erasures.list(operator()):
            rows.append(asdict(each) | {"person": each.person.name})
        print_listing(
            rows,
            ERASURE_COLUMNS,
            as_json=as_json,
            empty="Nenhuma eliminação até agora.",
            zone=app.settings.zone,
        )

    with_app(verb, as_json=as_json)


@commands.command()
def reapply(*, as_json: JsonFlag = False) -> None:
    """Apaga de novo, pela lista de eliminações, o que uma restauração trouxe de volta."""

    async def verb(app: App) -> None:
        _print_erased(await app.services.erasures.reapply(operator()), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def processing(*, as_json: JsonFlag = False) -> None:
    """Mostra o registro das operações de tratamento: que dados pessoais, onde, como, por quanto tempo, com que base."""
    from omie_control.services.processing import record  # noqa: PLC0415 - loads what it tells of

    rows = [asdict(entry) for entry in record()]
    if as_json:
        print_listing(rows, {}, as_json=True, empty="")
        return
    for row in rows:
        print_object({title: row[name] for name, title in PROCESSING_COLUMNS.items()}, as_json=False)
        sys.stdout.write("\n")


def _confirm(*, as_json: bool) -> None:
    if not sys.stdin.isatty():
        print_error(InvalidInput("Apagar não pode ser desfeito.", hint="Repita com --yes."), as_json=as_json)
        raise typer.Exit(2)
    typer.confirm("Apagar não pode ser desfeito. Apagar?", abort=True)


async def _company(app: App, slug: str | None) -> UUID | None:
    return None if slug is None else (await app.companies.resolve(operator(), slug)).id


def _print_report(found: Report, app: App, *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = []
    for body in found.executions:
        owner = body.owner
        assert owner is not None
        facts = asdict(owner) | {"kind": "conteúdo cifrado", "places": list(body.places), "is_open": body.is_open}
        rows.append(facts)
    for write in found.writes:
        row = write.row
        rows.append(
            {
                "execution_id": row.execution_name,
                "process_type": row.process_type,
                "company_id": row.company_id,
                "started_at": row.claimed_at,
                "kind": "chave de escrita",
                "places": sorted(write.parts),
            }
        )
    for found_event in found.events:
        event = found_event.event
        rows.append(
            {
                "execution_id": str(event.id),
                "process_type": event.topic,
                "company_id": event.company_id,
                "started_at": event.received_at,
                "kind": "evento de webhook",
                "places": list(found_event.places),
            }
        )
    holds = [{"id": hold.id, "reason": hold.reason, "set_by": hold.set_by} for hold in found.holds]
    if as_json:
        print_object({"person": found.person, "items": rows, "holds": holds}, as_json=True)
        return
    for shown in rows:
        shown["places"] = ", ".join(shown["places"])[:200]
    print_listing(rows, HELD_COLUMNS, as_json=False, empty="Nada se guarda desta pessoa.", zone=app.settings.zone)
    for hold in holds:
        sys.stdout.write(f"Retenção legal {hold['id']}, de {hold['set_by']}: {hold['reason']}\n")


def _print_erased(done: Erased, *, as_json: bool) -> None:
    if as_json:
        print_object(asdict(done), as_json=True)
        return
    sys.stdout.write(
        f"Apagado: o conteúdo de {done.executions} execuções, de {done.writes} chaves de escrita e de "
        f"{done.events} eventos de webhook.\n"
    )
    if done.left:
        sys.stdout.write(
            f"Ainda ficam {done.left}, em uso ou retidos; são apagados sozinhos, um dia depois de livres.\n"
        )
    if not done.has_forgotten_answers:
        sys.stdout.write("O Valkey está fora do ar: as respostas que ele guarda somem em até 24 horas.\n")
