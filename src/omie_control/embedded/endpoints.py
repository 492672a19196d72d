"""Where the servers of a home answer, and with which passwords."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of the servers of one home, passwords inside; a server that was not asked for is empty text."""

    owner_url: str
    app_url: str
    reader_url: str
    valkey_url: str

    def __repr__(self) -> str:
        return "Endpoints(•••)"
