"""Every row of the fault tables is proved by its own sample; the rest of the interpreter by its promises."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.omie.facts import FaultKind, OmieFacts
from omie_control.omie.fault_codes import CODES
from omie_control.omie.fault_rows import Row
from omie_control.omie.fault_texts import TEXTS
from omie_control.omie.faults import interpret


@pytest.mark.parametrize("row", TEXTS + CODES, ids=lambda row: f"{row.kind.name}-{row.sample.code}")
def test_each_row_recognises_its_own_sample(row: Row) -> None:
    facts = interpret(row.sample.code, row.sample.text, service=row.sample.service or row.service)
    assert (facts.kind, facts.for_agent) == (row.kind, row.for_agent)
    assert "{" not in facts.cause
    assert facts.cause.endswith(".")
    assert facts.for_agent.endswith(".")
    assert facts.for_person.endswith(".")


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: f"{row.kind.name}-{row.sample.code}")
def test_the_text_decides_whatever_the_code_says(row: Row) -> None:
    facts = interpret("SOAP-ENV:Client-115", row.sample.text, service=row.sample.service or row.service)
    assert facts.kind is row.kind


def test_every_kind_is_reached_by_some_row() -> None:
    assert {row.kind for row in TEXTS + CODES} == set(FaultKind) - {FaultKind.UNKNOWN}


def test_a_duplicate_names_the_record_that_is_already_there() -> None:
    text = "ERROR: Cliente já cadastrado para o Código de Integração [A-1] com o nCod [5500000001] !"
    facts = interpret("SOAP-ENV:Client-102", text)
    assert (facts.omie_id, facts.integration_code) == (5500000001, "A-1")


def test_the_same_code_means_what_its_service_says() -> None:
    text = "ERROR: Produto não encontrado!"
    assert "malha" in interpret("SOAP-ENV:Client-103", text, service="geral/malha/").cause
    assert "malha" not in interpret("SOAP-ENV:Client-103", text, service="geral/produtos/").cause


def test_an_unknown_fault_keeps_omies_words_without_anybodys_document() -> None:
    facts = interpret("SOAP-ENV:Client-4242", "ERROR: Algo novo com 529.982.247-25 e maria@exemplo.com.br" + "x" * 999)
    assert facts.kind.error_code == "omie_desconhecida"
    assert "Algo novo" in facts.cause
    assert "529.982" not in facts.cause + facts.text
    assert "maria@" not in facts.cause + facts.text
    assert len(facts.text) <= 300


def test_a_document_in_a_known_fault_is_hidden_and_omies_id_is_not() -> None:
    text = (
        "ERROR: Cliente já cadastrado para o CPF/CNPJ [529.982.247-25] com o Id [5500000001] e código de "
        "integração [A-1] ! (add)"
    )
    facts = interpret("SOAP-ENV:Client-102", text)
    assert "529.982" not in facts.text + facts.cause
    assert "5500000001" in facts.text


def test_entities_and_lost_accents_do_not_hide_a_fault() -> None:
    assert interpret("", "ERROR: Tag [X] n&atilde;o faz parte da estrutura do tipo complexo [Y]!").field == "X"
    assert interpret("", "ERROR: Nao existem registros para a pagina [2]!").kind is FaultKind.EMPTY


def test_accepted_values_are_listed() -> None:
    facts = interpret("SOAP-ENV:Client-105", "ERROR: tipo inválido. Valores permitidos: ENT, SAI ou TRF.")
    assert facts.accepted == ("ENT", "SAI", "TRF")


@pytest.mark.parametrize(
    ("clock_time", "now", "until"),
    [
        ("14:05:09", "2026-11-23T17:04:09+00:00", "2026-11-23T17:05:09+00:00"),
        ("00:00:20", "2026-11-24T02:59:50+00:00", "2026-11-24T03:00:20+00:00"),
        ("23:59:59", "2026-11-24T03:00:05+00:00", "2026-11-24T02:59:59+00:00"),
    ],
)
def test_a_time_of_day_is_the_nearest_one_in_brasilia(clock_time: str, now: str, until: str) -> None:
    facts = OmieFacts(FaultKind.REPEATED, "", "", "", clock_time=clock_time)
    assert facts.until(datetime.fromisoformat(now)) == datetime.fromisoformat(until)


def test_an_impossible_time_falls_back_to_the_usual_wait() -> None:
    facts = interpret("", "Esta requisição já foi processada ou está sendo processada ... às 99:99:99.")
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert facts.until(now) == now.replace(minute=1)


@given(st.text(max_size=300), st.text(max_size=3000), st.sampled_from(["", "geral/malha/", "financas/"]))
def test_no_text_breaks_the_interpreter(code: str, text: str, service: str) -> None:
    facts = interpret(code, text, service=service)
    assert len(facts.text) <= 300
    assert len(facts.fault_code or "") <= 50
