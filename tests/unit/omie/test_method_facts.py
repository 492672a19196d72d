"""What is said of every method beyond the catalogue: an example, a risk, a class."""

from __future__ import annotations

import pytest

from omie_control.errors import InvalidInput, NotFound
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.classes import category_of, complexity_of
from omie_control.omie.examples import example_of
from omie_control.omie.risks import changes, risk_of
from omie_control.services.methods import find_methods, method_named


def _method(endpoint: str) -> Method:
    return method_named(endpoint)


def test_every_example_is_one_that_the_catalogue_accepts() -> None:
    for method in catalog().methods:
        example = example_of(method)
        assert example, method.endpoint
        assert list(method.problems(example)) == [], method.endpoint


def test_every_method_has_its_class() -> None:
    for method in catalog().methods:
        assert category_of(method), method.endpoint
        assert complexity_of(method), method.endpoint


# Section 8 of what is known of Omie names these as not to be taken back.
@pytest.mark.parametrize(
    "endpoint",
    [
        "produtos/pedidovendafat/FaturarPedidoVenda",
        "produtos/pedidovendafat/CancelarPedidoVenda",
        "geral/clientes/ExcluirCliente",
        "produtos/cupomfiscalincluir/InutilizarNfce",
        "produtos/notaentradafat/ConcluirNotaEnt",
        "produtos/op/ReverterOrdemProducao",
        "produtos/nfe/ImportarNFe",
        "produtos/cte/CartaCorrecaoCTe",
        "financas/contareceberboleto/GerarBoleto",
        "financas/pix/GerarPix",
        "servicos/osp/ReenviarOS",
        "produtos/pedido/DevolverPedido",
    ],
)
def test_what_cannot_be_undone_is_known(endpoint: str) -> None:
    assert risk_of(_method(endpoint))
    assert changes(_method(endpoint))


def test_what_can_be_corrected_needs_no_word() -> None:
    for endpoint in (
        "geral/clientes/IncluirCliente",
        "geral/clientes/ListarClientes",
        "financas/contapagar/LancarPagamento",
    ):
        assert risk_of(_method(endpoint)) is None


def test_a_read_that_uses_up_a_number_counts_as_a_change() -> None:
    method = _method("produtos/cupomfiscal/ObterProximoLote")
    assert not method.writes
    assert changes(method)
    assert risk_of(method)


@pytest.mark.parametrize(
    "name",
    [
        "geral/clientes/ListarClientes",
        "/geral/clientes/ListarClientes/",
        "https://app.omie.com.br/api/v1/geral/clientes/ListarClientes",
        "ListarClientes",
        "  ListarClientes ",
    ],
)
def test_a_method_goes_by_these_names(name: str) -> None:
    assert method_named(name).endpoint == "geral/clientes/ListarClientes"


def test_service_and_call_apart_name_it_too() -> None:
    assert method_named("ListarClientes", "geral/clientes/").endpoint == "geral/clientes/ListarClientes"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("geral/clientes/ListarCliente", "geral/clientes/ListarClientes"),
        ("geral/fornecedores/ListarClientes", "geral/clientes/ListarClientes"),
        ("ListarClients", "geral/clientes/ListarClientes"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(NotFound) as refused:
        method_named(name)
    assert near in refused.value.hint


@pytest.mark.parametrize("name", ["", "/", "DROP TABLE", "x" * 5000, "../../etc/passwd", "\x00"])
def test_junk_is_refused(name: str) -> None:
    with pytest.raises(NotFound) as refused:
        method_named(name)
    assert len(refused.value.message) < 200


def test_a_name_of_several_services_asks_which() -> None:
    with pytest.raises(InvalidInput) as refused:
        method_named("ConsultarTarefa")
    assert "crm/tarefas/ConsultarTarefa" in refused.value.hint


@pytest.mark.parametrize(
    ("words", "endpoint"),
    [
        ("contas a pagar", "financas/contapagar/ListarContasPagar"),
        ("emitir boleto", "financas/contareceberboleto/GerarBoleto"),
        ("fornecedores", "geral/clientes/ListarClientes"),
        ("criar ordem de serviço", "servicos/os/IncluirOS"),
        ("faturar pedido", "produtos/pedidovendafat/FaturarPedidoVenda"),
        ("posicao do estoque", "estoque/consulta/PosicaoEstoque"),
        ("baixar conta a receber", "financas/contareceber/LancarRecebimento"),
        ("notas fiscais de serviço", "servicos/nfse/ListarNFSEs"),
        ("listar PEDIDOS de venda", "produtos/pedido/ListarPedidos"),
        ("extratos", "financas/extrato/ListarExtrato"),
    ],
)
def test_people_find_what_they_mean(words: str, endpoint: str) -> None:
    assert endpoint in [method.endpoint for method in find_methods(words)[:5]]


def test_only_writes_or_only_reads() -> None:
    assert all(changes(method) for method in find_methods("clientes", writes=True))
    assert not any(changes(method) for method in find_methods("clientes", writes=False))
    assert find_methods("xyzzy") == []


def test_what_omie_retires_comes_after_its_like() -> None:
    found = [method.endpoint for method in find_methods("incluir clientes")]
    assert found.index("geral/clientes/IncluirCliente") < found.index("geral/clientes/IncluirClientesPorLote")
