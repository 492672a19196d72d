"""Who is turned away leaves a row, and a flood of strangers leaves few; secrets leave one when they are opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import asyncpg
import pytest
from tests.conftest import Clock
from tests.integration.services.conftest import OWNER, Firm, audited

from omie_control.domain.actors import Role
from omie_control.domain.executions import Origin
from omie_control.errors import Overloaded, Unauthenticated
from omie_control.postgres.database import Postgres
from omie_control.services import audit_samples
from omie_control.services.access import Access
from omie_control.services.companies import Companies
from omie_control.services.tokens import Tokens
from omie_control.services.users import Users

HERE = Origin("web", "Navegador", ip_address("10.0.0.9"))


@pytest.fixture
def long_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the minute of which one row is kept outlast a busy machine."""
    monkeypatch.setattr(audit_samples, "_SPAN_SECONDS", 3600.0)


async def test_guesses_leave_a_row_each_until_they_are_slowed_down(
    postgres: Postgres, access: Access, conn: asyncpg.Connection, clock: Clock, long_minute: None
) -> None:
    users = Users(postgres, access, clock)
    guesses = 0
    with pytest.raises(Overloaded):
        while guesses < 100:
            guesses += 1
            with pytest.raises(Unauthenticated):
                await users.authenticate("maria", "errada", HERE)
    for _ in range(20):
        with pytest.raises(Overloaded):
            await users.authenticate("maria", "errada", HERE)
    assert len(await audited(conn, "login.refused", "refused")) == guesses - 1
    (row,) = await audited(conn, "login.throttled", "refused")
    assert (row["actor"], row["object_id"], str(row["ip_address"])) == ("user:maria", "maria", "10.0.0.9")


async def test_a_token_that_has_ended_is_named_and_strangers_are_counted(
    postgres: Postgres, access: Access, conn: asyncpg.Connection, long_minute: None
) -> None:
    tokens = Tokens(postgres, access)
    revoked, text = await tokens.create(OWNER, "antigo", Role.VIEWER)
    await tokens.revoke(OWNER, "antigo")
    expired, old_text = await tokens.create(
        OWNER, "vencido", Role.VIEWER, expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    await conn.execute("update api_tokens set expires_at = now() - interval '1 hour' where id = $1", expired.id)
    for _ in range(3):
        assert await tokens.verify(text) is None
        assert await tokens.verify(old_text) is None
    for number in range(50):
        assert await tokens.verify(f"omc_aaaaaaaa_{number:043}") is None
        assert await tokens.verify("Bearer alg=none") is None
    rows = await audited(conn, "token.refused", "refused")
    assert [(row["actor"], row["object_id"], row["detail"]) for row in rows] == [
        ("token:antigo", str(revoked.id), "O token foi revogado."),
        ("token:vencido", str(expired.id), "O token expirou."),
        ("token:desconhecido", None, None),
    ]


async def test_opening_a_companys_secrets_is_kept_once_a_day(companies: Companies, firm: Firm, conn: Any) -> None:
    for _ in range(5):
        await companies.credentials(firm.padaria.id)
    (row,) = await audited(conn, "company.credentials_used")
    assert (row["object_id"], row["company_id"]) == ("padaria", firm.padaria.id)
