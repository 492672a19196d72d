"""Canary secrets go through a real installation, well used and badly; then every place is searched for them.

Secrets are told by where they belong and by the names they are given under. What a caller writes into an ordinary
field, as if it were a name or a number, is that caller's data.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import httpx2
import orjson
import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from tests.campaign.house import House
from tests.conftest import secret_part
from tests.fixtures_omie import OmieServer, start_omie
from tests.provider import CLIENT_ID, Provider, provided
from tests.stories import sinks

from omie_control.embedded.home import Home
from omie_control.simulator.seed import DEMO_COMPANIES

pytestmark = pytest.mark.timeout(900)

PAGES = ("/", "/entrar", "/conta", "/configuracao", "/nada", "/metrics", "/healthz", "/readyz")
API = (
    *("/api/v1/openapi.json", "/api/v1/executions", "/api/v1/config", "/api/v1/system", "/api/v1/nada"),
    *("/api/v1/webhooks", "/api/v1/webhooks/events"),
)
COMMANDS = (
    *("company list", "user list", "token list", "audit list", "config list", "key list", "doctor"),
    *("webhook status", "webhook list"),
)


class Canaries(dict[str, str]):
    """Secrets by what they are; none of them can be there by chance."""

    def plant(self, name: str, value: str) -> str:
        """Keep a secret to look for."""
        assert len(value) >= 12, name
        self[name] = value
        return value


@pytest.fixture
def canaries() -> Canaries:
    made = Canaries()
    made.plant("app_key", str(secrets.randbelow(9 * 10**12) + 10**12))
    made.plant("app_secret", secrets.token_hex(16))
    made.plant("master key", base64.b64encode(os.urandom(32)).decode())
    made.plant("admin password", f"senha-{secrets.token_hex(10)}")
    made.plant("wrong password", f"errada-{secrets.token_hex(10)}")
    made.plant("client secret", secrets.token_hex(20))
    made.plant("proxy password", secrets.token_hex(12))
    made.plant("unknown token", f"omc_{secrets.token_hex(20)}")
    return made


@pytest.fixture
async def omie(canaries: Canaries) -> AsyncIterator[OmieServer]:
    company = replace(DEMO_COMPANIES[0], app_key=canaries["app_key"], app_secret=canaries["app_secret"])
    async with start_omie(companies=(company,)) as server:
        yield server


@pytest.fixture
async def provider(canaries: Canaries) -> AsyncIterator[Provider]:
    async with provided() as made:
        made.client_secret = canaries["client secret"]
        yield made


@pytest.fixture
async def house(
    tmp_path_factory: pytest.TempPathFactory, canaries: Canaries, omie: OmieServer, provider: Provider
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("c")
    folder.chmod(0o700)
    made = House(
        folder / "h",
        omie.base_url,
        OMIE_CONTROL_MASTER_KEY=canaries["master key"],
        OMIE_CONTROL_ADMIN_PASSWORD=canaries["admin password"],
        OMIE_CONTROL_OUTGOING_ALLOWED="127.0.0.1",
        OMIE_CONTROL_OIDC_ISSUER=provider.url,
        OMIE_CONTROL_OIDC_CLIENT_ID=CLIENT_ID,
        OMIE_CONTROL_OIDC_CLIENT_SECRET=canaries["client secret"],
    )
    yield made
    made.end()


async def test_no_secret_is_found_anywhere(house: House, canaries: Canaries, provider: Provider) -> None:
    said: list[tuple[str, bytes]] = []
    await house.start()
    passwords = Home(house.home).passwords()
    for name in ("owner", "app", "reader", "valkey"):
        canaries.plant(f"{name}'s password", getattr(passwords, name))
    secret = canaries["app_secret"] + "\n"
    added = house.tried("company", "add", "padaria", "--app-key", canaries["app_key"], given=secret)
    assert added.returncode == 0, added.stderr
    said.append(("company add", (added.stdout + added.stderr).encode()))
    token = re.search(r"omc_\S+", house.command("token", "create", "--name", "canario", "--role", "agent"))
    assert token is not None
    canaries.plant("api token", token[0])

    assert "clientes" in await called(house, canaries, said, "consultar_clientes")
    for arguments in (
        {"app_key": canaries["app_key"], "app_secret": canaries["app_secret"]},
        {"pagina": 1, "api_key": canaries["app_secret"]},
        {"filtro": {"app_secret": canaries["app_secret"], "token": canaries["api token"]}},
    ):
        await called(house, canaries, said, "consultar_clientes", **arguments)
    await called(
        house,
        canaries,
        said,
        "executar_metodo_omie",
        metodo="geral/clientes/ListarClientes",
        parametros={"pagina": 1, "app_secret": canaries["app_secret"], "senha": canaries["admin password"]},
    )
    await through_a_proxy(house, canaries, said)
    await by_the_door(house, canaries, said)
    await by_webhook(house, canaries, said)
    await by_the_company(house, canaries, said, provider)
    await house.kill("server")  # in the middle of whatever it did, with everything in memory
    await called(house, canaries, said, "estado_do_sistema")
    listed = house.command("process", "list", "--json")
    said.append(("process list", listed.encode()))
    for name in re.findall(r'"execution_id": "([^"]+)"', listed)[:3]:
        said.append((f"process show {name}", house.command("process", "show", name, "--json").encode()))
    for command in COMMANDS:
        done = house.tried(*command.split(), "--json")
        assert done.returncode == 0, f"{command}: {done.stderr}"
        said.append((command, (done.stdout + done.stderr).encode()))

    assert await leaks(house, canaries, said) == []
    await a_leak_is_found(house)
    await house.stop()
    said.append(("screen", house.screen.read_bytes()))
    assert await leaks_at_rest(house, canaries, said) == []


async def called(
    house: House, canaries: Canaries, said: list[tuple[str, bytes]], tool: str, **arguments: object
) -> str:
    """Call a tool with the canary's token, and keep what was answered, be it a refusal."""
    transport = StreamableHttpTransport(house.url, headers={"Authorization": f"Bearer {canaries['api token']}"})
    try:
        async with Client(transport) as client:
            answer = repr(await client.call_tool(tool, arguments))
    except ToolError as error:
        answer = str(error)
    said.append((f"tool {tool}", answer.encode()))
    return answer


