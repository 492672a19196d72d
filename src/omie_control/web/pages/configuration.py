"""`/configuracao`: every key with what it holds, a form for whoever may change it, the history and the way back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from omie_control.domain.access import Right, is_allowed
from omie_control.domain.configuration import KEYS, ConfigType, Key, key_named
from omie_control.errors import Conflict, ControlError, InvalidInput
from omie_control.services.configuration import Difference, Setting
from omie_control.web.auth import Visitor, require_csrf, require_visitor
from omie_control.web.faults import status_of
from omie_control.web.rendering import language_of, render
from omie_control.web.words import DEFAULT, mark

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.postgres.configurations import Change
    from omie_control.services.configuration import Configurations

HISTORY_SIZE = 20
_TYPED_MAX = 4000
_HERE = "/configuracao"
# What a form of each type takes, said beside the field before and after somebody errs.
RULES: Mapping[ConfigType, str] = {
    ConfigType.FEATURE_FLAG: mark("Escolha ligada ou desligada."),
    ConfigType.THRESHOLD: mark("Um número de %(lowest)s a %(highest)s %(unit)s."),
    ConfigType.ENDPOINT: mark("Um endereço https:// sem usuário nem senha; http:// só nesta máquina."),
    ConfigType.CREDENTIALS: mark("Com porta, por exemplo %(example)s. Depois de gravado, ninguém o vê mais."),
}
# The units of the registry, for the catalogues.
UNITS = (mark("segundos"), mark("horas"))

router = APIRouter()
Revision = Annotated[int, Path(ge=0, le=2**63 - 1)]


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not accepted: which key, what was typed, why."""

    name: str
    typed: str
    error: ControlError


@dataclass(frozen=True, slots=True)
class Field:
    """One key as the page shows it; `key` is None for a row that no key of this version reads."""

    setting: Setting
    key: Key | None
    description: str
    typed: str
    error: ControlError | None
    may_change: bool

    @property
    def rule(self) -> str:
        """Say what the key takes."""
        return "" if self.key is None else RULES[self.key.type]

    @property
    def is_written(self) -> bool:
        """Say whether a row stands in the table, used or not."""
        return self.setting.updated_at is not None


@router.get("/configuracao", include_in_schema=False)
async def show(request: Request) -> Response:
    """Show all keys and the newest changes, or older ones."""
    return await _page(request, await require_visitor(request))


@router.post("/configuracao", include_in_schema=False)
async def change(
    request: Request,
    chave: Annotated[str, Form()] = "",
    valor: Annotated[str, Form()] = "",
    acao: Annotated[str, Form()] = "gravar",
    csrf_token: Annotated[str, Form()] = "",
) -> Response:
    """Put a value in force, or the default again. What is refused comes back beside its field."""
    visitor = await require_visitor(request)
    require_csrf(visitor, csrf_token)
    verbs = _verbs(request)
    try:
        if acao == "padrao":
            await verbs.unset(visitor.actor, chave)
        else:
            await verbs.set(visitor.actor, chave, _given(key_named(chave), valor, language_of(request)))
    except (InvalidInput, Conflict) as error:
        return await _page(request, visitor, Refused(chave, valor[:_TYPED_MAX], error))
    return RedirectResponse(f"{_HERE}?feito={quote(chave)}#chave-{quote(chave)}", 303)


@router.get("/configuracao/voltar/{revision}", include_in_schema=False)
async def ask(request: Request, revision: Revision, chave: str | None = None) -> Response:
    """Show what going back to a revision would change, before anybody does it."""
    return await _confirmation(request, await require_visitor(request), revision, chave or None)


@router.post("/configuracao/voltar/{revision}", include_in_schema=False)
async def roll_back(
    request: Request,
    revision: Revision,
    chave: Annotated[str, Form()] = "",
    visto: Annotated[str, Form()] = "",
    csrf_token: Annotated[str, Form()] = "",
) -> Response:
    """Go back to a revision, unless something was changed since its difference was shown."""
    visitor = await require_visitor(request)
    require_csrf(visitor, csrf_token)
    app: App = request.app.state.control
    verbs, name = _verbs(request), chave or None
    await app.access.require(visitor.actor, Right.CONFIG_MANAGE, object_type="configuration", object_id=name)
    try:
        if visto != str(await _newest(verbs, visitor)):
            raise Conflict(
                mark("A configuração mudou enquanto esta página estava aberta."),
                hint=mark("Confira a diferença de novo, abaixo, e confirme."),
            )
        await verbs.roll_back(visitor.actor, revision, name)
    except (InvalidInput, Conflict) as error:
        return await _confirmation(request, visitor, revision, name, error)
    return RedirectResponse(f"{_HERE}?feito=voltou", 303)


