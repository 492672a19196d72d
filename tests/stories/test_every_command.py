"""Every command of the reference, by hand on one installation: it works, or says in words what is wrong."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from tests.campaign.house import House

pytestmark = pytest.mark.timeout(1200)

REFERENCE = Path(__file__).parents[2] / "docs/reference/cli.md"
# What runs until a signal has stories of its own.
ENDLESS = {"up", "serve", "worker", "mcp", "simulate"}
# Takes an Omie that breaks (test_exactly_once), or an identity provider (test_people_of_the_identity_provider).
ELSEWHERE = {"process settle", "user link", "user unlink"}
CPF = "529.982.247-25"
SECRET = "0123456789abcdef0123456789abcdef\n"
NOTHING = "00000000-0000-0000-0000-000000000000"


def commands() -> set[str]:
    headings = re.findall(r"^## `omie-control ([^`]+)`", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    return {" ".join(word for word in heading.split() if not word.isupper()) for heading in headings}


class Hand:
    """Types commands, and remembers which have worked."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.done: set[str] = set()
        self._known = commands()

    def does(self, *words: str, given: str = "") -> str:
        """It works: what it said."""
        said = self.house.command(*words, given=given)
        two = " ".join(words[:2])
        self.done.add(two if two in self._known else words[0])
        return said

    def gives(self, *words: str, given: str = "") -> Any:
        """It works: what it gave to a script."""
        return json.loads(self.does(*words, "--json", given=given))

    def is_refused(self, *words: str, code: int = 3, given: str = "") -> str:
        """It is turned away in words that a person can act on, here in the form for scripts; nothing is printed."""
        done = self.house.tried(*words, "--json", given=given)
        assert (done.returncode, done.stdout) == (code, ""), (words, done)
        error = json.loads(done.stderr)["error"]
        assert error["message"], words
        assert error["hint"], words
        return f"{error['message']} {error['hint']}"


@pytest.fixture
async def hand() -> AsyncIterator[Hand]:
    with tempfile.TemporaryDirectory(prefix="octl-c-") as folder:
        house = House(Path(folder) / "h")
        try:
            await house.start()
            yield Hand(house)
            await house.stop()
        finally:
            house.end()


async def test_every_command_works_by_hand_and_says_what_is_wrong(hand: Hand, tmp_path: Path) -> None:
    _installation(hand)
    _companies(hand)
    _people(hand)
    _roles(hand)
    _tokens(hand)
    await _processes(hand)
    _configuration(hand)
    _webhooks(hand)
    _personal_data(hand)
    _keys(hand)
    _audit(hand, tmp_path)
    assert commands() - hand.done == ENDLESS | ELSEWHERE


def _installation(hand: Hand) -> None:
    assert re.fullmatch(r"omie-control \d+\.\d+\.\d+\n", hand.does("version"))
    assert {item["level"] for item in hand.gives("doctor")["items"]} == {"ok", "warning"}
    assert hand.does("migrate")


def _companies(hand: Hand) -> None:
    assert "demonstracao" in hand.does("company", "test", "demonstracao")
    assert "padaria" in hand.does("company", "add", "padaria", "--app-key", "1234567890", given=SECRET)
    assert [item["slug"] for item in hand.gives("company", "list")["items"]] == ["padaria", "demonstracao"]
    assert "…7890" in hand.does("company", "list")
    # A real company has taken the demonstration's place.
    assert "está desativada" in hand.is_refused("company", "test", "demonstracao")
    assert "padaria, demonstracao" in hand.is_refused("company", "test", "nada")
    assert "padaria" in hand.is_refused("company", "add", "padaria", "--app-key", "1234567890", given=SECRET)


def _people(hand: Hand) -> None:
    hand.does("user", "create", "maria", "--role", "operator", given="uma senha bem longa 7\n")
    assert "senha" in hand.is_refused("user", "create", "joao", code=2, given="curta\n")
    hand.does("user", "role", "maria", "auditor")
    found = {item["username"]: item["role"] for item in hand.gives("user", "list")["items"]}
    assert found == {"admin": "admin", "maria": "auditor"}
    # The links lead to the port that was taken, which no setting names.
    here = hand.house.url.removesuffix("/mcp")
    assert hand.gives("user", "invite", "joao")["link"].startswith(f"{here}/convite/")
    assert hand.does("user", "reset", "maria").startswith(f"{here}/convite/")
    hand.does("user", "deactivate", "maria")
    hand.does("user", "activate", "maria")
    assert hand.gives("user", "sessions", "maria")["items"] == []
    assert "0" in hand.does("user", "end-session", "maria")
    hand.does("user", "email", "maria", "maria@exemplo.com.br")
    assert "maria@exemplo.com.br" in hand.does("user", "identities")
    assert "@" in hand.is_refused("user", "email", "maria", "nada", code=2)
    assert "OIDC_ISSUER" in hand.is_refused("user", "link", "maria", "sub-7")
    hand.is_refused("user", "unlink", "maria")
    code = hand.house.tried("user", "totp", "maria", given="000000\n")
    assert code.returncode == 2
    assert "Traceback" not in code.stderr
    hand.done.add("user totp")
    hand.does("user", "totp-off", "maria")
    assert "'ninguem'" in hand.is_refused("user", "role", "ninguem", "viewer")
    assert "viewer" in hand.is_refused("user", "role", "maria", "nada", code=2)


