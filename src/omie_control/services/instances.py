"""This process among the others: announced, alive by heartbeat, missed when it dies.

What a dead instance left running is ended by a rescue: reads as `timeout`, writes as `uncertain`.
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import psutil

from omie_control.postgres import instances as store
from omie_control.postgres.database import Postgres
from omie_control.telemetry import Event, tell

# A process that was silent this long is dead for the others; ten heartbeats.
LOST_AFTER = timedelta(seconds=20)
