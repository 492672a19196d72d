"""`omie-control webhook`: the address that Omie posts to, what came, and a test of the way."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omie_control.cli.output import JsonFlag, print_done, print_listing, print_object
from omie_control.cli.session import operator, with_app
from omie_control.cli.spans import read_span
from omie_control.cli.usage import Commands
from omie_control.domain.webhooks import EventStatus
from omie_control.errors import InvalidInput, OmieUnreachable

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.services.webhooks import WebhookStatus

commands = Commands(help="Webhooks do Omie: endereço, eventos recebidos, teste.")
SlugArgument = Annotated[str | None, typer.Argument(help="Qual empresa; sem nome, a única.")]
ADDRESS_COLUMNS = {
    "prefix": "prefixo",
    "created_at": "desde",
    "created_by": "por",
    "expires_at": "vale até",
    "last_ping_at": "teste do Omie",
}
COUNT_COLUMNS = {"topic": "tópico", "status": "situação", "events": "eventos", "deliveries": "entregas"}
EVENT_COLUMNS = {
    "received_at": "recebido",
    "company": "empresa",
    "topic": "tópico",
    "status": "situação",
    "deliveries": "entregas",
    "author": "autor",
    "message_id": "mensagem",
    "error": "erro",
}


@commands.command()
def create(
    slug: SlugArgument = None,
    *,
    rotate: Annotated[bool, typer.Option("--rotate", help="Um novo no lugar do que vale.")] = False,
    overlap: Annotated[
        str, typer.Option(help="Com --rotate: por quanto tempo o antigo ainda vale: 24h, 30m, 7d, 0m; ou sempre.")
    ] = "24h",
    as_json: JsonFlag = False,
) -> None:
    """Cria o endereço de uma empresa (com --rotate: troca) e o mostra uma única vez."""

    async def verb(app: App) -> None:
        actor = operator()
        company = await app.companies.resolve(actor, slug)
        webhooks = app.services.webhooks
        made = (
            await webhooks.rotate(actor, company, _span(overlap)) if rotate else await webhooks.create(actor, company)
        )
        if as_json:
            facts = {"url": made.url.reveal(), "prefix": made.address.prefix, "ending": list(made.ending)}
            print_object(facts, as_json=True)
            return
        sys.stdout.write(f"{made.url.reveal()}\n")
        sys.stderr.write(
            "Guarde agora: este endereço não será mostrado de novo e vale como uma senha.\n"
            f"Cole-o no portal do desenvolvedor do Omie, no aplicativo cujo app_key termina em {company.app_key_hint}; "
            "o Omie não tem API para isso.\n"
        )

    with_app(verb, as_json=as_json)


@commands.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="Começo do endereço (omw_…), de webhook status.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Revoga um endereço; ele deixa de valer na hora."""

    async def verb(app: App) -> None:
        gone = await app.services.webhooks.revoke(operator(), prefix)
        facts = {"prefix": gone.prefix, "revoked_at": gone.revoked_at}
        print_done(f"Endereço {gone.prefix}… revogado.", facts, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def status(slug: SlugArgument = None, *, as_json: JsonFlag = False) -> None:
    """Mostra os endereços que valem, o último teste do Omie, o que veio em 24 horas, o que espera e o que falhou."""

    async def verb(app: App) -> None:
        actor = operator()
        found = await app.services.webhooks.status(actor, await app.companies.resolve(actor, slug))
        _print_status(found, app, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command("list")
def list_(
    slug: Annotated[str | None, typer.Argument(help="Só esta empresa; sem nome, todas.")] = None,
    *,
    state: Annotated[EventStatus | None, typer.Option("--status", help="Só os que estão assim.")] = None,
    topic: Annotated[str | None, typer.Option(help="Só este tópico, por exemplo: ClienteFornecedor.Alterado.")] = None,
    before: Annotated[str | None, typer.Option(help="Cursor da página anterior.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Quantos.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Lista os eventos recebidos, do mais novo ao mais antigo; sem o conteúdo."""

    async def verb(app: App) -> None:
        actor = operator()
        company = None if slug is None else await app.companies.resolve(actor, slug)
        page = await app.services.webhooks.list(
            actor, company=company, status=state, topic=topic, before=before, limit=limit
        )
        rows = [asdict(each) | {"status": each.status.value} for each in page.items]
        print_listing(
            rows,
            EVENT_COLUMNS,
            next=page.next,
            as_json=as_json,
            empty="Nenhum evento recebido.",
            zone=app.settings.zone,
        )

    with_app(verb, as_json=as_json)


@commands.command()
def test(slug: SlugArgument = None, *, as_json: JsonFlag = False) -> None:
    """Envia um teste e um evento marcado ao endereço desta instalação e diz se chegaram; não fala com o Omie."""

    async def verb(app: App) -> None:
        actor = operator()
        trial = await app.services.webhook_trials.run(actor, await app.companies.resolve(actor, slug))
        if as_json:
            print_object(asdict(trial), as_json=True)
        elif trial.problem is None:
            sys.stdout.write(
                f"{trial.base_url}: confirmado em {trial.event_ms} ms, aplicado em {trial.applied_ms} ms.\n"
                "Isto não prova que o Omie alcança o endereço: só o teste que o portal do Omie envia prova.\n"
            )
        if trial.problem is not None:
            raise OmieUnreachable(
                f"{trial.base_url}: {trial.problem}",
                hint="Confira OMIE_CONTROL_PUBLIC_URL e se o servidor (up ou serve) está no ar.",
            )

    with_app(verb, as_json=as_json)


def _print_status(found: WebhookStatus, app: App, *, as_json: bool) -> None:
    addresses: list[dict[str, Any]] = [asdict(each) for each in found.addresses]
    counts = [asdict(each) | {"status": each.status.value} for each in found.counts]
    standing = asdict(found.standing)
    if as_json:
        facts = {"company": found.company.slug, **standing, "last_ping_at": found.last_ping_at}
        print_object({**facts, "addresses": addresses, "counts": counts}, as_json=True)
        return
    none = "Nenhum endereço. Crie um: webhook create."
    print_listing(addresses, ADDRESS_COLUMNS, as_json=False, empty=none, zone=app.settings.zone)
    sys.stdout.write("\n")
    print_listing(counts, COUNT_COLUMNS, as_json=False, empty="Nenhum evento nas últimas 24 horas.")
    lag = found.standing.lag_seconds
    waits = "" if lag is None else f", o mais antigo há {lag:.0f} s"
    sys.stdout.write(f"\nEsperando: {found.standing.waiting}{waits}. Falharam: {found.standing.failed}.\n")
    if addresses and found.last_ping_at is None:
        sys.stdout.write("O Omie ainda não testou nenhum deles: falta colar o endereço no portal do Omie.\n")


def _span(text: str) -> timedelta | None:
    if text.strip() == "sempre":
        return None
    span = read_span(text)
    if span is None:
        raise InvalidInput(f"O tempo '{text[:40]}' não é válido.", hint="Exemplos: 24h, 30m, 7d, 0m, sempre.")
    return span
