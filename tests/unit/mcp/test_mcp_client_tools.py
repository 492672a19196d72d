"""The client tools, without Omie: what goes in and what comes out."""

from __future__ import annotations

from omie_control.mcp.tools import cliente_record as record
from omie_control.mcp.tools.clientes import ALTERAR, CLIENTES
from omie_control.mcp.tools.wire import wired
from omie_control.mcp.tools.words import cell, table


def test_only_filters_that_work_are_sent() -> None:
    fields = record.filters(inativo=False, tags=["Cliente"], razao_social="sol", cnpj_cpf=None)
    assert wired(CLIENTES.method, fields) == {
        "clientesFiltro": {"razao_social": "sol", "inativo": "N", "tags": [{"tag": "Cliente"}]}
    }


def test_arguments_become_fields_of_omie_and_ours_stay_out() -> None:
    fields = record.named(
        {"razao_social": "Sol", "email": None, "bairro": "", "inativo": True, "tags": ["Cliente"], "codigo_omie": 5}
    )
    assert wired(ALTERAR.method, fields) == {
        "razao_social": "Sol",
        "bairro": "",
        "inativo": "S",
        "tags": [{"tag": "Cliente"}],
    }


def test_a_row_tells_few_clean_fields() -> None:
    row = {
        "codigo_cliente_omie": 1,
        "codigo_cliente_integracao": " " * 60,
        "razao_social": "Padaria &quot;Sol&quot;  Ltda ",
        "telefone1_ddd": "11",
        "telefone1_numero": "4002-8922",
        "inativo": "N",
        "endereco": "Rua A",
    }
    assert CLIENTES.shape.read(row) == {
        "codigo_omie": 1,
        "razao_social": 'Padaria "Sol" Ltda',
        "telefone": "11 4002-8922",
        "inativo": False,
    }


def test_a_whole_record_leaves_out_what_is_empty() -> None:
    assert record.whole({"razao_social": "Sol", "email": "", "tags": [{"tag": "Cliente"}], "info": {"dInc": ""}}) == {
        "razao_social": "Sol",
        "tags": ["Cliente"],
    }


def test_no_value_breaks_out_of_its_cell() -> None:
    assert cell("a|b\n# c `d`") == "a\\|b # c 'd'"
    assert table({"a": "A"}, [{"a": "x|y"}]) == "| A |\n|---|\n| x\\|y |"
