"""How long answers live and what writes make old, judged against every method of the catalogue."""

from __future__ import annotations

import pytest

from omie_control.domain import freshness
from omie_control.domain.freshness import entity_of, life_seconds, moves_money, must_be_fresh, touched_by
from omie_control.omie.catalog import Method, catalog
from omie_control.services.answers import page_param

READS = [method for method in catalog().methods if not method.writes]
WRITES = [method for method in catalog().methods if method.writes]


def life(method: Method, *, is_empty: bool = False) -> int | None:
    return life_seconds(method.path, method.call, method.kind, is_empty=is_empty)


def test_no_answer_lives_under_a_minute_and_only_the_next_number_of_a_series_is_never_kept() -> None:
    lives = {method.endpoint: life(method) for method in READS}
    assert [name for name, seconds in lives.items() if seconds is None] == ["produtos/cupomfiscal/ObterProximoLote"]
    assert min(seconds for seconds in lives.values() if seconds is not None) == 60
    assert max(seconds for seconds in lives.values() if seconds is not None) < 172_800


def test_an_empty_page_lives_as_shortly_as_can_be() -> None:
    assert {life(method, is_empty=True) for method in READS} == {60, None}


@pytest.mark.parametrize(
    ("path", "call", "seconds"),
    [
        ("geral/categorias/", "ListarCategorias", 3_600),
        ("geral/departamentos/", "ListarDepartamentos", 3_600),
        ("produtos/etapafat/", "ListarEtapasFaturamento", 3_600),
        ("geral/bancos/", "ListarBancos", 86_400),
        ("geral/clientes/", "ListarClientes", 120),
        ("geral/clientes/", "ConsultarCliente", 60),
        ("financas/extrato/", "ListarExtrato", 60),
        ("geral/contacorrente/", "ListarResumoContasCorrentes", 60),
        ("estoque/consulta/", "ListarPosEstoque", 60),
    ],
)
def test_tables_live_long_and_balances_shortly(path: str, call: str, seconds: int) -> None:
    assert life(catalog().method(path, call)) == seconds


def test_every_service_that_is_named_exists() -> None:
    known = {entity_of(path) for path in catalog().services}
    named = freshness._OFFICIAL | freshness._TABLES | freshness._LIVE | set(freshness._NEIGHBOURS)
    touched = {entity for method in WRITES for entity in touched_by(method.path)}
    assert (named | touched) - known == set()


def test_no_official_table_can_be_written() -> None:
    assert {entity_of(method.path) for method in WRITES} & freshness._OFFICIAL == set()


def test_a_write_touches_its_own_entity_first_and_none_twice() -> None:
    for method in WRITES:
        touched = touched_by(method.path)
        assert touched[0] == entity_of(method.path)
        assert len(touched) == len(set(touched))


def test_a_settled_receivable_changes_the_account_the_statement_and_the_summary_but_no_payable() -> None:
    touched = touched_by("financas/contareceber/")
    assert {"geral/contacorrente", "financas/extrato", "financas/contacorrentelancamentos"} <= set(touched)
    assert {"financas/resumo", "financas/mf"} <= set(touched)
    assert "financas/contapagar" not in touched


def test_an_invoiced_order_changes_receivables_and_stock() -> None:
    assert {"financas/contareceber", "estoque/consulta"} <= set(touched_by("produtos/pedidovendafat/"))


@pytest.mark.parametrize("path", ["servicos/osp/", "servicos/contratofat/"])
def test_invoiced_work_changes_receivables_and_what_its_products_are_taken_from(path: str) -> None:
    touched = set(touched_by(path))
    assert {"financas/contareceber", "estoque/consulta", "produtos/remessa", "produtos/pedido"} <= touched


def test_who_moves_money_reads_fresh_but_for_the_tables() -> None:
    assert moves_money("financas/contapagar/")
    assert moves_money("produtos/pedidovendafat/")
    assert not moves_money("geral/clientes/")
    assert must_be_fresh("financas/contapagar/", is_for_money=True)
    assert not must_be_fresh("geral/categorias/", is_for_money=True)
    assert not must_be_fresh("financas/contapagar/", is_for_money=False)


@pytest.mark.parametrize(("path", "call"), freshness.WARM)
def test_a_warm_table_is_asked_for_as_omie_wants_it(path: str, call: str) -> None:
    method = catalog().method(path, call)
    param = page_param(method)
    assert param, "Omie refuses an empty question"
    method.check(param)
