"""The simulated Omie as an ASGI app: `POST /api/v1/<service>/`, and its own book and controls under `/_sim/`."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from random import Random
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.book import Book, Entry
from omie_control.simulator.clock import Clock
from omie_control.simulator.envelope import Refusal, Request, answer, answer_refusal, read_request
from omie_control.simulator.families import handlers
from omie_control.simulator.faults import BadPlan, FaultPlans, Plan, read_plan
from omie_control.simulator.moves import perform, spoil
from omie_control.simulator.rules import Limits, Rules
from omie_control.simulator.seed import DEMO_COMPANIES, DemoCompany, found
from omie_control.simulator.validation import accept
from omie_control.simulator.webhooks import PERSON, PROGRAM, BadSubscription, Webhooks
from omie_control.simulator.world import Company, Desk

_BODY_MAX = 16 * 1024 * 1024


class Simulator:
    """One simulated Omie: its world, book, limits and faults to come."""

    def __init__(
        self,
        *,
        seed: int = 1,
        companies: Sequence[DemoCompany] = DEMO_COMPANIES,
        limits: Limits | None = None,
        latency_ms: tuple[float, float] = (20.0, 120.0),
        time_scale: float = 1.0,
        began_at: datetime | None = None,
    ) -> None:
        self._seed = seed
        self._demos = companies
        self._limits = limits or Limits()
        self._latency_ms = latency_ms
        # Latency is drawn from it, nothing that anybody should not guess.
        self._random = Random(seed)  # noqa: S311
        self.clock = Clock(time_scale, began_at)
        self.faults = FaultPlans()
        self.webhooks = Webhooks(self.clock)
        self.reset()

    def reset(self) -> None:
        """Go back to the beginning: seeded records, empty book, no limit used, no fault to come."""
        self.book = Book()
        self.rules = Rules(self._limits, self.clock, self.book)
        founded = found(self._demos, self._seed, self.clock.now())
        self.companies: dict[str, Company] = {each.app_key: each for each in founded}
        self.faults.clear()
        self.webhooks.clear()

    async def serve(self, request: Request, http: HttpRequest) -> Response:
        """Answer one call, and write it in the book whatever happens."""
        method = _method_of(request)
        entry = self.book.open(
            self.clock.now(), request.app_key, request.endpoint, writes=method is not None and method.writes
        )
        try:
            response = await self._judge(request, method, entry, http)
        except Refusal as refusal:
            self.rules.failed(request)
            entry.fault_code, entry.fault_text = refusal.code, refusal.text
            response = answer_refusal(refusal)
        entry.status = response.status_code
        entry.outcome = "fault" if entry.fault_text else entry.move or "ok"
        return response

    async def _judge(self, request: Request, method: Method | None, entry: Entry, http: HttpRequest) -> Response:
        company = self._company(request)
        if method is None:
            raise Refusal("Server", f"Method {request.call} not exists")
        digest = _digest(request.param)
        plan = self.faults.take(request)
        with self.rules.admit(request, digest, writes=method.writes) as running:
            await self._delay(plan)
            if plan is None:
                data = self._execute(request, method, company, entry, digest)
                await self._delay(None)
                self.rules.succeeded(request)
                return answer(data, running=running)
            entry.move = plan.move
            return await self._fail(plan, request, method, company, entry, digest, http)

    async def _fail(
        self,
        plan: Plan,
        request: Request,
        method: Method,
        company: Company,
        entry: Entry,
        digest: str,
        http: HttpRequest,
    ) -> Response:
        if not plan.executes:
            return await perform(plan, self.clock, self.rules, request, http)
        good = answer(self._execute(request, method, company, entry, digest))
        return await spoil(plan, good, self.clock, self.rules, request, http)

    def _execute(self, request: Request, method: Method, company: Company, entry: Entry, digest: str) -> dict[str, Any]:
        """Do what the call asks; synchronous, so that nothing comes between reading and writing."""
        param = accept(method, request.param)
        data = handlers()[method.endpoint](Desk(company, self.clock.now(), entry), param)
        entry.is_executed = True
        self.rules.executed(request, digest)
        self.webhooks.tell(company, entry.effects, PROGRAM)
        return data

    def by_a_person(self, app_key: str, method: Method, param: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a person does in Omie itself: no limit counts it, and it is an event as any write. Raises Refusal."""
        company = self.companies[app_key]
        entry = self.book.open(self.clock.now(), app_key, method.endpoint, writes=method.writes)
        entry.move = entry.outcome = "person"
        data = handlers()[method.endpoint](Desk(company, self.clock.now(), entry), accept(method, dict(param)))
        entry.is_executed = True
        self.webhooks.tell(company, entry.effects, PERSON)
        return data

    def _company(self, request: Request) -> Company:
        company = self.companies.get(request.app_key)
        if not request.app_key or not request.app_secret:
            raise Refusal("Server", "A chave de acesso não está preenchida ou não é válida.", 403)
        if company is None or company.app_secret != request.app_secret:
            raise Refusal("Server", "A chave de acesso está inválida ou o aplicativo está suspenso", 403)
        return company

    async def _delay(self, plan: Plan | None) -> None:
        low, high = self._latency_ms
        await self.clock.sleep(self._random.uniform(low, high) / 2000 + (plan.delay if plan is not None else 0.0))


