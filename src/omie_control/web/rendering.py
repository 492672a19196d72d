"""Templates, and how instants, spans and numbers look to people. Escaping is always on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.routing import Match

from omie_control import __version__
from omie_control.domain.access import Right, is_allowed
from omie_control.domain.executions import Status
from omie_control.web.browsers import browser
from omie_control.web.words import DEFAULT, KIND_WORDS, LANGUAGES, STATUS_WORDS, translator

if TYPE_CHECKING:
    from omie_control.app import App
    from omie_control.web.auth import Visitor

LANGUAGE_COOKIE = "omie_control_idioma"
# How a moment is written: in Portuguese, elsewhere.
_INSTANT = ("dd/MM/yyyy HH:mm:ss", "d MMM yyyy HH:mm:ss")
_DAY = ("dd/MM HH:mm", "d MMM HH:mm")
_DATE = ("dd/MM/yyyy", "d MMM yyyy")
_SECOND_MS = 1_000
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000


def language_of(request: Request) -> str:
    """Return the language the visitor switched to; Portuguese unless they did."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, DEFAULT)
    return chosen if chosen in LANGUAGES else DEFAULT


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Render a page or a partial for this request."""
    app: App = request.app.state.control
    language = language_of(request)
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    shared = {
        "request": request,
        "here": here(request),
        "visitor": visitor,
        "language": language,
        "languages": LANGUAGES,
        "version": __version__,
        "now": datetime.now(UTC),
        "may": lambda right: visitor is not None and is_allowed(visitor.actor, Right(right)),
    }
    text = _environment(language, app.settings.tz).get_template(template).render({**shared, **(context or {})})
    return HTMLResponse(text, status, dict(headers or {}) | {"Vary": "Cookie, HX-Request"})


def here(request: Request) -> str:
    """Return the address of the page that is shown: after a form, of the page that the form stands on."""
    # Before the login an address repeats nothing of what somebody put into it.
    is_in = getattr(request.state, "visitor", None) is not None
    return f"{page_of(request)}?{request.url.query}" if is_in and has_query(request) else page_of(request)


def page_of(request: Request) -> str:
    """Return the path of the page that is asked for: of a form, of the page that it stands on."""
    path = request.url.path
    while request.method != "GET" and len(path) > 1 and not _is_page(request, path):
        path = path.rpartition("/")[0]
    return path or "/"


def has_query(request: Request) -> bool:
    """Say whether the address of a page says more than its path; what a form's address says is not the page's."""
    return request.method == "GET" and bool(request.url.query)


def _is_page(request: Request, path: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


@cache
def _environment(language: str, timezone: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("omie_control.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translate = translator(language)
    environment.install_gettext_callables(translate, lambda one, many, count: translate(many), newstyle=True)  # type: ignore[attr-defined]
    zone = ZoneInfo(timezone)
    environment.filters.update(
        instant=lambda moment: _written(moment.astimezone(zone), _INSTANT, language),
        clock=lambda moment: clock(moment, datetime.now(UTC), zone, language),
        iso=lambda moment: moment.astimezone(UTC).isoformat(timespec="milliseconds"),
        duration=lambda ms: duration(ms, language),
        age=age,
        number=lambda value: number(value, language),
        status_word=lambda status: translate(STATUS_WORDS[Status(status)]),
        kind_word=lambda kind: translate(KIND_WORDS.get(kind, kind)),
        browser=browser,
        size=lambda value: size(value, language),
        # `_()` reads a per cent sign as a place to fill; a text that is only translated goes through here.
        translated=translate,
    )
    environment.globals["asset"] = _asset
    return environment


def duration(milliseconds: float | None, language: str = DEFAULT) -> str:
    """Say a span in its natural unit."""
    if milliseconds is None:
        return "—"
    if milliseconds < _SECOND_MS:
        return f"{round(milliseconds)} ms"
    if milliseconds < _MINUTE_MS:
        return f"{number(round(milliseconds / _SECOND_MS, 2), language)} s"
    minutes, seconds = divmod(round(milliseconds / _SECOND_MS), 60)
    if milliseconds < _HOUR_MS:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def age(span: timedelta) -> str:
    """Say how long something has lasted, in whole seconds, as the page's script will go on counting."""
    seconds = max(0, int(span.total_seconds()))
    minutes, seconds = divmod(seconds, 60)
    if minutes == 0:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def number(value: float, language: str = DEFAULT) -> str:
    """Write a number with the separators of the language."""
    return str(format_decimal(value, locale=language.replace("-", "_")))


def size(value: int | None, language: str = DEFAULT) -> str:
    """Say a size in bytes, kB or MB."""
    if value is None:
        return "—"
    if value < 1_000:
        return f"{value} B"
    if value < 1_000_000:
        return f"{number(round(value / 1_000, 1), language)} kB"
    return f"{number(round(value / 1_000_000, 1), language)} MB"


def clock(moment: datetime, now: datetime, zone: ZoneInfo, language: str = DEFAULT) -> str:
    """Say when something was, as shortly as can be: today's hour, this year's day, or the whole date."""
    there, today = moment.astimezone(zone), now.astimezone(zone)
    if there.date() == today.date():
        return f"{there:%H:%M:%S}"
    return _written(there, _DAY if there.year == today.year else _DATE, language)


def _written(moment: datetime, forms: tuple[str, str], language: str) -> str:
    # The order of day and month differs among those who read English, so that a month is a word there.
    form = forms[0] if language == DEFAULT else forms[1]
    return str(format_datetime(moment, form, locale=language.replace("-", "_")))


@cache
def _asset(path: str) -> str:
    """Return the address of a static file; it changes with what is in it, so that it may be kept for a year."""
    file = files("omie_control.web").joinpath("static", path)
    mark = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "0"
    return f"/static/{path}?v={__version__}-{mark}"
