"""Every error of ours has its place in the table of the web, and every word of the pages its English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import omie_control.services
import omie_control.web
from omie_control import errors
from omie_control.errors import ControlError
from omie_control.services.system import Degraded, SystemState
from omie_control.web.faults import STATUS, body_of, status_of
from omie_control.web.standing import view
from omie_control.web.words import STATUS_WORDS, translator

WEB = Path(omie_control.web.__file__).parent
SERVICES = Path(omie_control.services.__file__).parent
# The verbs that pages call: what they refuse is read there.
BEHIND_PAGES = (
    "attempts",
    "bodies",
    "configuration",
    "executions",
    "identity_logins",
    "invitations",
    "logins",
    "second_factors",
    "users",
)


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


def degraded() -> list[tuple[str, str]]:
    """Give every mode that is not normal, and what it means, as the system's state says them."""
    source = (SERVICES / "system.py").read_text(encoding="utf-8")
    meanings = re.findall(r'(?:meaning = |Degraded\("\w+", [\w.]+, )"([^"]+)"', source)
    modes = re.findall(r'Degraded\("(\w+)"', source)
    assert len(modes) > 3
    return list(zip(modes, meanings, strict=True))


@pytest.mark.parametrize(("mode", "meaning"), degraded())
def test_every_mode_that_is_not_normal_has_words_on_the_page(mode: str, meaning: str) -> None:
    state = SystemState("0", datetime.now(UTC), is_ready=True, recorder_depth=0, active_sessions=0, database=None)
    [trouble] = view(replace(state, degraded=[Degraded(mode, None, meaning)])).troubles
    english = translator("en")
    assert trouble.mode != mode
    assert english(trouble.mode) != trouble.mode
    assert english(trouble.effect) != trouble.effect


def refusals() -> Iterator[str]:
    """Give what errors say by themselves, and the whole texts that the verbs behind pages give them."""
    for kind in (ControlError, *leaves()):
        yield from ((kind.__doc__ or "").strip(), kind.hint)
    names = {kind.__name__ for kind in leaves()}
    for verb in BEHIND_PAGES:
        for node in ast.walk(ast.parse((SERVICES / f"{verb}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                said = [*node.args, *(each.value for each in node.keywords if each.arg == "hint")]
                yield from (
                    each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )


def test_what_a_page_refuses_is_refused_in_english_too() -> None:
    english = translator("en")
    found = set(refusals())
    assert len(found) > 50
    assert sorted(text for text in found if english(text) == text) == []
