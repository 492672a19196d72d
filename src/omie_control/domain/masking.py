"""Masking: the form of a body that may be shown, found by one walk over its fields.

The rule of each field comes from its name (`personal_fields`), and every other text is looked through for
CPF, CNPJ, e-mail and phone (`people`). Values are walked, never their serialised text. All texts without a
rule are judged together first, so that an ordinary body costs about one look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from omie_control.domain.caps import CUT, MAX_DEPTH, MAX_VALUES, capped
from omie_control.domain.people import is_cnpj, is_cpf, is_suspect, mask_document, mask_email, mask_tail, mask_text
from omie_control.domain.personal_fields import Kind, kind_of
from omie_control.domain.sealing import canonical
from omie_control.domain.secret_texts import hide_secret, may_hold_secret

HIDDEN = "•••"
MAX_TEXT = 1_000_000
_MAX_NAMES = 16_384
_MAX_NAME = 100
# No CPF or CNPJ is shorter.
_DOCUMENT_MIN = 11
# Shorter ones stand in ordinary words as well.
_SECRET_MIN = 4
_SCALARS = frozenset({int, float, bool, type(None)})
_OPTIONS = orjson.OPT_NON_STR_KEYS
_SEPARATOR = "\x1f"


class Masked(NamedTuple):
    """What `mask` made: the value to record, the CPFs and CNPJs it met, and what had to be done.

    `value` is the very object given when nothing changed. `is_masked`: personal data was hidden, so the clear
    form is worth sealing. `is_cleaned`: NUL, lone surrogates or something beyond the caps was replaced.
    `clear` is the value given without its secrets: what may be sealed. A secret is kept nowhere.
    """

    value: Any
    clear: Any
    documents: tuple[str, ...] = ()
    is_masked: bool = False
    is_cleaned: bool = False
    has_secrets: bool = False


def mask(value: Any) -> Masked:
    """Mask a JSON-like value; other types become their text. Never raises."""
    walk = _Walk()
    masked = walk.any(value, None, 0)
    texts, hidden = _SEPARATOR.join(walk.texts), _SEPARATOR.join(walk.masked)
    if may_hold_secret(texts):
        walk.hide_secrets()
    if (
        walk.secrets
        or is_suspect(texts)
        or len(texts) > MAX_TEXT
        or _is_dirty(texts)
        or len(hidden) > MAX_TEXT
        or _is_dirty(hidden)
    ):
        changes = walk.changes()
        if changes:
            masked = _replaced(masked, changes)
    documents = tuple(dict.fromkeys(walk.documents)) if walk.documents else ()
    # What is beyond the caps has no end: one that holds itself twice doubles with each level.
    clear = capped(value) if walk.is_cut else value
    if walk.has_secrets:
        clear = hide_secrets(clear)
    return Masked(masked, clear, documents, walk.is_masked or bool(walk.masked), walk.is_cleaned, walk.has_secrets)


def json_text(value: Any) -> str:
    """Write a masked value as the JSON of a jsonb column, whatever its numbers and names. Never raises."""
    try:
        return orjson.dumps(value, option=_OPTIONS, default=str).decode()
    except (orjson.JSONEncodeError, RecursionError):
        # An integer over 64 bits: PostgreSQL stores it, orjson does not write it.
        return canonical(value).decode()


def hide_secrets(value: Any, depth: int = 0) -> Any:
    """Return the value with every secret replaced, and nothing else changed."""
    if depth > MAX_DEPTH:
        return CUT
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if isinstance(name, str) and kind_of(name) is Kind.SECRET else hide_secrets(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, str):
        return hide_secret(value) if may_hold_secret(value) else value
    if isinstance(value, list | tuple | set | frozenset):
        return [hide_secrets(inner, depth + 1) for inner in value]
    return value


def secrets_in(value: Any, depth: int = 0) -> set[str]:
    """Return the texts that stand in a value under the name of a secret, so that they can be hidden elsewhere."""
    found: set[str] = set()
    if depth > MAX_DEPTH:
        return found
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not (isinstance(name, str) and kind_of(name) is Kind.SECRET):
                found |= secrets_in(inner, depth + 1)
            elif isinstance(inner, str) and len(inner) >= _SECRET_MIN:
                found.add(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            found |= secrets_in(inner, depth + 1)
    return found


Rule = Callable[[str, list[str]], str]


def _hide(text: str, documents: list[str]) -> str:
    return HIDDEN


def _account(text: str, documents: list[str]) -> str:
    """Mask an account or a Pix key; one that is a CPF or CNPJ names its holder, as everywhere."""
    if "@" in text:
        return mask_email(text)
    if len(text) >= _DOCUMENT_MIN:
        bare = text.replace(".", "").replace("-", "").replace("/", "")
        if is_cpf(bare) or is_cnpj(bare):
            documents.append(bare.upper())
    return mask_tail(text)


_RULES: Mapping[Kind, Rule | None] = {
    Kind.PLAIN: None,
    Kind.DOCUMENT: mask_document,
    Kind.EMAIL: mask_email,
    Kind.PHONE: mask_tail,
    Kind.ACCOUNT: _account,
    Kind.SECRET: _hide,
}


class _OddName(Exception):
    """A field's name itself has to be rewritten."""


