"""CPF and CNPJ: their check digits, for the simulator to judge them and to invent valid ones.

A CNPJ has had letters since July 2026: twelve of `[A-Z0-9]`, then two digits; a letter counts ASCII minus 48.
"""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random

_CPF = re.compile(r"\d{11}")
_CNPJ = re.compile(r"[A-Z0-9]{12}\d{2}")
_PUNCTUATION = re.compile(r"[.\-/\s]")
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@lru_cache(maxsize=100_000)
def bare(document: str) -> str:
    """Return a document without its punctuation, in capitals."""
    return _PUNCTUATION.sub("", document).upper()


def is_valid(document: str) -> bool:
    """Say whether a CPF or CNPJ, punctuated or not, has the right check digits."""
    plain = bare(document)
    if len(set(plain)) < 2:
        return False
    if _CPF.fullmatch(plain):
        return plain == _with_digits(plain[:9], 11)
    return bool(_CNPJ.fullmatch(plain)) and plain == _with_digits(plain[:12], 9)


def is_person(document: str) -> bool:
    """Say whether a document is a person's (CPF)."""
    return len(bare(document)) == 11


def punctuate(document: str) -> str:
    """Return a document as people write it."""
    plain = bare(document)
    if len(plain) == 11:
        return f"{plain[:3]}.{plain[3:6]}.{plain[6:9]}-{plain[9:]}"
    return f"{plain[:2]}.{plain[2:5]}.{plain[5:8]}/{plain[8:12]}-{plain[12:]}"


def invent_cpf(random: Random) -> str:
    """Invent a valid CPF."""
    return punctuate(_with_digits("".join(random.choices("0123456789", k=9)), 11))


def invent_cnpj(random: Random, *, has_letters: bool = False) -> str:
    """Invent a valid CNPJ of the numeric or of the newer, alphanumeric form."""
    root = "".join(random.choices(_ALPHANUMERIC if has_letters else "0123456789", k=8))
    return punctuate(_with_digits(f"{root}0001", 9))


def _with_digits(base: str, top: int) -> str:
    """Append the two check digits; weights run 2, 3 … up to `top`, then again, from the right."""
    for _ in range(2):
        weights = (2 + index % (top - 1) for index in range(len(base)))
        rest = sum((ord(letter) - 48) * weight for letter, weight in zip(reversed(base), weights, strict=True)) % 11
        base += str(0 if rest < 2 else 11 - rest)
    return base
