"""The catalogue as code meets it: methods found by name or by words, and calls checked before they leave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.errors import InvalidInput, NotFound
from omie_control.omie.catalog import Method, catalog

CUSTOMER = {"razao_social": "Padaria Sol Ltda"}


def clientes(call: str) -> Method:
    return catalog().method("geral/clientes/", call)


def refusal(method: Method, param: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        method.check(param)
    return caught.value.message


def test_a_method_knows_what_the_catalogue_says_of_it() -> None:
    method = clientes("ListarClientes")
    assert (method.endpoint, method.kind, method.writes) == ("geral/clientes/ListarClientes", "list", False)
    assert method.list_key == "clientes_cadastro"
    assert method.paging is not None
    assert (method.paging.page, method.paging.answered_pages) == ("pagina", "total_de_paginas")
    assert clientes("IncluirCliente").integration_codes == ("codigo_cliente_integracao",)
    assert clientes("IncluirClientesPorLote").is_deprecated


def test_a_path_is_found_with_or_without_its_slashes() -> None:
    assert catalog().method("geral/clientes", "ListarClientes") is clientes("ListarClientes")
    assert catalog().method("/geral/clientes/", "ListarClientes") is clientes("ListarClientes")


@pytest.mark.parametrize(
    ("service", "call", "near"),
    [("geral/clientes/", "ListarCliente", "ListarClientes"), ("geral/cliente/", "ListarClientes", "geral/clientes/")],
)
def test_a_wrong_name_is_answered_with_the_nearest(service: str, call: str, near: str) -> None:
    with pytest.raises(NotFound) as caught:
        catalog().method(service, call)
    assert near in caught.value.hint


@pytest.mark.parametrize(
    "param",
    [
        {"pagina": 1, "registros_por_pagina": 50},
        {"pagina": 1, "clientesFiltro": {"razao_social": "Sol"}},
        {"clientesPorCodigo": [{"codigo_cliente_omie": 5500000001}]},
        {"filtrar_por_data_de": "01/02/2026", "filtrar_por_hora_de": "08:00:00", "filtrar_por_data_ate": ""},
        {},
    ],
)
def test_what_fits_the_catalogue_passes(param: dict[str, Any]) -> None:
    clientes("ListarClientes").check(param)


@pytest.mark.parametrize(
    ("param", "told"),
    [
        ({"page": 1}, "page: este campo não existe"),
        ({"registros_por_pag": 1}, "'registros_por_pagina'"),
        ({"pagina": "1"}, "pagina: deve ser um número inteiro, sem aspas; veio um texto."),
        ({"pagina": True}, "veio verdadeiro/falso"),
        ({"pagina": 2**70}, "grande demais"),
        ({"pagina": None}, "veio vazio (null)"),
        ({"clientesFiltro": {"cnpj": "1"}}, "clientesFiltro.cnpj: este campo não existe; o nome certo parece ser"),
        ({"clientesFiltro": []}, "clientesFiltro: deve ser um objeto com campos; veio uma lista."),
        ({"clientesPorCodigo": {}}, "clientesPorCodigo: deve ser uma lista; veio um objeto. Exemplo: [{…}]"),
        ({"clientesPorCodigo": [{}, {"x": 1}]}, "clientesPorCodigo[1].x: este campo não existe"),
        ({"filtrar_por_data_de": "2026-02-01"}, 'dd/mm/aaaa; veio no formato aaaa-mm-dd. Exemplo: "31/12/2026"'),
        ({"filtrar_por_data_de": "31/02/2026"}, "não é uma data que exista"),
        ({"filtrar_por_data_de": "01/01/1900"}, "ano entre 1901 e 2200"),
        ({"filtrar_por_hora_de": "25:00:00"}, "hora no formato hh:mm:ss"),
        # Digits of other scripts: numbers to Python, nothing to Omie.
        ({"filtrar_por_data_de": "٠١/٠٢/٢٠٢٦"}, "data no formato dd/mm/aaaa"),
        ({"filtrar_por_data_de": "０１/０２/２０２６"}, "data no formato dd/mm/aaaa"),
        ({"filtrar_por_hora_de": "0٨:00:00"}, "hora no formato hh:mm:ss"),
        ({"exibir_obs": "sim"}, "exibir_obs: deve ser um destes valores: S, N."),
        ([], "deve ser um objeto com campos"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(param: Any, told: str) -> None:
    assert told in refusal(clientes("ListarClientes"), param)


@pytest.mark.parametrize("stage", ["00", "10", "60", "80"])
def test_stages_are_each_companys_own(stage: str) -> None:
    catalog().method("produtos/pedido/", "ListarPedidos").check({"etapa": stage})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("valor_limite_credito", "12,5", "deve ser um número com ponto decimal"),
        ("valor_limite_credito", float("nan"), "deve ser um número finito"),
        ("estado", "São Paulo", "o tamanho máximo é 2; vieram 9 caracteres"),
        ("codigo_cliente_integracao", "x" * 61, "o tamanho máximo é 60; vieram 61 caracteres"),
        ("email", 5, "deve ser um texto entre aspas; veio um número inteiro"),
    ],
)
def test_a_new_customer_is_checked_field_by_field(field: str, value: Any, told: str) -> None:
    assert f"{field}: {told}" in refusal(clientes("IncluirCliente"), {**CUSTOMER, field: value})


def test_a_new_record_must_bring_what_omie_demands_and_a_change_need_not() -> None:
    assert "razao_social: é obrigatório para incluir" in refusal(clientes("IncluirCliente"), {"cnpj_cpf": "1"})
    clientes("AlterarCliente").check({"codigo_cliente_omie": 1, "email": "a@exemplo.com.br"})


def test_all_problems_are_told_at_once_up_to_five() -> None:
    message = refusal(clientes("ListarClientes"), {f"campo{number}": 1 for number in range(9)})
    assert "(5)" in message
    assert "(6)" not in message
    assert "Há mais problemas" in message


def test_a_value_is_never_repeated() -> None:
    secret = "529.982.247-25 maria@exemplo.com.br"
    message = refusal(clientes("IncluirCliente"), {"estado": secret, "tags": secret, "info": {"dInc": secret}})
    assert "529" not in message
    assert "maria" not in message


def test_the_records_of_an_answer_are_found_also_one_level_down() -> None:
    method = catalog().method("produtos/tabelaprecos/", "ListarTabelaItens")
    assert method.rows({"listaTabelaPreco": {"itensTabela": [1, 2]}}) == [1, 2]
    assert method.rows({"listaTabelaPreco": None}) == []
    assert clientes("ListarClientes").rows({"clientes_cadastro": [1]}) == [1]
    assert clientes("ConsultarCliente").rows({"x": 1}) == []


def test_a_param_deeper_than_any_type_is_refused_without_a_crash() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"clientesFiltro": deep}
    assert "não existe" in refusal(clientes("ListarClientes"), {"clientesFiltro": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=20,
)
NAMED = st.dictionaries(st.sampled_from(sorted(clientes("IncluirCliente").request_fields)), JSON, max_size=6)


@given(JSON | NAMED)
def test_any_json_is_either_taken_or_refused_in_words(param: Any) -> None:
    try:
        clientes("IncluirCliente").check(param)
    except InvalidInput as refused:
        assert len(refused.message) < 4000
