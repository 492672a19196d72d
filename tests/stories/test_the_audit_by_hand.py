"""An auditor's day: everything is sealed by itself, verifies, goes along as a file; what somebody changed is named."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx2
import pytest
from tests.campaign.house import House
from tests.conftest import eventually

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    with tempfile.TemporaryDirectory(prefix="octl-a-") as folder:
        made = House(Path(folder) / "h")
        try:
            await made.start()
            yield made
            await made.stop()
        finally:
            made.end()


async def test_an_auditor_verifies_exports_and_catches_a_change(house: House, tmp_path: Path) -> None:
    superuser = await asyncpg.connect(house.owner_url)
    try:

        async def is_sealed() -> bool:
            # The demonstration's traffic, and the events of the first start.
            return bool(await superuser.fetchval("select sum(executions) > 3 and sum(events) > 3 from seals"))

        await eventually(is_sealed, within=180)
        verified = json.loads(house.command("audit", "verify", "--json"))
        assert verified["findings"] == 0
        assert verified["records"] > 6
        assert "Tudo confere" in house.command("audit", "verify", "--since", "2026-01-01")
        audit = httpx2.get(house.url.replace("/mcp", "/readyz"), timeout=60).json()["audit"]
        assert audit["last_seal"] > 0
        assert audit["findings"] == 0
        metrics = httpx2.get(house.url.replace("/mcp", "/metrics"), timeout=60).text
        assert "omie_control_audit_seal_lag_seconds" in metrics
        assert "omie_control_audit_verification_findings 0.0" in metrics
        events = json.loads(house.command("audit", "list", "--action", "user.*", "--json"))["items"]
        assert [event["object_id"] for event in events] == ["admin"]
        assert "user.created" in house.command("audit", "show", events[0]["id"])

        out = tmp_path / "auditoria.jsonl"
        house.command("audit", "export", "--from", "2026-01-01", "--out", str(out))
        key = json.loads(house.command("audit", "public-key", "--json"))["public_key"]
        # Somewhere else: no database, no home, no master key.
        elsewhere = {
            "OMIE_CONTROL_HOME": str(tmp_path / "nada"),
            "OMIE_CONTROL_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        }
        done = house.tried("audit", "verify-file", str(out), "--public-key", key, **elsewhere)
        assert (done.returncode, "Tudo confere" in done.stdout) == (0, True), done.stderr
        out.write_bytes(out.read_bytes().replace(b'"status":"completed"', b'"status":"failed"', 1))
        assert house.tried("audit", "verify-file", str(out), "--public-key", key, **elsewhere).returncode == 3

        # The first that ended: it was sealed long before the verification above.
        name = await superuser.fetchval(
            "update process_executions set response_data = '{}' where id = (select id from process_executions"
            " where status = 'completed' order by completed_at limit 1) returning execution_id"
        )
        done = house.tried("audit", "verify")
        assert done.returncode == 3
        assert f"A execução {name} (selo " in done.stdout
        assert "foi alterada depois de selada." in done.stdout
        assert "não confere" in done.stderr
        assert "encontrou 1 diferença." in house.tried("doctor").stdout
    finally:
        await superuser.close()
