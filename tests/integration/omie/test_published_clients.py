"""Clients that others published read and write our Omie by changing only the base address."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT, run
from typing import Any

import pytest
from tests.fixtures_omie import OmieServer

DRIVERS = Path(__file__).parent / "published"
# By the names and versions that were checked.
CLIENTS = ("api-omie==0.4.6.1", "iaxys-omie-utils==0.1.7")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give an interpreter that has the published clients, and nothing of ours."""
    home = tmp_path_factory.mktemp("published")
    python = home / "bin" / "python"
    run([sys.executable, "-m", "venv", str(home)], check=True)
    quietly = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = run([*quietly, *CLIENTS], stdout=PIPE, stderr=STDOUT, text=True, check=False)
    if done.returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no package registry: {done.stdout[-400:]}")
    yield python


async def drive(python: Path, driver: str, server: OmieServer) -> Any:
    """Run a driver against the simulator, and return what it printed."""
    pair = (server.company.app_key, server.company.app_secret)
    # Without our path: the driver has the name of the module that it drives.
    process = await asyncio.create_subprocess_exec(
        str(python), "-P", str(DRIVERS / driver), server.base_url, *pair, stdout=PIPE, stderr=STDOUT
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return json.loads(printed)


async def test_api_omie_reads_and_writes(interpreter: Path, omie_server: OmieServer) -> None:
    told = await drive(interpreter, "api_omie.py", omie_server)
    assert told == {"name": "Ação", "customers": 138, "movements": 20, "fault": "SOAP-ENV:Client-103"}
    assert omie_server.simulator.book.violations == []


async def test_iaxys_omie_utils_reads_writes_and_settles(interpreter: Path, omie_server: OmieServer) -> None:
    told = await drive(interpreter, "iaxys_omie_utils.py", omie_server)
    assert (told["name"], told["customers"], told["status"]) == ("Padaria Reação Ltda", 138, "RECEBIDO")
    assert "NINGUEM" in told["fault"]
    assert omie_server.simulator.book.violations == []
