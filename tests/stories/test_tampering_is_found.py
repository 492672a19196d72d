"""A slice of the tampering campaign: every kind of tampering twice, each found and named; and the saboteur, caught."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from tests.campaign.tampering import KINDS, careless, fill, prepared, run
from tests.conftest import run_on

pytestmark = pytest.mark.timeout(900)


async def test_every_tampering_is_found_and_a_careless_verifier_is_caught(postgres_server: str, tmp_path: Path) -> None:
    name = f"octl_tampering_{secrets.token_hex(6)}"
    database = await prepared(postgres_server, name)
    try:
        await fill(database, tmp_path / "home", 90, seed=1)
        report = await run(database, tmp_path / "home", records=2 * len(KINDS), seed=1)
        assert (report.missed, report.unnamed) == ([], []), str(report)
        assert sum(report.tamperings.values()) >= 60
        sabotage = await run(database, tmp_path / "home", records=len(KINDS) // 2, seed=2, looks=careless)
        assert sabotage.missed, "a verifier that never looks for inserted records must miss some"
    finally:
        await run_on(
            postgres_server, f"drop database {name} with (force)", f"drop role {name}_app", f"drop role {name}_reader"
        )