def build_simulator(
    *,
    seed: int = 1,
    companies: Sequence[DemoCompany] = DEMO_COMPANIES,
    limits: Limits | None = None,
    latency_ms: tuple[float, float] = (20.0, 120.0),
    time_scale: float = 1.0,
    began_at: datetime | None = None,
) -> Starlette:
    """Return the app; its `state.simulator` is the handle for tests.

    `latency_ms` is the range of a call's own time. On a `time_scale` of 60 a minute's limit lasts a second. `began_at`
    is the instant at which its clock starts, now unless given.
    """
    simulator = Simulator(
        seed=seed,
        companies=companies,
        limits=limits,
        latency_ms=latency_ms,
        time_scale=time_scale,
        began_at=began_at,
    )
    routes = [
        Route("/api/v1/{service:path}", _call, methods=["POST"]),
        Route("/api/v1/{service:path}", _describe, methods=["GET"]),
        Route("/_sim/book", _book, methods=["GET"]),
        Route("/_sim/violations", _violations, methods=["GET"]),
        Route("/_sim/faults", _plan_faults, methods=["POST"]),
        Route("/_sim/webhooks", _webhooks, methods=["GET"]),
        Route("/_sim/webhooks", _set_up_webhook, methods=["POST"]),
        Route("/_sim/person", _act_as_a_person, methods=["POST"]),
        Route("/_sim/reset", _reset, methods=["POST"]),
    ]
    app = Starlette(routes=routes)
    app.state.simulator = simulator
    return app


def _simulator(http: HttpRequest) -> Simulator:
    simulator = http.app.state.simulator
    assert isinstance(simulator, Simulator)
    return simulator


async def _call(http: HttpRequest) -> Response:
    service = http.path_params["service"]
    if service not in catalog().services:
        return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", 404)
    body = bytearray()
    try:
        async for chunk in http.stream():
            body += chunk
            if len(body) > _BODY_MAX:
                return HTMLResponse("<html><body><h1>413 Request Entity Too Large</h1></body></html>", 413)
    except ClientDisconnect:
        # Half a request executes nothing, and nobody is left to be told.
        return Response(status_code=400)
    try:
        request = read_request(service, bytes(body), http.client.host if http.client else "")
    except Refusal as refusal:
        return answer_refusal(refusal)
    return await _simulator(http).serve(request, http)


async def _describe(http: HttpRequest) -> Response:
    """Omie serves a page of documentation on a GET; ours names the methods."""
    service = catalog().services.get(http.path_params["service"])
    if service is None:
        return HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", 404)
    calls = "".join(f"<li>{method.call}</li>" for method in catalog().methods if method.service is service)
    title = html.escape(service.title)
    return HTMLResponse(
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><ul>{calls}</ul></body></html>"
    )


async def _book(http: HttpRequest) -> Response:
    return JSONResponse(_simulator(http).book.as_json())


async def _violations(http: HttpRequest) -> Response:
    return JSONResponse(_simulator(http).book.violations_as_json())


async def _plan_faults(http: HttpRequest) -> Response:
    try:
        raw = await http.json()
        plans = [read_plan(each) for each in (raw if isinstance(raw, list) else [raw])]
    except (BadPlan, ValueError, TypeError) as exc:
        return JSONResponse({"error": str(exc)}, 422)
    _simulator(http).faults.add(plans)
    return JSONResponse({"planned": len(plans)})


async def _webhooks(http: HttpRequest) -> Response:
    return JSONResponse(_simulator(http).webhooks.as_json())


async def _set_up_webhook(http: HttpRequest) -> Response:
    """Take `{"app_key", "url", "duplicates": 0}`; a null url takes the address away."""
    simulator = _simulator(http)
    try:
        asked = await http.json()
        app_key, url, duplicates = str(asked["app_key"]), asked["url"], int(asked.get("duplicates", 0))
        if app_key not in simulator.companies:
            return JSONResponse({"error": "no such app_key"}, 404)
        if url is None:
            simulator.webhooks.unsubscribe(app_key)
            return JSONResponse({"ping": None})
        return JSONResponse({"ping": await simulator.webhooks.subscribe(app_key, str(url), duplicates)})
    except (BadSubscription, ValueError, TypeError, KeyError, AttributeError) as exc:
        return JSONResponse({"error": f"{type(exc).__name__}: {exc}"}, 422)


async def _act_as_a_person(http: HttpRequest) -> Response:
    """Take `{"app_key", "endpoint": "geral/clientes/AlterarCliente", "param": {…}}`."""
    simulator = _simulator(http)
    try:
        asked = await http.json()
        method, app_key = _methods().get(asked["endpoint"]), asked["app_key"]
        if method is None or app_key not in simulator.companies:
            return JSONResponse({"error": "no such endpoint or app_key"}, 404)
        return JSONResponse(simulator.by_a_person(app_key, method, asked.get("param", {})))
    except Refusal as refusal:
        return answer_refusal(refusal)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        return JSONResponse({"error": f"{type(exc).__name__}: {exc}"}, 422)


async def _reset(http: HttpRequest) -> Response:
    _simulator(http).reset()
    return JSONResponse({"reset": True})


def _method_of(request: Request) -> Method | None:
    return _methods().get(request.endpoint)


@cache
def _methods() -> Mapping[str, Method]:
    return {method.endpoint: method for method in catalog().methods}


def _digest(param: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(param, sort_keys=True).encode()).hexdigest()
