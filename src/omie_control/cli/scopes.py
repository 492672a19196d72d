"""For which companies somebody or something is: the option that names them, and their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.domain.actors import Actor

CompaniesOption = Annotated[
    list[str] | None, typer.Option("--company", help="Só esta empresa; pode repetir. Sem ela: todas.")
]


async def companies_of(app: App, actor: Actor, slugs: Sequence[str] | None) -> list[UUID] | None:
    """Return the companies' ids in the order given, or None for all. Raises NotFound."""
    return [(await app.companies.resolve(actor, slug)).id for slug in slugs] if slugs else None
