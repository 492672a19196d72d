"""`omie-control user`: people who may enter the dashboard."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import segno
import typer

from omie_control.cli.output import JsonFlag, print_done, print_listing, print_object
from omie_control.cli.scopes import CompaniesOption, companies_of
from omie_control.cli.session import operator, read_secret, with_app
from omie_control.cli.usage import Commands
from omie_control.domain.actors import User
from omie_control.domain.executions import Origin

if TYPE_CHECKING:
    from omie_control.app import App

commands = Commands(help="Pessoas que entram no painel.")
NameArgument = Annotated[str, typer.Argument(help="Nome de acesso.")]
SESSIONS = {
    "id": "id",
    "seen_at": "último uso",
    "created_at": "início",
    "expires_at": "termina",
    "ip_address": "endereço",
    "user_agent": "navegador",
}
IDENTITIES = {
    "username": "nome",
    "email": "e-mail",
    "subject": "identificador (sub)",
    "issuer": "provedor",
    "linked_by": "ligada por",
    "last_login_at": "última entrada",
}
COLUMNS = {
    "username": "nome",
    "role": "papel",
    "is_active": "ativa",
    "has_totp": "segundo fator",
    "last_login_at": "última entrada",
}


@commands.callback()
def root() -> None:
    """Pessoas que entram no painel."""


@commands.command()
def create(
    username: Annotated[str, typer.Argument(help="Nome de acesso, em minúsculas.")],
    *,
    role: Annotated[
        str, typer.Option(help="viewer, operator, approver, admin, auditor ou um papel próprio.")
    ] = "viewer",
    company: CompaniesOption = None,
    password: Annotated[
        str | None, typer.Option(help="Senha; melhor deixar que o comando pergunte, ou mandar pela entrada padrão.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Cria uma pessoa."""
    secret = read_secret(password, "Senha")

    async def verb(app: App) -> None:
        actor = operator()
        companies = await companies_of(app, actor, company)
        made = await app.users.create(actor, username, secret, await app.services.roles.named(role), companies)
        print_done(f"Pessoa '{made.username}' criada com o papel {made.role}.", _role_of(made), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista as pessoas, o papel de cada uma e quando entraram pela última vez."""

    async def verb(app: App) -> None:
        rows = [asdict(person) | {"role": person.role.value} for person in await app.users.list(operator())]
        print_listing(rows, COLUMNS, as_json=as_json, empty="Nenhuma pessoa ainda.", zone=app.settings.zone)

    with_app(verb, as_json=as_json)


@commands.command()
def role(
    username: Annotated[str, typer.Argument(help="Nome de acesso.")],
    role: Annotated[str, typer.Argument(help="O novo papel, do sistema ou próprio.")],
    *,
    company: CompaniesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Dá outro papel a uma pessoa."""

    async def verb(app: App) -> None:
        actor = operator()
        companies = await companies_of(app, actor, company)
        now = await app.users.change_role(actor, username, await app.services.roles.named(role), companies)
        print_done(f"Pessoa '{now.username}' agora tem o papel {now.role}.", _role_of(now), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def invite(
    username: NameArgument,
    *,
    role: Annotated[str, typer.Option(help="O papel, do sistema ou próprio.")] = "viewer",
    company: CompaniesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Convida uma pessoa: mostra um endereço, que vale uma vez e por um dia, onde ela define a senha."""

    async def verb(app: App) -> None:
        actor = operator()
        companies = await companies_of(app, actor, company)
        named = await app.services.roles.named(role)
        _tell_link(app, *(await app.services.invitations.invite(actor, username, named, companies)), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def reset(username: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Oferece a troca da senha: mostra um endereço, que vale uma vez e por um dia. A senha atual vale até lá."""

    async def verb(app: App) -> None:
        _tell_link(app, *(await app.services.invitations.reset(operator(), username)), as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def deactivate(username: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Não deixa mais uma pessoa entrar e encerra as sessões dela; os registros ficam."""

    async def verb(app: App) -> None:
        await app.users.deactivate(operator(), username)
        print_done(f"Pessoa '{username}' desativada.", {"username": username, "is_active": False}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def activate(username: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Deixa uma pessoa entrar de novo."""

    async def verb(app: App) -> None:
        await app.users.activate(operator(), username)
        print_done(f"Pessoa '{username}' reativada.", {"username": username, "is_active": True}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def sessions(username: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Lista as sessões abertas de uma pessoa."""

    async def verb(app: App) -> None:
        rows = [asdict(session) for session in await app.logins.of_person(operator(), username)]
        print_listing(rows, SESSIONS, as_json=as_json, empty="Nenhuma sessão aberta.", zone=app.settings.zone)

    with_app(verb, as_json=as_json)


@commands.command("end-session")
def end_session(
    username: NameArgument,
    session: Annotated[UUID | None, typer.Argument(help="id da sessão; sem ele: todas.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Encerra uma sessão de uma pessoa, ou todas."""

    async def verb(app: App) -> None:
        ended = await app.logins.end_of_person(operator(), username, session)
        print_done(f"Sessões encerradas: {ended}.", {"username": username, "ended": ended}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def totp(username: NameArgument) -> None:
    """Liga o segundo fator de uma pessoa: mostra o código QR e pede o primeiro código do celular."""

    async def verb(app: App) -> None:
        actor, factors = operator(), app.services.second_factors
        enrolment = await factors.begin(actor, username)
        segno.make(enrolment.uri).terminal(compact=True)
        sys.stdout.write(f"{enrolment.uri}\n")
        code = await asyncio.to_thread(read_secret, None, "Código que o celular mostra")
        codes = await factors.confirm(actor, username, code, Origin("cli"))
        sys.stdout.write("Guarde agora os códigos de recuperação:\n" + "\n".join(codes) + "\n")

    with_app(verb)


@commands.command("totp-off")
def totp_off(username: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Desliga o segundo fator de uma pessoa que perdeu o celular e os códigos."""

    async def verb(app: App) -> None:
        await app.services.second_factors.remove(operator(), username)
        print_done(
            f"Segundo fator de '{username}' desligado.", {"username": username, "has_totp": False}, as_json=as_json
        )

    with_app(verb, as_json=as_json)


@commands.command()
def identities(*, as_json: JsonFlag = False) -> None:
    """Lista quem tem e-mail guardado ou está ligado ao provedor de identidade."""

    async def verb(app: App) -> None:
        rows = [asdict(each) for each in await app.services.user_identities.list(operator())]
        print_listing(
            rows,
            IDENTITIES,
            as_json=as_json,
            empty="Ninguém está ligado ao provedor de identidade.",
            zone=app.settings.zone,
        )

    with_app(verb, as_json=as_json)


@commands.command()
def link(
    username: NameArgument,
    subject: Annotated[str, typer.Argument(help="O identificador da pessoa no provedor (sub do token).")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Liga uma pessoa à sua identidade no provedor: com ela entra no painel, com o papel que tem aqui."""

    async def verb(app: App) -> None:
        await app.services.user_identities.link(operator(), username, subject)
        print_done(f"Pessoa '{username}' ligada.", {"username": username, "subject": subject}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def unlink(username: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Desliga uma pessoa da sua identidade no provedor e encerra as sessões dela."""

    async def verb(app: App) -> None:
        await app.services.user_identities.unlink(operator(), username)
        print_done(f"Pessoa '{username}' desligada.", {"username": username, "unlinked": True}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def email(
    username: NameArgument,
    address: Annotated[str | None, typer.Argument(help="O e-mail; sem ele, o guardado é tirado.")] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Guarda o e-mail por que uma pessoa é reconhecida na primeira entrada pelo provedor, se isso for permitido."""

    async def verb(app: App) -> None:
        await app.services.user_identities.set_email(operator(), username, address)
        done = "tirado" if address is None else "guardado"
        print_done(f"E-mail de '{username}' {done}.", {"username": username, "email": address}, as_json=as_json)

    with_app(verb, as_json=as_json)


def _role_of(user: User) -> dict[str, object]:
    return {"id": user.id, "username": user.username, "role": user.role.value}


def _tell_link(app: App, user: User, secret: str, *, as_json: bool) -> None:
    link = f"{app.settings.own_address()}/convite/{secret}"
    if as_json:
        print_object({"username": user.username, "link": link}, as_json=True)
    else:
        sys.stdout.write(f"{link}\n")
        sys.stderr.write("Entregue a essa pessoa por um meio seguro: vale uma vez só, por 24 horas.\n")
