"""Roles of the company's own as they lie in the database, and how every row that names a role is read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from omie_control.domain.executions import Category, Complexity
from omie_control.domain.rights import Right
from omie_control.domain.roles import AnyRole, OwnRole, Role
from omie_control.postgres.queries import Connection, queries

_sql = queries("own_roles")
_RIGHTS = {right.value: right for right in Right}


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role with how many people, tokens and groups have it."""

    role: OwnRole
    holders: int


async def everything(connection: Connection) -> list[HeldRole]:
    """Return every role, by name."""
    return [HeldRole(_own(row["own_role"]), row["holders"]) for row in await _sql.everything.fetch(connection)]


async def find(connection: Connection, name: str) -> OwnRole | None:
    """Return one role."""
    row = await _sql.find.one(connection, name=name)
    return None if row is None else _own(row["own_role"])


async def lock(connection: Connection, name: str) -> OwnRole | None:
    """Return one role and hold its row until the transaction ends."""
    row = await _sql.lock.one(connection, name=name)
    return None if row is None else _own(row["own_role"])


async def add(connection: Connection, role: OwnRole, by: str) -> bool:
    """Add a role; False when the name is taken."""
    return await _sql.add.one(connection, id=role.id, name=role.name, by=by, **_columns(role)) is not None


async def change(connection: Connection, role: OwnRole) -> None:
    """Store what a role is now."""
    await _sql.change.run(connection, id=role.id, **_columns(role))


async def remove(connection: Connection, id: UUID) -> bool:
    """Remove a role; False while somebody has it."""
    await _sql.forget_ended_tokens.run(connection, id=id)
    try:
        async with connection.transaction():
            await _sql.remove.run(connection, id=id)
    except asyncpg.ForeignKeyViolationError:
        return False
    return True


def role_of(row: asyncpg.Record) -> AnyRole:
    """Read the role of a row: its own role where it has one, else the built-in."""
    text = row["own_role"]
    return Role(row["role"]) if text is None else _own(text)


def stored(role: AnyRole) -> tuple[str, UUID | None]:
    """Return the two columns of a role: the built-in name, and the id of a role of the company's own."""
    return (Role.VIEWER.value, role.id) if isinstance(role, OwnRole) else (role.value, None)


def _own(text: str) -> OwnRole:
    fields = orjson.loads(text)
    categories, complexities = fields["categories"], fields["complexities"]
    return OwnRole(
        id=UUID(fields["id"]),
        name=fields["name"],
        # A right that this version does not know is held by nobody.
        rights=frozenset(_RIGHTS[name] for name in fields["rights"] if name in _RIGHTS),
        categories=None if categories is None else frozenset(map(Category, categories)),
        complexities=None if complexities is None else frozenset(map(Complexity, complexities)),
        is_read_only=fields["is_read_only"],
        description=fields["description"],
    )


def _columns(role: OwnRole) -> dict[str, object]:
    return {
        "description": role.description,
        "rights": sorted(role.rights),
        "categories": None if role.categories is None else sorted(role.categories),
        "complexities": None if role.complexities is None else sorted(role.complexities),
        "is_read_only": role.is_read_only,
    }