async def _page(request: Request, visitor: Visitor, refused: Refused | None = None) -> Response:
    verbs, query = _verbs(request), request.query_params
    name = query.get("chave") or None
    before = query.get("antes") or None
    settings = await verbs.list(visitor.actor)
    changes, cursor = await verbs.history(visitor.actor, name, before=before, limit=HISTORY_SIZE)
    may_manage = is_allowed(visitor.actor, Right.CONFIG_MANAGE)
    language = language_of(request)
    done = query.get("feito")
    context = {
        "fields": [_field(each, language, refused, may_manage=may_manage) for each in settings],
        "changes": changes,
        "newest": changes[0].revision if changes and before is None and name is None else None,
        "only": name,
        "before": before,
        "next_address": None if cursor is None else _address(name, cursor),
        "done": done if refused is None and (done in KEYS or done == "voltou") else None,
        "may_manage": may_manage,
    }
    status = 200 if refused is None else status_of(refused.error)
    return render(request, "configuration/show.html", context, status=status)


async def _confirmation(
    request: Request, visitor: Visitor, revision: int, name: str | None, error: ControlError | None = None
) -> Response:
    key = None if name is None else key_named(name)
    verbs = _verbs(request)
    # Asked first: what changes in between makes the confirmation ask again.
    newest = await _newest(verbs, visitor)
    found = await verbs.diff(visitor.actor, revision)
    context = {
        "revision": revision,
        "only": None if key is None else key.name,
        "differences": _returning(found, None if key is None else key.name),
        "newest": newest,
        "error": error,
    }
    return render(request, "configuration/roll_back.html", context, status=200 if error is None else status_of(error))


def _returning(found: Sequence[Difference], name: str | None) -> list[Difference]:
    """Turn what happened since a revision round: what going back to it would do, to the keys that it touches."""
    return [
        Difference(each.config_key, before=each.after, after=each.before)
        for each in found
        if (each.config_key in KEYS if name is None else each.config_key == name)
    ]


def _field(setting: Setting, language: str, refused: Refused | None, *, may_manage: bool) -> Field:
    key = KEYS.get(setting.config_key)
    description = setting.description
    if key is not None and language != DEFAULT:
        description = key.description_en
    is_refused = refused is not None and refused.name == setting.config_key
    is_secret = key is not None and key.type is ConfigType.CREDENTIALS
    typed = "" if is_secret else refused.typed if refused is not None and is_refused else _text(setting.value, language)
    return Field(
        setting=setting,
        key=key,
        description=description,
        typed=typed,
        error=refused.error if refused is not None and is_refused else None,
        may_change=may_manage and key is not None,
    )


def _text(value: Any, language: str) -> str:
    """Write a value as its field holds it."""
    if value is None or isinstance(value, bool):
        return "true" if value else "false" if value is False else ""
    text = str(value)
    return text.replace(".", ",") if isinstance(value, float) and language == DEFAULT else text


def _given(key: Key, text: str, language: str) -> str:
    """Read what somebody typed: a number with the separators of the language becomes one with a point alone."""
    plain = text.strip()
    if key.type is not ConfigType.THRESHOLD:
        return plain
    thousands, decimal = (".", ",") if language == DEFAULT else (",", ".")
    if re.fullmatch(rf"[0-9]{{1,3}}(?:\{thousands}[0-9]{{3}})+(?:\{decimal}[0-9]+)?", plain):
        plain = plain.replace(thousands, "")
    return plain.replace(decimal, ".")


async def _newest(verbs: Configurations, visitor: Visitor) -> int:
    changes: Sequence[Change]
    changes, _ = await verbs.history(visitor.actor, limit=1)
    return changes[0].revision if changes else 0


def _address(name: str | None, before: str) -> str:
    given = {"chave": name, "antes": before}
    return f"{_HERE}?{urlencode({word: value for word, value in given.items() if value})}#historico"


def _verbs(request: Request) -> Configurations:
    app: App = request.app.state.control
    return app.services.configurations
