"""People and programs whom the company's identity provider vouches for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from omie_control.domain.actors import Actor, ActorKind
from omie_control.domain.roles import AnyRole

_VALUES_MAX = 200
_VALUE_MAX = 200


@dataclass(frozen=True, slots=True)
class IdentityRole:
    """What a group or role of the provider is here."""

    claim_value: str
    role: AnyRole
    companies: frozenset[UUID] | None
    created_by: str
    created_at: datetime


def groups_of(claims: Mapping[str, Any], claim: str) -> list[str]:
    """Return the words of a claim, a list or one text; `realm_access.roles` is `roles` within `realm_access`."""
    value: Any = claims
    for name in claim.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    words = value if isinstance(value, list) else [value]
    plain = [word for word in words[:_VALUES_MAX] if isinstance(word, str) and 0 < len(word) <= _VALUE_MAX]
    return [word for word in plain if "\x00" not in word and word.isprintable()]


def actor_of(claims: Mapping[str, Any], known: IdentityRole) -> Actor:
    """Name whoever these claims are about. By `sub`: names and addresses can change hands at the provider."""
    subject = str(claims["sub"])
    id = uuid5(NAMESPACE_URL, f"{claims['iss']}#{subject}")
    printable = "".join(letter for letter in subject if letter.isprintable())[:90]
    return Actor(ActorKind.IDENTITY, printable or str(id), known.role, id, known.companies)
