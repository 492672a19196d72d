"""The switch between Portuguese and English."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from omie_control.web.auth import local_path
from omie_control.web.rendering import LANGUAGE_COOKIE
from omie_control.web.words import DEFAULT, LANGUAGES

router = APIRouter()
_YEAR_SECONDS = 365 * 24 * 3600


@router.post("/idioma", include_in_schema=False)
async def switch(
    request: Request, idioma: Annotated[str, Form()] = DEFAULT, continuar: Annotated[str, Form()] = "/"
) -> Response:
    """Remember the language in a cookie and go back. Needs no session: it changes nothing but the words."""
    response = RedirectResponse(local_path(continuar), 303)
    language = idioma if idioma in LANGUAGES else DEFAULT
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
    return response
