"""What an answer means, whatever its status: the whole table of outcomes, for reads and for writes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omie_control.domain.companies import Credentials, Secret
from omie_control.errors import ControlError, InvalidInput, OmieBusy, OmieFault, OmieUnreachable, Uncertain
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.facts import FaultKind, facts_of
from omie_control.omie.protocol import Payload, decipher, encode, no_answer

READ = catalog().method("geral/clientes/", "ListarClientes")
GET = catalog().method("geral/clientes/", "ConsultarCliente")
WRITE = catalog().method("geral/clientes/", "IncluirCliente")
BATCH = catalog().method("financas/contapagar/", "IncluirContaPagarPorLote")
BOLETO = catalog().method("financas/contareceberboleto/", "ObterBoleto")
EMPRESAS = catalog().method("geral/empresas/", "ListarEmpresas")
PAIR = Credentials(Secret("1234567890"), Secret("0123456789abcdef0123456789abcdef"))
GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def fault(code: str, text: str) -> bytes:
    return json.dumps({"faultcode": code, "faultstring": text}).encode()


def outcome(method: Method, status: int, body: bytes, **headers: str) -> ControlError:
    with pytest.raises(ControlError) as caught:
        decipher(method, status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
    return caught.value


def test_a_request_carries_its_call_its_pair_and_exactly_one_object() -> None:
    body = json.loads(encode("ListarClientes", PAIR, {"pagina": 1, "ç": "ã"}))
    assert body == {
        "call": "ListarClientes",
        "app_key": "1234567890",
        "app_secret": "0123456789abcdef0123456789abcdef",
        "param": [{"pagina": 1, "ç": "ã"}],
    }


def test_money_is_written_digit_by_digit() -> None:
    body = encode("X", PAIR, {"valor": Decimal("1234567890123456.70")})
    assert b'"valor":1234567890123456.70}' in body


@pytest.mark.parametrize("value", [object(), "\ud800", 2**70, Decimal("NaN"), {1, 2}])
def test_what_json_cannot_say_is_refused_without_the_secret(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        encode("X", PAIR, {"a": value})
    assert caught.value.__cause__ is None
    assert "0123456789abcdef" not in repr(caught.value)


def test_an_answer_without_a_fault_is_its_data() -> None:
    payload = decipher(GET, 200, {}, b'\xef\xbb\xbf {"codigo_cliente_omie": 7, "razao_social": "P\\u00e3o"}')
    assert payload == Payload({"codigo_cliente_omie": 7, "razao_social": "Pão"}, 200)


@pytest.mark.parametrize("body", ['{"razao_social": "Pão"}'.encode("latin-1"), b'{"razao_social": "P\xe3o\x01"}'])
def test_latin1_and_control_characters_are_read(body: bytes) -> None:
    assert decipher(GET, 200, {}, body).data["razao_social"].startswith("Pão")


@pytest.mark.parametrize("status", [200, 500, 403])
def test_a_fault_counts_whatever_the_status(status: int) -> None:
    error = outcome(GET, status, fault("SOAP-ENV:Client-105", "ERROR: Cliente não cadastrado para o Código [9] !"))
    assert isinstance(error, OmieFault)
    assert error.code == "omie_nao_encontrado"
    facts = facts_of(error)
    assert facts is not None
    assert (facts.fault_code, facts.status_code, facts.omie_id) == ("Client-105", status, 9)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("SOAP-ENV:Client-5113", "ERROR: Não existem registros para a página [9]!"),
        ("SOAP-ENV:Client-5094", "Não existem cadastros para a página [9]"),
        ("", "Não existem registros para a página [1]!"),
    ],
)
def test_no_rows_is_an_empty_page_in_the_methods_own_names(code: str, text: str) -> None:
    payload = decipher(READ, 500, {}, fault(code, text))
    assert payload.is_empty_page
    assert payload.data == {
        "pagina": 0,
        "total_de_paginas": 0,
        "registros": 0,
        "total_de_registros": 0,
        "clientes_cadastro": [],
    }


def test_no_rows_keeps_its_code_because_it_counts_towards_the_block() -> None:
    payload = decipher(READ, 500, {}, fault("SOAP-ENV:Client-5113", "Não existem registros para a página [9]!"))
    assert payload.fault_code == "Client-5113"


def test_an_empty_list_is_an_empty_page_too() -> None:
    assert decipher(READ, 200, {}, b'{"pagina":1,"clientes_cadastro":[]}').is_empty_page
    assert not decipher(GET, 200, {}, b"{}").is_empty_page


def test_an_empty_page_of_a_nested_list_has_its_shape() -> None:
    method = catalog().method("produtos/tabelaprecos/", "ListarTabelaItens")
    payload = decipher(method, 500, {}, fault("SOAP-ENV:Client-5113", "Não existem registros para a página [1]!"))
    assert payload.data["listaTabelaPreco"] == {"itensTabela": []}


def test_page_one_again_is_noticed() -> None:
    assert EMPRESAS.paging is not None
    assert EMPRESAS.list_key is not None
    body = json.dumps({EMPRESAS.paging.answered_page: 1, EMPRESAS.list_key: [{}]}).encode()
    assert decipher(EMPRESAS, 200, {}, body, {EMPRESAS.paging.page: 4}).is_past_end
    assert not decipher(EMPRESAS, 200, {}, body, {EMPRESAS.paging.page: 1}).is_past_end


REDUNDANT = fault("SOAP-ENV:Client-6", "ERROR: Consumo redundante detectado. Aguarde 42 segundos (REDUNDANT)")
LOCKED = fault("SOAP-ENV:Client-1880", "ERROR: Já existe uma requisição desse método sendo executada")
REPEATED = fault(
    "SOAP-ENV:Client-8020",
    "ERROR: Esta requisição já foi processada ou está sendo processada e você pode tentar novamente às 10:20:30. (1)",
)
MISUSE = fault("MISUSE_API_PROCESS", "API bloqueada por consumo indevido. Tente novamente em 1322 segundos.")
BROKEN = fault("SOAP-ENV:Server", "SOAP-ERROR: Broken response from Application Server (BG)")
KEY = fault("SOAP-ENV:Server", "A chave de acesso não está preenchida ou não é válida.")
ODD_SERVER = fault("SOAP-ENV:Server", "ERROR: algo que ninguém viu")
ODD_CLIENT = fault("SOAP-ENV:Client-4242", "ERROR: algo que ninguém viu")


@pytest.mark.parametrize(
    ("status", "body", "for_read", "for_write", "seconds", "is_refusal"),
    [
        (500, REDUNDANT, OmieBusy, Uncertain, 42, False),
        (500, LOCKED, OmieBusy, OmieBusy, 10, True),
        (500, REPEATED, OmieBusy, Uncertain, 60, False),
        (425, MISUSE, OmieBusy, OmieBusy, 1322, True),
        (425, b"", OmieBusy, OmieBusy, 1800, True),
        (425, b'{"message":"Tente em 77 segundos"}', OmieBusy, OmieBusy, 77, True),
        (429, b"Too many requests", OmieBusy, OmieBusy, 60, True),
        (429, b"{}", OmieBusy, OmieBusy, 60, True),
        (500, BROKEN, OmieUnreachable, Uncertain, None, False),
        (403, KEY, OmieFault, OmieFault, None, True),
        (500, ODD_CLIENT, OmieFault, OmieFault, None, True),
        (500, ODD_SERVER, OmieFault, Uncertain, None, False),
        (502, GATEWAY, OmieUnreachable, Uncertain, None, False),
        (500, b"", OmieUnreachable, Uncertain, None, False),
        (200, b"", OmieUnreachable, Uncertain, None, False),
        (200, b'{"clientes_cadastro": [{"a', OmieUnreachable, Uncertain, None, False),
        (200, b"[]", OmieUnreachable, Uncertain, None, False),
        (200, b"null", OmieUnreachable, Uncertain, None, False),
        (500, b"{}", OmieUnreachable, Uncertain, None, False),
        (404, GATEWAY, OmieUnreachable, OmieUnreachable, None, True),
        (413, GATEWAY, OmieUnreachable, OmieUnreachable, None, True),
    ],
)
def test_every_outcome_has_its_place(
    status: int,
    body: bytes,
    for_read: type[ControlError],
    for_write: type[ControlError],
    seconds: int | None,
    is_refusal: bool,
) -> None:
    for method, kind in ((READ, for_read), (WRITE, for_write)):
        error = outcome(method, status, body)
        facts = facts_of(error)
        assert type(error) is kind
        assert facts is not None
        assert (facts.seconds, facts.is_proved_refusal) == (seconds, is_refusal)
        assert error.message


@pytest.mark.parametrize(
    ("status", "code", "text", "seconds", "kind"),
    [
        (425, "SOAP-ENV:Server", "Uso indevido: acesso suspenso por 1500 segundos", 1500, FaultKind.MISUSE),
        (425, "SOAP-ENV:Client-500", "ERROR: API suspensa", 1800, FaultKind.MISUSE),
        (429, "SOAP-ENV:Client-4242", "ERROR: Limite de requisições atingido", 60, FaultKind.RATE),
    ],
)
def test_a_status_that_shuts_the_door_does_so_in_whatever_words(
    status: int, code: str, text: str, seconds: int, kind: FaultKind
) -> None:
    for method in (READ, WRITE):
        for answer, headers in ((fault(code, text), {}), (b"", {"omieapi_error": f"{code} - {text}"})):
            error = outcome(method, status, answer, **headers)
            facts = facts_of(error)
            assert type(error) is OmieBusy
            assert facts is not None
            assert (facts.kind, facts.seconds, facts.is_proved_refusal) == (kind, seconds, True)
            assert (facts.text, facts.fault_code) == (text.removeprefix("ERROR: "), code.removeprefix("SOAP-ENV:"))


def test_the_header_speaks_when_the_body_does_not() -> None:
    error = outcome(READ, 500, b"", omieapi_error="6 - Consumo redundante detectado. Aguarde 9 segundos")
    facts = facts_of(error)
    assert isinstance(error, OmieBusy)
    assert facts is not None
    assert facts.seconds == 9


@pytest.mark.parametrize(
    ("method", "body", "kind"),
    [
        (BOLETO, {"cCodStatus": "103", "cDesStatus": "Título não encontrado"}, OmieFault),
        (WRITE, {"codigo_status": "1", "descricao_status": "Dados incompletos"}, OmieFault),
        (BATCH, {"codigo_status": "5", "descricao_status": "Lote com erros"}, Uncertain),
    ],
)
def test_a_refusal_inside_a_success_is_a_refusal(
    method: Method, body: dict[str, str], kind: type[ControlError]
) -> None:
    error = outcome(method, 200, json.dumps(body).encode())
    facts = facts_of(error)
    assert type(error) is kind
    assert facts is not None
    assert (facts.fault_code or "").startswith("status ")


def test_a_record_refused_inside_a_batch_that_went_well_leaves_it_in_doubt() -> None:
    batch = catalog().method("financas/contareceber/", "IncluirContaReceberPorLote")
    good = {"codigo_lancamento_omie": 7, "codigo_lancamento_integracao": "A-1", "codigo_status": "0"}
    odd = {"codigo_lancamento_omie": 8, "codigo_lancamento_integracao": "A-3", "codigo_status": "OK"}
    bad = {
        "codigo_lancamento_integracao": "A-2",
        "codigo_status": "Client-102",
        "descricao_status": "ERROR: Cliente não cadastrado!",
    }
    told = {"codigo_status": "0", "descricao_status": "Lote processado", "status_lote": [good, bad, odd]}
    error = outcome(batch, 200, json.dumps(told).encode())
    assert type(error) is Uncertain
    assert "recusou 1 de 3 registros do lote: A-2 Client-102 ERROR: Cliente não cadastrado." in error.message
    assert "Parte do lote" in error.hint
    whole = decipher(batch, 200, {}, json.dumps(told | {"status_lote": [good, odd]}).encode())
    assert whole.data["status_lote"] == [good, odd]


@pytest.mark.parametrize("said", ["0", 0, "00", "", None, " 0 ", "Elapsed time: 3ms"])
def test_a_status_of_success_is_one(said: Any) -> None:
    assert decipher(WRITE, 200, {}, json.dumps({"codigo_status": said}).encode()).data["codigo_status"] == said


def test_depth_and_size_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    assert isinstance(outcome(READ, 200, deep), OmieUnreachable)
    monkeypatch.setattr("omie_control.omie.protocol.BODY_MAX_BYTES", 10)
    assert isinstance(outcome(READ, 200, b'{"pagina":1,"b":2}'), OmieUnreachable)


def test_a_write_that_left_without_an_answer_is_uncertain_and_one_that_did_not_is_not() -> None:
    assert isinstance(no_answer(WRITE, "x", was_sent=True), Uncertain)
    assert isinstance(no_answer(WRITE, "x", was_sent=False), OmieUnreachable)
    assert isinstance(no_answer(READ, "x", was_sent=True), OmieUnreachable)
    facts = facts_of(no_answer(WRITE, "x", was_sent=False))
    assert facts is not None
    assert facts.is_proved_refusal


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=30,
)
ODD_KEYS = ("faultcode", "faultstring", "codigo_status", "descricao_status", "clientes_cadastro", "pagina")
ODD = st.dictionaries(st.sampled_from(ODD_KEYS), JSON, max_size=6)
SAMPLES = (REDUNDANT, LOCKED, REPEATED, MISUSE, BROKEN, KEY, GATEWAY)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    body = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        body[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(body)


@given(
    st.sampled_from([READ, GET, WRITE, BATCH, BOLETO, EMPRESAS]),
    st.sampled_from([200, 204, 302, 400, 403, 425, 429, 500, 502, 999]),
    st.binary(max_size=400) | mutated() | (JSON | ODD).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.just("omieapi-error"), st.text(max_size=50), max_size=1),
)
@example(READ, 200, b'{"a":' * 100_000, {})
@example(READ, 200, b'{"a":' + b"9" * 5000 + b"}", {})
@example(READ, 200, b'{"a":NaN}', {})
@example(READ, 200, b'{"a":"\\ud800"}', {})
def test_no_answer_whatever_makes_the_protocol_crash(
    method: Method, status: int, body: bytes, headers: dict[str, str]
) -> None:
    try:
        payload = decipher(method, status, headers, body, {"pagina": 3})
    except ControlError as error:
        assert facts_of(error) is not None
        assert len(error.message) < 2000
    else:
        assert isinstance(payload.data, dict)
