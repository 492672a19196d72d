"""CPF and CNPJ of the simulator: known ones pass, one wrong digit never does."""

from __future__ import annotations

from random import Random

import pytest

from omie_control.simulator.documents import bare, invent_cnpj, invent_cpf, is_person, is_valid


@pytest.mark.parametrize(
    "document", ["529.982.247-25", "52998224725", "11.222.333/0001-81", "11222333000181", "12.ABC.345/01DE-35"]
)
def test_known_documents_are_valid(document: str) -> None:
    assert is_valid(document)


@pytest.mark.parametrize(
    "document", ["", "111.111.111-11", "529.982.247-26", "11.222.333/0001-80", "12.ABC.345/01DE-36", "1234", "x" * 14]
)
def test_others_are_not(document: str) -> None:
    assert not is_valid(document)


@pytest.mark.parametrize("seed", range(20))
def test_invented_documents_are_valid_until_a_digit_changes(seed: int) -> None:
    random = Random(seed)
    for document in (invent_cpf(random), invent_cnpj(random), invent_cnpj(random, has_letters=True)):
        assert is_valid(document)
        plain = bare(document)
        assert not is_valid(plain[:-1] + str((int(plain[-1]) + 1) % 10))
        assert is_person(document) == (len(plain) == 11)
