"""The client tools, without Omie: what goes in and what comes out."""

from __future__ import annotations

import pytest

from omie_control.errors import InvalidInput
from omie_control.mcp.tools import cliente_record as record
from omie_control.mcp.tools.clientes import client_key, document
from omie_control.mcp.tools.words import cell, table


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("529.982.247-25", "52998224725"),
        ("11.222.333/0001-81", "11222333000181"),
        ("12.abc.345/01de-35", "12ABC34501DE35"),
        ("", ""),
        (None, None),
    ],
)
def test_documents_of_both_forms_go_out_without_punctuation(written: str | None, sent: str | None) -> None:
    assert document(written) == sent


@pytest.mark.parametrize("wrong", ["529.982.247-26", "11111111111", "12.ABC.345/01DE-36", "abc"])
def test_a_wrong_check_digit_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        document(wrong)
    assert wrong not in caught.value.for_people()


def test_a_client_is_named_by_exactly_one_code() -> None:
    assert client_key(5, None) == {"codigo_cliente_omie": 5}
    assert client_key(None, "A-1") == {"codigo_cliente_integracao": "A-1"}
    for both in ((None, None), (5, "A-1")):
        with pytest.raises(InvalidInput):
            client_key(*both)


def test_only_filters_that_work_are_sent() -> None:
    assert record.filters(inativo=False, tags=["Cliente"], razao_social="sol", cnpj_cpf=None) == {
        "razao_social": "sol",
        "inativo": "N",
        "tags": [{"tag": "Cliente"}],
    }


def test_arguments_become_fields_of_omie_and_ours_stay_out() -> None:
    fields = record.named(
        {
            "razao_social": "Sol",
            "email": None,
            "inativo": True,
            "tags": ["Cliente"],
            "outros_campos": {"contribuinte": "S", "razao_social": "outra"},
            "empresa": "demo",
            "codigo_omie": 5,
            "app": object(),
        }
    )
    assert fields == {
        "razao_social": "Sol",
        "inativo": "S",
        "tags": [{"tag": "Cliente"}],
        "contribuinte": "S",
    }


def test_a_page_tells_omies_counts_and_few_clean_fields() -> None:
    row = {
        "codigo_cliente_omie": 1,
        "codigo_cliente_integracao": " " * 60,
        "razao_social": "Padaria &quot;Sol&quot;  Ltda ",
        "telefone1_ddd": "11",
        "telefone1_numero": "4002-8922",
        "inativo": "N",
        "endereco": "Rua A",
    }
    page = record.page({"pagina": 1, "total_de_paginas": 3, "total_de_registros": 7, "clientes_cadastro": [row]}, 1)
    assert page["clientes"] == [
        {"codigo_omie": 1, "razao_social": 'Padaria "Sol" Ltda', "telefone": "11 4002-8922", "inativo": False}
    ]
    assert (page["tem_mais"], page["registros"], page["total_de_registros"]) == (True, 1, 7)


def test_an_empty_page_is_a_page() -> None:
    assert record.page({}, 9) == {
        "pagina": 9,
        "total_de_paginas": 0,
        "registros": 0,
        "total_de_registros": 0,
        "tem_mais": False,
        "clientes": [],
    }


def test_a_whole_record_leaves_out_what_is_empty() -> None:
    assert record.whole({"razao_social": "Sol", "email": "", "tags": [{"tag": "Cliente"}], "info": {"dInc": ""}}) == {
        "razao_social": "Sol",
        "tags": ["Cliente"],
    }


def test_no_value_breaks_out_of_its_cell() -> None:
    assert cell("a|b\n# c `d`") == "a\\|b # c 'd'"
    assert table({"a": "A"}, [{"a": "x|y"}]) == "| A |\n|---|\n| x\\|y |"
