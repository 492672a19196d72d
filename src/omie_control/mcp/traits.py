"""What a tool says about itself, read once: does it write, which part of the company, how demanding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from fastmcp.tools import Tool

from omie_control.domain.access import Kind, Right
from omie_control.domain.executions import Category, Complexity

if TYPE_CHECKING:
    from omie_control.app.declarations import Declaration

# Tools with this tag go to Omie for one company.
OMIE_TAG = "omie"
_TYPE_MAX = 100
_VARIES = "__omie_control_varies__"
_Word = TypeVar("_Word", bound=StrEnum)
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Traits:
    """A tool as its executions are recorded.

    `writes` is what the tool itself says; a tool that says nothing ends as `timeout` when its process dies, not
    as `uncertain` with an alert: that word is kept for writes that somebody has to look up.
    """

    process_type: str
    writes: bool = False
    # Says of itself that it changes nothing anywhere.
    only_reads: bool = False
    category: Category | None = None
    complexity: Complexity | None = None
    has_timeout: bool = False
    parameters: tuple[str, ...] = ()
    # What a parameter could hold, as it would stand in JSON.
    examples: Mapping[str, str] = field(default_factory=dict)
    calls_omie: bool = False
    declaration: Declaration | None = None
    varies: Varies | None = None

    @property
    def right(self) -> Right:
        """What a call with these traits asks of its caller's role, before any verb inside asks for more."""
        if not self.calls_omie:
            return Right.EXECUTION_RUN
        return Right.OMIE_WRITE if self.writes else Right.OMIE_READ

    @property
    def kind(self) -> Kind:
        """What kind of tool it is, as roles with limits look at it."""
        return self.category, self.complexity

    def of(self, arguments: Mapping[str, Any]) -> Traits:
        """Return the traits of one call: of a tool that does many things, those of the thing it is asked for."""
        return self if self.varies is None else self.varies(self, arguments)


# Reads a call's traits from its raw arguments, which may be anything; never raises.
Varies = Callable[[Traits, Mapping[str, Any]], Traits]


def varying(varies: Varies) -> Callable[[_Function], _Function]:
    """Mark a tool's function, below its registration, as one whose traits depend on its arguments."""

    def mark(function: _Function) -> _Function:
        setattr(function, _VARIES, varies)
        return function

    return mark


def keeping(base: Traits, _: Mapping[str, Any]) -> Traits:
    """Say of a tool that changes our own records only: nothing of it could be uncertain in Omie."""
    return replace(base, writes=False)


def traits_of(tool: Tool, declaration: Declaration | None, inner: Tool | None = None) -> Traits:
    """Read a tool's traits from its annotations, tags and meta; `@controller.process` below it speaks first.

    `inner` is the tool that it hands its calls to, where it stands for one.
    """
    parameters = tuple(tool.parameters.get("properties", ()))
    if declaration is None:
        declared_type, category, complexity, writes = tool.name, None, None, _says_it_writes(tool)
    else:
        declared_type, writes = declaration.process_type, declaration.writes
        category, complexity = declaration.category, declaration.complexity
    return Traits(
        process_type=declared_type[:_TYPE_MAX],
        writes=writes,
        only_reads=not writes and tool.annotations is not None and tool.annotations.read_only_hint is True,
        category=category or _word(Category, "categoria", tool),
        complexity=complexity or _word(Complexity, "complexidade", tool),
        has_timeout=(inner or tool).timeout is not None,
        parameters=parameters,
        examples=_examples(tool.parameters.get("properties", {})),
        calls_omie=OMIE_TAG in tool.tags,
        declaration=declaration,
        varies=getattr(getattr(tool, "fn", None), _VARIES, None),
    )


def _examples(properties: Mapping[str, Any]) -> dict[str, str]:
    """Take each parameter's first example; its values where it has a list of them."""
    found = {name: shown.get("examples") or shown.get("enum") for name, shown in properties.items()}
    return {name: orjson.dumps(values[0]).decode() for name, values in found.items() if values}


def _says_it_writes(tool: Tool) -> bool:
    hints = tool.annotations
    return (
        hints is not None
        and hints.read_only_hint is not True
        and (hints.read_only_hint is False or hints.destructive_hint is True)
    )


def _word(words: type[_Word], key: str, tool: Tool) -> _Word | None:
    """Find `<key>` in the tool's meta or `<key>:<word>` among its tags; an unknown word counts as none."""
    found = _from_meta(tool.meta, key) or _from_tags(tool.tags, key)
    return words(found) if found is not None and found in set(words) else None


def _from_meta(meta: Mapping[str, Any] | None, key: str) -> str | None:
    value = meta.get(key) if meta else None
    return value if isinstance(value, str) else None


def _from_tags(tags: Iterable[str], key: str) -> str | None:
    prefix = f"{key}:"
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), None)
