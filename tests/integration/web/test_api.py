"""The REST API over the real house: who may, what it answers, and what it makes of bad input."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from tests.integration.web.conftest import PATIENCE_SECONDS, SYSTEM, House

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Status
from omie_control.errors import NotFound
from omie_control.services.configuration import HIDDEN
from omie_control.services.executions import Outcome, Request
from omie_control.services.pace import Pace

pytestmark = pytest.mark.asyncio(loop_scope="session")

API = "/api/v1"
PROBLEM = "application/problem+json"
CANARY = "http://ana:canario-4712@proxy.exemplo:3128"
ROLES = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
# Every route, a body that it takes, and what it answers to a viewer, an operator and an administrator.
ROUTES: list[tuple[str, str, dict[str, Any] | None, tuple[int, int, int]]] = [
    ("GET", "/config", None, (403, 200, 200)),
    ("GET", "/config/writes.enabled", None, (403, 200, 200)),
    ("PUT", "/config/writes.enabled", {"value": True}, (403, 403, 200)),
    ("DELETE", "/config/writes.enabled", None, (403, 403, 200)),
    ("GET", "/config/history", None, (403, 200, 200)),
    ("GET", "/config/diff?since=0", None, (403, 200, 200)),
    ("POST", "/config/rollback", {"revision": 0}, (403, 403, 200)),
    ("GET", "/executions", None, (200, 200, 200)),
    ("GET", "/executions/{execution_id}", None, (200, 200, 200)),
    ("GET", "/system", None, (200, 200, 200)),
    ("GET", "/webhooks", None, (200, 200, 200)),
    ("POST", "/webhooks", {"company": "padaria"}, (403, 403, 200)),
    ("GET", "/webhooks/events", None, (200, 200, 200)),
    ("POST", "/webhooks/test", {}, (403, 403, 200)),
    ("DELETE", "/webhooks/omw_aaaaaaaa", None, (403, 403, 404)),
    ("GET", "/openapi.json", None, (200, 200, 200)),
]


@asynccontextmanager
async def program(house: House, role: Role = Role.ADMIN, **more: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client that carries a token of a role."""
    of = f"-{uuid4()}" if "companies" in more else ""
    _, text = await house.app.tokens.create(SYSTEM, f"programa-{role}{of}", role, **more)
    headers = {"Authorization": f"Bearer {text}"}
    async with httpx2.AsyncClient(base_url=house.url + API, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def problem_of(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Check the one shape of every refusal, and give it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    body: dict[str, Any] = answer.json()
    assert body.keys() - {"until"} == {"type", "title", "status", "detail", "code", "hint"}
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["detail"].endswith(".") and body["hint"]
    assert answer.headers["cache-control"] == "no-store"
    return body


async def test_every_route_lets_in_whom_it_should_and_nobody_else(fresh_house: House) -> None:
    handle = await fresh_house.begin()
    await fresh_house.end(handle)
    strangers = {"": 'Bearer realm="omie-control"'}
    for given in ("Bearer nada", "Bearer omc_abcdefgh_" + "x" * 43, "Basic YWRtaW46YWRtaW4="):
        strangers[given] = 'Bearer realm="omie-control", error="invalid_token"'
    async with httpx2.AsyncClient(base_url=fresh_house.url + API, timeout=PATIENCE_SECONDS) as client:
        for method, template, body, _ in ROUTES:
            path = template.format(execution_id=handle.execution_id)
            for given, challenge in strangers.items():
                headers = {"Authorization": given} if given else {}
                answer = await client.request(method, path, json=body, headers=headers)
                assert problem_of(answer, 401)["code"] == "nao_autenticado"
                assert answer.headers["www-authenticate"] == challenge
            if method in ("PUT", "POST"):
                # What nobody asked for is not read before it is known who asks.
                problem_of(await client.request(method, path, content=b"{"), 401)
    await fresh_house.app.companies.add(SYSTEM, "padaria", "Padaria", "1234567890", "a" * 32)
    for index, role in enumerate(ROLES):
        async with program(fresh_house, role) as client:
            for method, template, body, expected in ROUTES:
                path = template.format(execution_id=handle.execution_id)
                answer = await client.request(method, path, json=body)
                assert answer.status_code == expected[index], (role, method, path, answer.text)
                if expected[index] == 403:
                    assert problem_of(answer, 403)["code"] == "sem_permissao"


async def test_the_table_above_names_every_route(house: House) -> None:
    async with program(house) as client:
        document = (await client.get("/openapi.json")).json()
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    asked = {(method, API + path.partition("?")[0]) for method, path, _, _ in ROUTES if path != "/openapi.json"}
    assert {
        (method, path.replace("{key}", "writes.enabled").replace("{prefix}", "omw_aaaaaaaa")) for method, path in told
    } == asked
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


async def test_a_cookie_alone_is_nobody_and_changes_nothing_beside_a_token(house: House) -> None:
    async with house.visitor() as visitor:
        refused = problem_of(await visitor.get(f"{API}/config"), 401)
        assert refused["detail"] == "Não foi possível identificar quem está chamando."
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    async with program(house, Role.VIEWER) as client:
        assert (await client.get("/config", headers={"Cookie": cookies})).status_code == 403


async def test_a_value_is_set_seen_compared_and_rolled_back(fresh_house: House) -> None:
    async with program(fresh_house) as client:
        put = (await client.put("/config/omie.patience_seconds", json={"value": 7})).json()
        assert (put["value"], put["default"], put["is_default"], put["unit"]) == (7, 20, False, "segundos")
        assert put["description_en"].startswith("How long a call waits")
        assert (await client.put("/config/omie.patience_seconds", json={"value": "9"})).json()["value"] == 9
        assert (await client.get("/config/omie.patience_seconds")).json()["value"] == 9
        page = (await client.get("/config/history", params={"limit": 1})).json()
        assert [(each["before"], each["after"]) for each in page["items"]] == [(7, 9)]
        assert page["items"][0]["changed_by"] == "token:programa-admin"
        older = (await client.get("/config/history", params={"limit": 1, "before": page["next"]})).json()
        assert ([(each["before"], each["after"]) for each in older["items"]], older["next"]) == ([(None, 7)], None)
        first = older["items"][0]["revision"]
        change = {"config_key": "omie.patience_seconds", "before": 7, "after": 9}
        assert (await client.get("/config/diff", params={"since": first})).json()["items"] == [change]
        back = await client.post("/config/rollback", json={"revision": first, "key": "omie.patience_seconds"})
        assert back.json()["items"] == [{**change, "before": 9, "after": 7}]
        assert (await client.delete("/config/omie.patience_seconds")).json()["is_default"]
        named = {each["config_key"]: each for each in (await client.get("/config")).json()["items"]}
        assert named["omie.patience_seconds"]["value"] == 20


async def test_a_secret_goes_in_and_never_comes_out(fresh_house: House) -> None:
    async with program(fresh_house) as client:
        said = [await client.put("/config/omie.proxy", json={"value": CANARY})]
        assert said[0].json()["value"] == HIDDEN
        said.append(await client.put("/config/omie.proxy", json={"value": CANARY.replace("http:", "ftp:")}))
        for path in ("/config", "/config/omie.proxy", "/config/history", "/config/diff?since=0"):
            said.append(await client.get(path))
        said.append(await client.post("/config/rollback", json={"revision": 0}))
        assert [each.status_code for each in said] == [200, 422, 200, 200, 200, 200, 200]
        assert not [each.text for each in said if "canario" in each.text or "ciphertext" in each.text]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/config/writes.enabled", b"", 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b"{", 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b"[" * 60_000, 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b'"\xff"', 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b'{"value": null}', 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b'{"value": {"a": 1}}', 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b'{"value": true, "more": 1}', 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b'{"value": "talvez"}', 422, "dado_invalido"),
        ("PUT", "/config/writes.enabled", b'{"value": "\\ud800"}', 422, "dado_invalido"),
        ("PUT", "/config/omie.patience_seconds", b'{"value": NaN}', 422, "dado_invalido"),
        ("PUT", "/config/omie.patience_seconds", b'{"value": 1e999}', 422, "dado_invalido"),
        ("PUT", "/config/omie.patience_seconds", b'{"value": ' + b"9" * 5_000 + b"}", 422, "dado_invalido"),
        ("PUT", "/config/omie.patience_seconds", b'{"value": true}', 422, "dado_invalido"),
        ("PUT", "/config/omie.base_url", b'{"value": "http://169.254.169.254/"}', 422, "dado_invalido"),
        ("PUT", "/config/omie.base_url", b'{"value": "https://169.254.169.254/"}', 422, "endereco_recusado"),
        ("PUT", "/config/omie.base_url", b'{"value": "' + b"a" * 70_000 + b'"}', 413, "grande_demais"),
        ("PUT", "/config/write.enabled", b'{"value": true}', 404, "nao_encontrado"),
        ("GET", "/config/%00", b"", 404, "nao_encontrado"),
        ("DELETE", "/config/nada", b"", 404, "nao_encontrado"),
        ("GET", "/config/history?limit=0", b"", 422, "dado_invalido"),
        ("GET", "/config/history?before=x", b"", 422, "dado_invalido"),
        ("GET", "/config/history?key=nada", b"", 404, "nao_encontrado"),
        ("GET", "/config/diff", b"", 422, "dado_invalido"),
        ("GET", "/executions?since=1950-01-01T00:00:00Z", b"", 422, "dado_invalido"),
        ("GET", "/config/diff?since=-1", b"", 422, "dado_invalido"),
        ("GET", f"/config/diff?since={'9' * 30}", b"", 422, "dado_invalido"),
        ("GET", "/config/diff?since=999999999", b"", 404, "nao_encontrado"),
        ("POST", "/config/rollback", b'{"revision": "1"}', 422, "dado_invalido"),
        ("POST", "/config/rollback", b'{"revision": 999999999}', 404, "nao_encontrado"),
        ("POST", "/config/rollback", b'{"revision": 0, "key": "nada"}', 404, "nao_encontrado"),
        ("GET", "/executions?status=inventada", b"", 422, "dado_invalido"),
        ("GET", "/executions?company_id=1", b"", 422, "dado_invalido"),
        ("GET", "/executions?process_type=%00", b"", 422, "dado_invalido"),
        ("GET", "/executions?since=2026-01-01T00:00:00", b"", 422, "dado_invalido"),
        ("GET", "/executions?since=0001-01-01T00:00:00%2B14:00", b"", 422, "dado_invalido"),
        ("GET", "/executions?since=9999-12-31T23:59:59-14:00", b"", 422, "dado_invalido"),
        ("GET", "/executions?before=nada", b"", 404, "nao_encontrado"),
        ("GET", "/executions/nada", b"", 404, "nao_encontrado"),
        ("GET", "/executions/%00", b"", 422, "dado_invalido"),
        ("GET", "/nada", b"", 404, "nao_encontrado"),
        ("PATCH", "/config", b"", 405, "pedido_invalido"),
    ],
)
async def test_bad_input_is_a_problem_that_repeats_nothing(
    house: House, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    house.app.services.token_pace.pace = Pace(lambda: 1e6)
    async with program(house) as client:
        answer = await client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert problem_of(answer, status)["code"] == code
    assert "99999" not in answer.text.replace("999999999", "")
    assert "input" not in answer.text


async def test_what_is_no_json_is_said_to_be_none(house: House) -> None:
    async with program(house) as client:
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            answer = await client.put(
                "/config/writes.enabled", content=b'{"value": false}', headers={"Content-Type": kind}
            )
            assert problem_of(answer, 422)["detail"] == "O corpo precisa ser JSON."


async def test_a_near_name_is_told(house: House) -> None:
    async with program(house) as client:
        assert problem_of(await client.get("/config/write.enabled"), 404)["hint"] == (
            "Você quis dizer 'writes.enabled'?"
        )
        assert (await client.request("PATCH", "/config")).headers["allow"] == "GET"


async def test_the_guard_speaks_in_problems_too(house: House) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 4096

    async with program(house) as client:
        problem_of(await client.get("/config", headers={"Host": "evil.example"}), 421)
        body = {"value": False}
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            problem_of(await client.put("/config/writes.enabled", json=body, headers=headers), 403)
        sent = {"Content-Type": "application/json"}
        problem_of(await client.put("/config/writes.enabled", content=drip(), headers=sent), 413)


async def test_a_token_that_comes_too_often_waits_and_the_audit_tells_once(fresh_house: House) -> None:
    fresh_house.app.services.token_pace.pace = Pace(lambda: 0.001, 2000)
    async with program(fresh_house, Role.VIEWER) as hasty, program(fresh_house, Role.ADMIN) as calm:
        assert [(await hasty.get("/system")).status_code for _ in range(4)] == [200, 200, 429, 429]
        answer = await hasty.get("/system")
        assert problem_of(answer, 429)["code"] == "muitos_pedidos"
        assert int(answer.headers["retry-after"]) > 900
        assert (await calm.get("/system")).status_code == 200
    async with fresh_house.app.db.postgres.reading() as connection:
        rows = await connection.fetch("select actor from audit_events where action = 'token.throttled'")
    assert [row["actor"] for row in rows] == ["token:programa-viewer"]


async def test_executions_are_paged_filtered_and_shown(fresh_house: House) -> None:
    ids = []
    for name in ("fechar_mes", "consultar_clientes", "fechar_mes"):
        handle = await fresh_house.begin(name)
        await fresh_house.end(handle, Status.COMPLETED if name == "fechar_mes" else Status.FAILED)
        ids.append(handle.execution_id)
    async with program(fresh_house, Role.VIEWER) as client:
        first = (await client.get("/executions", params={"limit": 2})).json()
        second = (await client.get("/executions", params={"limit": 2, "before": first["next"]})).json()
        assert [each["execution_id"] for each in first["items"] + second["items"]] == ids[::-1]
        assert second["next"] is None
        for query, expected in (
            ({"status": "failed"}, [ids[1]]),
            ({"process_type": "fechar_mes"}, [ids[2], ids[0]]),
            ({"since": "2200-01-01T00:00:00Z"}, []),
            ({"fastmcp_session_id": "nenhuma"}, []),
        ):
            found = (await client.get("/executions", params=query)).json()
            assert [each["execution_id"] for each in found["items"]] == expected, query
        shown = (await client.get(f"/executions/{ids[0]}")).json()
    assert (shown["process_type"], shown["status"], shown["input_parameters"]) == (
        "fechar_mes",
        "completed",
        {"pagina": 1},
    )
    assert shown["calls"] == shown["children"] == []


async def test_an_execution_of_a_tool_with_a_slash_in_its_name_is_shown(fresh_house: House) -> None:
    handle = await fresh_house.begin("fiscal/notas")
    async with program(fresh_house) as client:
        assert (await client.get(f"/executions/{handle.execution_id}")).json()["process_type"] == "fiscal/notas"


async def test_another_companys_execution_is_none(fresh_house: House) -> None:
    ours = await fresh_house.app.companies.add(SYSTEM, "nossa", "Nossa", "1000000001", "a" * 32)
    other = await fresh_house.app.companies.add(SYSTEM, "outra", "Outra", "1000000002", "b" * 32)
    handle = await fresh_house.begin(company=other.id)
    await fresh_house.end(handle)
    async with program(fresh_house, Role.VIEWER, companies=[ours.id]) as client:
        problem_of(await client.get(f"/executions/{handle.execution_id}"), 404)
        assert (await client.get("/executions")).json()["items"] == []
        problem_of(await client.get("/executions", params={"company_id": str(other.id)}), 403)
    async with program(fresh_house, Role.VIEWER, companies=[other.id]) as client:
        assert (await client.get(f"/executions/{handle.execution_id}")).json()["company"] == "outra"


async def test_what_ran_for_no_company_is_for_whoever_ran_it_and_who_sees_all(fresh_house: House) -> None:
    """Such an execution can hold any company's data: that of `mostrar_execucao` holds the one that it shows."""
    app = fresh_house.app
    ours = await app.companies.add(SYSTEM, "nossa", "Nossa", "1000000001", "a" * 32)
    other = await app.companies.add(SYSTEM, "outra", "Outra", "1000000002", "b" * 32)
    async with program(fresh_house, Role.OPERATOR, companies=[other.id]) as theirs:
        owner = (await app.tokens.list(SYSTEM))[0].actor
        ended = await app.executions.start(Request("mostrar_execucao", {"execution_id": "x"}, owner))
        await app.executions.finish(ended, Outcome(Status.COMPLETED, response={"cliente": "Fulano, 11 98765-4321"}))
        runs = await app.executions.start(Request("aguardar_execucao", {}, owner))
        names = {ended.execution_id, runs.execution_id}
        assert {row["execution_id"] for row in (await theirs.get("/executions")).json()["items"]} == names
        assert (await theirs.get(f"/executions/{ended.execution_id}")).json()["response_data"]
        async with program(fresh_house, Role.ADMIN, companies=[ours.id]) as neighbour:
            problem_of(await neighbour.get(f"/executions/{ended.execution_id}"), 404)
            assert (await neighbour.get("/executions")).json()["items"] == []
        admin = Actor(ActorKind.USER, "de-uma-empresa", Role.ADMIN, companies=frozenset({ours.id}))
        assert await app.executions.running(admin) == []
        for verb in (
            app.executions.cancel(admin, runs.execution_id, "não é minha"),
            app.bodies.reveal(admin, ended.execution_id),
        ):
            with pytest.raises(NotFound):
                await verb
        async with program(fresh_house, Role.VIEWER) as everything:
            assert {row["execution_id"] for row in (await everything.get("/executions")).json()["items"]} == names
        await fresh_house.end(runs)


async def test_a_revoked_token_is_out(fresh_house: House) -> None:
    async with program(fresh_house) as client:
        assert (await client.get("/system")).json()["is_ready"]
        await fresh_house.app.tokens.revoke(SYSTEM, "programa-admin")
        problem_of(await client.get("/system"), 401)


async def test_what_nobody_foresaw_is_a_problem_without_its_cause(
    fresh_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def explode(actor: object) -> None:
        raise RuntimeError("postgresql://app:hunter2@db/x")

    monkeypatch.setattr(fresh_house.app.services.configurations, "list", explode)
    async with program(fresh_house) as client:
        answer = await client.get("/config")
    problem_of(answer, 500)
    assert "hunter2" not in answer.text
