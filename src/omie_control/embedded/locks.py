"""Locks that the kernel drops when their holder dies, however it dies."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from omie_control.embedded.home import Home
from omie_control.embedded.troubles import readable
from omie_control.errors import Conflict

_POLL_SECONDS = 0.02


class FileLock:
    """A flock on one file. A child that inherits `fd` holds it too, until it and its own children are gone."""

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self._path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self.fd: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free."""
        fd = self.fd if self.fd is not None else os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, self._kind | fcntl.LOCK_NB)
        except OSError as exc:
            if self.fd is None:
                os.close(fd)
            if exc.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        self.fd = fd
        return True

    def try_alone(self) -> bool:
        """Turn a shared lock that is held into the only one; False: others hold it too, and this one may be lost."""
        if self.fd is None:
            return False
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            if exc.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        return True

    def is_in_place(self) -> bool:
        """Whether the file that is locked still lies where it was; its folder may have been deleted or moved away."""
        if self.fd is None:
            return False
        held = os.fstat(self.fd)
        try:
            found = self._path.stat()
        except OSError:
            return False
        return (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino)

    async def acquire(self, *, within_seconds: float | None = None) -> bool:
        """Wait for the lock, without end or for so many seconds; False: it stayed taken."""
        deadline = None if within_seconds is None else time.monotonic() + within_seconds
        while not self.try_acquire():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def release(self) -> None:
        """Let go; harmless when not held. A child that inherited the lock keeps it."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()


class HomeLock:
    """Only one process of a name (`up`) per home: `with HomeLock(home, "up")`.

    A second one raises Conflict that names the process holding it.
    """

    def __init__(self, home: Path, name: str) -> None:
        self._home = Home(home)
        self._name = name
        self._lock = FileLock(self._home.path / f"{name}.lock")

    def __enter__(self) -> Self:
        self._home.prepare()
        with readable(self._home.path):
            if not self._lock.try_acquire():
                raise self._taken()
            self._sign()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def _sign(self) -> None:
        if self._lock.fd is not None:
            os.ftruncate(self._lock.fd, 0)
            os.pwrite(self._lock.fd, f"{os.getpid()}\n".encode(), 0)

    def _taken(self) -> Conflict:
        pid = (self._home.path / f"{self._name}.lock").read_text(encoding="ascii", errors="replace").strip()
        holder = f"no processo {pid}" if pid else "em outro processo"
        ending = f"Encerre-o com Ctrl-C ou com `kill {pid}`" if pid else "Encerre-o com Ctrl-C"
        return Conflict(
            f"`omie-control {self._name}` já está rodando {holder} com a pasta {self._home.path}.",
            hint=f"{ending}, ou use outra pasta em OMIE_CONTROL_HOME.",
            code="ja_esta_rodando",
        )
