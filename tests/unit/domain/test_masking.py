"""The field walk: what it hides, what it leaves, what it survives."""

from __future__ import annotations

import enum
import json
import re
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.caps import CUT, MAX_DEPTH, MAX_VALUES, capped
from omie_control.domain.masking import HIDDEN, MAX_TEXT, json_text, mask
from omie_control.domain.people import is_cpf
from omie_control.domain.personal_fields import Kind, kind_of
from omie_control.domain.sealing import canonical

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["529.982.247-25", "52998224725", "11222333000181", "a@b.com", "(11) 98765-4321", "x\x00y", "\ud800", "•••"]
    ),
)
NAMES = st.one_of(
    st.text(max_size=15),
    st.sampled_from(["cnpj_cpf", "email", "telefone1_numero", "conta_corrente", "app_secret", "52998224725", "a\x00"]),
)
JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


def test_fields_are_masked_by_their_names() -> None:
    customer = {
        "codigo_cliente_omie": 2485994,
        "razao_social": "Padaria Pão de Açúcar Ltda",
        "cnpj_cpf": "123.456.789-09",
        "email": "maria@exemplo.com",
        "telefone1_ddd": "11",
        "telefone1_numero": "98765-4321",
        "dadosBancarios": {
            "codigo_banco": "341",
            "agencia": "1234",
            "conta_corrente": "12345-6",
            "cChavePix": "a@b.co",
        },
    }
    found = mask({"clientes_cadastro": [customer]})
    assert found.value["clientes_cadastro"][0] == {
        "codigo_cliente_omie": 2485994,
        "razao_social": "Padaria Pão de Açúcar Ltda",
        "cnpj_cpf": "***.456.789-**",
        "email": "m***@exemplo.com",
        "telefone1_ddd": "11",
        "telefone1_numero": "*****-**21",
        "dadosBancarios": {
            "codigo_banco": "*41",
            "agencia": "**34",
            "conta_corrente": "****5-6",
            "cChavePix": "a***@b.co",
        },
    }
    assert found.documents == ("12345678909",)
    assert (found.is_masked, found.is_cleaned, found.has_secrets) == (True, False, False)
    assert customer["cnpj_cpf"] == "123.456.789-09", "the value given is not touched"


def test_what_needs_nothing_is_given_back_as_the_same_object() -> None:
    value = {
        "pagina": 1,
        "filtros": [{"descricao": "Parafuso 10 mm", "data": "01/02/2026", "ativo": True, "nada": None}],
    }
    found = mask(value)
    assert found.value is value
    assert found.clear is value
    assert not found.is_masked


@pytest.mark.parametrize(
    "name",
    ["app_key", "app_secret", "senha", "Password", "token", "Authorization", "secret", "appSecret", "endereco_secreto"],
)
@pytest.mark.parametrize("value", ["x", 1, None, {"a": 1}, ["b"]])
def test_a_secret_is_in_neither_form(name: str, value: Any) -> None:
    found = mask({"call": "x", "inner": [{name: value, "cpf": "52998224725"}]})
    assert found.value["inner"][0][name] == HIDDEN
    assert found.clear["inner"][0] == {name: HIDDEN, "cpf": "52998224725"}
    assert found.has_secrets


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("CNPJ/CPF", Kind.DOCUMENT),
        ("cpf.cnpj", Kind.DOCUMENT),
        ("E-mail", Kind.EMAIL),
        ("e mail", Kind.EMAIL),
        ("Telefone:", Kind.PHONE),
        ("telefone (2)", Kind.PHONE),
        ("Agência", Kind.ACCOUNT),
        ("Age\u0302ncia", Kind.ACCOUNT),
        ("Conta Corrente", Kind.ACCOUNT),
        ("Chave Pix", Kind.ACCOUNT),
        ("API key", Kind.SECRET),
        ("private key", Kind.SECRET),
        ("senha (nova senha)", Kind.SECRET),
        ("Bancada", Kind.PLAIN),
        ("Razão social", Kind.PLAIN),
        ("•••", Kind.PLAIN),
    ],
)
def test_a_name_is_known_however_somebody_spells_it(name: str, kind: Kind) -> None:
    assert kind_of(name) is kind


