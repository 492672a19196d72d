"""Bodies of the API, read once the caller is known: JSON of a declared shape, or a refusal that repeats nothing."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from omie_control.errors import InvalidInput

Shape = TypeVar("Shape", bound="Body")


class Body(BaseModel):
    """A body: its fields and no others, each of its own JSON type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


async def read(request: Request, shape: type[Shape]) -> Shape:
    """Return the body. Raises InvalidInput that shows the shape that was expected."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidInput("O corpo precisa ser JSON.", hint="Envie com Content-Type: application/json.")
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError:
        example = (shape.model_config.get("json_schema_extra") or {}).get("example")  # type: ignore[union-attr]
        raise InvalidInput("O corpo não tem a forma esperada.", hint=f"Por exemplo: {example}") from None


def declared(shape: type[Body]) -> dict[str, Any]:
    """Declare a body for the OpenAPI document."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape.model_json_schema()}}}}
