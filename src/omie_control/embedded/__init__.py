"""The two servers that we start ourselves when none is given: PostgreSQL for the truth, Valkey for the rest.

Promises: data survives a kill -9 of anybody, no process stays behind, nobody reaches the servers without a
password, and several processes of ours may share one home.
"""

from __future__ import annotations

from omie_control.embedded.endpoints import Endpoints
from omie_control.embedded.locks import HomeLock
from omie_control.embedded.servers import EmbeddedServers

__all__ = ["EmbeddedServers", "Endpoints", "HomeLock"]
