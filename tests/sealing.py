"""A house of its own for tests of the audit: records made by the recorder, a sealer, a verifier, a superuser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.conftest import TIMEZONE, Database

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.damages import Finding
from omie_control.domain.executions import Call, Category, Complexity, Status, uuid7
from omie_control.postgres.database import Postgres
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import FinishRow, StartRow
from omie_control.services import audit
from omie_control.services.access import Access
from omie_control.services.audit_trail import AuditTrail
from omie_control.services.keys import Keys
from omie_control.services.seals import Seals
from omie_control.services.seals_checkpoints import Checkpoints
from omie_control.services.seals_keys import SealKeys
from omie_control.services.seals_verifier import Verifier

OWNER = Actor(ActorKind.USER, "dona", Role.ADMIN)
AUDITOR = Actor(ActorKind.USER, "auditora", Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Books:
    """What a test of the audit works with."""

    postgres: Postgres
    recorder: Recorder
    keys: Keys
    seal_keys: SealKeys
    checkpoints: Checkpoints
    seals: Seals
    trail: AuditTrail

    async def run(self, status: Status = Status.COMPLETED, *, ago: timedelta = timedelta(0), **given: Any) -> FinishRow:
        """Record an execution from its start to its end, as a process does."""
        start = started(ago=ago)
        await self.recorder.start(start)
        end = ended(start, status=status, **given)
        assert await self.recorder.finish(end)
        return end

    async def happen(self, action: str = "thing.changed", actor: Actor = OWNER) -> None:
        """Append an audit event, as a verb does."""
        async with self.postgres.transaction() as tx:
            await audit.append(tx, actor, action, object_type="thing", object_id="1", after={"n": 1})

    async def verify(self, **given: Any) -> list[Finding]:
        """Verify, and return everything that was found."""
        verifier = Verifier(self.postgres, self.seal_keys, self.checkpoints, **given)
        return [finding async for finding in verifier.findings()]


def started(*, ago: timedelta = timedelta(0), **given: Any) -> StartRow:
    """Make the start of an execution, as of some time ago."""
    at = datetime.now(UTC) - ago
    id = uuid7(int(at.timestamp() * 1000), os.urandom(10))
    row = StartRow(
        id=id,
        process_type="consultar_clientes",
        execution_id=f"consultar_clientes_{id}",
        status=Status.RUNNING,
        started_at=at,
        input_parameters='{"pagina": 1, "filtro": {"nome": "Padaria São João", "valor": 1.50}}',
        actor="token:claude",
        category=Category.COMERCIAL,
        complexity=Complexity.BASICA,
        user_agent="Claude/1.0",
        ip_address="10.1.2.3",
        session_id="sessao-1",
        trace_id=os.urandom(16),
    )
    return row._replace(**given)


def ended(start: StartRow, **given: Any) -> FinishRow:
    """Make the end of a start."""
    row = FinishRow(
        id=start.id,
        attempt=start.attempt,
        status=Status.COMPLETED,
        completed_at=start.started_at + timedelta(milliseconds=120),
        duration_ms=120,
        omie_endpoint="geral/clientes/ListarClientes",
        request_payload='{"param": [{"pagina": 1}]}',
        response_status_code=200,
        response_data='{"clientes": [{"codigo": 1, "cnpj_cpf": "***.982.247-**"}, {"codigo": 2}, {"codigo": 3}]}',
        commitment=os.urandom(32),
        process_type=start.process_type,
        execution_id=start.execution_id,
        calls=(Call("geral/clientes/ListarClientes", start.started_at, 100, 200, True, 100, 1000),),
    )
    return row._replace(**given)


@asynccontextmanager
async def books(database: Database, home: Path, second: Path | None = None) -> AsyncIterator[Books]:
    """Open everything on a database and a home, as one process does."""
    postgres = Postgres(database.app_url, owner_url=database.owner_url, timezone=TIMEZONE, pool_size=4)
    await postgres.open()
    recorder = Recorder(postgres.connect_writer, health=postgres.health)
    await recorder.open()
    try:
        keys = Keys(postgres, None, home)
        await keys.open()
        seal_keys, checkpoints = SealKeys(postgres, keys), Checkpoints(home, second)
        trail = AuditTrail(postgres, seal_keys, checkpoints, Access(postgres))
        yield Books(postgres, recorder, keys, seal_keys, checkpoints, Seals(postgres, seal_keys, checkpoints), trail)
    finally:
        await recorder.close()
        await postgres.close()


def told(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Return what was found, short."""
    return [(finding.damage.value, finding.subject, finding.id) for finding in findings]