TOKEN = "omc_ab2cd3ef_" + "Aa0-_" * 8 + "xyz"
WEB_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXJpYSJ9.c2lnbmF0dXJl"
OMIE_SECRET = "0123456789abcdef0123456789abcdef"
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"usar {TOKEN} amanhã", "usar omc_ab2cd3ef••• amanhã"),
        (f"https://x.br/webhooks/omie/{TOKEN.replace('omc', 'omw')}", "https://x.br/webhooks/omie/omw_ab2cd3ef•••"),
        (f"cabeçalho: Bearer {TOKEN}", "cabeçalho: Bearer omc_ab2cd3ef•••"),
        (f"Authorization: Bearer {WEB_TOKEN}", "Authorization: Bearer •••"),
        (WEB_TOKEN, HIDDEN),
        (f"chave:\n{PRIVATE_KEY}\nfim", "chave:\n•••\nfim"),
        ("-----BEGIN PRIVATE KEY-----\ncortada", HIDDEN),
        ("bearer abcdefghijklmnop0123456789", "bearer •••"),
        (f'{{"app_key":"1","app_secret":"{OMIE_SECRET}"}}', '{"app_key":"1","app_secret":"•••"}'),
        (f"app_key=1&app_secret={OMIE_SECRET}&call=x", "app_key=1&app_secret=•••&call=x"),
        (f'{{\\"app_secret\\": \\"{OMIE_SECRET}\\"}}', '{\\"app_secret\\": \\"•••\\"}'),
        (f"{{'app_secret': '{OMIE_SECRET}'}}", "{'app_secret': '•••'}"),
    ],
)
def test_a_secret_in_an_ordinary_text_is_in_neither_form(text: str, left: str) -> None:
    found = mask({"observacao": text, "itens": [{"obs": text}, text]})
    assert found.value == found.clear == {"observacao": left, "itens": [{"obs": left}, left]}
    assert (found.has_secrets, found.is_masked) == (True, False)


@pytest.mark.parametrize(
    "text",
    ["omc_ab2cd3ef", "eyJ", "the bearer of this letter", "PRIVATE KEY", "Bearer of news", "falta app_secret: informe"],
)
def test_words_that_only_look_like_a_secret_stay(text: str) -> None:
    given = {"observacao": text}
    assert mask(given).value is given


def test_a_secret_and_a_document_in_one_text_are_both_hidden() -> None:
    found = mask({"observacao": f"{TOKEN} de 529.982.247-25"})
    assert found.value == {"observacao": "omc_ab2cd3ef••• de ***.982.247-**"}
    assert found.clear == {"observacao": "omc_ab2cd3ef••• de 529.982.247-25"}
    assert (found.has_secrets, found.is_masked) == (True, True)


def test_a_secret_alone_is_no_reason_to_seal() -> None:
    assert not mask({"token": "abc"}).is_masked


def test_a_number_in_a_document_field_gets_its_zeros_back() -> None:
    found = mask({"cnpj_cpf": 5299822472, "cnpj": 191})
    assert found.documents == ("05299822472", "00000000191")
    assert found.value["cnpj_cpf"] == "***.998.224-**"


def test_a_field_name_that_is_personal_is_masked_too() -> None:
    assert mask({"52998224725": {"x": 1}}).value == {"***.982.247-**": {"x": 1}}


@pytest.mark.parametrize(
    "names",
    [
        ["ana@x.com", "alan@x.com", "alice@x.com"],
        [1, "1", "1 (2)"],
        ["n" * 120 + "a", "n" * 120 + "b"],
        ["a***@x.com", "ana@x.com", "a***@x.com (2)"],
    ],
)
def test_fields_whose_names_become_the_same_are_all_kept_and_looked_at(names: list[Any]) -> None:
    value = {name: {"senha": f"s3nha-{n}", "cpf": f"529.982.247-{n:02}"} for n, name in enumerate(names)}
    found = mask(value)
    assert len(found.value) == len(value)
    assert all(len(name) <= 100 for name in found.value)
    assert found.has_secrets and "s3nha" not in json_text(found.value) + canonical(found.clear).decode()
    assert len(found.documents) == len(value)
    assert mask(found.value).value == found.value


def test_a_name_that_is_numbered_keeps_its_rule() -> None:
    found = mask({"senha\x00": "s3nha-1", "senha\ud800": "s3nha-2"})
    assert list(found.value.values()) == [HIDDEN, HIDDEN]
    assert "s3nha" not in canonical(found.clear).decode()


def test_many_fields_of_one_name_take_no_time_to_number() -> None:
    found = mask({f"a{n}@x.com": n for n in range(20_000)})
    assert list(found.value.values()) == list(range(20_000))


@pytest.mark.parametrize("name", ["cChavePix", "chave_pix", "conta_corrente"])
@pytest.mark.parametrize(
    ("key", "bare"),
    [
        ("529.982.247-25", "52998224725"),
        ("52998224725", "52998224725"),
        (52998224725, "52998224725"),
        ("11.222.333/0001-81", "11222333000181"),
        ("12.abc.345/01de-35", "12ABC34501DE35"),
    ],
)
def test_a_pix_key_that_is_a_document_names_its_holder(name: str, key: Any, bare: str) -> None:
    found = mask({"dadosBancarios": {name: key}})
    assert found.documents == (bare,)
    assert bare[:8] not in json_text(found.value).upper()


@pytest.mark.parametrize("key", ["+5511987654321", "0b4f8b3e-5f1c-4d2a-9a57-1f0c2d3e4f50", "12345-6", "11111111111"])
def test_any_other_pix_key_names_nobody(key: str) -> None:
    assert mask({"cChavePix": key}).documents == ()


def test_the_text_of_a_pix_code_is_an_account() -> None:
    code = "00020126330014br.gov.bcb.pix01115299822472552040000530398654041.005802BR6304AB12"
    for name in ("pix_qrcode", "cCopiaCola"):
        assert "52998224725" not in mask({name: code}).value[name]


