"""What a caller reads when a call fails: our words, the field at fault, never the value."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from fastmcp.exceptions import ToolError
from pydantic import Field, TypeAdapter, ValidationError, validate_call

from omie_control.errors import Forbidden, Uncertain
from omie_control.mcp.faults import Failure, explain_validation, say, unknown_tool

SECRET = "529.982.247-25"


@validate_call
def tool(
    pagina: Annotated[int, Field(ge=1, le=100)] = 1,
    nome: Annotated[str, Field(max_length=5)] = "",
    tipo: Literal["a", "b"] = "a",
    tags: list[str] | None = None,
    ligado: bool = False,
) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pagina": SECRET}, "pagina: esperado um número inteiro."),
        ({"pagina": 0}, "pagina: esperado no mínimo 1."),
        ({"pagina": 101}, "pagina: esperado no máximo 100."),
        ({"nome": SECRET}, "nome: esperado um texto de até 5 caracteres."),
        ({"nome": 52998224725}, "nome: esperado um texto."),
        ({"tipo": SECRET}, "tipo: esperado um destes: 'a' ou 'b'."),
        ({"tags": [52998224725]}, "tags[0]: esperado um texto."),
        ({"ligado": SECRET}, "ligado: esperado verdadeiro ou falso."),
        ({"nomee": SECRET}, "nomee: este campo não existe; talvez seja 'nome'."),
        ({"zzz": SECRET}, "zzz: este campo não existe; os aceitos são: pagina, nome."),
        ({SECRET: 1}, "(nome inválido): este campo não existe; os aceitos são: pagina, nome."),
    ],
)
def test_each_field_is_named_with_what_was_expected(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        tool(**arguments)  # type: ignore[arg-type]
    text = explain_validation(caught.value, ("pagina", "nome"))
    assert f"- {said}\n" in text
    assert SECRET not in text
    assert "52998224725" not in text


def test_many_faults_are_counted_not_all_listed() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(list[int]).validate_python(["x"] * 29)
    assert "- e mais 4." in explain_validation(caught.value, ())


def test_an_error_of_ours_says_what_to_do() -> None:
    assert say(Forbidden()) == (
        "Este acesso não permite esta ação.\nO que fazer: Peça a quem administra o sistema a permissão necessária."
    )


def test_an_uncertain_write_says_do_not_repeat() -> None:
    assert "Não repita a chamada" in say(Uncertain())


def test_a_failure_carries_the_execution_id_once_it_has_one() -> None:
    assert str(Failure("Não deu.", "x_1")) == "Não deu.\nexecution_id: x_1"
    assert str(Failure("Não deu.", None)) == "Não deu."
    assert isinstance(Failure("", None), ToolError)


def test_a_tool_name_that_is_no_name_is_not_repeated() -> None:
    assert "'apagar_tudo'" in unknown_tool("apagar_tudo").message
    assert "<script>" not in unknown_tool("<script>").message
