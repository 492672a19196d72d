"""Every error of ours has its place in the table of the web, and every word of the pages its English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import omie_control.web
from omie_control import errors
from omie_control.errors import ControlError
from omie_control.web.faults import STATUS, body_of, status_of
from omie_control.web.words import STATUS_WORDS, translator

WEB = Path(omie_control.web.__file__).parent


def leaves(kind: type[ControlError] = ControlError) -> Iterator[type[ControlError]]:
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield below
            yield from leaves(below)


@pytest.mark.parametrize("kind", list(leaves()), ids=lambda kind: kind.__name__)
def test_an_error_has_a_status_of_its_own(kind: type[ControlError]) -> None:
    assert kind in STATUS
    assert status_of(kind()) == STATUS[kind]
    assert body_of(kind())["error"]


def words() -> set[str]:
    found = set(STATUS_WORDS.values())
    for template in (WEB / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        found |= {second or first for first, second in re.findall(r"""_\((?:"([^"]+)"|'([^']+)')""", text)}
    for module in WEB.rglob("*.py"):
        found |= set(re.findall(r'mark\(\s*"([^"]+)"', module.read_text(encoding="utf-8")))
    return found - {""}


def test_every_word_of_the_pages_has_its_english() -> None:
    english = translator("en")
    same_in_both = {"HTTP"}
    assert {word for word in words() if english(word) == word} == same_in_both