class _Rules(dict[str, Rule | None]):
    """Rules by field name, learned as names are met; only names in which nothing personal was found are kept."""

    def __missing__(self, name: object) -> Rule | None:
        if type(name) is not str or len(name) > _MAX_NAME or _is_dirty(name):
            raise _OddName
        if is_suspect(name) and mask_text(name, []) != name:
            raise _OddName
        rule = _RULES[kind_of(name)]
        if len(self) < _MAX_NAMES:
            self[name] = rule
        return rule


_rules = _Rules()


class _Walk:
    """One walk: gathers texts without a rule, applies the rules of the others."""

    __slots__ = ("documents", "has_secrets", "is_cleaned", "is_cut", "is_masked", "masked", "room", "secrets", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.masked: list[str] = []
        self.documents: list[str] = []
        self.room = MAX_VALUES
        self.is_masked = False
        self.is_cleaned = False
        self.is_cut = False
        self.has_secrets = False
        # What texts become that hold a secret.
        self.secrets: dict[str, str] = {}

    def any(self, value: Any, rule: Rule | None, depth: int) -> Any:
        type_ = type(value)
        if type_ is dict:
            return self.fields(value, depth)
        if type_ is list:
            return self.items(value, rule, depth)
        if rule is not None:
            return self.ruled(value, rule, depth)
        if type_ is str:
            self.texts.append(value)
            return value
        return value if type_ in _SCALARS else self.foreign(value, rule, depth)

    def fields(self, fields: dict[Any, Any], depth: int) -> Any:
        """Walk one object: the hot loop of every body, so it is written out."""
        self.room -= len(fields)
        if depth > MAX_DEPTH or self.room < 0:
            return self.cut()
        out = fields
        rules, scalars, add_text = _rules, _SCALARS, self.texts.append
        try:
            for name, value in fields.items():
                rule = rules[name]
                type_ = type(value)
                if rule is None:
                    if type_ is str:
                        add_text(value)
                        continue
                    if type_ in scalars:
                        continue
                    new = self.any(value, rule, depth + 1)
                elif type_ is str and rule is not _hide:
                    new = rule(value, self.documents)
                    (add_text if new is value else self.masked.append)(new)
                else:
                    new = self.ruled_other(value, rule, depth)
                if new is not value:
                    if out is fields:
                        out = fields.copy()
                    out[name] = new
        except _OddName:
            return self.fields(self.renamed(fields), depth)
        return out

    def items(self, items: list[Any], rule: Rule | None, depth: int) -> Any:
        self.room -= len(items)
        if depth > MAX_DEPTH or self.room < 0:
            return self.cut()
        out: list[Any] | None = None
        for place, value in enumerate(items):
            new = self.fields(value, depth + 1) if type(value) is dict else self.any(value, rule, depth + 1)
            if new is not value:
                if out is None:
                    out = list(items)
                out[place] = new
        return items if out is None else out

    def ruled(self, value: Any, rule: Rule, depth: int) -> Any:
        """Apply the rule of a field; a structure under the name hands the rule to its own texts."""
        if type(value) is not str or rule is _hide:
            return self.ruled_other(value, rule, depth)
        masked = rule(value, self.documents)
        if masked is value:
            self.texts.append(value)
        else:
            self.masked.append(masked)
        return masked

    def ruled_other(self, value: Any, rule: Rule, depth: int) -> Any:
        if rule is _hide:
            self.has_secrets = True
            return HIDDEN
        type_ = type(value)
        if value is None or type_ is bool:
            return value
        if type_ in _NESTED:
            return self.any(value, rule, depth + 1)
        if type_ is not int and type_ is not float:
            return self.foreign(value, rule, depth)
        masked = rule(text := _as_text(value, rule), self.documents)
        if masked is text:
            return value
        self.masked.append(masked)
        return masked

    def foreign(self, value: Any, rule: Rule | None, depth: int) -> Any:
        """Bring a type that is not JSON's into JSON: relatives by their base, the rest by its text."""
        try:
            if isinstance(value, Mapping):
                return self.any(dict(value), rule, depth)
            if isinstance(value, list | tuple | set | frozenset):
                return self.any(list(value), rule, depth)
            if isinstance(value, int):
                return self.any(int(value), rule, depth)
            text = str.__str__(value) if isinstance(value, str) else str(value)
        except Exception:
            text = type(value).__name__
        return self.any("".join(text), rule, depth)

    def renamed(self, fields: dict[Any, Any]) -> dict[str, Any]:
        """Give plain names to fields of which some have none, or one that is personal itself.

        Two that become the same are numbered: none of them may be left out of the record, nor unlooked at.
        """
        out: dict[str, Any] = {}
        seen: dict[str, int] = {}
        for name, value in fields.items():
            free = plain = self.name(name)
            number = seen.get(plain, 1)
            while free in out:
                number += 1
                mark = f" ({number})"
                free = plain[: _MAX_NAME - len(mark)] + mark
            seen[plain] = number
            out[free] = value
        return out

    def name(self, name: Any) -> str:
        try:
            text = str(name)
        except Exception:
            text = type(name).__name__
        text = self.clean(text[:_MAX_NAME])
        masked = mask_text(text, self.documents)
        self.is_masked = self.is_masked or masked != text
        # Masking may lengthen a name by its punctuation.
        return masked[:_MAX_NAME]

    def clean(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            self.is_cleaned = True
            text = text[:MAX_TEXT] + CUT
        cleaned = _cleaned(text)
        self.is_cleaned = self.is_cleaned or cleaned is not text
        return cleaned

    def cut(self) -> str:
        self.is_cleaned = self.is_cut = True
        return CUT

    def hide_secrets(self) -> None:
        """Note what each text without a rule becomes that holds a secret."""
        self.secrets = {text: hidden for text in self.texts if (hidden := hide_secret(text)) is not text}
        self.has_secrets = self.has_secrets or bool(self.secrets)

    def changes(self) -> dict[str, str]:
        """Return what each text that must change becomes; texts that a rule has masked are only cleaned."""
        changes = {text: cleaned for text in self.masked if (cleaned := self.clean(text)) is not text}
        for text in self.texts:
            cleaned = self.clean(self.secrets.get(text, text))
            masked = mask_text(cleaned, self.documents) if is_suspect(cleaned) else cleaned
            if masked != cleaned:
                self.is_masked = True
            if masked is not text:
                changes[text] = masked
        return changes


_NESTED = frozenset({dict, list})


def _as_text(value: float, rule: Rule) -> str:
    text = str(value)
    if rule is mask_document:
        # A number has lost its leading zeros.
        return text.zfill(11 if len(text) <= 11 else 14)
    return text


def _replaced(value: Any, changes: Mapping[str, str]) -> Any:
    """Put the changed texts in their places; the walk before has made everything JSON and within the caps."""
    type_ = type(value)
    if type_ is str:
        return changes.get(value, value)
    if type_ is dict:
        pairs = {name: _replaced(inner, changes) for name, inner in value.items()}
        return pairs if any(pairs[name] is not inner for name, inner in value.items()) else value
    if type_ is list:
        items = [_replaced(inner, changes) for inner in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_dirty(text: str) -> bool:
    return "\x00" in text or _has_surrogates(text)


def _cleaned(text: str) -> str:
    if not _is_dirty(text):
        return text
    return "".join("\ufffd" if letter == "\x00" or "\ud800" <= letter <= "\udfff" else letter for letter in text)
