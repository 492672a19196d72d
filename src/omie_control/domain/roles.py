"""Roles: what an actor is trusted with. Six are built in; others a company makes for itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from omie_control.domain.executions import Category, Complexity
from omie_control.domain.rights import Right
from omie_control.errors import InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_DESCRIPTION_MAX = 200
_Word = TypeVar("_Word", Right, Category, Complexity)


class Role(StrEnum):
    """A role that is built in; the rights of each are in `access.py`."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    AGENT = "agent"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A role of the company's own. `categories` and `complexities` limit the tools it may call; None: all."""

    id: UUID
    name: str
    rights: frozenset[Right]
    categories: frozenset[Category] | None = None
    complexities: frozenset[Complexity] | None = None
    is_read_only: bool = False
    description: str = ""

    @property
    def value(self) -> str:
        """The name, as a built-in role has it."""
        return self.name

    def __str__(self) -> str:
        return self.name

    def holds(self, category: Category | None, complexity: Complexity | None) -> bool:
        """Say whether a tool of this kind lies within the limits; a tool that does not say lies within none."""
        return (self.categories is None or category in self.categories) and (
            self.complexities is None or complexity in self.complexities
        )

    def spans(self, other: Role | OwnRole) -> bool:
        """Say whether the other role's limits on tools lie within these."""
        categories, complexities = (
            (other.categories, other.complexities) if isinstance(other, OwnRole) else (None, None)
        )
        return _is_within(categories, self.categories) and _is_within(complexities, self.complexities)

    @property
    def facts(self) -> dict[str, object]:
        """What it is, in words that can be shown and audited."""
        return {
            "rights": sorted(self.rights),
            "categories": None if self.categories is None else sorted(self.categories),
            "complexities": None if self.complexities is None else sorted(self.complexities),
            "is_read_only": self.is_read_only,
            "description": self.description,
        }


@dataclass(frozen=True, slots=True)
class RoleWords:
    """What somebody says of a role. None leaves as it is; for a limit, an empty one means no limit."""

    rights: Iterable[str] | None = None
    categories: Iterable[str] | None = None
    complexities: Iterable[str] | None = None
    is_read_only: bool | None = None
    description: str | None = None


AnyRole = Role | OwnRole


def require_role_name(name: str) -> str:
    """Return the name in its one form, or raise InvalidInput with an example."""
    plain = name.strip().lower()
    if plain in set(Role):
        raise InvalidInput(f"O papel '{plain}' é do sistema.", hint="Escolha outro nome, por exemplo: financeiro.")
    if not _NAME.fullmatch(plain):
        raise InvalidInput(
            "O nome do papel não é válido.",
            hint="Use de 2 a 40 letras minúsculas sem acento, números e hífen. Exemplo: contas-a-pagar.",
        )
    return plain


def own_role(
    id: UUID,
    name: str,
    *,
    rights: Iterable[str],
    categories: Iterable[str] | None = None,
    complexities: Iterable[str] | None = None,
    is_read_only: bool = False,
    description: str = "",
) -> OwnRole:
    """Build a role of the company's own from words. Raises InvalidInput naming the wrong one, with a near match."""
    held = frozenset(_words(Right, rights, "direito"))
    if not held:
        raise InvalidInput("O papel precisa de pelo menos um direito.", hint=f"Existem: {', '.join(Right)}.")
    plain = " ".join(description.split())
    if len(plain) > _DESCRIPTION_MAX or not plain.isprintable():
        raise InvalidInput(f"A descrição passa de {_DESCRIPTION_MAX} caracteres ou não é texto.")
    return OwnRole(
        id=id,
        name=require_role_name(name),
        rights=held,
        categories=_limit(Category, categories, "categoria"),
        complexities=_limit(Complexity, complexities, "complexidade"),
        is_read_only=is_read_only,
        description=plain,
    )


def _limit(kind: type[_Word], words: Iterable[str] | None, what: str) -> frozenset[_Word] | None:
    return None if words is None else frozenset(_words(kind, words, what)) or None


def _words(kind: type[_Word], words: Iterable[str], what: str) -> list[_Word]:
    found: list[_Word] = []
    for word in words:
        try:
            found.append(kind(word.strip()))
        except ValueError:
            known = [each.value for each in kind]
            near = get_close_matches(word, known, n=1)
            hint = f"Você quis dizer {near[0]}?" if near else f"Use: {', '.join(known)}."
            raise InvalidInput(f"Não existe {what} '{word[:40]}'.", hint=hint) from None
    return found


def _is_within(inner: frozenset[_Word] | None, outer: frozenset[_Word] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)
