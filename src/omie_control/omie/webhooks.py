"""What Omie posts to a webhook, read without a socket, and which services a topic is about.

An event is a hint that something changed, never the truth: nobody signs it. It says which answers are old by now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omie_control.domain.companies import Secret
from omie_control.errors import InvalidInput
from omie_control.omie.protocol import read_object

BODY_MAX_BYTES = 1024 * 1024
# What our own test posts: it is taken in like an event of Omie's, and nothing is old because of it.
TEST_TOPIC = "OmieControl.Teste"
_TEXT_MAX = 200
_MALFORMED = "O corpo não é um evento de webhook do Omie."
_ORDERS = ("produtos/pedido/",)
# By noun, the longest that fits: the services of the catalogue whose answers an event makes old. Neighbours, such as
# the balances behind a title, are added by `domain/freshness.py`.
_SERVICES: Mapping[str, tuple[str, ...]] = {
    TEST_TOPIC: (),
    "ClienteFornecedor": ("geral/clientes/",),
    "Produto": ("geral/produtos/",),
    "Produto.MovimentacaoEstoque": ("estoque/ajuste/",),
    "Produto.AjusteEstoque": ("estoque/ajuste/",),
    "CaracteristicaProduto": ("geral/caracteristicas/", "geral/prodcaract/"),
    "LocalEstoque": ("estoque/local/",),
    "Vendedor": ("geral/vendedores/",),
    "Projeto": ("geral/projetos/",),
    "Departamento": ("geral/departamentos/",),
    "Servico": ("servicos/servico/",),
    "Categoria": ("geral/categorias/",),
    "TabelaPreco": ("produtos/tabelaprecos/",),
    "TabelaPrecoItem": ("produtos/tabelaprecos/",),
    "VendaProduto": _ORDERS,
    "NFe": ("produtos/nfe/",),
    "RemessaProduto": ("produtos/remessa/",),
    "Frete": _ORDERS,
    "OrdemServico": ("servicos/os/",),
    "ContratoServico": ("servicos/contrato/",),
    "NFSe": ("servicos/nfse/", "servicos/os/"),
    "Financas.ContaReceber": ("financas/contareceber/",),
    "Financas.ContaPagar": ("financas/contapagar/",),
    "Financas.ContaCorrente": ("geral/contacorrente/",),
    "Financas.ContaCorrente.Lancamento": ("financas/contacorrentelancamentos/",),
    "Financas.ContaCorrente.Transferencia": ("financas/contacorrentelancamentos/",),
    "CompraProduto": ("produtos/pedidocompra/",),
    "RequisicaoProduto": ("produtos/requisicaocompra/",),
    "NotaEntrada": ("produtos/notaentrada/",),
    "RecebimentoProduto": ("produtos/recebimentonfe/",),
    "OrdemProducao": ("produtos/op/",),
    "CRM.Conta": ("crm/contas/",),
    "CRM.Contato": ("crm/contatos/",),
    "CRM.Oportunidade": ("crm/oportunidades/",),
    "CRM.Tarefa": ("crm/tarefas/",),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One event as it was posted. `payload` is the whole envelope, `app_key` the application that it says it is of."""

    message_id: str | None
    topic: str
    app_key: Secret
    payload: Mapping[str, Any]


def read_notice(body: bytes) -> Notice | None:
    """Read what was posted; None for the ping with which Omie tries an address.

    Raises InvalidInput, which repeats nothing, for what is no object of JSON, too deep, or no event.
    """
    data = read_object(body)
    if data is None:
        raise InvalidInput(_MALFORMED, hint="Esperado: um objeto JSON, como o Omie envia.")
    if "topic" not in data and data.get("ping") == "omie":
        return None
    topic, app_key = data.get("topic"), data.get("appKey")
    if not isinstance(topic, str) or not topic.strip() or not isinstance(app_key, str | int) or app_key is True:
        raise InvalidInput(_MALFORMED, hint="Faltam `topic` ou `appKey`.")
    return Notice(_message_id(data.get("messageId")), topic.strip()[:_TEXT_MAX], Secret(str(app_key)), data)


def services_of(topic: str) -> tuple[str, ...] | None:
    """Name the services whose answers an event of this topic makes old; None for a topic that nobody knows."""
    noun = topic
    while noun:
        if noun in _SERVICES:
            return _SERVICES[noun]
        noun = noun.rpartition(".")[0]
    return None


def _message_id(value: object) -> str | None:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text[:_TEXT_MAX].encode(errors="replace").decode() or None
