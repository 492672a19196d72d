"""`omie-control up` as a newcomer meets it: one command, an empty home, a screen that says all; then Ctrl-C."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from tests.campaign.house import House

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """An installation in a folder that only its owner may enter."""
    folder = tmp_path_factory.mktemp("u")
    folder.chmod(0o700)
    made = House(folder / "h")
    yield made
    made.end()


async def ask(house: House, tool: str, **arguments: object) -> tuple[str, str]:
    transport = StreamableHttpTransport(house.url, headers={"Authorization": f"Bearer {house.token}"})
    async with Client(transport) as client:
        result = await client.call_tool(tool, arguments)
    return result.meta["execution_id"], result.content[0].text


async def test_from_nothing_to_a_recorded_call_and_back(house: House) -> None:
    await house.start()
    screen = house.screen.read_text(encoding="utf-8")
    assert "senha: " in screen
    assert house.token in screen
    assert str(house.home / "master.key") in screen
    assert "claude mcp add" in screen
    assert "mcpServers" in screen
    assert stat.S_IMODE((house.home / "master.key").stat().st_mode) == 0o600

    execution_id, text = await ask(house, "consultar_clientes")
    # 137 from the simulator's start, and what the demonstration registered since.
    told = re.search(r"^50 de (\d+) clientes, página 1 de 3 ", text)
    assert told is not None, text
    assert int(told[1]) >= 137

    shown = json.loads(house.command("process", "show", execution_id, "--json"))
    assert shown["status"] == "completed"
    assert shown["omie_endpoint"] == "geral/clientes/ListarClientes"
    assert [call["success"] for call in shown["calls"]] == [True]
    assert shown["actor"] == "token:primeiro-acesso"

    listed = json.loads(house.command("process", "list", "--type", "consultar_clientes", "--limit", "200", "--json"))
    assert execution_id in [item["execution_id"] for item in listed["items"]]
    metrics = httpx2.get(house.url.replace("/mcp", "/metrics"), timeout=60).text
    assert "omie_control_" in metrics

    await house.stop()


async def test_a_second_start_keeps_the_data_and_tells_no_password(house: House) -> None:
    await house.start()
    made = [(house.home / name).stat().st_mtime_ns for name in ("postgres/PG_VERSION", "master.key", "agent-token")]
    execution_id, _ = await ask(house, "estado_do_sistema")
    token = house.token
    await house.stop()

    await house.start()
    # Nothing is made a second time, so that it is quicker than the first.
    kept = [(house.home / name).stat().st_mtime_ns for name in ("postgres/PG_VERSION", "master.key", "agent-token")]
    assert kept == made
    assert "a que você já tem" in house.screen.read_text(encoding="utf-8")
    assert house.token == token
    assert json.loads(house.command("process", "show", execution_id, "--json"))["status"] == "completed"
    await house.stop()


async def test_a_second_up_on_the_same_home_says_so_and_leaves(house: House) -> None:
    await house.start()
    second = house.tried("up", "--port", "0")
    assert second.returncode == 3
    assert "já" in second.stderr
    assert len(second.stderr.strip().splitlines()) <= 2
    await ask(house, "estado_do_sistema")
    await house.stop()


async def test_a_taken_port_is_named(house: House) -> None:
    await house.start()
    port = house.url.split(":")[2].split("/")[0]
    other = House(house.home.with_name("o"))
    refused = other.tried("up", "--port", port)
    assert refused.returncode == 3
    assert f"porta {port}" in refused.stderr
    assert "--port" in refused.stderr
    await house.stop()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OMIE_CONTROL_PORT", "oitomil", "OMIE_CONTROL_PORT"),
        ("OMIE_CONTROL_DATABASE_URL", "mysql://u:segredo@h/b", "postgresql://"),
        ("OMIE_CONTROL_TZ", "Brasilia", "America/Sao_Paulo"),
        ("OMIE_CONTROL_MASTER_KEY", "curta", "chave mestra"),
        ("OMIE_CONTROL_DATABSE_URL", "x", "OMIE_CONTROL_DATABASE_URL"),
    ],
)
def test_a_wrong_variable_stops_the_start_with_a_readable_line(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    house = House(tmp_path / "h")
    refused = house.tried("up", "--port", "0", **{name: value})
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "segredo" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 3
    assert not house.servers()


def test_short_commands_work_alone_and_leave_nothing_running(tmp_path: Path) -> None:
    house = House(tmp_path / "h")
    made = json.loads(house.command("token", "create", "--name", "script", "--role", "viewer", "--json"))
    assert made["token"].startswith("omc_")
    tokens = json.loads(house.command("token", "list", "--json"))
    assert [token["name"] for token in tokens["items"]] == ["script"]
    assert made["token"] not in json.dumps(tokens)
    house.command("token", "revoke", str(made["id"]))
    assert json.loads(house.command("token", "list", "--json"))["items"][0]["revoked_at"] is not None

    house.command("company", "add", "padaria", "--app-key", "1234567890", given="0123456789abcdef0123456789abcdef\n")
    companies = house.command("company", "list", "--json")
    assert json.loads(companies)["items"][0]["slug"] == "padaria"
    assert "0123456789abcdef" not in companies
    missing = house.tried("process", "show", "nada", "--json")
    assert missing.returncode == 3
    assert json.loads(missing.stderr)["error"]["code"] == "nao_encontrado"
    house.command("user", "create", "maria", "--role", "operator", given="uma senha bem longa 7\n")
    assert json.loads(house.command("doctor", "--json"))["items"][0]["level"] == "ok"
    assert not house.servers()