def _roles(hand: Hand) -> None:
    assert any(item["meaning"] == "iniciar execuções" for item in hand.gives("role", "rights")["items"])
    hand.does("role", "create", "contas", "--right", "omie.read", "--category", "financeiro", "--read-only")
    hand.does("role", "change", "contas", "--right", "omie.read", "--right", "execution.read", "--any-category")
    made = next(item for item in hand.gives("role", "list")["items"] if item["name"] == "contas")
    assert made["rights"] == ["execution.read", "omie.read"]
    hand.does("role", "group", "Financeiro", "contas")
    assert "Financeiro" in hand.does("role", "groups")
    assert "ainda é de alguém" in hand.is_refused("role", "delete", "contas")
    hand.does("role", "ungroup", "Financeiro")
    hand.does("role", "delete", "contas")
    hand.is_refused("role", "delete", "contas")
    assert "omie.read" in hand.is_refused("role", "create", "x", "--right", "nada", code=2)


def _tokens(hand: Hand) -> None:
    made = hand.gives("token", "create", "--name", "script", "--role", "viewer", "--expires", "90d")
    assert made["token"] not in hand.does("token", "list")
    assert "'script'" in hand.does("token", "revoke", "script")
    hand.is_refused("token", "revoke", "script")
    hand.is_refused("token", "create", "--name", "x", "--expires", "ontem", code=2)
    hand.is_refused("token", "create", "--name", "x", "--expires", "2020-01-01", code=2)


async def _processes(hand: Hand) -> None:
    transport = StreamableHttpTransport(hand.house.url, headers={"Authorization": f"Bearer {hand.house.token}"})
    async with Client(transport) as client:
        result = await client.call_tool("estado_do_sistema", {})
    name = (result.meta or {})["execution_id"]
    assert name in hand.does("process", "list", "--type", "estado_do_sistema")
    assert hand.gives("process", "show", name)["status"] == "completed"
    assert "estado_do_sistema" in hand.does("process", "show", name)
    assert "já terminou" in hand.is_refused("process", "cancel", name, "--reason", "engano")
    waiting = await _queued_by_hand(hand.house)
    hand.does("process", "cancel", waiting, "--reason", "engano")
    assert hand.gives("process", "show", waiting)["status"] == "cancelled"
    lines = hand.does("process", "tail", "--seconds", "3", "--json").splitlines()
    assert name in {json.loads(line)["execution_id"] for line in lines}
    assert "Confira o execution_id" in hand.is_refused("process", "show", "nada")
    told = hand.house.tried("process", "show", "nada")
    assert told.stderr.startswith("Erro: A execução nada não existe.\n")
    assert len(told.stderr.splitlines()) == 2
    hand.is_refused("process", "list", "--status", "nada", code=2)
    hand.is_refused("process", "list", "--before", "nada")
    hand.is_refused("process", "settle", name, "--as", "failed", "--note", "x")


async def _queued_by_hand(house: House) -> str:
    connection = await asyncpg.connect(house.owner_url)
    try:
        return str(
            await connection.fetchval(
                "insert into process_executions (process_type, execution_id, status) "
                "values ('fechamento', 'fechamento_de_novembro', 'queued') returning execution_id"
            )
        )
    finally:
        await connection.close()


