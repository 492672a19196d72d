"""Who may do what inside PostgreSQL: two groups, the logins that belong to them, and their grants.

Groups and logins live in the whole server, not in one database: another database's migrator may make the
same ones at the same moment, so each step looks again when somebody was faster.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Mapping
from importlib.resources import files

import asyncpg

from omie_control.telemetry import Event, tell

APP_GROUP = "omie_control_app"
READER_GROUP = "omie_control_reader"
READERS: Collection[str] = frozenset({"omie_reader"})

_SCRAM_ROUNDS = 4096
_ATTEMPTS = 20


async def make_roles(connection: asyncpg.Connection, logins: Mapping[str, str], readers: Collection[str]) -> None:
    """Make sure of the groups and of each login with its password; tell what the owner may not do."""
    for group in (APP_GROUP, READER_GROUP):
        await _if_allowed(group, lambda group=group: _make_group(connection, group))  # type: ignore[misc]
    owner = await connection.fetchval("select current_user")
    for name, password in logins.items():
        # The owner as its own application: nothing to grant, and a group would only hide that it may do all.
        if name == owner:
            continue
        group = READER_GROUP if name in readers else APP_GROUP
        await _if_allowed(name, lambda n=name, p=password, g=group: _make_login(connection, n, p, g))  # type: ignore[misc]


async def apply_grants(connection: asyncpg.Connection) -> None:
    """Give the two groups exactly what grants.sql says; nothing when the groups are not there."""
    groups = await connection.fetchval(
        "select count(*) from pg_roles where rolname = any($1::text[])", [APP_GROUP, READER_GROUP]
    )
    if groups < 2:
        return
    grants = (files("omie_control.postgres") / "grants.sql").read_text(encoding="utf-8")
    async with connection.transaction():
        await connection.execute(grants)


async def _if_allowed(role: str, step: Callable[[], Awaitable[None]]) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await step()
        except asyncpg.InsufficientPrivilegeError as exc:
            tell(Event.MIGRATION_LIMITED, step="role", role=role, reason=str(exc))
            return None
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError):
            # Another database's migrator was faster ("tuple concurrently updated" is an internal error).
            if attempt == _ATTEMPTS:
                raise
            await asyncio.sleep(0.05 * attempt)
    return None


async def _make_group(connection: asyncpg.Connection, group: str) -> None:
    if not await _exists(connection, group):
        await connection.execute(f"create role {group} nologin")


async def _make_login(connection: asyncpg.Connection, name: str, password: str, group: str) -> None:
    role = await connection.fetchval("select quote_ident($1)", name)
    verb = "alter" if await _exists(connection, name) else "create"
    await connection.execute(f"{verb} role {role} login password '{scram_verifier(password)}'")
    is_member = await connection.fetchval(
        "select exists (select from pg_auth_members where roleid = $1::text::regrole and member = $2::text::regrole)",
        group,
        role,
    )
    if not is_member:
        await connection.execute(f"grant {group} to {role}")


async def _exists(connection: asyncpg.Connection, name: str) -> bool:
    found: bool = await connection.fetchval("select exists (select from pg_roles where rolname = $1)", name)
    return found


def scram_verifier(password: str) -> str:
    """Return what PostgreSQL stores for a password, so that the password itself never stands in a statement."""
    salt = secrets.token_bytes(16)
    plain = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", plain, salt, _SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_SCRAM_ROUNDS}:{salt64}${stored64}:{server64}"
