"""`omie-control process`: executions, from the shell."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omie_control.cli.output import JsonFlag, local_time, print_error, print_json_line, print_listing, print_object
from omie_control.cli.session import operator, with_app
from omie_control.cli.spans import in_zone
from omie_control.cli.usage import Commands
from omie_control.domain.executions import Execution, Status
from omie_control.errors import InvalidInput, StorageDown

if TYPE_CHECKING:
    from omie_control.app import App

commands = Commands(help="Execuções: listar, mostrar, acompanhar, cancelar, resolver.")
COLUMNS = {
    "started_at": "início",
    "status": "situação",
    "process_type": "tipo",
    "company": "empresa",
    "duration_ms": "ms",
    "actor": "quem",
    "execution_id": "execution_id",
}
# What a sealed body calls its parts, and the fields of an execution that show them masked.
REVEALED = {"input": "input_parameters", "request": "request_payload", "response": "response_data"}
TAIL_SECONDS = 1.0
StatusOption = Annotated[str | None, typer.Option(help="Só esta situação: running, completed, failed, timeout, …")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Só este tipo de processo.")]
CompanyOption = Annotated[str | None, typer.Option(help="Só esta empresa.")]


@commands.command("list")
def list_(
    *,
    status: StatusOption = None,
    process_type: TypeOption = None,
    company: CompanyOption = None,
    session: Annotated[str | None, typer.Option(help="Só esta tarefa ou sessão.")] = None,
    since: Annotated[datetime | None, typer.Option(help="A partir deste instante.")] = None,
    before: Annotated[str | None, typer.Option(help="Cursor: a página depois desta.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Quantas por página.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Lista execuções, da mais nova para a mais antiga."""

    async def verb(app: App) -> None:
        actor = operator()
        chosen = (await app.companies.resolve(actor, company)).id if company else None
        page = await app.executions.list(
            actor,
            status=_status(status),
            process_type=process_type,
            company=chosen,
            session=session,
            since=in_zone(since, app.settings.zone),
            before=before,
            limit=limit,
        )
        rows = [_row(item, app, as_json=as_json) for item in page.items]
        print_listing(rows, COLUMNS, next=page.next, as_json=as_json, empty="Nenhuma execução encontrada.")

    with_app(verb, as_json=as_json)


@commands.command()
def show(
    execution_id: str,
    *,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Abre os dados pessoais que estão mascarados; fica na auditoria.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Mostra uma execução inteira: pedido, resposta, chamadas ao Omie, filhas."""

    async def verb(app: App) -> None:
        found = await app.executions.get(operator(), execution_id)
        row = _row(found, app, as_json=as_json, whole=True)
        if reveal:
            clear = await app.services.bodies.reveal(operator(), execution_id)
            row |= {REVEALED[part]: value for part, value in clear.items()}
        errand = None if found.session_id is None else await app.services.errands.find(operator(), found.session_id)
        print_object(row | {"errand_goal": None if errand is None else errand.goal}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def tail(
    *,
    status: StatusOption = None,
    process_type: TypeOption = None,
    seconds: Annotated[float | None, typer.Option(help="Para sozinho depois deste tempo.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Acompanha as execuções que terminam, uma por linha, até Ctrl-C."""

    async def verb(app: App) -> None:
        wanted, actor = _status(status), operator()
        seen: dict[str, Status] = {}
        is_away = False
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        while until is None or loop.time() < until:
            try:
                page = await app.executions.list(actor, status=wanted, process_type=process_type, limit=100)
            except StorageDown as error:
                # Said once; whoever follows need not start again.
                if not is_away:
                    print_error(error, as_json=as_json)
                is_away = True
            else:
                is_away = False
                for item in reversed(page.items):
                    if seen.get(item.execution_id) != item.status:
                        _print_line(item, app, as_json=as_json)
                seen = {item.execution_id: item.status for item in page.items}
            await asyncio.sleep(TAIL_SECONDS)

    with_app(verb, as_json=as_json)


@commands.command()
def cancel(
    execution_id: str,
    *,
    reason: Annotated[str, typer.Option(help="Por que cancelar; fica no registro.")],
    as_json: JsonFlag = False,
) -> None:
    """Cancela uma execução que não começou, ou pede à que está rodando que pare."""

    async def verb(app: App) -> None:
        after = await app.executions.cancel(operator(), execution_id, reason)
        if as_json:
            print_object(_row(after, app, as_json=True), as_json=True)
        elif after.status is Status.CANCELLED:
            sys.stdout.write(f"Cancelada: {after.execution_id}\n")
        else:
            sys.stdout.write(f"Parada pedida; situação agora: {after.status}\n")

    with_app(verb, as_json=as_json)


@commands.command()
def settle(
    execution_id: str,
    *,
    outcome: Annotated[
        str, typer.Option("--as", help="O que foi conferido: completed (foi feita) ou failed (não foi).")
    ],
    note: Annotated[str, typer.Option(help="O que foi visto no Omie; fica no registro.")],
    as_json: JsonFlag = False,
) -> None:
    """Resolve uma escrita incerta, depois de conferir no Omie se ela foi feita."""

    async def verb(app: App) -> None:
        await app.services.settlements.settle(operator(), execution_id, _known(outcome), note)
        after = await app.executions.get(operator(), execution_id)
        if as_json:
            print_object(_row(after, app, as_json=True), as_json=True)
        else:
            sys.stdout.write(f"Resolvida como {after.status}: {after.execution_id}\n")

    with_app(verb, as_json=as_json)


def _status(text: str | None) -> Status | None:
    return None if text is None else _known(text)


def _known(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise InvalidInput(
            f"A situação '{text[:40]}' não existe.", hint=f"Use uma destas: {', '.join(Status)}."
        ) from None


# What a listing does not read.
_OF_ONE = (
    "input_parameters",
    "request_payload",
    "response_data",
    "calls",
    "children",
    "parent",
    "is_slimmed",
    "is_sealed",
)


def _row(item: Execution, app: App, *, as_json: bool, whole: bool = False) -> dict[str, Any]:
    row = asdict(item)
    if not whole:
        for name in _OF_ONE:
            row.pop(name)
    if not as_json:
        for name in ("started_at", "completed_at"):
            row[name] = local_time(row[name], app.settings.zone)
    return row


def _print_line(item: Execution, app: App, *, as_json: bool) -> None:
    row = _row(item, app, as_json=as_json)
    if as_json:
        print_json_line(row)
    else:
        took = "" if item.duration_ms is None else f" {timedelta(milliseconds=item.duration_ms).total_seconds():.3f}s"
        sys.stdout.write(f"{row['started_at']} {item.status:<10} {item.process_type}{took} {item.execution_id}\n")
        sys.stdout.flush()
