"""Each topic that Omie is known to send makes the right answers old, and what is no event is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.freshness import entity_of, touched_by
from omie_control.errors import InvalidInput
from omie_control.omie.catalog import catalog
from omie_control.omie.webhooks import TEST_TOPIC, read_notice, services_of

# As Omie's portal and the receivers of others have them; a star stands for anything.
TOPICS = """
ClienteFornecedor.{Incluido,Alterado,Excluido} Produto.{Incluido,Alterado,Excluido,MovimentacaoEstoque,AjusteEstoque}
CaracteristicaProduto.{Incluido,Alterado,Excluido} LocalEstoque.{Incluido,Alterado,Excluido}
Vendedor.{Incluido,Alterado,Excluido} Projeto.{Incluido,Alterado,Excluido} Departamento.{Incluido,Alterado,Excluido}
Servico.{Incluido,Alterado,Excluido} Categoria.{Incluida,Alterada} TabelaPreco.{Incluida,Alterada,Excluida}
TabelaPrecoItem.{Incluido,Alterado,Excluido}
VendaProduto.{Incluida,Alterada,Cancelada,EtapaAlterada,Faturada,Excluida,Devolvida}
NFe.{NotaAutorizada,NotaCancelada,NotaDevolucaoAutorizada}
RemessaProduto.{Incluida,Alterada,Cancelada,Devolvida,Excluida,Faturada}
Frete.{PedidoEnviado,SaiuParaEntrega,PedidoEntregue,StatusAtualizado}
OrdemServico.{Incluida,Alterada,Cancelada,EtapaAlterada,Excluida,Faturada}
ContratoServico.{Incluido,Alterado,Ativado,Cancelado,Excluido,Faturado,Suspenso}
NFSe.{NotaAutorizada,NotaCancelada,NotaSubstituida}
Financas.ContaReceber.{Incluido,Alterado,Excluido,BaixaRealizada,BaixaCancelada,BoletoGerado,BoletoCancelado,Rateio.*}
Financas.ContaPagar.{Incluido,Alterado,Excluido,BaixaRealizada,BaixaCancelada,Rateio.*}
Financas.ContaCorrente.{Incluido,Alterado,Excluido,Lancamento.*,Transferencia.*}
CompraProduto.{Incluida,Alterada,Cancelada,Encerrada,EtapaAlterada,Excluida}
RequisicaoProduto.{Incluida,Alterada,Excluida} NotaEntrada.{Incluida,Alterada,Cancelada,Concluida,Excluida}
RecebimentoProduto.{Incluido,Alterado,Concluido,Devolvido,Excluido,Revertido}
OrdemProducao.{Incluida,Alterada,Concluida,Excluida,Revertida} CRM.{Conta.*,Contato.*,Oportunidade.*,Tarefa.*}
"""
SOME = {
    "ClienteFornecedor.Alterado": "geral/clientes",
    "Produto.MovimentacaoEstoque": "estoque/consulta",
    "VendaProduto.Faturada": "financas/contareceber",
    "NFSe.NotaAutorizada": "servicos/nfse",
    "Financas.ContaReceber.BoletoGerado": "financas/contareceberboleto",
    "Financas.ContaPagar.BaixaRealizada": "financas/extrato",
    "Financas.ContaCorrente.Lancamento.Incluido": "financas/contacorrentelancamentos",
    "CRM.Tarefa.Incluida": "crm/tarefas",
}


def topics() -> Iterator[str]:
    for noun, words in re.findall(r"([\w.]+)\.\{([^}]+)\}", TOPICS):
        for word in words.split(","):
            yield f"{noun}.{word.replace('*', 'Incluido')}"


def entities(topic: str) -> set[str]:
    return {entity for service in services_of(topic) or () for entity in touched_by(service)}


@pytest.mark.parametrize("topic", list(topics()))
def test_a_topic_makes_something_old_and_only_what_is_in_the_catalogue(topic: str) -> None:
    found = services_of(topic)
    assert found, topic
    assert set(found) <= set(catalog().services)
    assert entities(topic) <= {entity_of(path) for path in catalog().services}


def test_there_are_as_many_topics_as_are_known() -> None:
    assert len(set(topics())) == len(list(topics())) == 118


@pytest.mark.parametrize(("topic", "entity"), SOME.items())
def test_a_topic_makes_its_own_answers_old(topic: str, entity: str) -> None:
    assert entity in entities(topic)


def test_our_own_test_makes_nothing_old_and_what_nobody_knows_is_nobodys() -> None:
    assert services_of(TEST_TOPIC) == ()
    for unknown in ("", ".", "Assunto", "Assunto.Novo", "Financas", "Financas.Outra", "CRM.Fase.Incluida"):
        assert services_of(unknown) is None


def test_a_ping_is_no_event() -> None:
    assert read_notice(b'{"ping":"omie"}') is None
    notice = read_notice(b'{"ping":"omie","topic":"A.B","appKey":"1","messageId":" m "}')
    assert notice is not None
    assert (notice.message_id, notice.topic, notice.app_key.reveal()) == ("m", "A.B", "1")


@pytest.mark.parametrize("id", [b"null", b'""', b'"  "', b"true", b"[]", b"{}"])
def test_a_message_without_a_usable_id_has_none(id: bytes) -> None:
    notice = read_notice(b'{"topic":"A.B","appKey":123,"messageId":' + id + b"}")
    assert notice is not None
    assert notice.message_id is None
    assert notice.app_key.reveal() == "123"


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_is_posted_is_read_or_refused(body: bytes) -> None:
    try:
        read_notice(body)
    except InvalidInput as error:
        assert error.message == "O corpo não é um evento de webhook do Omie."
