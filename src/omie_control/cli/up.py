"""`omie-control up`: everything on one machine, from an empty disk, in one process.

The servers for data run in sessions of their own; this process is the HTTP server, the worker and, without a
real company, the simulator. `serve` and `worker` are the same parts alone, for more processes and machines.
"""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module

from omie_control.cli.address import noted
from omie_control.cli.output import print_note
from omie_control.cli.ports import bind
from omie_control.cli.session import configure_telemetry, run_async, settings_with
from omie_control.embedded import EmbeddedServers, HomeLock
from omie_control.settings import Settings


def up(*, host: str | None, port: int | None) -> None:
    """Set up and run everything on this machine until a signal."""

    async def work() -> None:
        settings = settings_with(host=host, port=port)
        with HomeLock(settings.home, "up"):
            # On a terminal the screen stays readable: what is worth a warning shows, everything lies in the file.
            level = logging.INFO if settings.log_format == "json" else logging.WARNING
            configure_telemetry(settings, "up", level=level, file=settings.home / "logs" / "omie-control.log")
            listener = bind(settings.host, settings.port)
            early = _embedded(settings)
            try:
                # Seconds of imports and seconds of initdb, side by side.
                await asyncio.gather(early.start(), asyncio.to_thread(import_module, "omie_control.cli.installation"))
                from omie_control.cli.installation import run  # noqa: PLC0415 - just imported, in a thread

                with noted(settings, listener) as settings:
                    await run(settings, listener, early.stop)
            finally:
                await early.stop()
        print_note("Encerrado; nada ficou rodando e os dados estão guardados.")

    run_async(work())


def _embedded(settings: Settings) -> EmbeddedServers:
    """Name the servers that are not given; the database manager joins them, and they are its from then on."""
    return EmbeddedServers(
        settings.home,
        timezone=settings.tz,
        postgres=settings.database_url is None,
        valkey=settings.valkey_url is None,
    )
