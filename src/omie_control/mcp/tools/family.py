"""A family: the tools of one noun. A tool is a function from checked parameters to the fields that Omie gets.

    family = Family(Category.FINANCEIRO)

    @family.lists("Consultar contas a pagar", Complexity.AVANCADA, CONTAS, "Lista …. Depois chame …")
    def consultar_contas_pagar(*, status: Status = None) -> Fields:
        return {"filtrar_por_status": status}

    register = family.register

The family adds what every tool has: `empresa`; paging on lists; `chave_idempotencia` and, where wanted,
`outros_campos` on writes; hints, category, complexity, the schema of the answer, a word when Omie retires the method.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict, TypeVar, Unpack, get_type_hints

from fastmcp import FastMCP
from fastmcp.tools import ToolResult

from omie_control.app import App
from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.hints import Hints, offer, reads_omie, writes_omie
from omie_control.mcp.tools.omie import Asked, Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import Chave, Empresa, OutrosCampos, Pagina, RegistrosPorPagina
from omie_control.mcp.tools.wire import Fields

Answering = Callable[[Omie, dict[str, Any]], Awaitable[ToolResult]]
FieldsOf = TypeVar("FieldsOf", bound=Callable[..., Fields])
Asking = TypeVar("Asking", bound=Callable[..., Awaitable[ToolResult]])
Function = TypeVar("Function", bound=Callable[..., Any])
_RETIRED = " Atenção: o Omie marcou este método como obsoleto e pode retirá-lo."
_EMPRESA: dict[str, tuple[Any, Any]] = {"empresa": (Empresa, None)}
_PAGING: dict[str, tuple[Any, Any]] = {"pagina": (Pagina, 1), "registros_por_pagina": (RegistrosPorPagina, 50)}
_OTHERS: dict[str, tuple[Any, Any]] = {"outros_campos": (OutrosCampos, None)}
_KEY: dict[str, tuple[Any, Any]] = {"chave_idempotencia": (Chave, None)}


class More(TypedDict, total=False):
    """What any declaration may say besides: further names of the tool, another category than the family's."""

    also: tuple[str, ...]
    category: Category


class MoreOfWrite(More):
    """What the declaration of a write says besides. `destructive`: what was there is lost."""

    destructive: Required[bool]
    idempotent: Required[bool]


@dataclass(frozen=True, slots=True)
class Curated:
    """A tool as it is declared: under which names, with which parameters beside the function's own."""

    names: tuple[str, ...]
    function: Callable[..., Any]
    added: Mapping[str, tuple[Any, Any]]
    hints: Hints
    description: str
    output: dict[str, Any]
    run: Answering
    asks: tuple[Asked, ...] = ()


