"""Who asks: a person, a token, the stdio principal, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from omie_control.domain.networks import Network
from omie_control.domain.roles import AnyRole, OwnRole, Role

__all__ = ["LIBRARY", "SYSTEM", "Actor", "ActorKind", "AnyRole", "Login", "OwnRole", "Role", "Token", "User"]


class ActorKind(StrEnum):
    """By which door an actor came in."""

    USER = "user"
    TOKEN = "token"
    STDIO = "stdio"
    CLI = "cli"
    SYSTEM = "system"
    LIBRARY = "library"
    # Somebody whom the company's identity provider vouches for.
    IDENTITY = "oidc"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody known to us. `companies` None means every company."""

    kind: ActorKind
    name: str
    role: AnyRole
    id: UUID | None = None
    companies: frozenset[UUID] | None = None
    default_company: UUID | None = None
    may_write: bool = True

    @property
    def label(self) -> str:
        """Name the actor as records and audit rows do, e.g. `token:claude`."""
        return f"{self.kind}:{self.name}"[:100]

    def may_see(self, company: UUID | None) -> bool:
        """Say whether the actor's scope holds a company (or nothing of any company)."""
        return self.companies is None or company is None or company in self.companies

    def may_look_at(self, company: UUID | None, by: str | None) -> bool:
        """Say whether the actor's scope holds what somebody (`by`, a label) ran for a company.

        What ran for none can show any company's data: who is kept to some companies sees of it only their own.
        """
        return by == self.label or self.companies is None if company is None else self.may_see(company)


@dataclass(frozen=True, slots=True)
class User:
    """A person who may enter the dashboard."""

    id: UUID
    username: str
    role: AnyRole
    companies: frozenset[UUID] | None
    is_active: bool
    created_at: datetime
    last_login_at: datetime | None = None
    has_totp: bool = False

    @property
    def actor(self) -> Actor:
        """The person as whoever asks."""
        return Actor(ActorKind.USER, self.username, self.role, self.id, self.companies)


@dataclass(frozen=True, slots=True)
class Login:
    """A browser's session that holds: who, and the token that every form of it must carry."""

    id: UUID
    user: User
    csrf_token: str
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        """The person as whoever asks."""
        return self.user.actor


@dataclass(frozen=True, slots=True)
class Token:
    """A key of an agent or script, as people see it: never its secret."""

    id: UUID
    name: str
    prefix: str
    role: AnyRole
    companies: frozenset[UUID] | None
    default_company: UUID | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    not_before: datetime | None = None
    networks: tuple[Network, ...] = ()

    @property
    def actor(self) -> Actor:
        """The token as whoever asks."""
        return Actor(ActorKind.TOKEN, self.name, self.role, self.id, self.companies, self.default_company)


SYSTEM = Actor(ActorKind.SYSTEM, "omie-control", Role.ADMIN)
# Whoever imports the package already holds the database's password: the process is trusted.
LIBRARY = Actor(ActorKind.LIBRARY, "python", Role.ADMIN)
