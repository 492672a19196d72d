"""Work orders and contracts of the simulator, up to the note and the title that they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.simulator.omie_caller import Omie, day, simulated


@pytest.fixture
async def omie() -> AsyncIterator[Omie]:
    async with simulated() as http:
        yield Omie(http, "servicos/os/")


async def new_order(omie: Omie, **head: Any) -> dict[str, Any]:
    accounts = await omie.at("geral/contacorrente/").ask("ListarContasCorrentes", pagina=1)
    fixed = {"cCodIntOS": "S-1", "nCodCli": 5_500_000_001, "dDtPrevisao": day(3), "cEtapa": "50", "cCodParc": "002"}
    account = accounts["ListarContasCorrentes"][0]["nCodCC"]
    return {
        "Cabecalho": {**fixed, **head},
        "InformacoesAdicionais": {"cCodCateg": "1.01.02", "nCodCC": account},
        "ServicosPrestados": [{"cCodIntServico": "SRV-01", "nQtde": 2, "nValUnit": 150.0}],
    }


async def test_a_work_order_becomes_a_note_and_titles_and_can_be_undone(omie: Omie) -> None:
    made = await omie.ask("IncluirOS", **await new_order(omie))
    key = {"nCodOS": made["nCodOS"]}
    shown = await omie.ask("ConsultarOS", cCodIntOS="S-1")
    assert (shown["Cabecalho"]["nValorTotal"], len(shown["Parcelas"])) == (300.0, 2)
    assert shown["ServicosPrestados"][0]["cDescServ"] == "Instalação elétrica"
    invoicing = omie.at("servicos/osp/")
    assert (await invoicing.ask("ValidarOS", **key))["cCodStatus"] == "0"
    await invoicing.ask("FaturarOS", **key)
    status = await omie.ask("StatusOS", **key)
    assert (status["cEtapa"], status["cFaturada"], status["nValorTot"]) == ("60", "S", 300.0)
    notes = await omie.at("servicos/nfse/").ask("ListarNFSEs", nPagina=1, nCodigoOS=made["nCodOS"])
    [note] = notes["nfseEncontradas"]
    assert note["Cabecalho"]["nNumeroNFSe"] == status["ListaRpsNfse"][0]["nNfse"]
    moved = await omie.at("financas/mf/").ask("ListarMovimentos", nPagina=1, nCodOS=made["nCodOS"])
    assert [each["detalhes"]["nValorTitulo"] for each in moved["movimentos"]] == [150.0, 150.0]
    assert "já foi faturada" in await omie.refused("TrocarEtapaOS", **key, cEtapa="10")
    await invoicing.ask("CancelarOS", **key)
    again = await omie.at("financas/mf/").ask("ListarMovimentos", nPagina=1, nCodOS=made["nCodOS"], nRegPorPagina=10)
    assert again["nTotRegistros"] == 0


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ({"nCodCli": 9}, "Client-105 ERROR: Cliente não cadastrado"),
        ({"cEtapa": "60"}, "Client-105 ERROR: Conteúdo inválido para a tag [cEtapa]"),
        ({"cCodIntOS": "OS-00001"}, "Client-102 ERROR: Ordem de serviço já cadastrada"),
        ({"cCodParc": ""}, "Client-1000 "),
    ],
)
async def test_a_work_order_that_lacks_or_misnames_something_is_refused(
    omie: Omie, head: dict[str, Any], told: str
) -> None:
    assert told in await omie.refused("IncluirOS", **await new_order(omie, **head))


async def test_work_orders_are_listed_copied_changed_and_deleted(omie: Omie) -> None:
    listed = await omie.ask("ListarOS", pagina=1, filtrar_por_status="F")
    assert {each["InfoCadastro"]["cFaturada"] for each in listed["osCadastro"]} == {"S"}
    await omie.ask("IncluirOS", **await new_order(omie))
    copy = await omie.at("servicos/osp/").ask("DuplicarOS", cCodIntOS="S-1")
    await omie.at("servicos/osp/").ask("AssociarCodIntOS", nCodOS=copy["nCodOS"], cCodIntOS="S-2")
    line = {"cDescServ": "Outro", "nQtde": 1, "nValUnit": 50.0}
    await omie.ask("AlterarOS", Cabecalho={"cCodIntOS": "S-2"}, ServicosPrestados=[line])
    assert (await omie.ask("ConsultarOS", cCodIntOS="S-2"))["Cabecalho"]["nValorTotal"] == 350.0
    await omie.ask("ExcluirOS", cCodIntOS="S-2")
    assert (await omie.refused("ConsultarOS", cCodIntOS="S-2")).startswith("Client-103")


async def test_a_contract_is_invoiced_suspended_and_made_active_again(omie: Omie) -> None:
    contracts = omie.at("servicos/contrato/")
    listed = await contracts.ask("ListarContratos", pagina=1)
    assert listed["total_de_registros"] == 8
    head = listed["contratoCadastro"][0]["cabecalho"]
    mine = await contracts.ask("ListarContratos", pagina=1, filtrar_cliente=head["nCodCli"])
    assert mine["total_de_registros"] == 1
    invoicing = omie.at("servicos/contratofat/")
    made = await invoicing.ask("FaturarContrato", nCodCtr=head["nCodCtr"])
    order = await omie.ask("ConsultarOS", nCodOS=made["nCodOS"])
    assert (order["Cabecalho"]["nValorTotal"], order["Cabecalho"]["cEtapa"]) == (head["nValTotMes"], "60")
    await invoicing.ask("SuspenderContrato", nCodCtr=head["nCodCtr"])
    assert (await invoicing.ask("ValidarContrato", nCodCtr=head["nCodCtr"]))["cCodStatus"] == "1"
    assert "não está ativo" in await invoicing.refused("FaturarContrato", nCodCtr=head["nCodCtr"])
    await invoicing.ask("ReativarContrato", nCodCtr=head["nCodCtr"])
    lot = await omie.at("servicos/contratolote/").ask("FaturarLoteContrato", cCodIntLote="L-1")
    assert lot["nQtdeFat"] == 7
    status = await omie.at("servicos/contratolote/").ask("StatusLoteContrato", nIdLoteFat=lot["nIdLoteFat"])
    assert status["nQtdeProcessadas"] == 7


async def test_a_contract_is_made_with_items_and_loses_one(omie: Omie) -> None:
    contracts = omie.at("servicos/contrato/")
    items = [
        {"itemCabecalho": {"codIntItem": f"I{number}", "quant": 1, "valorUnit": 100.0 * number}} for number in (1, 2)
    ]
    head = {"cCodIntCtr": "C-1", "nCodCli": 5_500_000_001, "dVigInicial": day(), "dVigFinal": day(300)}
    more = {"nDiaFat": 5, "cTipoFat": "01"}
    await contracts.ask("IncluirContrato", cabecalho={**head, **more}, itensContrato=items)
    shown = (await contracts.ask("ConsultarContrato", contratoChave={"cCodIntCtr": "C-1"}))["contratoCadastro"]
    assert shown["cabecalho"]["nValTotMes"] == 300.0
    key = {"contratoChave": {"cCodIntCtr": "C-1"}, "ItensExclusao": [{"codIntItem": "I2"}]}
    await contracts.ask("ExcluirItem", **key)
    shown = await contracts.ask("ConsultarContrato", contratoChave={"nCodCtr": shown["cabecalho"]["nCodCtr"]})
    assert shown["contratoCadastro"]["cabecalho"]["nValTotMes"] == 100.0


async def test_notes_of_goods_are_found_by_each_of_their_keys(omie: Omie) -> None:
    notes = omie.at("produtos/nfconsultar/")
    listed = await notes.ask("ListarNF", pagina=1, tpNF="1")
    note = listed["nfCadastro"][0]
    for key in (
        {"nCodNF": note["compl"]["nIdNF"]},
        {"nNF": note["ide"]["nNF"], "serie": "1"},
        {"cChaveNFe": note["compl"]["cChaveNFe"]},
        {"nIdPedido": note["compl"]["nIdPedido"]},
    ):
        assert (await notes.ask("ConsultarNF", **key))["compl"] == note["compl"]
    assert note["titulos"][0]["nValorTitulo"] == note["total"]["ICMSTot"]["vNF"]
    assert "Informe o Número da Nota" in await notes.refused("ConsultarNF", serie="1")
    found = await omie.at("produtos/dfedocs/").ask("ObterNfe", nIdNfe=note["compl"]["nIdNF"])
    assert found["nChaveNfe"] == note["compl"]["cChaveNFe"]


async def test_the_list_of_companies_shows_its_one_page_again_and_again(omie: Omie) -> None:
    first = await omie.at("geral/empresas/").ask("ListarEmpresas", pagina=1)
    assert await omie.at("geral/empresas/").ask("ListarEmpresas", pagina=7) == first
