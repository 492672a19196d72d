"""`open_app()`: everything one of our own processes needs, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from omie_control.app.controller import ProcessController
from omie_control.app.database import DatabaseManager
from omie_control.app.services import Services
from omie_control.services.access import Access
from omie_control.services.blocks import Blocks
from omie_control.services.bodies import Bodies
from omie_control.services.calls import OmieCalls
from omie_control.services.companies import Companies
from omie_control.services.connections import Connections
from omie_control.services.executions import Executions
from omie_control.services.firststeps import FirstSteps
from omie_control.services.logins import Logins
from omie_control.services.system import System
from omie_control.services.tokens import Tokens
from omie_control.services.users import Users
from omie_control.settings import Settings
from omie_control.valkey.bus import Bus


@dataclass(frozen=True, slots=True)
class App:
    """What every face receives: the settings, the controller and the verbs."""

    settings: Settings
    db: DatabaseManager
    controller: ProcessController
    services: Services
    # Set when this process begins to shut down, so that endless answers (SSE) end by themselves.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def executions(self) -> Executions:
        """Start, finish, cancel, get, list."""
        return self.services.executions

    @property
    def companies(self) -> Companies:
        """Companies and their credentials."""
        return self.services.companies

    @property
    def users(self) -> Users:
        """People."""
        return self.services.users

    @property
    def logins(self) -> Logins:
        """Sessions of people in the browser."""
        return self.services.logins

    @property
    def tokens(self) -> Tokens:
        """Tokens of agents and scripts."""
        return self.services.tokens

    @property
    def access(self) -> Access:
        """The one place that decides who may."""
        return self.services.access

    @property
    def bodies(self) -> Bodies:
        """The sealed clear bodies."""
        return self.services.bodies

    @property
    def calls(self) -> OmieCalls:
        """The one way to Omie."""
        return self.services.calls

    @property
    def connections(self) -> Connections:
        """Tests of companies' connections."""
        return self.services.connections

    @property
    def first_steps(self) -> FirstSteps:
        """What a first start makes."""
        return self.services.first_steps

    @property
    def system(self) -> System:
        """How everything stands."""
        return self.services.system

    @property
    def blocks(self) -> Blocks:
        """Blocks of Omie's that last."""
        return self.services.blocks

    def bus(self) -> Bus:
        """A listener of its own to what the commits tell."""
        return self.db.bus()


@asynccontextmanager
async def open_app(settings: Settings | None = None, *, kind: str) -> AsyncIterator[App]:
    """Open an App for one process; `kind` (`up`, `serve`, `worker`, `mcp`, `cli`) is what the others see."""
    db = DatabaseManager(settings, kind=kind)
    controller = ProcessController(db)
    try:
        services = await controller.ready()
        await services.client.open()
        try:
            yield App(db.settings, db, controller, services)
        finally:
            await services.client.close()
    finally:
        await controller.close()
