"""`omie-control worker`: schedules and, on a demonstration, the demo traffic; no port."""

from __future__ import annotations

from omie_control.app import open_app
from omie_control.app.collector import startup_frozen
from omie_control.cli.serve import stop_at_signals
from omie_control.cli.session import configure_telemetry, run_async
from omie_control.jobs.worker import Worker
from omie_control.settings import Settings
from omie_control.telemetry import Event, tell


def worker() -> None:
    """Run the background parts until a signal."""

    async def work() -> None:
        settings = Settings.from_environment()
        configure_telemetry(settings, "worker")
        async with open_app(settings, kind="worker") as app, Worker(app):
            stop_at_signals(app)
            with startup_frozen():
                tell(Event.PROCESS_STARTED, kind="worker")
                await app.stopping.wait()

    run_async(work())
