"""People in texts: CPF and CNPJ with their check digits, e-mail addresses, Brazilian phones, and how each is masked.

A CNPJ has letters since July 2026: twelve of `[A-Z0-9]` and two digits, checked by ASCII code minus 48, which
for the numeric form is the old rule. Everything here is linear in the length of the text.
"""

from __future__ import annotations

import re

_CPF = re.compile(r"(?<![0-9A-Za-z])([0-9]{3})([. ]?)([0-9]{3})([. ]?)([0-9]{3})([-./ ]?)([0-9]{2})(?![0-9A-Za-z])")
_CPF_AFTER_LETTERS = re.compile(r"(?<![0-9])([0-9]{3})(\.?)([0-9]{3})(\.?)([0-9]{3})(-?)([0-9]{2})(?![0-9])")
_CNPJ = re.compile(
    r"(?<![0-9A-Za-z])([0-9A-Za-z]{2})(\.?)([0-9A-Za-z]{3})(\.?)([0-9A-Za-z]{3})(/?)([0-9A-Za-z]{4})"
    r"(-?)([0-9]{2})(?![0-9A-Za-z])"
)
_PHONE = re.compile(
    r"(?<![0-9A-Za-z])(\+?55[ .-]?)?(?:(\(0?([1-9][0-9])\) ?|0?([1-9][0-9])[ .-]?))?"
    r"(9[ .]?[0-9]{4}|[2-9][0-9]{3})([ .-]?)([0-9]{4})(?![0-9A-Za-z])"
)
# The start is pinned to the start of a run, so that a long run without @ is read once, not once a letter.
_EMAIL = re.compile(r"(?<![\w.%+\-])([\w.%+\-])[\w.%+\-]*@([\w-]+(?:\.[\w-]+)*)")
# Everything above has one of these: three digits near three digits, a letter just before a digit, or an @.
_SUSPECT = re.compile(r"[0-9](?:[0-9]{2}[-./ )]?[0-9]{3}|(?<=[A-Za-z][0-9])|(?<=[A-Za-z][-./][0-9]))")
_DIGIT = re.compile(r"\d")
_MASKED_DOCUMENT = re.compile(r"\*{3}\.[0-9]{3}\.[0-9]{3}-\*{2}|[0-9A-Z]{2}\.\*{3}\.\*{3}/\*{4}-[0-9]{2}")
# Area codes that exist: no 0, and these gaps among the rest.
_AREAS = frozenset(
    str(area)
    for area in range(11, 100)
    if area % 10 and area not in {23, 25, 26, 29, 36, 39, 52, 56, 57, 58, 59, 72, 76, 78}
)
_PASSES = 8


def is_cpf(digits: str) -> bool:
    """Say whether eleven digits are a CPF by their check digits (eleven equal ones are none)."""
    if len(digits) != 11 or not (digits.isascii() and digits.isdecimal()) or digits == digits[0] * 11:
        return False
    numbers = [ord(digit) - 48 for digit in digits]
    for length in (9, 10):
        total = sum(number * (length + 1 - place) for place, number in enumerate(numbers[:length]))
        if total * 10 % 11 % 10 != numbers[length]:
            return False
    return True


_CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def is_cnpj(text: str) -> bool:
    """Say whether fourteen letters and digits are a CNPJ, old or new form, by their check digits."""
    if len(text) != 14 or not (text.isascii() and text.isalnum() and text[12:].isdecimal()) or text == text[0] * 14:
        return False
    numbers = [ord(letter) - 48 for letter in text.upper()]
    for length in (12, 13):
        weights = _CNPJ_WEIGHTS[13 - length :]
        rest = sum(number * weight for number, weight in zip(numbers[:length], weights, strict=True)) % 11
        if (0 if rest < 2 else 11 - rest) != numbers[length]:
            return False
    return True


def is_suspect(text: str) -> bool:
    """Say cheaply whether a text could hold anything personal; False is certain."""
    return "@" in text or _SUSPECT.search(text) is not None


def mask_text(text: str, documents: list[str]) -> str:
    """Mask everything personal inside a text; adds the CPFs and CNPJs met, without punctuation, to `documents`."""
    for _ in range(_PASSES):
        masked = _mask_once(text, documents)
        if masked == text:
            return text
        # What a mask left behind may complete a pattern with its neighbour: look again.
        text = masked
    return _DIGIT.sub("*", text)


