"""Listings: what was found, and where the next page begins."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

Item = TypeVar("Item")


class Listing(BaseModel, Generic[Item]):
    """Uma página de uma lista."""

    items: list[Item]
    next: str | None = Field(
        default=None, description="Onde começa a próxima página: mande em `before`. Nulo: não há outra."
    )
