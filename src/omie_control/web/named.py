"""An execution's name in an address: `{execution_id:execution}`.

It begins with the name of a tool, which MCP allows a slash; what a page adds below it is not part of it.
"""

from __future__ import annotations

from starlette.convertors import PathConvertor, register_url_convertor

EXECUTION = "{execution_id:execution}"


class _Named(PathConvertor):
    regex = r".+(?<!/revelar)"


register_url_convertor("execution", _Named())