def _configuration(hand: Hand) -> None:
    assert "login.days" in {item["config_key"] for item in hand.gives("config", "list")["items"]}
    hand.does("config", "set", "login.hours", "8")
    assert hand.gives("config", "get", "login.hours")["value"] == 8
    shown = hand.does("config", "get", "login.hours")
    assert re.search(r"^valor +8$", shown, re.MULTILINE)
    assert re.search(r"^mudada em +\d\d/\d\d/\d{4} ", shown, re.MULTILINE)
    [change] = hand.gives("config", "history", "login.hours")["items"]
    assert (change["before"], change["after"]) == (None, 8)
    assert [item["config_key"] for item in hand.gives("config", "diff", "0")["items"]] == ["login.hours"]
    hand.does("config", "rollback", "0")
    assert hand.gives("config", "get", "login.hours")["is_default"] is True
    hand.does("config", "set", "login.hours", "9")
    hand.does("config", "unset", "login.hours")
    assert "1 a 168" in hand.is_refused("config", "set", "login.hours", "0", code=2)
    assert "'login.hours'" in hand.is_refused("config", "get", "logn.hours")
    hand.is_refused("config", "rollback", "999")


def _webhooks(hand: Hand) -> None:
    here = hand.house.url.removesuffix("/mcp")
    made = hand.gives("webhook", "create", "padaria")
    assert made["url"].startswith(f"{here}/webhooks/omie/omw_")
    hand.is_refused("webhook", "create", "padaria")
    tested = hand.gives("webhook", "test", "padaria")
    assert tested["problem"] is None
    assert tested["applied_ms"] is not None
    assert made["url"] not in hand.does("webhook", "status", "padaria")
    assert len(hand.gives("webhook", "list", "padaria")["items"]) == 1
    hand.does("webhook", "revoke", made["prefix"])
    hand.is_refused("webhook", "revoke", "omw_nada")
    hand.is_refused("webhook", "status", "nada")


def _personal_data(hand: Hand) -> None:
    assert hand.gives("person", "processing")["items"]
    assert hand.gives("person", "report", given=f"{CPF}\n")["items"] == []
    hand.is_refused("person", "report", code=2, given="1\n")
    held = hand.gives("hold", "set", "--reason", "processo", "--person", "--company", "padaria", given=f"{CPF}\n")
    [row] = hand.gives("hold", "list")["items"]
    assert (row["id"], row["company"], CPF in str(row)) == (held["id"], "padaria", False)
    assert "padaria" in hand.does("hold", "list")
    hand.is_refused("hold", "set", "--reason", "x", code=2)
    hand.does("hold", "lift", held["id"], "--reason", "acabou")
    hand.is_refused("hold", "lift", NOTHING, "--reason", "x")
    hand.is_refused("person", "erase", "--reason", "pedido", code=2, given=f"{CPF}\n")
    hand.does("person", "erase", "--reason", "pedido do titular", "--yes", given=f"{CPF}\n")
    [erasure] = hand.gives("person", "erasures")["items"]
    assert erasure["reason"] == "pedido do titular"
    hand.does("person", "reapply")


def _keys(hand: Hand) -> None:
    assert hand.does("key", "new") != hand.does("key", "new")
    before = next(item["id"] for item in hand.gives("key", "list")["items"] if item["is_current"])
    rotated = hand.does("key", "rotate")
    assert re.search(rf"^chave antiga +{before}$", rotated, re.MULTILINE)
    now = {item["id"]: item["is_current"] for item in hand.gives("key", "list")["items"]}
    assert now.pop(before) is False
    assert list(now.values()) == [True]


def _audit(hand: Hand, folder: Path) -> None:
    [event] = hand.gives("audit", "list", "--action", "master_key.rotated")["items"]
    assert "master_key.rotated" in hand.does("audit", "show", event["id"])
    assert hand.gives("audit", "verify")["findings"] == 0
    key = hand.gives("audit", "public-key")["public_key"]
    out = folder / "auditoria.jsonl"
    hand.does("audit", "export", "--from", "2026-01-01", "--out", str(out))
    assert "Tudo confere" in hand.does("audit", "verify-file", str(out), "--public-key", key)
    hand.is_refused("audit", "show", "nada", code=2)
    assert "já existe" in hand.is_refused("audit", "export", "--from", "2026-01-01", "--out", str(out), code=2)
    away = str(folder / "nada" / "a.jsonl")
    assert "a pasta não existe" in hand.is_refused("audit", "export", "--from", "2026-01-01", "--out", away, code=2)
    assert "não existe" in hand.is_refused("audit", "verify-file", away, code=2)
    assert "é uma pasta" in hand.is_refused("audit", "verify-file", str(folder), code=2)


async def test_a_link_of_an_installation_that_was_killed_names_the_port_of_the_settings(tmp_path: Path) -> None:
    house = House(tmp_path / "h")
    try:
        await house.start()
        assert house.process.poll() is None
        house.process.send_signal(signal.SIGKILL)
        house.process.wait()
        assert (house.home / "address").exists()
        assert house.command("user", "invite", "joao").startswith("http://127.0.0.1:8000/convite/")
    finally:
        house.end()
