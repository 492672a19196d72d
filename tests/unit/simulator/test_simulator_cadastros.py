"""The registers of the simulator: made, found, changed and deleted; and what hangs on records."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, simulated

# Service, noun of its calls, list, tag of the id, tag of the code, what a new one needs, what is changed of it.
REGISTERS: tuple[tuple[str, str, str, str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("geral/vendedores/", "Vendedor", "ListarVendedores", "codigo", "codInt", {"nome": "A"}, {"nome": "B"}),
    ("geral/projetos/", "Projeto", "ListarProjetos", "codigo", "codInt", {"nome": "A"}, {"nome": "B"}),
    (
        "geral/familias/",
        "Familia",
        "PesquisarFamilias",
        "codigo",
        "codInt",
        {"nomeFamilia": "A"},
        {"nomeFamilia": "B"},
    ),
    (
        "geral/caracteristicas/",
        "Caracteristica",
        "ListarCaracteristicas",
        "nCodCaract",
        "cCodIntCaract",
        {"cNomeCaract": "A"},
        {"cNomeCaract": "B"},
    ),
    (
        "crm/tarefas/",
        "Tarefa",
        "ListarTarefas",
        "nCodTarefa",
        "cCodInt",
        {"cDescricao": "A", "dData": "15/06/2026"},
        {"cDescricao": "B"},
    ),
)


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http)


@pytest.mark.parametrize(("service", "noun", "lists", "id_tag", "code_tag", "new", "change"), REGISTERS)
async def test_a_record_lives_under_both_of_its_keys(
    omie: Omie,
    service: str,
    noun: str,
    lists: str,
    id_tag: str,
    code_tag: str,
    new: dict[str, Any],
    change: dict[str, Any],
) -> None:
    register = omie.at(service)
    made = await register.ask(f"Incluir{noun}", **{code_tag: "N-1"}, **new)
    again = await register.refused(f"Incluir{noun}", **{code_tag: "N-1"}, **new)
    assert again.startswith("Client-102")
    assert f"[{made[id_tag]}]" in again
    await register.ask(f"Alterar{noun}", **{code_tag: "N-1"}, **change)
    shown = await register.ask(f"Consultar{noun}", **{id_tag: made[id_tag]})
    assert change.items() <= shown.items()
    assert shown[code_tag] == "N-1"
    page = await register.ask(lists, **({"nPagina": 1} if "caract" in service else {"pagina": 1}))
    assert str(made[id_tag]) in str(page)
    await register.ask(f"Excluir{noun}", **{id_tag: made[id_tag]})
    assert "não cadastrad" in await register.refused(f"Consultar{noun}", **{code_tag: "N-1"})


async def test_nested_records_are_shown_as_they_came_and_may_be_upserted(omie: Omie) -> None:
    accounts = omie.at("crm/contas/")
    head = {"cCodInt": "C-1", "cNome": "Padaria Aurora"}
    made = await accounts.ask("UpsertConta", identificacao=head, endereco={"cCidade": "Recife (PE)"})
    again = await accounts.ask("UpsertConta", identificacao={"cCodInt": "C-1", "cNomeFantasia": "Aurora"})
    assert again["nCod"] == made["nCod"]
    shown = await accounts.ask("ConsultarConta", nCod=made["nCod"])
    assert shown["identificacao"] == {**head, "nCod": made["nCod"], "cNomeFantasia": "Aurora"}
    assert shown["endereco"] == {"cCidade": "Recife (PE)"}
    found = await accounts.ask("VerificarConta", cNome="Padaria Aurora")
    assert (found["nCod"], found["cCodStatus"]) == (made["nCod"], "0")
    contact = {"identificacao": {"cNome": "Ana", "nCodConta": 9}}
    assert "Conta não cadastrada" in await omie.at("crm/contatos/").refused("IncluirContato", **contact)


async def test_lists_filter_and_departments_have_ids_of_text(omie: Omie) -> None:
    some = await omie.at("geral/vendedores/").ask("ListarVendedores", pagina=1, filtrar_por_nome="mari")
    assert [each["nome"] for each in some["cadastro"]] == ["Marina Esteves"]
    departments = omie.at("geral/departamentos/")
    made = await departments.ask("IncluirDepartamento", descricao="Testes")
    assert (await departments.ask("ConsultarDepartamento", codigo=made["codigo"]))["descricao"] == "Testes"
    assert (await departments.refused("ConsultarDepartamento", codigo="nada")).startswith("Client-105")
    nothing = await omie.at("geral/projetos/").ask("ListarProjetos", pagina=9)
    assert (nothing["registros"], nothing["cadastro"]) == (0, [])


async def test_a_batch_does_what_it_can_and_tells_what_failed(omie: Omie) -> None:
    account = (await omie.at("geral/contacorrente/").ask("ListarContasCorrentes", pagina=1))["ListarContasCorrentes"][0]
    title = {
        "codigo_cliente_fornecedor": 5_500_000_001,
        "data_vencimento": "15/12/2026",
        "data_previsao": "15/12/2026",
        "valor_documento": 10.0,
        "codigo_categoria": "1.01.01",
        "id_conta_corrente": account["nCodCC"],
    }
    titles = [title | {"codigo_lancamento_integracao": code} for code in ("L-1", "L-2", "L-1")]
    receivables = omie.at("financas/contareceber/")
    told = await receivables.ask("IncluirContaReceberPorLote", lote=7, conta_receber_cadastro=titles)
    assert (told["lote"], told["codigo_status"]) == (7, "1")
    assert [each["codigo_status"] for each in told["status_lote"]] == ["0", "0", "Client-102"]
    key = {"codigo_lancamento_integracao": "L-2"}
    assert (await receivables.ask("ConsultarContaReceber", **key))["valor_documento"] == 10.0
    many = {"clientes_cadastro": [{"razao_social": "X"}] * 51}
    assert "no máximo 50" in await omie.refused("IncluirClientesPorLote", lote=1, **many)


async def test_tags_and_characteristics_hang_on_their_customer(omie: Omie) -> None:
    key = {"nCodCliente": 5_500_000_001}
    tags = omie.at("geral/clientetag/")
    await tags.ask("ExcluirTodas", **key)
    await tags.ask("IncluirTags", **key, tags={"tag": "VIP"})
    shown = await omie.ask("ConsultarCliente", codigo_cliente_omie=5_500_000_001)
    assert shown["tags"] == [{"tag": "VIP"}]
    await tags.ask("ExcluirTags", **key, tags={"tag": "vip"})
    assert (await tags.ask("ListarTags", **key))["tagsLista"] == []
    of_customer = omie.at("geral/clientescaract/")
    owner = {"codigo_cliente_omie": 5_500_000_001, "campo": "Porte"}
    await of_customer.ask("IncluirCaractCliente", **owner, conteudo="Grande")
    assert "já cadastrada" in await of_customer.refused("IncluirCaractCliente", **owner, conteudo="Pequeno")
    await of_customer.ask("AlterarCaractCliente", **owner, conteudo="Médio")
    listed = await of_customer.ask("ConsultarCaractCliente", codigo_cliente_omie=5_500_000_001)
    assert listed["caracteristicas"] == [{"campo": "Porte", "conteudo": "Médio"}]


async def test_slips_and_pix_collect_a_receivable(omie: Omie) -> None:
    titles = await omie.at("financas/contareceber/").ask("ListarContasReceber", filtrar_por_status="AVENCER")
    title = titles["conta_receber_cadastro"][0]
    key = {"nCodTitulo": title["codigo_lancamento_omie"]}
    slips = omie.at("financas/contareceberboleto/")
    assert (await slips.ask("ObterBoleto", **key))["cCodStatus"] == "103"
    made = await slips.ask("GerarBoleto", **key)
    assert (await slips.ask("ObterBoleto", **key))["cNumBoleto"] == made["cNumBoleto"]
    await slips.ask("ProrrogarBoleto", **key, dDtVenc="31/12/2027")
    await slips.ask("CancelarBoleto", **key)
    assert (await slips.ask("ObterBoleto", **key))["cCodStatus"] == "103"
    pix = omie.at("financas/pix/")
    charged = await pix.ask("GerarPix", cCodIntPix="P-1", **key)
    assert (await pix.ask("ObterStatusPix", cCodIntPix="P-1"))["cStatus"] == "REGISTRADO"
    receive = {"codigo_lancamento": title["codigo_lancamento_omie"]}
    await omie.at("financas/contareceber/").ask("LancarRecebimento", **receive)
    listed = await pix.ask("ListarPix", nPagina=1, cStatus="LIQUIDADO")
    assert [each["nIdPix"] for each in listed["ListaPix"]] == [charged["nIdPix"]]
    assert await pix.refused("ObterPix", nIdPix=9) == "Client-5113 ERROR: Registro não encontrado!"
    assert (await pix.ask("GerarQrCodePix", nIdConta=title["id_conta_corrente"]))["cCodStatus"] in ("0", "719")


async def test_a_file_hangs_on_its_record(omie: Omie) -> None:
    files, packed = omie.at("geral/anexo/"), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nota.txt", "conteúdo")
    text = base64.b64encode(packed.getvalue()).decode()
    owner = {"cTabela": "cliente", "nId": 5_500_000_001, "cNomeArquivo": "nota.txt"}
    file = {"cArquivo": text, "cMd5": hashlib.md5(text.encode()).hexdigest()}
    made = await files.ask("IncluirAnexo", cCodIntAnexo="X-1", **owner, **file)
    listed = await files.ask("ListarAnexo", nPagina=1, cTabela="cliente", nId=5_500_000_001)
    assert [each["nIdAnexo"] for each in listed["listaAnexos"]] == [made["nIdAnexo"]]
    assert (await files.ask("ObterAnexo", **owner))["cLinkDownload"].startswith("https://exemplo.com.br/")
    assert "não confere" in await files.refused("IncluirAnexo", **owner, **file | {"cMd5": "0"})
    assert "zip em base64" in await files.refused("IncluirAnexo", **owner, **file | {"cArquivo": "!!"})
    await files.ask("ExcluirAnexo", cCodIntAnexo="X-1")
    assert (await files.refused("ListarAnexo", nPagina=1, cTabela="cliente", nId=1)).startswith("Client-5113")


async def test_a_condition_of_the_companys_own_is_good_for_an_order(omie: Omie) -> None:
    made = await omie.at("geral/parcelas/").ask("IncluirParcela", cParcela="10/20")
    forms = await omie.at("produtos/formaspagvendas/").ask("ListarFormasPagVendas", pagina=1)
    assert forms["cadastros"][-1]["cCodigo"] == made["cCodParcela"]
    assert len(forms["cadastros"]) == 36 + 1
    assert "30/60/90" in await omie.at("geral/parcelas/").refused("IncluirParcela", cParcela="amanhã")


async def test_tasks_are_counted_by_their_origin(omie: Omie) -> None:
    tasks = omie.at("geral/tarefas/")
    await tasks.ask("IncluirTarefa", cCodIntTarefa="T-1", cOrigem="cliente", nCodDoc=5, cDescricao="Ligar")
    assert (await tasks.ask("ObterTotalTarefas", cOrigem="cliente"))["nTarefas"] == 1
    assert (await tasks.ask("ObterTotalTarefas", cOrigem="geral"))["nTarefas"] == 4
    assert (await tasks.ask("ConsultarTarefa", cCodIntTarefa="T-1"))["tarefa"]["cDescricao"] == "Ligar"
