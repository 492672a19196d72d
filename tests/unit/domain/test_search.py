"""Finding by the words people use."""

from __future__ import annotations

import pytest

from omie_control.domain.search import Index, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("títulos vencidos", "titulo vencido"),
        ("condições", "condicao"),
        ("IncluirContaPagar", "incluir conta pagar"),
        ("ListarNFSEs", "listar nfse"),
        ("ObterNFe", "obter nfe"),
        ("IncluirOS", "incluir OS"),
        ("valores animais", "valor animal"),
        ("as contas a pagar da empresa", "contas pagar empresa"),
    ],
)
def test_these_are_the_same_words(one: str, other: str) -> None:
    assert terms(one) == terms(other) != []


def test_rare_words_count_more_than_common_ones() -> None:
    index = Index({"a": [(1.0, "listar clientes")], "b": [(1.0, "listar boletos")], "c": [(1.0, "listar contas")]})
    assert next(key for key, _ in index.find("listar boleto")) == "b"


def test_meanings_beginnings_and_slips_are_found() -> None:
    index = Index({"cliente": [(1.0, "incluir cliente")], "boleto": [(1.0, "gerar boleto")]})
    for words in ("cadastrar fornecedor", "client", "clente"):
        assert next(key for key, _ in index.find(words)) == "cliente", words
    assert next(key for key, _ in index.find("emitir boletos")) == "boleto"


@pytest.mark.parametrize("words", ["", "   ", "xyzzy", "a o de", "🙂", "\x00", "x" * 100_000])
def test_what_says_nothing_finds_nothing(words: str) -> None:
    assert Index({"cliente": [(1.0, "incluir cliente")]}).find(words) == []


def test_an_empty_index_answers() -> None:
    assert Index[str]({}).find("cliente") == []
