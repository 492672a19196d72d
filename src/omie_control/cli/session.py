"""One command's run: settings, an open App, the operator as actor, errors turned into exit codes."""

from __future__ import annotations

import asyncio
import getpass
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
import uvloop

from omie_control import __version__
from omie_control.cli.address import as_noted
from omie_control.cli.exits import exit_code
from omie_control.cli.output import print_error
from omie_control.cli.signals import EndedBySignal, until_signalled
from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.errors import ControlError
from omie_control.settings import Settings, exports_traces
from omie_control.telemetry import configure_logging, configure_tracing

if TYPE_CHECKING:
    from omie_control.app import App

T = TypeVar("T")


def operator() -> Actor:
    """Whoever can run this command holds the database's credentials: an administrator, named after the login."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "desconhecido"
    return Actor(ActorKind.CLI, name, Role.ADMIN)


def run_async(work: Coroutine[Any, Any, T], *, as_json: bool = False) -> T:
    """Run a command's coroutine; one of our errors becomes a text on stderr and an exit code."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(until_signalled(work))
    except ControlError as error:
        print_error(error, as_json=as_json)
        raise typer.Exit(exit_code(error)) from None
    except EndedBySignal as ended:
        raise typer.Exit(128 + ended.number) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def configure_telemetry(settings: Settings, kind: str, *, level: int = logging.INFO, file: Path | None = None) -> None:
    """Set up the log and, where a collector is named, the traces of one process."""
    configure_logging(settings.log_format, level=level, file=file)
    if exports_traces():
        configure_tracing(f"omie-control-{kind}", __version__)


def settings_with(**overrides: object) -> Settings:
    """Read the environment; a command's options win over it."""
    settings = Settings.from_environment()
    given = {name: value for name, value in overrides.items() if value is not None}
    return settings.model_copy(update=given) if given else settings


def with_app(verb: Callable[[App], Awaitable[T]], *, as_json: bool = False, kind: str = "cli") -> T:
    """Open an App for one short command, call the verb, close again."""

    async def work() -> T:
        settings = as_noted(Settings.from_environment())
        configure_telemetry(settings, kind, level=logging.WARNING)
        from omie_control.app import open_app  # noqa: PLC0415 - a second of imports, which `--help` need not pay

        async with open_app(settings, kind=kind) as app:
            return await verb(app)

    return run_async(work(), as_json=as_json)


def read_secret(value: str | None, prompt: str) -> str:
    """Take a secret from an option, from a pipe, or by asking without echo."""
    if value is not None:
        return value
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(typer.prompt(prompt, hide_input=True))
