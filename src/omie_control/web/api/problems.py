"""Errors as programs read them: `application/problem+json` (RFC 9457) with our code and hint, and nothing more.

Only text we wrote: never a cause, an execution or what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from omie_control.domain.protected_resource import API, announced
from omie_control.errors import ControlError, Forbidden, InvalidInput, NotFound, TooLarge
from omie_control.web.faults import headers_of
from omie_control.web.roots import root_of

if TYPE_CHECKING:
    from omie_control.app import App

PREFIX = API
MEDIA_TYPE = "application/problem+json"
TITLES: Mapping[int, str] = {
    400: "Pedido inválido",
    401: "Não autenticado",
    403: "Sem permissão",
    404: "Não encontrado",
    405: "Método não permitido",
    409: "Conflito",
    413: "Grande demais",
    421: "Endereço não atendido",
    422: "Dado inválido",
    429: "Pedidos demais",
    500: "Erro interno",
    503: "Indisponível",
}


class Problem(BaseModel):
    """Por que o pedido não foi atendido (RFC 9457)."""

    type: str = Field(default="about:blank", description="Sempre about:blank: o que distingue os problemas é `code`.")
    title: str = Field(description="O status HTTP em palavras.")
    status: int = Field(description="O status HTTP.")
    detail: str = Field(description="O que aconteceu, em português.")
    code: str = Field(description="Código estável do erro, para programas.")
    hint: str = Field(description="O que fazer agora.")
    until: datetime | None = Field(default=None, description="Quando vale tentar de novo, se isso é conhecido.")


def is_api(path: str) -> bool:
    """Say whether a path is one of the API's, there or not."""
    return path == "/api" or path.startswith("/api/")


def problem(request: Request, error: ControlError, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Shape an error. A 401 says how to come in, and an answer with a time says when to come back."""
    body = Problem(
        title=TITLES.get(status, TITLES[500]),
        status=status,
        detail=error.message,
        code=error.code,
        hint=error.hint,
        until=error.until,
    )
    sent = {**headers_of(error), **(headers or {})}
    if status == 401:
        sent["WWW-Authenticate"] = _challenge(request)
    return Response(orjson.dumps(body.model_dump(exclude_none=True)), status, headers=sent, media_type=MEDIA_TYPE)


def http_problem(request: Request, error: HTTPException) -> Response:
    """Shape what the framework refuses by itself: no such path, no such method, a body too large."""
    ours: ControlError
    if error.status_code == 404:
        ours = NotFound("Este endereço não existe na API.", hint=f"Os endereços estão em {PREFIX}/openapi.json.")
    elif error.status_code == 413:
        ours = TooLarge()
    else:
        ours = ControlError(
            "O pedido não pôde ser atendido.",
            hint=f"Confira o método e o endereço em {PREFIX}/openapi.json.",
            code="pedido_invalido",
        )
    allow = (error.headers or {}).get("Allow")
    return problem(request, ours, error.status_code, {"Allow": allow} if allow else None)


def refusal(request: Request, text: str, status: int) -> Response:
    """Shape what the guard in front of every page turns away before anybody is asked who they are."""
    kind = {403: Forbidden, 413: TooLarge}.get(status, ControlError)
    code = "endereco_nao_atendido" if kind is ControlError else None
    hint = "Divida o pedido em partes menores." if kind is TooLarge else "Chame o endereço em que o sistema é servido."
    return problem(request, kind(text, hint=hint, code=code), status)


def unreadable(error: RequestValidationError) -> InvalidInput:
    """Name the parameters that could not be read; they are ours, what was sent in them is not repeated."""
    names = sorted({str(each["loc"][-1]) for each in error.errors() if each["loc"][0] in ("query", "path")})
    return InvalidInput(
        f"Não é válido: {', '.join(names)}." if names else None,
        hint=f"A forma de cada parâmetro está em {PREFIX}/openapi.json.",
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare for the OpenAPI document that these statuses are problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


def _challenge(request: Request) -> str:
    realm = 'Bearer realm="omie-control"'
    challenge = f'{realm}, error="invalid_token"' if "authorization" in request.headers else realm
    app: App = request.app.state.control
    return challenge if app.services.bearers.issuer is None else announced(challenge, root_of(request), API)
