"""Whatever happens between Omie and us: each write is made exactly once, and every execution gets its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.campaign.house import House
from tests.campaign.writes import CARELESS, Report, run
from tests.conftest import Database
from tests.writing import WritingHouse

from omie_control.domain.executions import Status
from omie_control.errors import Uncertain

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("campaign")]
CLIENT = {"razao_social": "Padaria Sol Nascente"}


async def campaign(database: Database, valkey_url: str, folder: Path, writes: int, **choices: object) -> Report:
    environment = {
        "OMIE_CONTROL_DATABASE_URL": database.app_url,
        "OMIE_CONTROL_DATABASE_OWNER_URL": database.owner_url,
        "OMIE_CONTROL_VALKEY_URL": valkey_url,
    }
    return await run(folder, environment, database.owner_url, writes=writes, **{"patience": 600.0, **choices})  # type: ignore[arg-type]


async def test_sixty_writes_with_a_fault_on_each_third_are_made_exactly_once(
    database: Database, valkey_url: str, tmp_path: Path
) -> None:
    report = await campaign(database, valkey_url, tmp_path, 60)
    assert report.broken == [], str(report)
    assert report.kills > 0, str(report)
    assert len(report.faults) == 9, str(report)


async def test_a_build_that_claims_the_key_after_the_call_is_caught(
    database: Database, valkey_url: str, tmp_path: Path
) -> None:
    report = await campaign(database, valkey_url, tmp_path, 30, program=CARELESS, patience=20.0)
    assert any("2 records in Omie" in each for each in report.broken), str(report)


async def test_the_operator_settles_an_uncertain_write_from_the_shell(writing: WritingHouse) -> None:
    writing.omie.plan("timeout_after", call="IncluirCliente")
    told = await writing.write(CLIENT, key="pedido-1")
    assert isinstance(told.error, Uncertain)
    settings = writing.app.settings
    shell = House(settings.home)
    given = {
        f"OMIE_CONTROL_{name}": value.get_secret_value()
        for name, value in (
            ("DATABASE_URL", settings.database_url),
            ("DATABASE_OWNER_URL", settings.database_owner_url),
            ("VALKEY_URL", settings.valkey_url),
        )
        if value is not None
    }
    bare = shell.tried("process", "settle", told.execution_id, "--as", "sim", "--note", "x", **given)
    assert bare.returncode == 2
    done = shell.tried("process", "settle", told.execution_id, "--as", "completed", "--note", "Está no Omie.", **given)
    assert done.returncode == 0, done.stderr
    assert told.execution_id in done.stdout
    assert (await writing.shown(told.execution_id)).status is Status.COMPLETED
    again = shell.tried("process", "settle", told.execution_id, "--as", "failed", "--note", "x", **given)
    assert again.returncode == 3
    assert "não está incerta" in again.stderr
