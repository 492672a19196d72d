"""The audit row of a change, refusals that never wait, and bodies that open for whoever may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from tests.conftest import TIMEZONE
from tests.integration.services.conftest import OWNER, STRANGER, Firm, audited

from omie_control.domain.access import Right
from omie_control.domain.executions import Origin, execution_id_for, uuid7
from omie_control.domain.sealing import DOCUMENT_HASH_BYTES, canonical
from omie_control.errors import Forbidden, NotFound
from omie_control.postgres.database import Postgres
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.bodies import Bodies
from omie_control.services.companies import Companies
from omie_control.services.keys import Keys

CLEAR = {"salt": "00", "input": {"cnpj_cpf": "529.982.247-25"}, "request": None, "response": {"ok": True}}


@pytest.fixture
def bodies(postgres: Postgres, keys: Keys, access: Access) -> Bodies:
    return Bodies(postgres, keys, access)


async def recorded(postgres: Postgres, bodies: Bodies, firm: Firm, *, with_body: bool = True) -> str:
    """Put an execution of the bakery and its sealed body straight into the tables."""
    at = datetime.now(UTC)
    id = uuid7(int(at.timestamp() * 1000), b"0123456789")
    execution_id = execution_id_for("consultar_clientes", id, at, ZoneInfo(TIMEZONE))
    await postgres.pool.execute(
        "insert into process_executions (id, process_type, execution_id, company_id, status)"
        " values ($1, 'x', $2, $3, 'completed')",
        id,
        execution_id,
        firm.padaria.id,
    )
    if with_body:
        await bodies.prepare(firm.padaria.id, at)
        body = bodies.seal(firm.padaria.id, at, id, 1, canonical(CLEAR), ["52998224725", "52998224725"])
        assert len(body.document_hashes) == DOCUMENT_HASH_BYTES
        await postgres.pool.execute(
            "insert into execution_bodies (execution_id, part, key_id, sealed) values ($1, $2, $3, $4)",
            id,
            body.part,
            body.key_id,
            body.sealed,
        )
    return execution_id


async def test_a_change_and_its_audit_row_are_one(postgres: Postgres, conn: Any) -> None:
    with pytest.raises(RuntimeError):
        async with postgres.transaction() as tx:
            await audit.append(tx, OWNER, "thing.changed")
            raise RuntimeError
    assert await audited(conn, "thing.changed") == []


async def test_the_audit_masks_people_and_secrets(postgres: Postgres, conn: Any) -> None:
    async with postgres.transaction() as tx:
        await audit.append(
            tx,
            OWNER,
            "thing.changed",
            object_type="thing",
            object_id="x" * 200,
            before={"cpf": "52998224725", "app_secret": "segredo"},
            after={"n": 2**70, "t": "a\x00b"},
            detail="liga (11) 98765-4321",
            origin=Origin("web", "Navegador\x00", ip_address("2001:db8::1")),
        )
    (row,) = await audited(conn, "thing.changed")
    assert row["before"] == '{"cpf": "***.982.247-**", "app_secret": "•••"}'
    assert row["detail"] == "liga (**) *****-**21"
    assert str(row["ip_address"]) == "2001:db8::1"


async def test_the_application_cannot_change_or_delete_the_audit(postgres: Postgres) -> None:
    async with postgres.transaction() as tx:
        await audit.append(tx, OWNER, "thing.changed")
    for statement in ("update audit_events set actor = 'x'", "delete from audit_events", "truncate audit_events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await postgres.pool.execute(statement)


async def test_a_refusal_is_kept_and_says_why(access: Access, firm: Firm, conn: Any) -> None:
    with pytest.raises(Forbidden) as by_role:
        await access.require(STRANGER, Right.OMIE_WRITE, object_type="method", object_id="IncluirCliente")
    assert "viewer" in by_role.value.message
    assert "incluir ou alterar dados no Omie" in by_role.value.message
    with pytest.raises(Forbidden) as by_scope:
        await access.require(firm.helper, Right.OMIE_READ, firm.oficina.id)
    assert "empresa" in by_scope.value.message
    (row,) = await audited(conn, "omie.write", "refused")
    assert (row["actor"], row["object_id"], row["detail"]) == (
        "token:estranho",
        "IncluirCliente",
        by_role.value.message,
    )
    await access.require(firm.helper, Right.OMIE_READ, firm.padaria.id)


async def test_a_refusal_needs_no_database(postgres: Postgres, access: Access) -> None:
    await postgres.close()
    with pytest.raises(Forbidden):
        await access.require(STRANGER, Right.COMPANY_MANAGE)


async def test_a_reveal_is_a_right_and_leaves_its_trace(
    postgres: Postgres, bodies: Bodies, firm: Firm, conn: Any
) -> None:
    execution_id = await recorded(postgres, bodies, firm)
    clear = await bodies.reveal(OWNER, execution_id)
    assert clear == {"input": {"cnpj_cpf": "529.982.247-25"}, "request": None, "response": {"ok": True}}
    (row,) = await audited(conn, "body.revealed")
    assert (row["actor"], row["object_id"]) == ("user:dona", execution_id)
    with pytest.raises(Forbidden):
        await bodies.reveal(firm.helper, execution_id)
    assert len(await audited(conn, "body.reveal", "refused")) == 1


async def test_a_stranger_does_not_even_learn_that_it_exists(postgres: Postgres, bodies: Bodies, firm: Firm) -> None:
    execution_id = await recorded(postgres, bodies, firm)
    elsewhere = replace(OWNER, companies=frozenset())
    for name in (execution_id, "consultar_clientes_20260101_000000_" + "0" * 26, "nada", ""):
        with pytest.raises(Forbidden):
            await bodies.reveal(STRANGER, name)
        # Who may reveal, but nothing of this company, is told that there is no such execution.
        with pytest.raises(NotFound):
            await bodies.reveal(elsewhere, name)


async def test_what_was_never_sealed_says_so(postgres: Postgres, bodies: Bodies, firm: Firm) -> None:
    execution_id = await recorded(postgres, bodies, firm, with_body=False)
    with pytest.raises(NotFound) as refused:
        await bodies.reveal(OWNER, execution_id)
    assert "mascarado" in refused.value.hint


async def test_a_body_opens_after_a_restart(
    postgres: Postgres, bodies: Bodies, companies: Companies, access: Access, firm: Firm, tmp_path: Path
) -> None:
    execution_id = await recorded(postgres, bodies, firm)
    later = Keys(postgres, None, tmp_path)
    await later.open()
    assert (await Bodies(postgres, later, access).reveal(OWNER, execution_id))["response"] == {"ok": True}