def test_a_secret_in_a_set_is_in_neither_form() -> None:
    found = mask({"cabecalhos": {TOKEN}})
    assert found.value == found.clear == {"cabecalhos": ["omc_ab2cd3ef•••"]}


def test_nul_and_lone_surrogates_are_replaced_everywhere() -> None:
    found = mask({"a\x00": ["b\x00\ud800"], "email": "x\x00@y.com", "telefone": "\ud80012345"})
    assert found.is_cleaned
    text = json_text(found.value)
    assert "\\u0000" not in text
    text.encode()


def test_strange_types_become_json() -> None:
    class Colour(enum.StrEnum):
        RED = "52998224725"

    class Rude:
        def __str__(self) -> str:
            raise RuntimeError("no")

    at = datetime(2026, 11, 23, tzinfo=UTC)
    found = mask(
        {
            1: (1, 2),
            "d": Decimal("1.5"),
            "at": at,
            "o": OrderedDict(cpf="52998224725"),
            "s": {3},
            "c": Colour.RED,
            "r": Rude(),
        }
    )
    assert found.value == {
        "1": [1, 2],
        "d": "1.5",
        "at": str(at),
        "o": {"cpf": "***.982.247-**"},
        "s": [3],
        "c": "***.982.247-**",
        "r": "Rude",
    }
    orjson.dumps(found.value)


def test_depth_and_size_are_capped() -> None:
    deep: Any = "x"
    for _ in range(MAX_DEPTH * 3):
        deep = [deep]
    assert mask(deep).is_cleaned
    endless: list[Any] = []
    endless += [endless, endless]
    assert mask(endless).is_cleaned
    assert mask({"t": "x" * (MAX_TEXT + 1)}).value["t"] == "x" * MAX_TEXT + CUT


@pytest.mark.parametrize("secret", [{}, {"app_secret": "s3cr3t-of-somebody"}], ids=["plain", "with a secret"])
def test_what_holds_itself_twice_ends(secret: dict[str, str]) -> None:
    """It doubles with each level: written out whole it would be there for ever, and nothing else would run."""
    circle: dict[str, Any] = {"nome": "Padaria", **secret}
    circle["um"] = circle["dois"] = circle
    masked = mask(circle)
    assert masked.is_cleaned
    written = canonical({"input": masked.clear})
    assert len(written) < 40 * MAX_VALUES
    assert b"s3cr3t" not in written


def test_a_capped_copy_does_not_follow_its_original() -> None:
    inner = {"itens": [{"codigo": 1}]}
    copy = capped(inner)
    assert copy == inner
    inner["itens"][0]["codigo"] = 2
    inner["itens"].append({"codigo": 3})
    assert copy == {"itens": [{"codigo": 1}]}


def test_an_integer_of_any_size_can_be_written() -> None:
    assert json.loads(json_text(mask({"n": 2**70}).value)) == {"n": 2**70}


@given(JSON_LIKE)
def test_masking_is_idempotent_and_writes_valid_json(value: Any) -> None:
    once = mask(value)
    again = mask(once.value)
    assert again.value == once.value
    assert not again.is_masked
    assert json.loads(json_text(once.value)) == once.value


@given(JSON_LIKE)
def test_no_valid_cpf_is_left(value: Any) -> None:
    text = json_text(mask(value).value)
    leaves = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    assert not [found for leaf in leaves for found in re.findall(r"(?<![0-9])\d{11}(?![0-9])", leaf) if is_cpf(found)]


@given(
    st.dictionaries(
        st.one_of(st.integers(), st.none(), st.tuples(st.text()), NAMES),
        st.one_of(st.binary(), st.complex_numbers(), JSON_LIKE),
    )
)
def test_masking_never_raises(value: Any) -> None:
    json_text(mask(value).value)


# Names that look personal and are not: codes, flags, switches, keys of tax documents, containers.
_NOT_PERSONAL = re.compile(
    r"chave_?nfe|chave(cte|nf)|(?:enviar|env|enviado|utilizar)_?(?:email|pix)|pix(gerado|podegerar|_sn)|idpix|"
    r"obank_pix|emailcliente|cadastrosemail|telefone_email|(?:data|hora)email|idemail|logobanco|^Email$|urlpix|"
    r"(?:lista|status)pix|ddd|listar|upsert|emaildados|^pix$|pixinfo|conta(?:pagar|receber)|email_?pix",
    re.IGNORECASE,
)


def test_every_field_of_the_catalogue_that_looks_personal_has_its_rule() -> None:
    text = (files("omie_control.omie") / "catalog.json").read_text(encoding="utf-8")
    names = set(
        re.findall(
            r'"([A-Za-z_0-9]*(?:cpf|cnpj|email|telefone|celular|fax_num|chave_?pix|agencia)[A-Za-z_0-9]*)"', text, re.I
        )
    )
    assert len(names) > 50
    missed = sorted(name for name in names if kind_of(name) is Kind.PLAIN and not _NOT_PERSONAL.search(name))
    assert missed == []
