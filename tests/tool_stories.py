"""Stories of tools: for each a good, an empty, a wrong and a failing call, through the real server to a simulated Omie.

A family's file declares its stories in a table and tells them all with one test:

    STORIES = (Story("consultar_contas_pagar", good=Case(…), empty=Case(…), wrong=Case(…), failing=Case(…)),)

    @pytest.mark.parametrize(("tool", "case"), told(STORIES))
    async def test_story(house: House, tool: str, case: Case) -> None:
        await house.tell(tool, case)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest
from fastmcp import Client
from tests.fixtures_omie import OmieServer

from omie_control.simulator.faults import read_plan
from omie_control.simulator.world import Row, Table

Arguments = Mapping[str, Any]
KINDS = ("good", "empty", "wrong", "failing")


@dataclass(frozen=True, slots=True)
class Told:
    """What a tool answered: `data` is its structured content, `text` what a model reads. Errors have no data."""

    data: dict[str, Any]
    text: str
    is_error: bool


@dataclass(frozen=True)
class Case:
    """One call and what must come of it.

    `arguments` may be a function of the house (also async) that prepares what the call needs. `has` must be in the
    answer, `says` in its text, `then` looks at the simulator's tables. A call `is_refused` when it ends in an error;
    `move` is what the simulator does instead of answering.
    """

    arguments: Arguments | Callable[[House], Any] = field(default_factory=dict)
    has: Mapping[str, Any] = field(default_factory=dict)
    says: str | tuple[str, ...] = ()
    then: Callable[[House, Told], None] | None = None
    is_refused: bool = False
    move: str = "500"
    kind: str = "good"


@dataclass(frozen=True)
class Story:
    """A tool and its four calls.

    `good`: it did what it is for. `empty`: there is nothing there (no rows, no such record, nothing to do).
    `wrong`: refused before anything left. `failing`: Omie broke; the text says what to do, nothing is invented.
    """

    tool: str
    good: Case
    empty: Case
    wrong: Case
    failing: Case

    def cases(self) -> Iterable[Case]:
        """Give the four cases, each knowing which it is."""
        return (replace(getattr(self, kind), kind=kind) for kind in KINDS)


def told(stories: Iterable[Story]) -> list[Any]:
    """List the cases of stories as parameters of a test."""
    return [
        pytest.param(story.tool, case, id=f"{story.tool}-{case.kind}") for story in stories for case in story.cases()
    ]


@dataclass
class House:
    """A company of this test's own in a running system, seen from its agent and from inside the simulated Omie."""

    client: Client[Any]
    omie: OmieServer
    slug: str
    app_key: str

    async def call(self, tool: str, **arguments: Any) -> Told:
        """Call a tool for the company."""
        result = await self.client.call_tool(tool, {"empresa": self.slug, **arguments}, raise_on_error=False)
        text = "\n".join(block.text for block in result.content if block.type == "text")
        return Told(dict(result.structured_content or {}), text, bool(result.is_error))

    def table(self, noun: str) -> Table:
        """Return a table of the company in the simulator."""
        return self.omie.simulator.companies[self.app_key].table(noun)

    def row(self, noun: str, id: int) -> Row:
        """Return a row of a table that must be there."""
        row = self.table(noun).get(id)
        assert row is not None, f"{noun} has no {id}"
        return row

    def first(self, noun: str, **fields: Any) -> Row:
        """Return the first row of a table with these fields."""
        return next(row for row in self.table(noun) if fields.items() <= row.record.items())

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Return what the simulated Omie was asked for this company, with every effect."""
        entries = self.omie.simulator.book.entries
        return [asdict(entry) for entry in entries if entry.app_key == self.app_key]

    async def tell(self, tool: str, case: Case) -> None:
        """Make the call of a case, and check what its kind and the case promise."""
        arguments = case.arguments(self) if callable(case.arguments) else case.arguments
        arguments = await arguments if inspect.isawaitable(arguments) else arguments
        before = self.asked
        if case.kind == "failing":
            plan = {"match": {"app_key": self.app_key}, "move": case.move, "times": None}
            self.omie.simulator.faults.add([read_plan(plan)])
        answered = await self.call(tool, **arguments)
        after = self.asked
        must_fail = case.is_refused or case.kind in ("wrong", "failing")
        assert answered.is_error is must_fail, answered.text
        for said in (case.says,) if isinstance(case.says, str) else case.says:
            assert said in answered.text, answered.text
        if must_fail:
            assert "O que fazer:" in answered.text
            assert "execution_id: " in answered.text
        if case.kind == "wrong":
            assert after == before, "something left although the input was wrong"
            assert case.says, "a wrong call names what is wrong"
        if case.kind == "failing":
            assert len(after) > len(before), "Omie was not asked, so it cannot have failed"
        if not must_fail:
            assert answered.data["empresa"] == self.slug
            assert answered.data["execution_id"]
        held = {name: answered.data.get(name) for name in case.has}
        assert held == dict(case.has), answered.data
        if case.kind == "good":
            assert case.has or case.then, "a good call is judged by what came of it"
        if case.then is not None:
            case.then(self, answered)