@dataclass
class Family:
    """Collects the tools of one noun, and registers them on a server."""

    category: Category
    tools: list[Curated] = field(default_factory=list)

    def lists(
        self, title: str, complexity: Complexity, listing: Listing, description: str, **more: Unpack[More]
    ) -> Callable[[FieldsOf], FieldsOf]:
        """Declare a tool that answers one page of a list; the function returns its filters."""

        def running(function: FieldsOf) -> Answering:
            async def run(omie: Omie, arguments: dict[str, Any]) -> ToolResult:
                number, size = arguments.pop("pagina"), arguments.pop("registros_por_pagina")
                return await omie.page_answer(listing, function(**arguments), number, size)

            return run

        hints = self._reads(title, complexity, more)
        return self._declaring(running, _PAGING | _EMPRESA, hints, description, listing.schema, (listing,), more)

    def gets(
        self, title: str, complexity: Complexity, reading: Reading, description: str, **more: Unpack[More]
    ) -> Callable[[FieldsOf], FieldsOf]:
        """Declare a tool that answers one record; the function returns what names it."""

        def running(function: FieldsOf) -> Answering:
            async def run(omie: Omie, arguments: dict[str, Any]) -> ToolResult:
                return await omie.record_answer(reading, function(**arguments))

            return run

        hints = self._reads(title, complexity, more)
        return self._declaring(running, _EMPRESA, hints, description, reading.schema, (reading,), more)

    def writes(
        self, title: str, complexity: Complexity, writing: Writing, description: str, **more: Unpack[MoreOfWrite]
    ) -> Callable[[FieldsOf], FieldsOf]:
        """Declare a tool that writes once; the function returns the fields."""

        def running(function: FieldsOf) -> Answering:
            async def run(omie: Omie, arguments: dict[str, Any]) -> ToolResult:
                key, others = arguments.pop("chave_idempotencia"), arguments.pop("outros_campos", None)
                return await omie.write_answer(writing, function(**arguments), key, others)

            return run

        added = (_OTHERS if writing.has_other_fields else {}) | _KEY | _EMPRESA
        hints = self._writes(title, complexity, more)
        return self._declaring(running, added, hints, description, writing.schema, (writing,), more)

    def asks(
        self,
        title: str,
        complexity: Complexity,
        output: dict[str, Any],
        description: str,
        *methods: Asked,
        may_write: bool = False,
        **more: Unpack[More],
    ) -> Callable[[Asking], Asking]:
        """Declare a reading tool that answers by itself: an async function whose first parameter is the `Omie`.

        `may_write`: some of its calls write; `traits.varying` below says which.
        """
        hints = self._reads(title, complexity, more)
        if may_write:
            hints = self._writes(title, complexity, {**more, "destructive": False, "idempotent": False})
        return self._declaring(_by_itself, _EMPRESA, hints, description, output, methods, more)

    def acts(
        self,
        title: str,
        complexity: Complexity,
        writing: Writing,
        description: str,
        *methods: Asked,
        **more: Unpack[MoreOfWrite],
    ) -> Callable[[Asking], Asking]:
        """Declare a tool that looks before it writes: an async function of the `Omie` that ends in `write_answer`.

        It names `chave_idempotencia` among its parameters, and hands it on.
        """
        hints = self._writes(title, complexity, more)
        asked = (writing, *methods)
        return self._declaring(_by_itself, _KEY | _EMPRESA, hints, description, writing.schema, asked, more)

    def register(self, server: FastMCP[Any], app: App) -> None:
        """Add the tools to a server, under each of their names."""
        omie = Omie(app)
        for tool in self.tools:
            for name in tool.names:
                same = "" if name == tool.names[0] else f" (O mesmo que {tool.names[0]}.)"
                offer(server, tool.hints, tool.description + same, tool.output)(_callable(tool, name, omie))

    def _reads(self, title: str, complexity: Complexity, more: More) -> Hints:
        return reads_omie(title, more.get("category", self.category), complexity)

    def _writes(self, title: str, complexity: Complexity, more: MoreOfWrite) -> Hints:
        category, does = more.get("category", self.category), (more["destructive"], more["idempotent"])
        return writes_omie(title, category, complexity, destructive=does[0], idempotent=does[1])

    def _declaring(
        self,
        running: Callable[[Function], Answering],
        added: Mapping[str, tuple[Any, Any]],
        hints: Hints,
        description: str,
        output: dict[str, Any],
        asks: tuple[Asked, ...],
        more: More | MoreOfWrite,
    ) -> Callable[[Function], Function]:
        """Give the decorator that notes a function as a tool and leaves it as it was."""
        retired = _RETIRED if any(asked.method.is_deprecated for asked in asks) else ""

        def declare(function: Function) -> Function:
            names = (function.__name__, *more.get("also", ()))
            run = running(function)
            self.tools.append(Curated(names, function, added, hints, description + retired, output, run, asks))
            return function

        return declare


def _by_itself(function: Asking) -> Answering:
    async def run(omie: Omie, arguments: dict[str, Any]) -> ToolResult:
        return await function(omie, **arguments)

    return run


def _callable(tool: Curated, name: str, omie: Omie) -> Callable[..., Awaitable[ToolResult]]:
    """Make the function that FastMCP sees: the declared parameters and the family's, and nothing of ours."""
    hints = get_type_hints(tool.function, include_extras=True)
    own = [each for each in inspect.signature(tool.function).parameters.values() if hints.get(each.name) is not Omie]
    shown = [each.replace(annotation=hints[each.name]) for each in own]
    shown += [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for key, (kind, default) in tool.added.items()
        if key not in {each.name for each in own}
    ]

    @functools.wraps(tool.function)
    async def called(**arguments: Any) -> ToolResult:
        if "empresa" not in {each.name for each in own}:
            arguments.pop("empresa", None)
        for key, (_, default) in tool.added.items():
            if key != "empresa":
                arguments.setdefault(key, default)
        return await tool.run(omie, arguments)

    called.__name__ = called.__qualname__ = name
    called.__signature__ = inspect.Signature(shown, return_annotation=ToolResult)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in shown} | {"return": ToolResult}
    return called
