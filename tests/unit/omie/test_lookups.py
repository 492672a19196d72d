"""How each writing method is looked up, as the catalogue tells it; and what an answer proves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omie_control.omie.catalog import catalog
from omie_control.omie.evidence import Finding, judge, remember, written
from omie_control.omie.lookups import CODE_LENGTH, Evidence, Lookup, asking, lookup_for

WRITES = [method for method in catalog().methods if method.writes]
INCLUIR, ALTERAR = "geral/clientes/IncluirCliente", "geral/clientes/AlterarCliente"
SENT_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
BEFORE_IT = {"dInc": "23/11/2026", "hInc": "11:00:00", "dAlt": "23/11/2026", "hAlt": "11:00:00"}
AFTER_IT = {"dInc": "23/11/2026", "hInc": "12:00:01", "dAlt": "23/11/2026", "hAlt": "12:00:01"}


@pytest.mark.parametrize("method", WRITES, ids=lambda method: method.endpoint)
def test_whoever_is_asked_only_reads_and_takes_what_it_is_asked(method: Any) -> None:
    lookup = lookup_for(method.endpoint)
    if lookup.asked is None:
        assert lookup.evidence is Evidence.NONE
        return
    assert not lookup.asked.writes
    assert lookup.asked.service is method.service
    assert lookup.evidence is Evidence.LISTED or lookup.keys


@pytest.mark.parametrize("method", WRITES, ids=lambda method: method.endpoint)
def test_a_code_fits_the_catalogue_and_never_takes_more_than_twenty_letters(method: Any) -> None:
    lookup = lookup_for(method.endpoint)
    sent = lookup.carrying({}, "oc-" + "x" * 40)
    if lookup.code_path is None:
        assert sent == {}
        return
    code = lookup.code_in(sent)
    assert code is not None
    assert len(code) <= CODE_LENGTH
    problems = [problem for problem in method.problems(sent) if problem.path.endswith(lookup.code_path[-1])]
    assert problems == []


def test_the_kinds_of_evidence_are_those_we_counted() -> None:
    found = Counter(lookup_for(method.endpoint).evidence for method in WRITES)
    assert found == {
        Evidence.NONE: 120,
        Evidence.CHANGED: 52,
        Evidence.CODE: 28,
        Evidence.GONE: 27,
        Evidence.LISTED: 6,
    }


@pytest.mark.parametrize(
    ("endpoint", "evidence", "asked", "code"),
    [
        (INCLUIR, Evidence.CODE, "ConsultarCliente", ("codigo_cliente_integracao",)),
        ("produtos/pedido/IncluirPedido", Evidence.CODE, "ConsultarPedido", ("cabecalho", "codigo_pedido_integracao")),
        ("estoque/ajuste/IncluirAjusteEstoque", Evidence.CODE, "ListarAjusteEstoque", ("cod_int_ajuste",)),
        ("geral/contacorrente/IncluirContaCorrente", Evidence.CODE, "ConsultarContaCorrente", ("cCodCCInt",)),
        ("geral/categorias/IncluirCategoria", Evidence.LISTED, "ListarCategorias", None),
        (ALTERAR, Evidence.CHANGED, "ConsultarCliente", None),
        ("geral/clientes/UpsertCliente", Evidence.CHANGED, "ConsultarCliente", None),
        ("geral/clientes/ExcluirCliente", Evidence.GONE, "ConsultarCliente", None),
        ("financas/contapagar/LancarPagamento", Evidence.NONE, None, ("codigo_baixa_integracao",)),
        ("financas/contapagar/IncluirContaPagarPorLote", Evidence.NONE, None, None),
        ("produtos/pedidovendafat/FaturarPedidoVenda", Evidence.NONE, None, None),
        ("geral/clientescaract/IncluirCaractCliente", Evidence.NONE, None, None),
        ("servicos/contrato/ExcluirItem", Evidence.NONE, None, None),
    ],
)
def test_some_that_we_know_well(
    endpoint: str, evidence: Evidence, asked: str | None, code: tuple[str, ...] | None
) -> None:
    lookup = lookup_for(endpoint)
    assert lookup.evidence is evidence
    assert (lookup.asked.call if lookup.asked else None) == asked
    assert lookup.code_path == code


def test_what_allots_a_number_is_never_asked() -> None:
    asked = {lookup.asked.call for method in WRITES if (lookup := lookup_for(method.endpoint)).asked is not None}
    assert "ObterProximoLote" not in asked


def test_a_record_is_asked_for_by_its_id_before_its_code() -> None:
    lookup = lookup_for(ALTERAR)
    both = {"codigo_cliente_omie": 5, "codigo_cliente_integracao": "A"}
    assert lookup.question(both) == {"codigo_cliente_omie": 5}
    assert lookup.question({"codigo_cliente_integracao": "A"}) == {"codigo_cliente_integracao": "A"}
    assert lookup.question({"razao_social": "X"}) is None


def test_a_question_may_lie_deeper_than_what_was_sent() -> None:
    lookup = lookup_for("servicos/contrato/IncluirContrato")
    assert lookup.question({"cabecalho": {"cCodIntCtr": "A"}}) == {"contratoChave": {"cCodIntCtr": "A"}}


def test_the_caller_s_own_code_stays_and_the_rest_of_the_record_is_kept() -> None:
    lookup = lookup_for("produtos/pedido/IncluirPedido")
    given = {"cabecalho": {"codigo_pedido_integracao": "MEU", "etapa": "10"}}
    assert lookup.carrying(given, "oc-1") == given
    without = {"cabecalho": {"etapa": "10"}, "det": []}
    assert lookup.carrying(without, "oc-1")["cabecalho"] == {"etapa": "10", "codigo_pedido_integracao": "oc-1"}
    assert without == {"cabecalho": {"etapa": "10"}, "det": []}
    blank = {"cabecalho": {"etapa": "10", "codigo_pedido_integracao": "  "}}
    assert lookup.carrying(blank, "oc-1")["cabecalho"]["codigo_pedido_integracao"] == "oc-1"


def test_a_receivable_that_is_deleted_by_its_id_is_asked_for_by_it() -> None:
    lookup = lookup_for("financas/contareceber/ExcluirContaReceber")
    assert lookup.question({"chave_lancamento": 5500000001}) == {"codigo_lancamento_omie": 5500000001}
    assert lookup.question({"codigo_lancamento_integracao": "A"}) == {"codigo_lancamento_integracao": "A"}


def test_who_makes_records_that_a_method_shows() -> None:
    assert asking("geral/clientes/ConsultarCliente") == (INCLUIR,)


def finding(lookup: Lookup, param: dict[str, Any], answer: dict[str, Any] | None, **known: Any) -> Finding:
    return judge(lookup, param, answer, sent_at=SENT_AT, **known)


def test_a_record_with_our_own_code_was_made_by_us() -> None:
    lookup, param = lookup_for(INCLUIR), {"razao_social": "Sol", "codigo_cliente_integracao": "oc-1"}
    record = param | {"codigo_cliente_omie": 5, "info": BEFORE_IT}
    assert finding(lookup, param, record, code="oc-1") is Finding.DONE
    assert finding(lookup, param, None, code="oc-1") is Finding.NOT_DONE
    assert finding(lookup, param, record | {"codigo_cliente_integracao": "B"}, code="oc-1") is Finding.UNCLEAR


def test_a_record_with_the_caller_s_code_may_be_an_older_one() -> None:
    lookup, param = lookup_for(INCLUIR), {"razao_social": "Sol", "codigo_cliente_integracao": "A"}
    assert finding(lookup, param, param | {"info": AFTER_IT}) is Finding.DONE
    assert finding(lookup, param, param | {"info": BEFORE_IT}) is Finding.UNCLEAR
    assert finding(lookup, param, param) is Finding.DONE
    assert finding(lookup, param, param | {"razao_social": "Lua"}) is Finding.UNCLEAR


def test_a_list_that_ignores_the_filter_proves_nothing_done() -> None:
    lookup = lookup_for("estoque/ajuste/IncluirAjusteEstoque")
    assert lookup.asked is not None
    other = {lookup.asked.list_key or "": [{"cod_int_ajuste": "B"}]}
    ours = {lookup.asked.list_key or "": [{"cod_int_ajuste": "B"}, {"cod_int_ajuste": "oc-1"}]}
    assert finding(lookup, {"cod_int_ajuste": "oc-1"}, other, code="oc-1") is Finding.NOT_DONE
    assert finding(lookup, {"cod_int_ajuste": "oc-1"}, ours, code="oc-1") is Finding.DONE


def test_one_page_of_a_list_that_ignores_the_filter_proves_nothing_undone_either() -> None:
    lookup = lookup_for("estoque/ajuste/IncluirAjusteEstoque")
    assert lookup.asked is not None
    assert lookup.asked.paging is not None
    assert lookup.asked.paging.answered_pages is not None
    other = {lookup.asked.list_key or "": [{"cod_int_ajuste": "B"}], lookup.asked.paging.answered_pages: 2}
    assert finding(lookup, {"cod_int_ajuste": "oc-1"}, other, code="oc-1") is Finding.UNCLEAR
    ours = {**other, lookup.asked.list_key or "": [{"cod_int_ajuste": "oc-1"}]}
    assert finding(lookup, {"cod_int_ajuste": "oc-1"}, ours, code="oc-1") is Finding.DONE


@pytest.mark.parametrize("odd", ["NaN", "sNaN", "Infinity"])
def test_words_that_decimals_know_are_words(odd: str) -> None:
    lookup, param = lookup_for(ALTERAR), {"codigo_cliente_omie": 5, "endereco_numero": odd}
    assert finding(lookup, param, param) is Finding.DONE
    assert finding(lookup, param, param | {"endereco_numero": 7, "info": BEFORE_IT}) is Finding.NOT_DONE


def test_a_change_shows_in_the_record_however_omie_writes_it() -> None:
    lookup = lookup_for(ALTERAR)
    param = {
        "codigo_cliente_omie": 5,
        "cnpj_cpf": "11222333000181",
        "razao_social": "PADARIA  JOÃO",
        "tags": [{"tag": "Cliente"}],
        "valor_limite_credito": 10,
        "telefone1_numero": "",
    }
    record = {
        "codigo_cliente_omie": 5,
        "cnpj_cpf": "11.222.333/0001-81",
        "razao_social": "Padaria João",
        "tags": [{"tag": "cliente", "nCodTag": 1}],
        "valor_limite_credito": "10.00",
        "info": AFTER_IT,
    }
    assert finding(lookup, param, record) is Finding.DONE
    assert finding(lookup, param, record | {"razao_social": "Outra"}) is Finding.UNCLEAR
    assert finding(lookup, param, record | {"razao_social": "Outra", "info": BEFORE_IT}) is Finding.NOT_DONE
    assert finding(lookup, param, None) is Finding.NOT_DONE


def test_an_image_from_before_tells_an_untouched_record_from_a_changed_one() -> None:
    lookup = lookup_for("geral/vendedores/AlterarVendedor")
    assert lookup.needs_before
    param = {"codigo": 1, "nome": "Ana Nova"}
    old, new = {"codigo": 1, "nome": "Ana"}, {"codigo": 1, "nome": "Ana Nova"}
    before = remember(lookup, param, old)
    assert finding(lookup, param, new, before=before) is Finding.DONE
    assert finding(lookup, param, old, before=before) is Finding.NOT_DONE
    assert finding(lookup, param, {"codigo": 1, "nome": "Bia"}, before=before) is Finding.UNCLEAR
    assert finding(lookup, param, old) is Finding.UNCLEAR


def test_what_takes_no_code_is_looked_for_among_new_rows() -> None:
    lookup = lookup_for("geral/categorias/IncluirCategoria")
    assert lookup.asked is not None
    key, param = lookup.asked.list_key or "", {"descricao": "Fretes"}
    old = {key: [{"codigo": "1.01", "descricao": "Fretes"}]}
    new = {key: [{"codigo": "1.01", "descricao": "Fretes"}, {"codigo": "1.02", "descricao": "FRETES"}]}
    before = remember(lookup, param, old)
    assert finding(lookup, param, new, before=before) is Finding.DONE
    assert finding(lookup, param, old, before=before) is Finding.NOT_DONE
    assert finding(lookup, param, {key: []}, before=before) is Finding.NOT_DONE
    assert finding(lookup, param, old) is Finding.UNCLEAR
    assert finding(lookup, param, new | {"total_de_paginas": 2}, before=before) is Finding.UNCLEAR


def test_gone_is_done_and_there_is_not() -> None:
    lookup = lookup_for("geral/clientes/ExcluirCliente")
    assert finding(lookup, {}, None) is Finding.DONE
    assert finding(lookup, {}, {"codigo_cliente_omie": 5}) is Finding.NOT_DONE


def test_what_was_found_is_answered_as_the_write_would_have() -> None:
    param = {"razao_social": "Sol", "codigo_cliente_integracao": "oc-1"}
    said = written(lookup_for(INCLUIR), param, param | {"codigo_cliente_omie": 5, "email": "a@b.com.br"})
    assert said["codigo_cliente_omie"] == 5
    assert said["codigo_cliente_integracao"] == "oc-1"
    assert said["codigo_status"] == "0"
    assert said["_verificado"] is True
    assert "email" not in said


def test_instants_of_omie_are_brasilia_s_with_some_slack() -> None:
    lookup, param = lookup_for(INCLUIR), {"codigo_cliente_integracao": "A"}
    at = SENT_AT - timedelta(hours=3, minutes=1)
    nearly = {"codigo_cliente_integracao": "A", "dInc": f"{at:%d/%m/%Y}", "hInc": f"{at:%H:%M:%S}"}
    assert finding(lookup, param, nearly) is Finding.DONE
