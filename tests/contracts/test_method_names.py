"""No method name outside the catalogue can exist: every string of the package that looks like one is one."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import omie_control
from omie_control.omie.catalog import catalog

_PACKAGE = Path(omie_control.__file__).parent
_CALLS = {method.call for method in catalog().methods}
_ENDPOINTS = {method.endpoint for method in catalog().methods}
_VERBS = "|".join(sorted({re.match(r"[A-Z][a-z]+", call).group() for call in _CALLS}))  # type: ignore[union-attr]
# A call as Omie writes them: a verb of the catalogue and at least one more word, nothing else around.
_LOOKS_LIKE_A_CALL = re.compile(rf"(?:{_VERBS})(?:[A-Z][A-Za-z]*)+")
_LOOKS_LIKE_AN_ENDPOINT = re.compile(r"(?:geral|produtos|crm|servicos|financas|estoque|contador)/[a-z0-9-]+/[A-Z]\w+")


def _strings() -> Iterator[tuple[str, str]]:
    """Give every string of the code with its place; beginnings that a call's name is compared with are no names."""
    for path in sorted(_PACKAGE.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        beginnings = {
            id(argument)
            for node in nodes
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if node.func.attr in ("startswith", "removeprefix")
            for argument in node.args
        }
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in beginnings:
                yield f"{path.relative_to(_PACKAGE)}:{node.lineno}", node.value


def test_every_name_in_the_code_is_in_the_catalogue() -> None:
    seen = 0
    for place, text in _strings():
        if _LOOKS_LIKE_A_CALL.fullmatch(text):
            seen += 1
            assert text in _CALLS, f"{place}: no method of Omie is called {text}"
        for endpoint in _LOOKS_LIKE_AN_ENDPOINT.findall(text):
            assert endpoint in _ENDPOINTS, f"{place}: Omie has no {endpoint}"
    assert seen > 20, "the scan found next to nothing, so it proves nothing"


def test_service_and_call_written_together_belong_together() -> None:
    """`("geral/clientes/", "ListarClientes")`, in whatever call or tuple the two stand side by side."""
    seen = 0
    for path in sorted(_PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Tuple | ast.Call):
                continue
            parts = node.elts if isinstance(node, ast.Tuple) else node.args
            texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            for service, call in itertools.pairwise(texts):
                if service in catalog().services and _LOOKS_LIKE_A_CALL.fullmatch(call):
                    seen += 1
                    assert service + call in _ENDPOINTS, f"{path.relative_to(_PACKAGE)}:{node.lineno}"
    assert seen > 5, "the scan found next to nothing, so it proves nothing"
