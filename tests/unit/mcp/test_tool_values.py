"""Values as people write them: read without guessing, refused without being repeated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.mcp.tools import values
from omie_control.mcp.tools.shapes import Shape, money, number
from omie_control.mcp.tools.values import Misread, read_number


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.234,56", "1234.56"),
        ("1234,56", "1234.56"),
        ("1234.56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("R$ 1.234.567,8", "1234567.80"),
        ("1.234.567", "1234567.00"),
        ("1,234,567", "1234567.00"),
        ("12", "12.00"),
        ("0,5", "0.50"),
        (1234.56, "1234.56"),
        (0.1, "0.10"),
        (7, "7.00"),
        (Decimal("9999999999999.99"), "9999999999999.99"),
    ],
)
def test_money_is_read_when_it_can_be_read_one_way(written: Any, read: str) -> None:
    assert str(read_number(written)) == read


@pytest.mark.parametrize(
    "written",
    [
        *("1.234", "1,234", "999.999", 1.234, "12,345", "1234,567", "1.23.4", "1,2,3", "12 34", "", "abc", "1e5"),
        *("-1", -0.01, True, None, [], float("nan"), float("inf"), 1e300, 10**13, "٣", "1" * 60, "1.234.56", "--1"),
        "0,123",
    ],
)
def test_money_that_must_be_guessed_is_refused(written: Any) -> None:
    with pytest.raises(Misread) as caught:
        read_number(written)
    assert "Exemplo: " in str(caught.value)
    assert not isinstance(written, str) or len(written) < 4 or written not in str(caught.value)


def test_negative_money_only_where_it_is_asked_for() -> None:
    assert read_number("-1.234,56", lowest=None) == Decimal("-1234.56")
    assert read_number("-R$ 5", lowest=None) == Decimal(-5)
    with pytest.raises(Misread, match="mais que 0"):
        read_number(0, above=True)
    assert read_number("1,123456", decimals=6) == Decimal("1.123456")


@given(st.decimals(min_value=0, max_value=Decimal("9999999999999.99"), places=2))
def test_money_survives_the_wire_to_the_cent(amount: Decimal) -> None:
    assert read_number(float(read_number(amount))) == amount
    assert read_number(values.shown_money(amount) if amount >= 1000 else str(amount)) == amount


@pytest.mark.parametrize("written", ["31/12/2026", "2026-12-31", " 31/12/2026 ", date(2026, 12, 31)])
def test_dates_are_read_in_both_forms(written: Any) -> None:
    assert values.read_date(written) == date(2026, 12, 31)


@pytest.mark.parametrize(
    "written", ["31/02/2026", "2026-13-01", "12/31/2026", "31-12-2026", "1/1/2026", "01/01/1900", 20261231, None, ""]
)
def test_what_is_no_date_is_refused(written: Any) -> None:
    with pytest.raises(Misread, match="Exemplo: 31/12/2026"):
        values.read_date(written)


@pytest.mark.parametrize(
    ("read", "written", "sent"),
    [
        (values.read_document, "529.982.247-25", "52998224725"),
        (values.read_document, "11.222.333/0001-81", "11222333000181"),
        (values.read_document, "12.abc.345/01de-35", "12ABC34501DE35"),
        (values.read_document, "", ""),
        (values.read_cep, "01310100", "01310-100"),
        (values.read_cep, "", ""),
        (values.read_uf, "sp", "SP"),
        (values.read_email, "a@sol.com.br, b@sol.com.br", "a@sol.com.br,b@sol.com.br"),
        (values.read_flag, "S", True),
        (values.read_flag, "não", False),
        (values.read_flag, False, False),
    ],
)
def test_the_rest_goes_out_in_one_form(read: Callable[[Any], Any], written: Any, sent: Any) -> None:
    assert read(written) == sent


@pytest.mark.parametrize(
    ("read", "written"),
    [
        *((values.read_document, wrong) for wrong in ("529.982.247-26", "11111111111", "12.ABC.345/01DE-36", 5, None)),
        *((values.read_cep, wrong) for wrong in ("0131010", "abcdefgh", 1310100)),
        *((values.read_uf, wrong) for wrong in ("XX", "São Paulo", 3)),
        *(
            (values.read_email, wrong)
            for wrong in ("sol", "a@b", "a@b.c d", "a@sol.com;b@sol.com", "a\x00@sol.com", "x" * 501)
        ),
        *((values.read_flag, wrong) for wrong in (1, "talvez", None)),
    ],
)
def test_the_rest_is_refused_without_being_repeated(read: Callable[[Any], Any], written: Any) -> None:
    with pytest.raises(Misread) as caught:
        read(written)
    assert "Exemplo: " in str(caught.value)
    assert len(str(written)) < 4 or str(written) not in str(caught.value)


def test_numbers_and_dates_of_omies_answers_are_taken_as_they_come() -> None:
    assert values.amount(0.1) + values.amount("0.2") == Decimal("0.3")
    assert values.amount(None) == values.amount("x") == values.amount(float("nan")) == 0
    # In a column, what is no number is left out rather than told as nothing owed.
    read = Shape(valor=money("v"), quantidade=number("q")).read
    assert read({"v": "1.234,56", "q": "dez"}) == read({"v": 1e30, "q": {}}) == read({"v": "", "q": None}) == {}
    assert read({"v": "12.345", "q": 0}) == {"valor": Decimal("12.34"), "quantidade": Decimal(0)}
    assert values.day("2026-12-31T00:00:00-03:00") == date(2026, 12, 31)
    assert values.day("00/00/0000") is values.day("") is values.day(None) is None
    assert values.shown_money(Decimal("1234567.8")) == "1.234.567,80"
