"""The worker: runs what the `schedules` table says is due, and the demonstration's traffic.

Any number of workers may run: each due schedule is claimed by one of them in one statement.
"""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Self

from omie_control.app import App
from omie_control.jobs.auditor import Auditor
from omie_control.jobs.completer import Completer
from omie_control.jobs.demo import DemoTraffic
from omie_control.jobs.eraser import Eraser
from omie_control.jobs.folder import fold
from omie_control.jobs.partitions import make_partitions
from omie_control.jobs.rescuer import forget, rescue
from omie_control.jobs.scheduler import Schedule, Scheduler
from omie_control.jobs.sealer import seal
from omie_control.jobs.warmer import warm
from omie_control.jobs.webhooks import apply
from omie_control.services.loops import Loop

# What is always quick goes together; what waits for Omie, or may have millions to seal, must not hold up the rest.
LANES = (
    (
        Schedule("fold", timedelta(seconds=1), fold),
        Schedule("webhooks", timedelta(seconds=2), apply),
        Schedule("rescue", timedelta(seconds=5), rescue),
        Schedule("partitions", timedelta(hours=6), make_partitions),
        Schedule("instances", timedelta(days=1), forget),
    ),
    (Schedule("seal", timedelta(seconds=2), seal),),
    (Schedule("warm", timedelta(hours=1), warm),),
)


class Worker:
    """Every background part of one process; `async with Worker(app)` starts and stops them."""

    def __init__(self, app: App) -> None:
        self._loops: list[Loop] = [
            *(Scheduler(app, lane) for lane in LANES),
            Completer(app.services.verifications, app.services.writes),
            Auditor(app.services.trail),
            Eraser(app.services.erasures),
            DemoTraffic(app),
        ]

    async def __aenter__(self) -> Self:
        for loop in self._loops:
            loop.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for loop in reversed(self._loops):
            await loop.stop()
