"""What a first start needs: an administrator, a token that works at once, and the demonstration company."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from omie_control.domain.actors import SYSTEM, Role
from omie_control.services.companies import Companies
from omie_control.services.tokens import Tokens
from omie_control.services.users import Users

ADMIN = "admin"
TOKEN_NAME = "primeiro-acesso"


@dataclass(frozen=True, slots=True)
class FirstAccess:
    """How to get in. `password` is None when the administrator already has one that only they know."""

    username: str
    password: str | None
    token: str


class FirstSteps:
    """Makes what is missing, and nothing twice."""

    def __init__(self, users: Users, tokens: Tokens, companies: Companies) -> None:
        self._users = users
        self._tokens = tokens
        self._companies = companies

    async def ensure_access(self, home: Path, password: str | None) -> FirstAccess:
        """Make the administrator at the first start, and keep a ready token for this machine in the home."""
        made = await self._users.ensure_admin(password)
        return FirstAccess(ADMIN, made, await self._ensure_token(home / "agent-token"))

    async def _ensure_token(self, path: Path) -> str:
        """The token lies beside the master key, readable by the same user only; a revoked one is replaced."""
        known = _read(path)
        if known is not None and await self._tokens.verify(known) is not None:
            return known
        _, token = await self._tokens.create(SYSTEM, TOKEN_NAME, Role.AGENT)
        _write(path, token)
        return token


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def _write(path: Path, token: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