def mask_document(value: str, documents: list[str]) -> str:
    """Mask a field that holds one CPF or CNPJ, valid or not."""
    # The two usual forms first, and letter by letter: lists of Omie are full of them, and a slice costs twice a look.
    size = len(value)
    if size == 14 and value[3] == "." and value[7] == "." and value[11] == "-":
        bare = value.replace(".", "").replace("-", "")
        if len(bare) == 11 and bare.isdecimal():
            documents.append(bare)
            return f"***{value[3:12]}**"
    elif size == 18 and value[2] == "." and value[6] == "." and value[10] == "/" and value[15] == "-":
        bare = value.replace(".", "").replace("/", "").replace("-", "")
        if len(bare) == 14 and bare.isdecimal():
            documents.append(bare)
            return f"{value[:2]}.***.***/****{value[15:]}"
    bare = value.replace(".", "").replace("-", "").replace("/", "").replace(" ", "")
    if len(bare) == 11 and bare.isdecimal():
        documents.append(bare)
        return f"***.{bare[3:6]}.{bare[6:9]}-**"
    if len(bare) == 14 and bare.isascii() and bare.isalnum() and bare[12:].isdecimal():
        documents.append(bare.upper())
        return f"{bare[:2].upper()}.***.***/****-{bare[12:]}"
    return value if _MASKED_DOCUMENT.fullmatch(value) else mask_tail(value)


def mask_email(value: str, _: object = None) -> str:
    """Mask every address in a field of addresses, also one whose domain has no dot."""
    local, at, domain = value.partition("@")
    if not at:
        return value
    if domain.replace(".", "").isalnum() and local[:1].isalnum():
        return value if local[1:] == "***" else f"{local[0]}***@{domain}"
    return _EMAIL.sub(r"\1***@\2", value)


def mask_tail(value: str, _: object = None) -> str:
    """Hide every letter and digit but the last two; what stands between them stays."""
    if value.isalnum():
        return value if len(value) <= 2 else "*" * (len(value) - 2) + value[-2:]
    places = [place for place, letter in enumerate(value) if letter.isalnum()]
    if len(places) <= 2:
        return value
    letters = list(value)
    for place in places[:-2]:
        letters[place] = "*"
    return "".join(letters)


def _mask_once(text: str, documents: list[str]) -> str:
    if _SUSPECT.search(text):
        text = _CNPJ.sub(lambda found: _cnpj(found, documents), text)
        text = _CPF.sub(lambda found: _cpf(found, documents), text)
        text = _CPF_AFTER_LETTERS.sub(lambda found: _cpf(found, documents), text)
        text = _PHONE.sub(_phone, text)
    if "@" in text:
        text = _EMAIL.sub(_address, text)
    return text


def _cnpj(found: re.Match[str], documents: list[str]) -> str:
    bare = "".join(found.group(1, 3, 5, 7, 9)).upper()
    is_punctuated = found.group(2, 4, 6, 8) == (".", ".", "/", "-")
    if not is_cnpj(bare) and not (is_punctuated and bare.isdecimal()):
        return found.group()
    documents.append(bare)
    return f"{bare[:2]}.***.***/****-{bare[12:]}"


def _cpf(found: re.Match[str], documents: list[str]) -> str:
    bare = "".join(found.group(1, 3, 5, 7))
    if not is_cpf(bare) and found.group(2, 4, 6) != (".", ".", "-"):
        return found.group()
    documents.append(bare)
    return f"***.{bare[3:6]}.{bare[6:9]}-**"


def _phone(found: re.Match[str]) -> str:
    country, area_text, inner, plain_area, subscriber, dash, _ = found.groups()
    area = inner or plain_area
    is_mobile = subscriber.startswith("9") and len(subscriber) >= 5
    if area is None:
        is_phone = country is None and is_mobile and dash == "-"
    else:
        # Ten bare digits are an order number more often than a telephone; eleven with the ninth digit are not.
        is_phone = area in _AREAS and (is_mobile or bool(dash) or not area_text.isdecimal() or "+" in (country or ""))
    return mask_tail(found.group()) if is_phone else found.group()


def _address(found: re.Match[str]) -> str:
    return f"{found.group(1)}***@{found.group(2)}" if "." in found.group(2) else found.group()
