"""Dates, money, documents and flags as people write them, read without guessing.

Pure. What can be read two ways is refused. A refusal says what was expected, with an example, and never repeats the
value: it may be personal data.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from omie_control.domain.people import is_cnpj, is_cpf

_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})|([0-9]{4})-([0-9]{2})-([0-9]{2})")
_PLAIN_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
# One separator with three digits behind it: thousands for one reader, thousandths for the other.
_AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;.]+")
_PUNCTUATION = str.maketrans("", "", ".-/ ")
_SIGNS = str.maketrans({"\u2212": "-", "\u00a0": " ", "\u202f": " "})
_FLAGS = {"s": True, "sim": True, "true": True, "n": False, "nao": False, "não": False, "false": False}
_UFS = frozenset(re.findall("..", "ACALAPAMBACEDFESGOMAMTMSMGPAPBPRPEPIRJRNRSRORRSCSPSETOEX"))
# Fifteen significant digits: a number of JSON carries them to the cent, there and back.
_DIGITS_MAX = 15
_TEXT_MAX = 40
_BEYOND_AMOUNTS = Decimal(10) ** 20


class Misread(ValueError):
    """A value that is not what it should be; its text is for whoever sent it."""


def read_date(value: Any) -> date:
    """Read dd/mm/aaaa or ISO as a day of the calendar, 1901 to 2200."""
    if type(value) is date:
        return value
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise Misread("esperada uma data dd/mm/aaaa ou aaaa-mm-dd. Exemplo: 31/12/2026.")
    day, month, year = (int(part) for part in (match[1], match[2], match[3]) if part) if match[1] else _iso(match)
    try:
        found = date(year, month, day)
    except ValueError:
        raise Misread("esta data não existe no calendário. Exemplo: 31/12/2026.") from None
    if not 1900 < year <= 2200:
        raise Misread("esperado um ano entre 1901 e 2200. Exemplo: 31/12/2026.")
    return found


def _iso(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match[6]), int(match[5]), int(match[4])


def read_number(value: Any, *, decimals: int = 2, lowest: Decimal | None = Decimal(0), above: bool = False) -> Decimal:
    """Read an amount with at most `decimals` places, from a number or from text with comma or point.

    `lowest` is the least that is accepted (None: anything), itself excluded when `above`.
    """
    found = _from_text(value, decimals) if isinstance(value, str) else _from_number(value, decimals)
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int) or found != round(found, decimals):
        raise Misread(f"esperadas no máximo {decimals} casas decimais. {_example(decimals)}")
    if lowest is not None and (found < lowest or (above and found == lowest)):
        raise Misread(f"esperado {'mais que' if above else 'no mínimo'} {lowest}. {_example(decimals)}")
    if abs(found) >= Decimal(10) ** (_DIGITS_MAX - decimals):
        raise Misread(f"o número é grande demais. {_example(decimals)}")
    return found.quantize(Decimal(1).scaleb(-decimals)) if decimals <= 2 else found


def _from_number(value: Any, decimals: int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Misread(f"esperado um número. {_example(decimals)}")
    # The shortest text of a float is the number that was written.
    found = value if isinstance(value, Decimal) else Decimal(repr(value)) if abs(value) < 1e300 else Decimal("Infinity")
    if not found.is_finite():
        raise Misread(f"esperado um número finito. {_example(decimals)}")
    return found


def _from_text(value: str, decimals: int) -> Decimal:
    text = value.translate(_SIGNS).strip().removeprefix("R$").strip()
    sign = -1 if text.startswith("-") else 1
    text = text.removeprefix("-").removeprefix("R$").strip()
    if len(text) > _TEXT_MAX:
        raise Misread(f"esperado um número. {_example(decimals)}")
    if _AMBIGUOUS.fullmatch(text):
        raise Misread(
            "este número se lê de dois modos (mil ou um?): escreva as casas decimais com vírgula e sem separador de "
            "milhar. Exemplo: 1234,00."
        )
    if _PLAIN_NUMBER.fullmatch(text):
        return sign * Decimal(text.replace(",", "."))
    if _GROUPED.fullmatch(text):
        thousands = "." if text.find(".") < text.find(",") or "," not in text else ","
        if "," not in text or "." not in text:
            thousands = "." if "." in text else ","
        return sign * Decimal(text.replace(thousands, "").replace(",", "."))
    raise Misread(f"esperado um número, com vírgula ou ponto nos centavos. {_example(decimals)}")


def _example(decimals: int) -> str:
    return "Exemplo: 1234,56." if decimals >= 2 else "Exemplo: 12."


def read_document(value: Any) -> str:
    """Read a CPF or CNPJ (digits, or the form with letters) and return it without punctuation. Empty stays empty."""
    bare = value.translate(_PUNCTUATION).upper() if isinstance(value, str) and len(value) <= _TEXT_MAX else None
    if bare == "" or (bare is not None and (is_cpf(bare) or is_cnpj(bare))):
        return bare
    raise Misread(
        "não é um CPF nem um CNPJ válido (os dígitos verificadores não conferem). Exemplo: 11.222.333/0001-81."
    )


def read_flag(value: Any) -> bool:
    """Read true or false, S or N, sim or não."""
    found = value if isinstance(value, bool) else _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise Misread("esperado sim ou não. Exemplo: true, false, S ou N.")
    return found


def read_email(value: Any) -> str:
    """Read one e-mail address, or several with commas between them. Empty stays empty."""
    if isinstance(value, str) and len(value) <= 500:
        each = [part.strip() for part in value.split(",")]
        if each == [""] or all(_EMAIL.fullmatch(part) and part.isprintable() for part in each):
            return ",".join(each)
    raise Misread("esperado um e-mail, ou vários separados por vírgula. Exemplo: contato@exemplo.com.br.")


def read_cep(value: Any) -> str:
    """Read a CEP and return it as 01310-100. Empty stays empty."""
    digits = value.translate(_PUNCTUATION) if isinstance(value, str) and len(value) <= _TEXT_MAX else None
    if digits == "":
        return digits
    if digits is None or len(digits) != 8 or not (digits.isascii() and digits.isdecimal()):
        raise Misread("esperado um CEP de oito dígitos. Exemplo: 01310-100.")
    return f"{digits[:5]}-{digits[5:]}"


def read_uf(value: Any) -> str:
    """Read the letters of a state; EX is abroad. Empty stays empty."""
    letters = value.strip().upper() if isinstance(value, str) else "?"
    if letters == "" or letters in _UFS:
        return letters
    raise Misread("esperada a sigla de um estado. Exemplo: SP.")


def exact(value: Any) -> Decimal | None:
    """Return a number of Omie's answer exactly, or None where there is none that could be an amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() and abs(found) < _BEYOND_AMOUNTS else None


def amount(value: Any) -> Decimal:
    """Return a number of Omie's answer exactly; what is none counts as zero in a sum."""
    found = exact(value)
    return Decimal(0) if found is None else found


def day(value: Any) -> date | None:
    """Return a date of Omie's answer, or None where it is empty or none (`00/00/0000`)."""
    try:
        return read_date(value[:10] if isinstance(value, str) else value)
    except Misread:
        return None


def shown_day(value: date) -> str:
    """Write a date as Omie and its users do."""
    return f"{value:%d/%m/%Y}" if value.year >= 1000 else value.isoformat()


def shown_money(value: Any) -> str:
    """Write an amount for reading: 1.234,56."""
    return f"{amount(value):,.2f}".translate(str.maketrans(",.", ".,"))
