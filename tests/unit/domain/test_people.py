"""CPF, CNPJ, phone and e-mail in texts."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.people import is_cnpj, is_cpf, is_suspect, mask_document, mask_email, mask_tail, mask_text


def masked(text: str) -> str:
    return mask_text(text, [])


@pytest.mark.parametrize("digits", ["52998224725", "12345678909", "11144477735"])
def test_a_cpf_is_known_by_its_check_digits(digits: str) -> None:
    assert is_cpf(digits)
    assert not is_cpf(digits[:-1] + str((int(digits[-1]) + 1) % 10))


def test_eleven_equal_digits_are_no_cpf() -> None:
    assert not is_cpf("11111111111")


@pytest.mark.parametrize("text", ["11222333000181", "12ABC34501DE35", "12abc34501de35", "00000000000191"])
def test_a_cnpj_is_known_in_both_forms(text: str) -> None:
    assert is_cnpj(text)
    assert not is_cnpj(text[:-1] + str((int(text[-1]) + 1) % 10))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CPF 529.982.247-25 do cliente", "CPF ***.982.247-** do cliente"),
        ("CPF52998224725", "CPF***.982.247-**"),
        ("52998224725", "***.982.247-**"),
        ("529 982 247 25", "***.982.247-**"),
        ("123.456.789-00 (dígitos errados)", "***.456.789-** (dígitos errados)"),
        ("CNPJ 11.222.333/0001-81.", "CNPJ 11.***.***/****-81."),
        ("11222333000181", "11.***.***/****-81"),
        ("12.ABC.345/01DE-35", "12.***.***/****-35"),
        ("12ABC34501DE35", "12.***.***/****-35"),
        ("fone (11) 98765-4321", "fone (**) *****-**21"),
        ("+55 11 98765-4321", "+** ** *****-**21"),
        ("11987654321", "*********21"),
        ("5511987654321", "***********21"),
        ("liga 98765-4321", "liga *****-**21"),
        ("escreva a maria.silva@exemplo.com.br já", "escreva a m***@exemplo.com.br já"),
        ("joão@exemplo.com", "j***@exemplo.com"),
    ],
)
def test_personal_data_in_a_text_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Rua das Flores, 123, apto 45",
        "01/02/2026 10:20:30",
        "2026-11-23T16:00:00Z",
        "R$ 1.234.567,89",
        "pedido 4532109876",
        "35261111222333000181550010000012341123456789",
        "123e4567-e89b-12d3-a456-426614174000",
        "CEP 01310-100",
        "12345678900",
        "v1.2.3-rc4",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert masked(text) == text


def test_a_mask_leaves_nothing_that_its_neighbour_completes() -> None:
    text = masked("(11) 98765-4321 98765-4321.345.678/0001-95")
    assert masked(text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("123.456.789-09", "***.456.789-**"),
        ("12345678909", "***.456.789-**"),
        ("11.222.333/0001-81", "11.***.***/****-81"),
        ("12abc34501de35", "12.***.***/****-35"),
        ("AB-1234567", "**-*****67"),
        ("***.456.789-**", "***.456.789-**"),
        ("123.456.789-09*", "***.***.***-09*"),
        ("", ""),
    ],
)
def test_a_document_field_is_masked_whatever_it_holds(value: str, expected: str) -> None:
    assert mask_document(value, []) == expected


def test_documents_met_are_given_without_punctuation() -> None:
    met: list[str] = []
    mask_document("123.456.789-09", met)
    mask_text("de 12abc34501de35 e 529.982.247-25", met)
    assert met == ["12345678909", "12ABC34501DE35", "52998224725"]


def test_a_field_of_several_addresses_is_masked_whole() -> None:
    assert mask_email("a@b.com, maria@d.com;e@localhost") == "a***@b.com, m***@d.com;e***@localhost"


@given(st.text())
def test_tail_and_email_masks_are_idempotent(text: str) -> None:
    assert mask_tail(mask_tail(text)) == mask_tail(text)
    assert mask_email(mask_email(text)) == mask_email(text)
    assert mask_document(mask_document(text, []), []) == mask_document(text, [])


@given(st.from_regex(r"(?:[0-9A-Za-z@.,/ ()+-]|98765-4321|529\.982\.247-25){0,80}", fullmatch=True))
def test_masking_a_text_is_idempotent_and_leaves_no_valid_cpf(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert not [found for found in re.findall(r"(?<!\d)\d{11}(?!\d)", once) if is_cpf(found)]


@given(st.text(alphabet="0123456789.-/@ abAB()+"))
def test_what_is_not_suspect_is_not_changed(text: str) -> None:
    if not is_suspect(text):
        assert masked(text) == text


@pytest.mark.parametrize("unit", ["a", "1", "a.", "1-", "@", "a@", "(11) ", "1.2/", "123.", " "])
def test_long_texts_take_linear_time(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        # The processor's time, for the machine may be busy with something else.
        start = time.thread_time()
        masked(text)
        return time.thread_time() - start

    # Quadratic work would be 100 times as much, and minutes for a megabyte.
    assert seconds(200_000) < 5
