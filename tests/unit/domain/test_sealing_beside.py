"""A sealed body leans on its masked form: small, and open only with the very same form beside it."""

from __future__ import annotations

import json

import pytest

from omie_control.domain.masking import mask
from omie_control.domain.sealing import canonical, new_key, open_body, seal_body
from omie_control.errors import Conflict

AAD = b"execution_bodies/x"
ANSWER = {"clientes": [{"cnpj_cpf": f"529.982.247-{n % 100:02d}", "nome": f"Padaria {n}"} for n in range(50)]}


def test_it_opens_with_its_masked_form_as_it_comes_back_from_jsonb() -> None:
    key, clear = new_key(), canonical(ANSWER)
    masked = canonical(mask(ANSWER).value)
    # jsonb gives the same values in another order of names and with other spaces.
    as_stored = json.dumps(json.loads(masked), indent=1, sort_keys=False)
    sealed = seal_body(clear, key, AAD, masked)
    assert open_body(sealed, key, AAD, canonical(json.loads(as_stored))) == ANSWER
    assert len(sealed) < len(seal_body(clear, key, AAD))


def test_a_changed_masked_form_is_an_error_and_never_garbage() -> None:
    key, masked = new_key(), canonical(mask(ANSWER).value)
    sealed = seal_body(canonical(ANSWER), key, AAD, masked)
    for other in (b"", masked[:-1], masked.replace(b"Padaria 7", b"Padaria 8")):
        with pytest.raises(Conflict):
            open_body(sealed, key, AAD, other)


def test_where_no_mask_changes_a_length_only_what_differs_is_kept() -> None:
    key, clear = new_key(), canonical(ANSWER)
    masked = canonical(mask(ANSWER).value)
    assert len(masked) == len(clear)
    sealed = seal_body(clear, key, AAD, masked, masked)
    assert open_body(sealed, key, AAD, masked, masked) == ANSWER
    assert len(sealed) < len(seal_body(clear, key, AAD))
    for other in (b"", masked[:-1], masked.replace(b"Padaria 7", b"Padaria 8")):
        with pytest.raises(Conflict, match="incompleto ou foi alterado"):
            open_body(sealed, key, AAD, masked, other)


def test_where_a_mask_changes_a_length_the_masked_form_is_a_dictionary() -> None:
    key, body = new_key(), {"email": "maria.oliveira@padaria.com.br", "cpf": "529.982.247-25"}
    masked = canonical(mask(body).value)
    assert len(masked) != len(canonical(body))
    sealed = seal_body(canonical(body), key, AAD, masked, masked)
    # As those that were sealed before the other way existed.
    assert open_body(sealed, key, AAD, masked) == body


@pytest.mark.parametrize("number", [1e22, 5e-7, -0.0])
def test_a_number_that_jsonb_writes_another_way_lets_it_stand_alone(number: float) -> None:
    key, body = new_key(), {"valor": number, "cpf": "529.982.247-25"}
    sealed = seal_body(canonical(body), key, AAD, canonical(mask(body).value))
    assert open_body(sealed, key, AAD) == body