async def through_a_proxy(house: House, canaries: Canaries, said: list[tuple[str, bytes]]) -> None:
    """Let calls go out by a proxy that is not there, then directly again."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    address = f"http://conta:{canaries['proxy password']}@127.0.0.1:{port}"
    done = house.tried("config", "set", "omie.proxy", given=address + "\n")
    said.append(("config set", (done.stdout + done.stderr).encode()))
    assert done.returncode == 0, done.stderr
    wrong = house.tried("config", "set", "omie.proxy", f"nada://conta:{canaries['proxy password']}@")
    said.append(("config set", (wrong.stdout + wrong.stderr).encode()))
    await asyncio.sleep(2.2)  # the two seconds within which every process knows
    wanted = {"metodo": "geral/clientes/ListarClientes", "parametros": {"pagina": 2}}
    await called(house, canaries, said, "executar_metodo_omie", **wanted)
    said.append(("config history", house.command("config", "history", "omie.proxy", "--json").encode()))
    house.command("config", "unset", "omie.proxy")


async def by_the_door(house: House, canaries: Canaries, said: list[tuple[str, bytes]]) -> None:
    """Log in badly and well, read every page and address of the API, knock with tokens that do not hold."""
    base = house.url.removesuffix("/mcp")
    async with httpx2.AsyncClient(base_url=base, headers={"Accept": "text/html"}, timeout=30) as browser:
        for username, password in (
            ("admin", canaries["wrong password"]),
            ("ninguem", canaries["wrong password"]),
            ("admin", canaries["admin password"]),
        ):
            form = re.search(r'name="csrf_token" value="([^"]+)"', (await browser.get("/entrar")).text)
            assert form is not None
            fields = {"username": username, "password": password, "csrf_token": form[1]}
            answer = await browser.post("/entrar", data=fields)
            said.append(("login", answer.content))
        assert answer.status_code == 303, "the right password does not open the door"
        for path in PAGES:
            said.append((f"page {path}", (await browser.get(path)).content))
    async with httpx2.AsyncClient(base_url=base, timeout=30) as program:
        bearer = {"Authorization": f"Bearer {canaries['api token']}"}
        for path in API:
            said.append((f"api {path}", (await program.get(path, headers=bearer)).content))
        wrong = {"Authorization": f"Bearer {canaries['unknown token']}"}
        for method, path in (("GET", API[1]), ("POST", "/mcp"), ("POST", "/api/v1/nada")):
            said.append((path, (await program.request(method, path, headers=wrong, content=b"{")).content))
        with suppress(httpx2.HTTPError):
            basic = quote(canaries["admin password"])
            said.append(("basic", (await program.get(f"http://admin:{basic}@{base.removeprefix('http://')}/")).content))


async def by_the_company(house: House, canaries: Canaries, said: list[tuple[str, bytes]], provider: Provider) -> None:
    """Enter by the identity provider: what it is shown, and what it gives, stays between it and us."""

    def keep(claims: dict[str, Any]) -> str:
        canaries.plant("id token", provider.signed(claims))
        return canaries["id token"]

    provider.forge = keep
    said.append(("user link", house.command("user", "link", "admin", "ana-7").encode()))
    base = house.url.removesuffix("/mcp")
    async with httpx2.AsyncClient(base_url=base, headers={"Accept": "text/html"}, timeout=60) as client:
        start = await client.get("/entrar/oidc")
        back = (await client.get(start.headers["location"])).headers["location"]
        canaries.plant("login code", parse_qs(urlsplit(back).query)["code"][0])
        entered = await client.get(back)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        again = await client.get(back)
        said += [("login by the company", entered.content), ("the same again", again.content)]


async def by_webhook(house: House, canaries: Canaries, said: list[tuple[str, bytes]]) -> None:
    """Make addresses by hand and by a tool, and post to them what is right, wrong and nothing at all."""
    base = house.url.removesuffix("/mcp")
    made = orjson.loads(house.command("webhook", "create", "padaria", "--json"))["url"]
    canaries.plant("webhook address", secret_part(made))
    token = re.search(r"omc_\S+", house.command("token", "create", "--name", "administra", "--role", "admin"))
    assert token is not None
    canaries.plant("administrator's token", token[0])
    transport = StreamableHttpTransport(house.url, headers={"Authorization": f"Bearer {token[0]}"})
    async with Client(transport) as client:
        # What the tool answers is the one place that may hold it.
        answer = await client.call_tool("webhook_configure", {"acao": "trocar"})
        assert answer.structured_content is not None
        newer = str(answer.structured_content["endereco_secreto"])
        canaries.plant("newer webhook address", secret_part(newer))
        said.append(("webhook_status", repr(await client.call_tool("webhook_status", {})).encode()))
        # Whoever sends a whole address where its beginning is wanted is refused before it is written down.
        with suppress(ToolError):
            await client.call_tool("webhook_configure", {"acao": "revogar", "prefixo": newer[-56:-44]})
    event = {"messageId": "m-1", "topic": "Projeto.Incluido", "appKey": canaries["app_key"], "event": {"codigo": 1}}
    bodies = (event, {**event, "appKey": "1"}, {"ping": "omie"}, {"nada": canaries["app_key"]})
    async with httpx2.AsyncClient(base_url=base, timeout=30) as omie:
        for address in (made, newer, made[:-1], newer + "x"):
            path = "/webhooks/omie/" + address.rpartition("/")[2]
            for body in bodies:
                answered = await omie.post(path, json=body)
                said.append(("webhook", f"{answered.status_code} {answered.text}".encode()))
            for method in ("GET", "PUT", "DELETE"):
                said.append(("webhook", (await omie.request(method, path)).content))
            said.append(("webhook", (await omie.post(path, content=b"a" * 1_100_000)).content))


async def leaks(house: House, canaries: Mapping[str, str], said: list[tuple[str, bytes]]) -> list[str]:
    """Name what is found in the tables, in Valkey, in the files of the home and in what was said."""
    places = [*said, ("screen", house.screen.read_bytes()), *sinks.files(house.home)]
    places += [row async for row in sinks.rows(house)]
    places += [key async for key in sinks.keys(house)]
    assert len(places) > 300, "hardly anything was searched"
    return sorted({f"{name} in {place}" for place, text in places for name in sinks.found(text, canaries)})


async def leaks_at_rest(house: House, canaries: Canaries, said: list[tuple[str, bytes]]) -> list[str]:
    """The same, of what lies on disk when everything has stopped: data files, write-ahead log, append-only file."""
    places = [*said, *sinks.files(house.home)]
    return sorted({f"{name} in {place}" for place, text in places for name in sinks.found(text, canaries)})


async def a_leak_is_found(house: House) -> None:
    """The search itself: a secret put into a file, a row, a key and an answer is found, in each of its forms."""
    planted = {"planted": secrets.token_hex(16)}
    log = house.home / "logs" / "planted.log"
    log.write_text(f"error: {quote(planted['planted'])}")
    connection = await asyncpg.connect(house.owner_url)
    await connection.execute("create table planted (held bytea)")
    await connection.execute("insert into planted values ($1)", planted["planted"].encode())
    said = [("answer", base64.b64encode(b"conta:" + planted["planted"].encode()))]
    found = await leaks(house, planted, said)
    assert set(found) >= {"planted in answer", "planted in table public.planted", "planted in logs/planted.log"}
    await connection.execute("drop table planted")
    await connection.close()
    log.unlink()
