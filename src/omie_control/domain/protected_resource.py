"""How callers find out which identity provider's tokens are taken (RFC 9728): the well-known address of a resource."""

from __future__ import annotations

from collections.abc import Mapping

WELL_KNOWN = "/.well-known/oauth-protected-resource"
MCP, API = "/mcp", "/api/v1"
# The whole server, and its two doors for programs, each a resource of its own.
RESOURCES = ("", MCP, API)


def metadata_address(root: str, resource: str) -> str:
    """Return where the metadata of a resource is; `root` is the address of the server, without a last slash."""
    return f"{root}{WELL_KNOWN}{resource}"


def metadata(root: str, resource: str, issuer: str) -> Mapping[str, object]:
    """Describe a resource: which issuer gives tokens for it, and how they are shown."""
    return {
        "resource": f"{root}{resource}",
        "resource_name": "omie-control",
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
    }


def announced(challenge: str, root: str, resource: str) -> str:
    """Add to a `WWW-Authenticate: Bearer` where the metadata of a resource is."""
    separator = ", " if "=" in challenge else " "
    return f'{challenge}{separator}resource_metadata="{metadata_address(root, resource)}"'
