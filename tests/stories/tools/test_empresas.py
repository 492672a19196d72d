"""The companies' tools: which there are for this access, whether their Omie answers, what Omie says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastmcp import Client
from tests.stories.tools.conftest import Running
from tests.tool_stories import Case, House, Story, Told, told

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.mcp.server import build_server
from omie_control.simulator.seed import DEMO_COMPANIES

UNKNOWN = {"empresa": "nao-ha"}


def omie_was_asked(house: House, answer: Told) -> None:
    [asked] = house.asked
    assert asked["endpoint"] == "geral/contacorrente/ListarContasCorrentes"
    assert "respondeu e aceitou as credenciais" in answer.text


def without_accounts(house: House) -> dict[str, object]:
    for row in house.table("contas_correntes"):
        house.table("contas_correntes").remove(row)
    return {}


def shows_no_secret(house: House, answer: Told) -> None:
    record = answer.data["cadastro"]
    assert record["razao_social"]
    assert record["cnpj"]
    assert record["codigo"] > 0
    assert not [name for name in record if name.startswith(("ct_", "csc_"))]
    assert record["razao_social"] in answer.text


STORIES = (
    *(
        Story(
            name,
            good=Case(has={"conectada": True, "fonte": "omie"}, then=omie_was_asked),
            empty=Case(without_accounts, has={"conectada": True}),
            wrong=Case(UNKNOWN, says="A empresa 'nao-ha' não existe."),
            failing=Case(),
        )
        for name in ("testar_conexao", "teste_conexao")
    ),
    *(
        Story(
            name,
            good=Case(then=shows_no_secret),
            empty=Case(UNKNOWN, is_refused=True, says="não existe"),
            wrong=Case({"cnpj": "11.222.333/0001-81"}, says="cnpj"),
            failing=Case(),
        )
        for name in ("obter_info_empresa", "info_empresa")
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_wrong_credentials_are_told_as_omie_tells_them(house: House) -> None:
    house.omie.simulator.companies[house.app_key].app_secret = "outro"
    tested = await house.call("testar_conexao")
    assert tested.is_error
    assert "O que fazer:" in tested.text
    assert tested.data == {}


async def test_a_repeated_test_says_how_old_its_answer_is(house: House) -> None:
    await house.call("testar_conexao")
    again = await house.call("testar_conexao")
    assert again.data["fonte"] == "cache"
    assert len(house.asked) == 1


async def test_lista_empresas_shows_the_companies_of_the_access_and_no_credential(
    house: House, running: Running
) -> None:
    listed = (await house.client.call_tool("lista_empresas", {})).structured_content
    assert listed is not None
    [row] = [row for row in listed["empresas"] if row["empresa"] == house.slug]
    assert row == {
        "empresa": house.slug,
        "nome": DEMO_COMPANIES[0].name,
        "ativa": True,
        "demonstracao": False,
        "padrao": False,
    }
    assert listed["registros"] == len(listed["empresas"])
    assert house.app_key not in str(listed)
    assert DEMO_COMPANIES[0].app_secret not in str(listed)
    assert house.asked == []


async def test_lista_empresas_is_empty_for_an_access_without_companies(house: House, running: Running) -> None:
    nobody = Actor(ActorKind.STDIO, "sem-empresas", Role.AGENT, companies=frozenset())
    async with Client(build_server(running.app, stdio_actor=nobody)) as client:
        listed = await client.call_tool("lista_empresas", {})
    assert listed.structured_content == {"registros": 0, "empresas": []}


async def test_lista_empresas_takes_nothing(house: House) -> None:
    refused = await replace(house, slug="").client.call_tool("lista_empresas", {"filtro": "x"}, raise_on_error=False)
    assert refused.is_error
