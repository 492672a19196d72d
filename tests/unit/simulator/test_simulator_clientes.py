"""geral/clientes of the simulator, in process: it answers what Omie answers and refuses what Omie refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.unit.simulator.omie_caller import Omie, simulated

from omie_control.omie.catalog import catalog
from omie_control.simulator.seed import DEMO_COMPANIES

NEW = {"razao_social": "Padaria Nova Ltda", "cnpj_cpf": "11.222.333/0001-81", "codigo_cliente_integracao": "N-1"}


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with simulated() as client:
        yield client


@pytest.fixture
def omie(http: httpx2.AsyncClient) -> Omie:
    return Omie(http)


async def test_pages_are_of_fifty_and_at_most_a_hundred(omie: Omie) -> None:
    first = await omie.ask("ListarClientes", pagina=1)
    assert (first["registros"], first["total_de_paginas"], first["total_de_registros"]) == (50, 3, 137)
    cut = await omie.ask("ListarClientes", pagina=1, registros_por_pagina=500)
    assert (cut["registros"], cut["total_de_paginas"]) == (100, 2)


async def test_order_is_ignored_as_the_real_one_does(omie: Omie) -> None:
    plain = await omie.ask("ListarClientes", pagina=1)
    assert await omie.ask("ListarClientes", pagina=1, ordenar_por="NOME", ordem_decrescente="S") == plain


async def test_past_its_end_a_list_is_a_fault_of_status_500(omie: Omie) -> None:
    assert await omie.refused("ListarClientes", pagina=4) == (
        "Client-5113 ERROR: Não existem registros para a página [4]!"
    )
    assert (await omie.refused("ListarClientes", clientesFiltro={"razao_social": "zzzz"})).startswith("Client-5113")


async def test_the_filters_that_work_work_and_the_others_do_nothing(omie: Omie) -> None:
    everybody = (await omie.ask("ListarClientes", pagina=1))["total_de_registros"]
    someone = (await omie.ask("ListarClientes", pagina=1))["clientes_cadastro"][7]
    for wanted in (
        {"codigo_cliente_omie": someone["codigo_cliente_omie"]},
        {"cnpj_cpf": someone["cnpj_cpf"]},
        {"cnpj_cpf": "".join(letter for letter in someone["cnpj_cpf"] if letter.isalnum())},
    ):
        found = await omie.ask("ListarClientes", clientesFiltro=wanted)
        assert [each["codigo_cliente_omie"] for each in found["clientes_cadastro"]] == [someone["codigo_cliente_omie"]]
    part = await omie.ask("ListarClientes", clientesFiltro={"razao_social": someone["razao_social"][:6].upper()})
    assert 0 < part["total_de_registros"] < everybody
    ignored = await omie.ask("ListarClientes", clientesFiltro={"cidade": "Nenhures", "estado": "XX"})
    assert ignored["total_de_registros"] == everybody
    tagged = await omie.ask("ListarClientes", clientesFiltro={"tags": [{"tag": "transportadora"}]})
    assert 0 < tagged["total_de_registros"] < everybody


async def test_a_window_of_time_finds_what_was_touched_in_it(omie: Omie) -> None:
    made = await omie.ask("IncluirCliente", **NEW)
    today = (await omie.ask("ConsultarCliente", codigo_cliente_integracao="N-1"))["info"]["dInc"]
    window = {"filtrar_por_data_de": today, "filtrar_por_data_ate": today, "filtrar_apenas_alteracao": "S"}
    found = await omie.ask("ListarClientes", **window)
    ids = [each["codigo_cliente_omie"] for each in found["clientes_cadastro"]]
    assert ids == [made["codigo_cliente_omie"]]


async def test_a_summary_has_other_names(omie: Omie) -> None:
    page = await omie.ask("ListarClientesResumido", pagina=1)
    assert set(page["clientes_cadastro_resumido"][0]) == {
        "codigo_cliente",
        "codigo_cliente_integracao",
        "razao_social",
        "nome_fantasia",
        "cnpj_cpf",
    }


async def test_a_customer_lives_from_creation_to_deletion(omie: Omie) -> None:
    made = await omie.ask("IncluirCliente", **NEW)
    assert (made["codigo_status"], made["descricao_status"]) == ("0", "Cliente cadastrado com sucesso!")
    await omie.ask("AlterarCliente", codigo_cliente_integracao="N-1", nome_fantasia="Outra")
    shown = await omie.ask("ConsultarCliente", codigo_cliente_omie=made["codigo_cliente_omie"])
    assert (shown["nome_fantasia"], shown["razao_social"]) == ("Outra", "Padaria Nova Ltda")
    assert shown["pessoa_fisica"] == "N"
    await omie.ask("ExcluirCliente", codigo_cliente_omie=made["codigo_cliente_omie"])
    assert await omie.refused("ConsultarCliente", codigo_cliente_integracao="N-1") == (
        "Client-103 ERROR: Cliente não cadastrado para o Código de Integração [N-1] !"
    )


async def test_upserts_find_their_record_by_code_or_by_document(omie: Omie) -> None:
    made = await omie.ask("UpsertCliente", **NEW)
    again = await omie.ask("UpsertCliente", **NEW | {"nome_fantasia": "Outra"})
    by_document = await omie.ask("UpsertClienteCpfCnpj", razao_social="Terceira", cnpj_cpf=NEW["cnpj_cpf"])
    assert made["codigo_cliente_omie"] == again["codigo_cliente_omie"] == by_document["codigo_cliente_omie"]
    assert by_document["codigo_cliente_integracao"] == "N-1"


async def test_a_code_may_be_given_to_a_record_made_by_hand_once(omie: Omie) -> None:
    page = await omie.ask("ListarClientes", pagina=1)
    by_hand = [each for each in page["clientes_cadastro"] if not each["codigo_cliente_integracao"]][:2]
    first, second = (each["codigo_cliente_omie"] for each in by_hand)
    await omie.ask("AssociarCodIntCliente", codigo_cliente_omie=first, codigo_cliente_integracao="MINE")
    found = await omie.ask("ConsultarCliente", codigo_cliente_integracao="MINE")
    assert found["codigo_cliente_omie"] == first
    refused = await omie.refused("AssociarCodIntCliente", codigo_cliente_omie=second, codigo_cliente_integracao="MINE")
    assert refused.startswith("Client-102")


async def test_a_duplicate_is_told_with_the_id_of_the_first(omie: Omie) -> None:
    id = (await omie.ask("IncluirCliente", **NEW))["codigo_cliente_omie"]
    by_code = await omie.refused("IncluirCliente", **NEW | {"cnpj_cpf": "529.982.247-25"})
    assert by_code.endswith(f"já cadastrado para o Código de Integração [N-1] com o nCod [{id}] !")
    by_document = await omie.refused("IncluirCliente", **NEW | {"codigo_cliente_integracao": "N-2"})
    assert f"com o Id [{id}] e código de integração [N-1] ! (add)" in by_document


@pytest.mark.parametrize(
    ("call", "param", "told"),
    [
        ("ListarClientes", {}, "Client-71 "),
        ("ListarClientes", {"pagina": 1, "filtro": 1}, "Client-5001 ERROR: Tag [FILTRO] não faz parte da estrutura"),
        ("ListarClientes", {"clientesFiltro": {"cpf": "1"}}, "tipo complexo [clientesFiltro]!"),
        ("ListarClientes", {"pagina": "um"}, "Client-3102 "),
        ("ListarClientes", {"clientesFiltro": "x"}, "Client-3102 "),
        ("ListarClientes", {"filtrar_por_data_de": "99/99/2026"}, "Client-104 "),
        (
            "ConsultarCliente",
            {"codigo_cliente_omie": 12},
            "Client-105 ERROR: Cliente não cadastrado para o Código [12] !",
        ),
        ("ConsultarCliente", {"codigo_cliente_omie": 0}, "Client-1000 "),
        ("IncluirCliente", {"cnpj_cpf": "529.982.247-25"}, "tag(s) [razao_social] é obrigatório!"),
        ("IncluirCliente", {"razao_social": "X", "cnpj_cpf": "529.982.247-26"}, "está inválido!"),
        ("AlterarCliente", {"codigo_cliente_integracao": "nobody", "email": "x"}, "Client-103 "),
        ("ListarTudo", {"pagina": 1}, "Server Method ListarTudo not exists"),
    ],
)
async def test_what_omie_refuses_is_refused(omie: Omie, call: str, param: dict[str, Any], told: str) -> None:
    assert told in await omie.refused(call, **param)


async def test_a_document_of_somebody_abroad_is_not_judged(omie: Omie) -> None:
    made = await omie.ask("IncluirCliente", razao_social="Foreign Inc", estado="EX", cnpj_cpf="X-1")
    shown = await omie.ask("ConsultarCliente", codigo_cliente_omie=made["codigo_cliente_omie"])
    assert shown["exterior"] == "S"


async def test_a_number_in_quotes_is_a_number(omie: Omie) -> None:
    assert (await omie.ask("ListarClientes", pagina="2"))["pagina"] == 2


@pytest.mark.parametrize("pair", [{"app_secret": "no"}, {"app_key": ""}, {"app_key": "12345"}])
async def test_a_wrong_pair_opens_nothing(omie: Omie, pair: dict[str, str]) -> None:
    answer = await omie.post("ListarClientes", {"pagina": 1}, **pair)
    assert answer.status_code == 403
    assert answer.json()["faultcode"] == "SOAP-ENV:Server"


async def test_companies_do_not_see_each_other(http: httpx2.AsyncClient, omie: Omie) -> None:
    other = Omie(http, company=DEMO_COMPANIES[1])
    await omie.ask("IncluirCliente", **NEW)
    assert (await other.refused("ConsultarCliente", codigo_cliente_integracao="N-1")).startswith("Client-103")
    assert (await other.ask("ListarClientes", pagina=1))["total_de_registros"] == 61


async def test_the_envelope_has_omies_oddities(omie: Omie) -> None:
    good = await omie.post("IncluirCliente", NEW)
    assert good.content.isascii()
    assert good.headers["x-omie-parallelratelimit"] == "1/4"
    bad = await omie.post("ConsultarCliente", {"codigo_cliente_omie": 7})
    assert bad.headers["omieapi-error"].startswith("105 - ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"a":' * 9999])
async def test_a_malformed_body_is_a_fault_and_no_crash(http: httpx2.AsyncClient, body: bytes) -> None:
    answer = await http.post("/api/v1/geral/clientes/", content=body)
    assert answer.status_code == 500
    assert "JSON" in answer.json()["faultstring"]


async def test_every_method_of_the_catalogue_is_answered(omie: Omie) -> None:
    for method in catalog().methods:
        answer = await omie.at(method.path).post(method.call, {"x_unknown": 1})
        assert answer.json()["faultcode"] == "SOAP-ENV:Client-5001", method.endpoint
    assert (await omie.at("geral/nada/").post("X", {})).status_code == 404


async def test_a_get_shows_the_methods_of_a_service(http: httpx2.AsyncClient) -> None:
    page = await http.get("/api/v1/geral/clientes/")
    assert "ListarClientesResumido" in page.text
    assert (await http.get("/api/v1/geral/nada/")).status_code == 404


async def test_the_same_seed_makes_the_same_world() -> None:
    seen = []
    for seed in (1, 1, 2):
        async with simulated(seed=seed) as http:
            seen.append(await Omie(http).ask("ListarClientes", pagina=1))
    assert seen[0] == seen[1] != seen[2]
