"""Our way of recording, whole (`Full`), and with its parts taken away one at a time to see what each costs."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
from benchmarks.workload import ENDPOINT, INPUT, PROCESS_TYPE, answers

from omie_control.app.database import DatabaseManager
from omie_control.domain.actors import LIBRARY
from omie_control.domain.executions import Call, Category, Complexity, Status, execution_id_for, uuid7
from omie_control.domain.masking import json_text, mask
from omie_control.postgres.database import Postgres
from omie_control.postgres.recorder import Recorder
from omie_control.postgres.rows import FinishRow, StartRow
from omie_control.services.access import Access
from omie_control.services.bodies import Bodies
from omie_control.services.executions import Executions
from omie_control.services.keys import Keys
from omie_control.services.recording import Outcome, Recording, Request
from omie_control.settings import Settings
from omie_control.valkey.sessions import Sessions

TIMEZONE = "America/Sao_Paulo"


def call() -> Call:
    """Make the one measured request of an execution."""
    return Call(ENDPOINT, datetime.now(UTC), 120, 200, True, 210, 2000)


class NothingSealed(Bodies):
    """Keeps no clear bodies: the masked columns are all there is."""

    def seal(self, *_: object, **__: object) -> None:  # type: ignore[override]
        """Seal nothing."""


class Full:
    """The whole of it: rights, masking, sealing, commitment, group commit, roll-ups, live view in Valkey.

    Without `seals` no clear body is kept, and without `is_live` Valkey hears of nothing.
    """

    def __init__(
        self, database_url: str, valkey_url: str, home: Path, *, seals: bool = True, is_live: bool = True
    ) -> None:
        self._bodies = Bodies if seals else NothingSealed
        self._is_live = is_live
        self._settings = Settings(home=home, database_url=database_url, valkey_url=valkey_url)  # type: ignore[arg-type]
        self._answers = answers()

    async def open(self) -> None:
        self._db = DatabaseManager(self._settings)
        await self._db.initialize()
        postgres = self._db.postgres
        access = Access(postgres)
        keys = Keys(postgres, None, self._settings.home)
        await keys.open()
        recording = Recording(self._bodies(postgres, keys, access), self._settings.zone, self._db.instance.id)
        self._executions = Executions(
            self._db.recorder, postgres, access, recording, Sessions(self._db.redis, self._db.live)
        )
        if not self._is_live:
            self._db.recorder._on_commit = None

    async def close(self) -> None:
        await self._db.close()

    async def run(self, turn: int) -> None:
        """Record one execution."""
        request = Request(
            PROCESS_TYPE, INPUT, LIBRARY, writes=False, category=Category.COMERCIAL, complexity=Complexity.BASICA
        )
        handle = await self._executions.start(request)
        handle.note_call(call())
        answer = self._answers[turn % len(self._answers)]
        await self._executions.finish(
            handle, Outcome(Status.COMPLETED, answer, status_code=200, omie_endpoint=ENDPOINT, request_payload=INPUT)
        )


class Bare:
    """The recorder alone, with or without masking: no sealing, no commitment, no live view."""

    def __init__(self, database_url: str, *, masks: bool) -> None:
        self._database_url = database_url
        self._masks = masks
        self._answers = answers()
        self._zone = ZoneInfo(TIMEZONE)

    async def open(self) -> None:
        self._postgres = Postgres(self._database_url, timezone=TIMEZONE)
        await self._postgres.open()
        self._recorder = Recorder(self._postgres.connect_writer, health=self._postgres.health)
        await self._recorder.open()

    async def close(self) -> None:
        await self._recorder.close()
        await self._postgres.close()

    async def run(self, turn: int) -> None:
        """Record one execution."""
        now_ns = time.time_ns()
        at = datetime.fromtimestamp(now_ns / 1e9, UTC)
        id = uuid7(now_ns // 1_000_000, os.urandom(10))
        start = StartRow(
            id=id,
            process_type=PROCESS_TYPE,
            execution_id=execution_id_for(PROCESS_TYPE, id, at, self._zone),
            status=Status.RUNNING,
            started_at=at,
            input_parameters=self._json(INPUT),
            actor=LIBRARY.label,
            category=Category.COMERCIAL,
            complexity=Complexity.BASICA,
        )
        await self._recorder.start(start)
        end = FinishRow(
            id=id,
            attempt=1,
            status=Status.COMPLETED,
            completed_at=datetime.now(UTC),
            duration_ms=(time.time_ns() - now_ns) // 1_000_000,
            omie_endpoint=ENDPOINT,
            request_payload=self._json(INPUT),
            response_status_code=200,
            response_data=self._json(self._answers[turn % len(self._answers)]),
            process_type=PROCESS_TYPE,
            execution_id=start.execution_id,
            calls=(call(),),
        )
        await self._recorder.finish(end)

    def _json(self, value: object) -> str:
        return json_text(mask(value).value) if self._masks else orjson.dumps(value).decode()
