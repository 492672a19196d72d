"""`omie-control role`: roles of the company's own, beside the built-in ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from omie_control.cli.output import JsonFlag, print_done, print_listing
from omie_control.cli.scopes import CompaniesOption, companies_of
from omie_control.cli.session import operator, with_app
from omie_control.cli.usage import Commands
from omie_control.domain.access import RIGHTS
from omie_control.domain.executions import Category, Complexity
from omie_control.domain.rights import DESCRIPTIONS, Right
from omie_control.domain.roles import OwnRole, RoleWords

if TYPE_CHECKING:
    from omie_control.app import App

commands = Commands(help="Papéis: os do sistema e os próprios da empresa.")
COLUMNS = {
    "name": "papel",
    "rights": "direitos",
    "categories": "categorias",
    "complexities": "complexidades",
    "is_read_only": "só leitura",
    "holders": "quem tem",
    "description": "descrição",
}
GROUPS = {"claim_value": "grupo", "role": "papel", "companies": "empresas", "created_by": "quem deu"}
RightOption = Annotated[
    list[str] | None, typer.Option("--right", help="Um direito, como omie.read; pode repetir. Veja: role rights.")
]
CategoryOption = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        help=f"Só ferramentas desta categoria ({', '.join(Category)}); pode repetir. "
        "Inclua sistema para busca e tarefas.",
    ),
]
ComplexityOption = Annotated[
    list[str] | None,
    typer.Option("--complexity", help=f"Só ferramentas desta complexidade ({', '.join(Complexity)}); pode repetir."),
]
ReadOnlyOption = Annotated[
    bool | None, typer.Option("--read-only/--no-read-only", help="Nada muda com este papel, nem aqui nem no Omie.")
]
NameArgument = Annotated[str, typer.Argument(help="Nome do papel, por exemplo: contas-a-pagar.")]


@commands.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """Lista os papéis, os direitos de cada um e quantos têm os próprios."""

    async def verb(app: App) -> None:
        rows: list[dict[str, object]] = [
            {"name": role.value, "rights": sorted(rights), "description": "do sistema"}
            for role, rights in RIGHTS.items()
        ]
        rows += [_row(held.role) | {"holders": held.holders} for held in await app.services.roles.list(operator())]
        if not as_json:
            for row in rows:
                row.update({name: ", ".join(value) for name, value in row.items() if isinstance(value, list)})
        print_listing(rows, COLUMNS, as_json=as_json, empty="")

    with_app(verb, as_json=as_json)


@commands.command()
def rights(*, as_json: JsonFlag = False) -> None:
    """Lista os direitos que um papel pode ter."""
    rows = [{"right": right.value, "meaning": DESCRIPTIONS[right]} for right in Right]
    print_listing(rows, {"right": "direito", "meaning": "permite"}, as_json=as_json, empty="")


@commands.command()
def create(
    name: NameArgument,
    *,
    right: RightOption = None,
    category: CategoryOption = None,
    complexity: ComplexityOption = None,
    read_only: ReadOnlyOption = None,
    description: Annotated[str | None, typer.Option(help="Para que serve.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Cria um papel próprio."""

    async def verb(app: App) -> None:
        words = RoleWords(right or (), category or None, complexity or None, read_only, description)
        _tell(await app.services.roles.create(operator(), name, words), "criado", as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def change(
    name: NameArgument,
    *,
    right: RightOption = None,
    category: CategoryOption = None,
    complexity: ComplexityOption = None,
    any_category: Annotated[bool, typer.Option("--any-category", help="Tira o limite de categorias.")] = False,
    any_complexity: Annotated[bool, typer.Option("--any-complexity", help="Tira o limite de complexidades.")] = False,
    read_only: ReadOnlyOption = None,
    description: Annotated[str | None, typer.Option(help="Para que serve.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Muda um papel próprio para todos que o têm; o que não se informa fica como está."""

    async def verb(app: App) -> None:
        words = RoleWords(
            right or None,
            () if any_category else category or None,
            () if any_complexity else complexity or None,
            read_only,
            description,
        )
        _tell(await app.services.roles.change(operator(), name, words), "mudado", as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def delete(name: NameArgument, *, as_json: JsonFlag = False) -> None:
    """Remove um papel próprio que ninguém mais tem."""

    async def verb(app: App) -> None:
        await app.services.roles.delete(operator(), name)
        print_done(f"Papel '{name}' removido.", {"name": name, "deleted": True}, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def groups(*, as_json: JsonFlag = False) -> None:
    """Lista os grupos do provedor de identidade e o papel de cada um aqui; de vários, vale o primeiro."""

    async def verb(app: App) -> None:
        rows = [asdict(group) | {"role": group.role.value} for group in await app.services.identities.list(operator())]
        print_listing(rows, GROUPS, as_json=as_json, empty="Nenhum grupo tem papel aqui.")

    with_app(verb, as_json=as_json)


@commands.command()
def group(
    name: Annotated[str, typer.Argument(help="O grupo, como o provedor de identidade o escreve.")],
    role: Annotated[str, typer.Argument(help="O papel que tem aqui, do sistema ou próprio.")],
    *,
    company: CompaniesOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Dá um papel a um grupo do provedor de identidade (OIDC)."""

    async def verb(app: App) -> None:
        actor = operator()
        companies = await companies_of(app, actor, company)
        await app.services.identities.put(actor, name, await app.services.roles.named(role), companies)
        facts = {"group": name, "role": role}
        print_done(f"O grupo '{name}' agora tem o papel {role}.", facts, as_json=as_json)

    with_app(verb, as_json=as_json)


@commands.command()
def ungroup(
    name: Annotated[str, typer.Argument(help="O grupo, como o provedor de identidade o escreve.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Tira o papel de um grupo do provedor de identidade."""

    async def verb(app: App) -> None:
        await app.services.identities.remove(operator(), name)
        facts = {"group": name, "removed": True}
        print_done(f"O grupo '{name}' não tem mais papel aqui.", facts, as_json=as_json)

    with_app(verb, as_json=as_json)


def _tell(role: OwnRole, done: str, *, as_json: bool) -> None:
    print_done(f"Papel '{role.name}' {done}.", _row(role), as_json=as_json)


def _row(role: OwnRole) -> dict[str, object]:
    return {"id": role.id, "name": role.name} | role.facts
