"""Roles of the company's own: rights, and limits to kinds of tools. A change holds everywhere within two seconds."""

from __future__ import annotations

import os
import time

from omie_control.domain.access import Right, may_grant
from omie_control.domain.actors import Actor
from omie_control.domain.executions import uuid7
from omie_control.domain.roles import AnyRole, OwnRole, Role, RoleWords, own_role
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound
from omie_control.postgres import own_roles as store
from omie_control.postgres.database import Postgres
from omie_control.postgres.own_roles import HeldRole
from omie_control.postgres.queries import Connection
from omie_control.services import audit
from omie_control.services.access import Access


class Roles:
    """The verbs of roles."""

    def __init__(self, postgres: Postgres, access: Access) -> None:
        self._postgres = postgres
        self._access = access

    async def list(self, actor: Actor) -> list[HeldRole]:
        """Return the company's own roles, by name, and how many have each."""
        await self._access.require(actor, Right.USER_MANAGE)
        async with self._postgres.transaction() as tx:
            return await store.everything(tx)

    async def named(self, name: str) -> AnyRole:
        """Return a role, built in or own. Raises InvalidInput listing what there is."""
        plain = name.strip().lower()
        if plain in set(Role):
            return Role(plain)
        async with self._postgres.transaction() as tx:
            # PostgreSQL takes no NUL in a text; no role has one either.
            found = await store.find(tx, plain[:40]) if plain.isprintable() else None
            own = [] if found is not None else [held.role.name for held in await store.everything(tx)]
        if found is None:
            known = ", ".join([*Role, *own])
            raise InvalidInput(f"O papel '{name[:40]}' não existe.", hint=f"Use um destes: {known}.")
        return found

    async def create(self, actor: Actor, name: str, words: RoleWords) -> OwnRole:
        """Make a role. Nobody makes one that holds more than they do."""
        await self._require(actor, name)
        made = own_role(
            uuid7(time.time_ns() // 1_000_000, os.urandom(10)),
            name,
            rights=words.rights or (),
            categories=words.categories,
            complexities=words.complexities,
            is_read_only=bool(words.is_read_only),
            description=words.description or "",
        )
        await self._require_grantable(actor, made)
        async with self._postgres.transaction() as tx:
            if not await store.add(tx, made, actor.label):
                raise Conflict(f"Já existe um papel '{made.name}'.", hint="Escolha outro nome ou mude o que existe.")
            await audit.append(tx, actor, "role.created", object_type="role", object_id=made.name, after=made.facts)
        return made

    async def change(self, actor: Actor, name: str, words: RoleWords) -> OwnRole:
        """Change a role for all who have it. Nobody changes one that holds, or would hold, more than they do."""
        await self._require(actor, name)
        async with self._postgres.transaction() as tx:
            before = await self._lock(tx, name)
            after = own_role(
                before.id,
                before.name,
                rights=before.rights if words.rights is None else words.rights,
                categories=before.categories if words.categories is None else words.categories,
                complexities=before.complexities if words.complexities is None else words.complexities,
                is_read_only=before.is_read_only if words.is_read_only is None else words.is_read_only,
                description=before.description if words.description is None else words.description,
            )
            await self._require_grantable(actor, before)
            await self._require_grantable(actor, after)
            await store.change(tx, after)
            await audit.append(
                tx,
                actor,
                "role.changed",
                object_type="role",
                object_id=after.name,
                before=before.facts,
                after=after.facts,
            )
        return after

    async def delete(self, actor: Actor, name: str) -> None:
        """Remove a role that nobody has. Raises Conflict while somebody has it."""
        await self._require(actor, name)
        async with self._postgres.transaction() as tx:
            role = await self._lock(tx, name)
            await self._require_grantable(actor, role)
            if not await store.remove(tx, role.id):
                raise Conflict(
                    f"O papel '{role.name}' ainda é de alguém.",
                    hint="Dê outro papel a essas pessoas, ou revogue os tokens; veja: omie-control role list.",
                )
            await audit.append(tx, actor, "role.deleted", object_type="role", object_id=role.name, before=role.facts)

    async def _require(self, actor: Actor, name: str) -> None:
        await self._access.require(actor, Right.USER_MANAGE, object_type="role", object_id=name)

    async def _require_grantable(self, actor: Actor, role: OwnRole) -> None:
        # A role is for whoever may get it, so for all companies; who is kept to some may not make one.
        if may_grant(actor, role, None):
            return
        reason = "Ninguém pode fazer ou mudar um papel com mais acesso do que tem."
        error: Forbidden = await self._access.refused(actor, Right.USER_MANAGE, reason, None, "role", role.name)
        raise error

    async def _lock(self, tx: Connection, name: str) -> OwnRole:
        plain = name.strip().lower()
        if plain in set(Role):
            raise Conflict(f"O papel '{plain}' é do sistema e não muda.", hint="Crie um papel próprio.")
        found = await store.lock(tx, plain[:40]) if plain.isprintable() else None
        if found is None:
            raise NotFound("Este papel não existe.", hint="Veja: omie-control role list.")
        return found
