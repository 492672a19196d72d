"""Every action that a verb writes into the audit is listed with its meaning, and every action listed is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import omie_control
from omie_control.domain.access import Right
from omie_control.domain.audit_actions import ACTIONS

PACKAGE = Path(omie_control.__file__).parent
_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")


def written() -> Iterator[tuple[str, str]]:
    """Each action that a module which writes the audit hands to a call, with the module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        writes = any(
            isinstance(node, ast.ImportFrom)
            and (
                node.module == "omie_control.services.audit_samples"
                or (node.module == "omie_control.services" and any(alias.name == "audit" for alias in node.names))
            )
            for node in ast.walk(tree)
        )
        for node in ast.walk(tree) if writes else ():
            for argument in node.args if isinstance(node, ast.Call) else ():
                text = argument.value if isinstance(argument, ast.Constant) else None
                if isinstance(text, str) and _ACTION.fullmatch(text):
                    yield text, path.name


def test_every_action_that_is_written_is_listed() -> None:
    unknown = sorted(f"{action} ({where})" for action, where in written() if action not in ACTIONS)
    assert unknown == [], "list it in domain/audit_actions.py, then run `make docs`"


def test_every_action_that_is_listed_is_written() -> None:
    assert sorted(ACTIONS.keys() - {action for action, _ in written()}) == []


def test_no_action_bears_the_name_of_a_right() -> None:
    assert {right.value for right in Right} & ACTIONS.keys() == set()
