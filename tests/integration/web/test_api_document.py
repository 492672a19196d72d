"""The API holds to its own OpenAPI document, whatever is sent: only declared statuses, only declared shapes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from tests.integration.web.conftest import PATIENCE_SECONDS, SYSTEM, House

from omie_control.domain.actors import Role
from omie_control.domain.configuration import KEYS
from omie_control.domain.executions import Status
from omie_control.services.pace import Pace
from omie_control.web.api.routes import described

DOCUMENT = described()
REQUESTS = 40

TEXTS = st.text(max_size=40) | st.sampled_from(
    [*KEYS, *Status, "0", "1", "-1", "2026-11-23T12:00:00Z", "\x00", "%", ""]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "revision", "key"]), inner),
    max_leaves=6,
)


@dataclass(frozen=True)
class Operation:
    """One method of one path, as the document declares it."""

    method: str
    path: str
    declared: dict[str, Any]

    def names(self, place: str) -> list[str]:
        """Name its parameters in the path or the query."""
        return [each["name"] for each in self.declared.get("parameters", []) if each["in"] == place]

    def schema(self, answer: httpx2.Response) -> dict[str, Any]:
        """Return what an answer has to look like; fails for a status or a media type that is not declared."""
        responses = self.declared["responses"]
        assert str(answer.status_code) in responses, (self.method, self.path, answer.status_code, answer.text)
        content = responses[str(answer.status_code)]["content"]
        return {**content[answer.headers["content-type"]]["schema"], "components": DOCUMENT["components"]}


def operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, declared in methods.items():
            yield Operation(method.upper(), path, declared)


@pytest.mark.parametrize("operation", list(operations()), ids=lambda each: f"{each.method} {each.path}")
@pytest.mark.asyncio(loop_scope="session")
# The house in this process throws dice of its own while values are drawn.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_whatever_is_sent_the_answer_is_a_declared_one(house: House, operation: Operation) -> None:
    house.app.services.token_pace.pace = Pace(lambda: 1e6)
    _, token = await house.app.tokens.create(SYSTEM, "qualquer", Role.ADMIN)
    loop = asyncio.get_running_loop()
    seen: list[int] = []

    client = httpx2.AsyncClient(
        base_url=house.url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS
    )

    async def ask(url: str, query: dict[str, str], body: Any) -> None:
        sent = {"json": body} if operation.method in ("PUT", "POST") else {}
        answer = await client.request(operation.method, url, params=query, **sent)
        Draft202012Validator(operation.schema(answer)).validate(answer.json())
        seen.append(answer.status_code)

    @settings(
        max_examples=REQUESTS, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(data=st.data())
    def whatever(data: st.DataObject) -> None:
        path = {name: data.draw(TEXTS.filter(_is_one_segment)) for name in operation.names("path")}
        query = {name: data.draw(TEXTS) for name in operation.names("query") if data.draw(st.booleans())}
        body = data.draw(JSON.filter(_is_sendable))
        url = operation.path.format(**{name: quote(value, safe="") for name, value in path.items()})
        asyncio.run_coroutine_threadsafe(ask(url, query, body), loop).result(2 * PATIENCE_SECONDS)

    async with client:
        await asyncio.to_thread(whatever)
        for key in KEYS:
            assert (await client.delete(f"/api/v1/config/{key}")).status_code == 200
    assert len(seen) >= REQUESTS // 2
    assert 500 not in seen


def _is_one_segment(text: str) -> bool:
    # Others are other addresses: no text, two segments, or one that every client resolves away.
    return text not in ("", ".", "..", "history", "diff", "rollback") and "/" not in text


def _is_sendable(value: Any) -> bool:
    # A client refuses to write these as JSON; by hand they are sent in `test_api.py`.
    try:
        httpx2.Request("PUT", "http://x", json=value)
    except (ValueError, UnicodeEncodeError):
        return False
    return True
