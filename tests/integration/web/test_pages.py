"""The pages over real rows."""

from __future__ import annotations

import re

import httpx2
import pytest
from tests.integration.web.conftest import AGENT, SYSTEM, House, csrf_of

from omie_control.domain.actors import Role
from omie_control.domain.executions import Origin, Status
from omie_control.errors import OmieFault
from omie_control.services.executions import Request

pytestmark = pytest.mark.asyncio(loop_scope="session")


PARTIAL = {"HX-Request": "true"}


async def test_an_empty_house_tells_a_newcomer_what_to_do(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        page = (await client.get("/")).text
    assert "Tudo pronto. Falta a primeira chamada." in page
    assert f"claude mcp add --transport http omie {fresh_house.url}/mcp" in page


async def test_what_runs_and_what_ended_are_on_the_page(fresh_house: House) -> None:
    running = await fresh_house.begin("fechar_mes")
    ended = await fresh_house.begin("consultar_clientes")
    await fresh_house.end(ended, Status.FAILED, error_message="O Omie recusou a chamada.", error_code="x")
    async with fresh_house.visitor() as client:
        page = (await client.get("/")).text
    assert f'href="/execucoes/{running.execution_id}"' in page
    assert f'href="/execucoes/{ended.execution_id}"' in page
    assert "O Omie recusou a chamada." in page
    assert 'data-status="failed"' in page


async def test_a_live_refresh_gets_the_inside_alone(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        inside = (await client.get("/", headers=PARTIAL)).text
    assert "<html" not in inside
    assert "Em execução" in inside


async def test_a_filter_narrows_the_list_and_an_unknown_one_is_named(fresh_house: House) -> None:
    await fresh_house.end(await fresh_house.begin("fechar_mes"))
    await fresh_house.end(await fresh_house.begin("conciliar_extrato"), Status.FAILED, error_message="Não deu.")
    async with fresh_house.visitor() as client:
        assert rows((await client.get("/?situacao=failed")).text) == ["conciliar_extrato"]
        assert rows((await client.get("/?tipo=fechar_mes")).text) == ["fechar_mes"]
        assert "Nenhuma execução com esse filtro." in (await client.get("/?tipo=nada")).text
        assert (await client.get("/?situacao=inventada")).status_code == 422
        assert (await client.get("/?empresa=inventada")).status_code == 422


async def test_a_filter_that_no_database_takes_is_told_as_what_it_is(house: House) -> None:
    async with house.visitor() as client:
        answer = await client.get("/", params={"tipo": "fechar\0mes"})
    assert answer.status_code == 422
    assert "Um dos textos tem o caractere NUL" in answer.text


async def test_the_page_of_an_old_execution_says_that_its_bodies_were_cut(fresh_house: House) -> None:
    handle = await fresh_house.begin("consultar_clientes")
    await fresh_house.end(handle, response={"clientes": [{"codigo": number} for number in range(30)]})
    said = "o que era longo nos conteúdos foi resumido"
    async with fresh_house.visitor() as client:
        assert said not in (await client.get(f"/execucoes/{handle.execution_id}")).text
        assert await fresh_house.app.services.seals.slim(handle.started_at.date().replace(day=1)) > 0
        page = (await client.get(f"/execucoes/{handle.execution_id}")).text
    assert said in page and "_resumido" in page


async def test_older_executions_are_a_page_away(fresh_house: House) -> None:
    for _ in range(45):
        await fresh_house.end(await fresh_house.begin())
    async with fresh_house.visitor() as client:
        first = (await client.get("/")).text
        following = re.search(r'href="(/\?antes=[^"]+)" rel="next"', first)
        assert following is not None
        second = (await client.get(following[1])).text
    assert (len(rows(first)), len(rows(second))) == (40, 5)
    assert "Execuções anteriores" in second


async def test_an_executions_page_tells_everything_masked(fresh_house: House) -> None:
    parent = await fresh_house.begin("fechar_mes")
    sensitive = {"cnpj_cpf": "529.982.247-25", "nome": "<script>alert(1)</script>"}
    child = await fresh_house.app.executions.start(Request("incluir_cliente", sensitive, AGENT, parent=parent.id))
    await fresh_house.end(
        child, Status.FAILED, error_message="O Omie recusou a chamada.", error_code="SOAP-ENV:Client-102"
    )
    async with fresh_house.visitor() as client:
        page = (await client.get(f"/execucoes/{child.execution_id}")).text
        above = (await client.get(f"/execucoes/{parent.execution_id}")).text
    assert "529.982.247-25" not in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "SOAP-ENV:Client-102" in page
    assert f'href="/execucoes/{parent.execution_id}"' in page
    assert f'href="/execucoes/{child.execution_id}"' in above


async def test_an_execution_tells_the_goal_of_its_errand(fresh_house: House) -> None:
    errand, _ = await fresh_house.app.services.errands.open(AGENT, "Baixar os títulos <recebidos> de ontem")
    within = await fresh_house.begin("lancar_recebimento", origin=Origin("http", joined=errand.name))
    await fresh_house.end(within)
    async with fresh_house.visitor() as client:
        page = (await client.get(f"/execucoes/{within.execution_id}")).text
    assert "Baixar os títulos &lt;recebidos&gt; de ontem" in page
    assert errand.name in page


async def test_a_refused_request_has_a_page_too(fresh_house: House) -> None:
    execution_id = await fresh_house.app.executions.refuse(
        Request("incluir_cliente", {}, AGENT), OmieFault("Não pode.")
    )
    async with fresh_house.visitor() as client:
        assert "Não pode." in (await client.get(f"/execucoes/{execution_id}")).text


@pytest.mark.parametrize("status", [Status.RUNNING, Status.UNCERTAIN, Status.TIMEOUT])
async def test_a_page_never_says_that_nothing_was_sent_where_nobody_knows(fresh_house: House, status: Status) -> None:
    # What a killed process leaves: the request would have been written with the end.
    handle = await fresh_house.begin("incluir_cliente")
    if status is not Status.RUNNING:
        await fresh_house.end(handle, status, error_message="O processo terminou no meio.")
    async with fresh_house.visitor() as client:
        page = (await client.get(f"/execucoes/{handle.execution_id}")).text
    assert "Nada foi enviado ao Omie." not in page


async def test_a_page_says_that_nothing_was_sent_where_that_is_known(fresh_house: House) -> None:
    handle = await fresh_house.begin()
    await fresh_house.end(handle, Status.FAILED, error_message="Não pode.")
    async with fresh_house.visitor() as client:
        assert "Nada foi enviado ao Omie." in (await client.get(f"/execucoes/{handle.execution_id}")).text


async def test_an_execution_of_a_tool_with_a_slash_in_its_name_has_its_page(fresh_house: House) -> None:
    # MCP allows it, and a row written by hand may be named in any way.
    handle = await fresh_house.begin("fiscal/notas emitidas?")
    await fresh_house.end(handle, response={"cnpj_cpf": "529.982.247-25"})
    async with fresh_house.visitor() as client:
        link = re.search(r'href="(/execucoes/[^"]+)"', (await client.get("/")).text)
        assert link is not None
        page = await client.get(link[1])
        assert handle.execution_id in page.text
        opened = await client.post(f"{link[1]}/revelar", data={"csrf_token": csrf_of(page.text)})
        assert (opened.status_code, "529.982.247-25" in opened.text) == (200, True)
        assert (await client.get(f"{link[1]}/revelar")).status_code == 405


async def test_an_unknown_execution_is_a_page_that_says_so(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        answer = await client.get("/execucoes/nada_20261123_120000_00000000000000000000000000")
    assert answer.status_code == 404
    assert "não existe" in answer.text


async def test_a_person_of_one_company_sees_that_one_alone(fresh_house: House) -> None:
    secret = "abcdef0123456789abcdef0123456789"
    ours = await fresh_house.app.companies.add(SYSTEM, "nossa", "Nossa", "1234567890", secret)
    other = await fresh_house.app.companies.add(SYSTEM, "escondida", "Escondida", "1234567891", secret)
    await fresh_house.app.users.create(SYSTEM, "ana", "uma-senha-longa-42", Role.VIEWER, [ours.id])
    seen = await fresh_house.begin("fechar_mes", company=ours.id)
    hidden = await fresh_house.begin("conciliar_extrato", company=other.id)
    await fresh_house.end(seen)
    await fresh_house.end(hidden)
    async with fresh_house.visitor("ana") as client:
        page = (await client.get("/")).text
        assert rows(page) == ["fechar_mes"]
        assert "escondida" not in page.lower()
        assert (await client.get(f"/execucoes/{hidden.execution_id}")).status_code == 404
        assert (await client.get("/?empresa=escondida")).status_code == 422


async def test_english_is_a_switch_away(fresh_house: House) -> None:
    async with fresh_house.visitor() as client:
        switched: httpx2.Response = await client.post("/idioma", data={"idioma": "en", "continuar": "/"})
        assert switched.headers["location"] == "/"
        page = (await client.get("/")).text
        refused = (await client.get("/?situacao=inventada")).text
    assert '<html lang="en">' in page
    assert "Last executions" in page
    assert "Recording" in page and "Gravação" not in page
    assert "There is no such status." in refused


def rows(page: str) -> list[str]:
    """Read the process types of the list."""
    return re.findall(r'<td class="cell-type"><a href="[^"]+">([^<]+)</a>', page)
