"""Services over a real database, and the three who ask: the owner, a helper of one company, a stranger."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from tests import patience

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.companies import Company
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access
from omie_control.services.companies import Companies
from omie_control.services.keys import Keys

APP_KEY, APP_SECRET = "1234567890", "abcdef0123456789abcdef0123456789"
OWNER = Actor(ActorKind.USER, "dona", Role.ADMIN)
STRANGER = Actor(ActorKind.TOKEN, "estranho", Role.VIEWER, companies=frozenset())


class Firm(NamedTuple):
    """Two companies, and the helper who works for the first."""

    padaria: Company
    oficina: Company
    helper: Actor


@pytest.fixture(autouse=True)
def patient_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Valkey take its time: past half a second it counts as away, which a busy machine would bring about."""
    patience.with_valkey(monkeypatch, 30.0)


@pytest.fixture
def access(postgres: Postgres) -> Access:
    """Give the one who says no."""
    return Access(postgres)


@pytest.fixture
async def keys(postgres: Postgres, tmp_path: Path) -> Keys:
    """Give keys whose master lies in a fresh home."""
    made = Keys(postgres, None, tmp_path)
    await made.open()
    return made


@pytest.fixture
def companies(postgres: Postgres, keys: Keys, access: Access) -> Companies:
    """Give the verbs of companies."""
    return Companies(postgres, keys, access)


@pytest.fixture
async def firm(companies: Companies) -> Firm:
    """Give two connected companies and a helper of the first."""
    padaria = await companies.add(OWNER, "padaria", "Padaria do João", APP_KEY, APP_SECRET)
    oficina = await companies.add(OWNER, "oficina", "Oficina da Ana", "9876543210", APP_SECRET[::-1])
    return Firm(padaria, oficina, Actor(ActorKind.TOKEN, "ajudante", Role.AGENT, companies=frozenset({padaria.id})))


async def audited(conn: asyncpg.Connection, action: str, outcome: str = "done") -> list[asyncpg.Record]:
    """Return the audit rows of an action, oldest first: their ids have no order within a millisecond."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "select * from audit_events where action = $1 and outcome = $2 order by at, id", action, outcome
    )
    return rows
