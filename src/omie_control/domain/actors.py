"""Who asks: a person, a token, the stdio principal, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an actor is trusted with; the rights of each are in `access.py`."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    AGENT = "agent"
    AUDITOR = "auditor"


class ActorKind(StrEnum):
    """By which door an actor came in."""

    USER = "user"
    TOKEN = "token"
    STDIO = "stdio"
    CLI = "cli"
    SYSTEM = "system"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody known to us. `companies` None means every company."""

    kind: ActorKind
    name: str
    role: Role
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


SYSTEM = Actor(ActorKind.SYSTEM, "omie-control", Role.ADMIN)
# Whoever imports the package already holds the database's password: the process is trusted.
LIBRARY = Actor(ActorKind.LIBRARY, "python", Role.ADMIN)
