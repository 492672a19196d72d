"""A company (`empresa`): one app_key and app_secret of Omie, and the name people call it by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omie_control.errors import InvalidInput

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_APP_KEY = re.compile(r"[0-9]{4,20}")
_APP_SECRET = re.compile(r"[0-9A-Za-z]{16,128}")


class Secret:
    """A text that never prints itself: only `reveal()` gives it, and only the door to Omie calls that."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; the caller answers for where it goes."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret cannot be pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The pair that opens one company's Omie."""

    app_key: Secret
    app_secret: Secret


@dataclass(frozen=True, slots=True)
class Company:
    """A company as people see it: never its secret. `seal`: another one with other credentials, and says no more."""

    id: UUID
    slug: str
    name: str
    app_key_hint: str
    is_demo: bool
    is_active: bool
    created_at: datetime
    seal: str = ""


def require_slug(slug: str) -> str:
    """Return the slug, or raise InvalidInput with an example."""
    if not _SLUG.fullmatch(slug):
        raise InvalidInput(
            f"O nome curto '{slug[:60]}' não é válido.",
            hint="Use letras minúsculas, números e hífens, até 60 caracteres. Exemplo: minha-empresa.",
        )
    return slug


def require_credentials(app_key: str, app_secret: str) -> Credentials:
    """Return the pair, or raise InvalidInput that says which half is wrong without showing it."""
    if not _APP_KEY.fullmatch(app_key):
        raise InvalidInput(
            "O app_key não é válido.", hint="Ele tem só números; copie-o do portal do desenvolvedor do Omie."
        )
    if not _APP_SECRET.fullmatch(app_secret):
        raise InvalidInput("O app_secret não é válido.", hint="Copie-o inteiro do portal do desenvolvedor do Omie.")
    return Credentials(Secret(app_key), Secret(app_secret))
