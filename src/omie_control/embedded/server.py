"""What both servers have in common: adopted when they run, started when not, ended without a trace.

Every process of a server inherits a lock of its folder (the life lock), so that "nobody of it lives" is a fact
that the kernel states, not a guess from a number in a file.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path

import psutil

from omie_control.embedded.accounts import Account
from omie_control.embedded.home import Home, tail
from omie_control.embedded.locks import FileLock
from omie_control.embedded.processes import (
    Command,
    children_of,
    find_process,
    find_processes,
    is_alive,
    is_frozen,
    launch,
    send,
)
from omie_control.errors import ControlError, StorageDown
from omie_control.telemetry import Event, tell

_POLL_SECONDS = 0.01
_FROZEN_PATIENCE_SECONDS = 10.0
_STOP_PATIENCE_SECONDS = 120.0
_QUIT_PATIENCE_SECONDS = 10.0
_ORPHAN_PATIENCE_SECONDS = 2.0


class State(Enum):
    """What the watch sees."""

    UP = auto()
    FROZEN = auto()
    UNREACHABLE = auto()
    GONE = auto()


class Server(ABC):
    """One server of one home. Whoever calls `ensure` or `end` holds the home's turn lock."""

    name: str
    stop_signal: signal.Signals
    quit_signal: signal.Signals

    def __init__(self, home: Home, account: Account, folder: Path) -> None:
        self.home = home
        self.account = account
        self.folder = folder
        self.log = home.logs / f"{self.name.lower()}.log"
        self._life_path = home.path / f"{self.name.lower()}.life"
        self._process: psutil.Process | None = None

    @property
    def pid(self) -> int | None:
        """The number of the server's first process, once it was started or found."""
        return None if self._process is None else self._process.pid

    def state(self) -> State:
        """Look, without touching anything."""
        if self._process is None or not is_alive(self._process):
            return State.GONE
        if is_frozen(self._process):
            return State.FROZEN
        return State.UP if self.socket().exists() else State.UNREACHABLE

    async def ensure(self) -> None:
        """Adopt the running server or start it, and return when it answers. Data is made at the first start."""
        self._process = self._find()
        if (
            self._process is not None
            and self._is_reachable(self._process)
            and await self._lives_until_ready(self._process)
        ):
            tell(Event.SERVER_ADOPTED, server=self.name, pid=self.pid)
            return
        await self.end()
        life = await self._empty_house()
        try:
            await self._make_data()
            await _to_its_end(self._make_ready)
            began = time.monotonic()
            self._process = self._launch(life)
        finally:
            life.release()
        if not await self._lives_until_ready(self._process):
            # Its logger outlives it for a moment: the reason may still be on its way into the log.
            await life.acquire(within_seconds=_ORPHAN_PATIENCE_SECONDS)
            life.release()
            raise self._failed()
        tell(Event.SERVER_STARTED, server=self.name, pid=self.pid, seconds=round(time.monotonic() - began, 3))

    async def end(self) -> None:
        """Stop the server if it runs, cleanly, and return when none of its processes is left."""
        process = self._find()
        self._process = None
        if process is not None:
            await self._ask_to_leave(process)
        if process is not None or self._is_inhabited():
            (await self._empty_house()).release()
        if process is not None:
            tell(Event.SERVER_STOPPED, server=self.name, pid=process.pid)

    async def end_known(self) -> None:
        """Stop the process that was started or found, without a look into the home, whose files are gone."""
        process, self._process = self._process, None
        if process is None or not is_alive(process):
            return
        family = [*children_of(process), process]
        await self._ask_to_leave(process)
        for left in family:
            # What was said last is still being written by the logger, which ends when nobody can say more.
            if not await _gone(left, _ORPHAN_PATIENCE_SECONDS):
                send(left, signal.SIGKILL)
                await _gone(left, _QUIT_PATIENCE_SECONDS)
        tell(Event.SERVER_STOPPED, server=self.name, pid=process.pid)

    async def _ask_to_leave(self, process: psutil.Process) -> None:
        """A frozen server must wake up to hear it."""
        send(process, signal.SIGCONT)
        send(process, self.stop_signal)
        if not await _gone(process, _STOP_PATIENCE_SECONDS):
            send(process, self.quit_signal)
            await _gone(process, _QUIT_PATIENCE_SECONDS)

    async def _empty_house(self) -> FileLock:
        """Return the life lock once no process of this server lives; orphans go by themselves, or are ended."""
        life = FileLock(self._life_path)
        for farewell in (None, signal.SIGQUIT, signal.SIGKILL):
            if farewell is not None:
                for orphan in self._find_all():
                    send(orphan, farewell)
            if await self._take(life, within_seconds=_ORPHAN_PATIENCE_SECONDS):
                return life
        raise StorageDown(
            f"Restos de um {self.name} anterior ainda usam {self.folder}.",
            hint="Encerre os processos que usam essa pasta e inicie de novo.",
            code="servidor_preso",
        )

    async def _take(self, life: FileLock, *, within_seconds: float) -> bool:
        """Take the life lock; a server started by another hand does not hold it, so an unclean end is looked into."""
        deadline = time.monotonic() + within_seconds
        if not await life.acquire(within_seconds=within_seconds):
            return False
        while self._written_pid() is not None and self._find_all():
            if time.monotonic() >= deadline:
                life.release()
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def _find(self) -> psutil.Process | None:
        """Return the server's first process: by the number it wrote, or before it has written one, by looking."""
        pid = self._written_pid()
        if pid is not None:
            return find_process(pid, self._owners, self._is_leader)
        return next(iter(find_processes(self._owners, self._is_leader)), None) if self._is_inhabited() else None

    def _is_inhabited(self) -> bool:
        life = FileLock(self._life_path)
        try:
            return not life.try_acquire()
        finally:
            life.release()

    def _find_all(self) -> list[psutil.Process]:
        return find_processes(self._owners, lambda command: self._is_leader(command) or self._is_member(command))

    @property
    def _owners(self) -> frozenset[int]:
        return frozenset({self.account.uid, self.home.path.stat().st_uid})

    def _is_reachable(self, process: psutil.Process) -> bool:
        """A server that has begun to listen and lost its socket (a cleaned /tmp) is of no use to anybody."""
        return self.socket().exists() or not self._has_begun(process)

    def _launch(self, life: FileLock) -> psutil.Process:
        keep = () if life.fd is None else (life.fd,)
        try:
            child = launch(self.account, self._command(), log=self.log, keep=keep)
            return psutil.Process(child.pid)
        except (OSError, subprocess.SubprocessError, psutil.Error) as exc:
            raise self._failed() from exc

    async def _lives_until_ready(self, process: psutil.Process) -> bool:
        """Wait as long as the server lives, for a recovery takes the time that it takes. False: it died first."""
        frozen_since: float | None = None
        while not await self._answers(process):
            if not is_alive(process):
                return False
            frozen_since = (frozen_since or time.monotonic()) if is_frozen(process) else None
            if frozen_since is not None and time.monotonic() - frozen_since > _FROZEN_PATIENCE_SECONDS:
                raise self._stuck(process)
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def _stuck(self, process: psutil.Process) -> ControlError:
        return StorageDown(
            f"O {self.name} desta pasta está congelado (processo {process.pid}).",
            hint=f"Acorde-o com `kill -CONT {process.pid}`.",
            code="servidor_congelado",
        )

    def _failed(self) -> ControlError:
        return StorageDown(
            f"O {self.name} embutido não iniciou: {self._last_words()}.",
            hint=f"Veja o registro em {self.home.logs}.",
            code="servidor_nao_inicia",
        )

    def _last_words(self) -> str:
        lines = [line.strip() for line in tail(self.log).splitlines() if line.strip()]
        return lines[-1].rstrip(".") if lines else "encerrou sem dizer por quê"

    async def _make_data(self) -> None:  # noqa: B027 (not every server needs it)
        """Make the data folder whole or not at all, where a server needs one made."""

    @abstractmethod
    def socket(self) -> Path:
        """Where the server listens."""

    @abstractmethod
    def _command(self) -> list[str | Path]:
        """What starts it."""

    @abstractmethod
    def _make_ready(self) -> None:
        """Write its configuration and clear what a dead predecessor left."""

    @abstractmethod
    def _written_pid(self) -> int | None:
        """The number that the server wrote of itself."""

    @abstractmethod
    def _is_leader(self, command: Command) -> bool:
        """Whether this command line is the server's first process for this folder."""

    @abstractmethod
    def _is_member(self, command: Command) -> bool:
        """Whether this command line is another process of this server for this folder."""

    @abstractmethod
    def _has_begun(self, process: psutil.Process) -> bool:
        """Whether it has opened its socket once."""

    @abstractmethod
    async def _answers(self, process: psutil.Process) -> bool:
        """Whether it serves now; False means: not yet."""


async def _to_its_end(work: Callable[[], None]) -> None:
    """Run blocking work in a thread; a cancelled caller waits for its end, so that it never works on by itself."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _gone(process: psutil.Process, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while is_alive(process):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
