"""What the tools of a server are, as last seen: looked up once, and afresh as soon as one was replaced."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

from fastmcp import FastMCP
from fastmcp.server.middleware import Middleware
from fastmcp.server.providers.fastmcp_provider import FastMCPProviderTool
from fastmcp.tools import Tool
from fastmcp.tools.tool_transform import TransformedTool
from fastmcp.utilities.versions import VersionSpec

from omie_control.app.declarations import declaration_of
from omie_control.mcp.traits import Traits, traits_of

# A tool that is replaced on another server, mounted or far away, is looked at afresh after this many seconds.
_TRAITS_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Known:
    """The traits of a tool as they were seen; `local` is what stood under its key on the server itself, if anything."""

    traits: Traits
    key: str
    local: object
    seen: float

    def holds(self, server: FastMCP[Any]) -> bool:
        """Say whether the tool can still be taken for what it was: one that read may write since it was replaced."""
        is_young = monotonic() - self.seen < _TRAITS_SECONDS
        return is_young and server.local_provider._get_component(self.key) is self.local


class KnownTools:
    """The memory of one control; `control` is the middleware that it belongs to."""

    def __init__(self, control: Middleware) -> None:
        self._kind = type(control)
        self._known: dict[tuple[int, str], _Known] = {}

    async def traits_of(self, server: FastMCP[Any], name: str) -> Traits | None:
        """Read a tool's traits, from memory where possible; None: there is no such tool for this caller."""
        key = (id(server), name)
        known = self._known.get(key)
        if known is not None and known.holds(server):
            return known.traits
        tool = await server.get_tool(name)
        if tool is None:
            return known.traits if known is not None else None
        inner = await self._behind(tool)
        traits = traits_of(tool, declaration_of(getattr(inner, "fn", None)), inner)
        self._known[key] = _Known(traits, tool.key, server.local_provider._get_component(tool.key), monotonic())
        return traits

    async def _behind(self, tool: Tool) -> Tool:
        """Return the tool that runs in the end: under its first name, on the server that was mounted here.

        One on a server with control of its own is recorded there, as what it is.
        """
        while True:
            inner: Tool | None = None
            if isinstance(tool, TransformedTool) and tool.fn is tool.forwarding_fn:
                inner = tool.parent_tool
            elif isinstance(tool, FastMCPProviderTool) and not self._is_controlled(tool._server):
                version = VersionSpec(eq=tool.version) if tool.version else None
                inner = await tool._server.get_tool(tool._original_name, version=version)
            if inner is None:
                return tool
            tool = inner

    def _is_controlled(self, server: FastMCP[Any]) -> bool:
        return any(isinstance(each, self._kind) for each in server.middleware)
