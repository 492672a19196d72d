"""Names and passwords of people."""

from __future__ import annotations

import pytest

from omie_control.domain.passwords import require_password, require_username
from omie_control.errors import InvalidInput


@pytest.mark.parametrize("name", ["maria", "maria.silva", "m@empresa.com.br", " Maria "])
def test_a_plain_name_is_taken(name: str) -> None:
    assert require_username(name) == name.strip().lower()


@pytest.mark.parametrize("name", ["", ".maria", "joão", "a b", "a" * 101, "a\nb", "a\x00", "-x"])
def test_a_strange_name_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_username(name)
    assert "maria.silva" in refused.value.hint


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("curta", "5 caracteres"),
        ("x" * 201, "200"),
        ("Senha123456", "mais usadas"),
        ("mariasilva", "nome de usuário"),
        ("avlisairam", "nome de usuário"),
        ("aaaabbbbaaaa", "mesmos poucos"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_password(password, "mariasilva")
    assert reason in refused.value.message
    assert password not in refused.value.for_people()


def test_a_good_password_is_taken_as_it_is() -> None:
    assert require_password("cavalo bateria grampo certo", "maria") == "cavalo bateria grampo certo"
