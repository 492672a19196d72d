"""The simulated Omie asked behind the tools' backs: what it would answer, and what the last write left in it."""

from __future__ import annotations

from typing import Any

from tests.tool_stories import House

from omie_control.omie.catalog import catalog
from omie_control.simulator.book import Entry
from omie_control.simulator.engine.projection import flat
from omie_control.simulator.families import handlers
from omie_control.simulator.world import Desk, Record


def answers(house: House, endpoint: str, **param: Any) -> Record:
    """Return what Omie would answer to a read; nothing is written in its book."""
    company = house.omie.simulator.companies[house.app_key]
    desk = Desk(company, house.omie.simulator.clock.now(), Entry(0, "", house.app_key, endpoint))
    return handlers()[endpoint](desk, param)


def rows(house: House, endpoint: str, **param: Any) -> list[Record]:
    """Return the rows of the page that Omie would answer."""
    path, _, call = endpoint.rpartition("/")
    return catalog().method(f"{path}/", call).rows(answers(house, endpoint, **param))


def last_written(house: House) -> tuple[Record, list[Record]]:
    """Return what the last write left behind: its plain values, and the rows of the lists in it."""
    effect = house.asked[-1]["effects"][0]
    record = house.row(effect["table"], effect["id"]).record
    lists = [row for value in record.values() if isinstance(value, list) for row in value]
    return flat(record), lists
