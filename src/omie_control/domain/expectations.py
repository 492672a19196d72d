"""What a field expects, in Portuguese, by pydantic's names of what is wrong with it. Never the value at fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EXPECTED = {
    "missing": "é obrigatório e não veio",
    "missing_argument": "é obrigatório e não veio",
    "missing_keyword_only_argument": "é obrigatório e não veio",
    "string_type": "esperado um texto",
    "int_type": "esperado um número inteiro",
    "int_parsing": "esperado um número inteiro",
    "int_from_float": "esperado um número inteiro, sem casas decimais",
    "float_type": "esperado um número",
    "float_parsing": "esperado um número",
    "decimal_type": "esperado um número",
    "decimal_parsing": "esperado um número",
    "bool_type": "esperado verdadeiro ou falso",
    "bool_parsing": "esperado verdadeiro ou falso",
    "list_type": "esperada uma lista",
    "dict_type": "esperado um objeto",
    "model_type": "esperado um objeto",
    "dataclass_type": "esperado um objeto",
    "uuid_parsing": "esperado um UUID",
    "string_pattern_mismatch": "o texto não está na forma esperada",
    "greater_than_equal": "esperado no mínimo {ge}",
    "greater_than": "esperado mais que {gt}",
    "less_than_equal": "esperado no máximo {le}",
    "less_than": "esperado menos que {lt}",
    "string_too_long": "esperado um texto de até {max_length} caracteres",
    "string_too_short": "esperado um texto de pelo menos {min_length} caracteres",
    "too_long": "esperados no máximo {max_length} itens",
    "too_short": "esperados pelo menos {min_length} itens",
    "literal_error": "esperado um destes: {expected}",
    "enum": "esperado um destes: {expected}",
    "date_from_datetime_parsing": "esperada uma data AAAA-MM-DD",
    "date_parsing": "esperada uma data AAAA-MM-DD",
    "date_type": "esperada uma data AAAA-MM-DD",
    "datetime_parsing": "esperada data e hora, como 2026-01-31T09:00:00-03:00",
    "datetime_from_date_parsing": "esperada data e hora, como 2026-01-31T09:00:00-03:00",
    "datetime_type": "esperada data e hora, como 2026-01-31T09:00:00-03:00",
}


def expected(fault: str, context: Mapping[str, Any] | None = None) -> str:
    """Say what was expected, given the type and the context of one of pydantic's errors; no full stop."""
    text = _EXPECTED.get(fault, "o valor não é do tipo ou da forma esperada")
    # Only bounds of the schema stand in these contexts, never the value that was sent.
    return text.format_map({name: str(bound).replace(" or ", " ou ") for name, bound in (context or {}).items()})
