"""The embedded Valkey: what may vanish, kept on disk second by second all the same."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from omie_control.embedded.accounts import Account
from omie_control.embedded.configuration import machine_memory, valkey_settings
from omie_control.embedded.home import Home, Passwords, private_folder, rotate, tail, write_durably
from omie_control.embedded.processes import Command, is_alive
from omie_control.embedded.server import Server
from omie_control.embedded.sockets import Sockets
from omie_control.errors import Conflict, ControlError
from omie_control.telemetry import Event, tell

APP = "app"
_PING_SECONDS = 1.0
_RULES = "~* &* +@all -@dangerous +info +config|get +keys +sort +flushdb +client|list"


class ValkeyServer(Server):
    """Valkey of one home, on a socket, with one account and no default user."""

    name = "Valkey"
    stop_signal = signal.SIGTERM  # writes what is buffered, then leaves
    quit_signal = signal.SIGKILL

    def __init__(self, home: Home, account: Account, binary: Path, *, passwords: Passwords, sockets: Sockets) -> None:
        super().__init__(home, account, home.valkey)
        self._binary = binary
        self._password = passwords.valkey
        self._sockets = sockets

    def url(self) -> str:
        """Return the address, the password inside."""
        return f"unix://{APP}:{self._password}@{quote(str(self.socket()))}?db=0"

    def socket(self) -> Path:
        return self._sockets.valkey

    async def ensure(self) -> None:
        """See `Server.ensure`; a log too damaged to read is put aside, since nothing in it may not be lost."""
        try:
            await super().ensure()
        except ControlError:
            if self._find() is not None or not self._put_damage_aside():
                raise
            await super().ensure()

    def _put_damage_aside(self) -> bool:
        kept, aside = self.folder / "appendonlydir", self.folder / "appendonlydir.damaged"
        if "Bad file format" not in tail(self.log, 2048) or not kept.exists():
            return False
        shutil.rmtree(aside, ignore_errors=True)
        kept.rename(aside)
        tell(Event.SERVER_DIED, server=self.name, reason="its log on disk is damaged and was put aside")
        return True

    def _make_ready(self) -> None:
        self._sockets.make()
        private_folder(self.folder)
        rotate(self.log)
        digest = hashlib.sha256(self._password.encode()).hexdigest()
        write_durably(self.folder / "users.acl", f"user default off\nuser {APP} on #{digest} {_RULES}\n")
        text = valkey_settings(folder=self.folder, socket=self.socket(), log=self.log, memory=machine_memory())
        write_durably(self._settings, text)
        for stale in (self.folder / "valkey.pid", self.socket()):
            stale.unlink(missing_ok=True)

    @property
    def _settings(self) -> Path:
        return self.folder / "valkey.conf"

    def _command(self) -> list[str | Path]:
        return [self._binary, self._settings]

    def _written_pid(self) -> int | None:
        with suppress(OSError, ValueError):
            return int((self.folder / "valkey.pid").read_text(encoding="ascii"))
        return None

    def _is_leader(self, command: Command) -> bool:
        return len(command) == 2 and Path(command[0]).name == "valkey-server" and command[1] == str(self._settings)

    def _is_member(self, command: Command) -> bool:
        return self._is_leader(command)  # a child that rewrites the log carries the same words

    def _has_begun(self, process: psutil.Process) -> bool:
        return self._written_pid() == process.pid

    async def _answers(self, process: psutil.Process) -> bool:
        if not self.socket().exists():
            return False
        # The client's own time limits can swallow a cancellation (Python 3.11's wait_for), this one cannot.
        client = Redis.from_url(
            self.url(), socket_timeout=None, socket_connect_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        try:
            async with asyncio.timeout(_PING_SECONDS):
                return bool(await client.ping()) and is_alive(process)
        except (RedisError, OSError) as exc:
            if isinstance(exc, AuthenticationError) or isinstance(exc.__cause__, AuthenticationError):
                raise self._wrong_password() from exc
            return False
        finally:
            await client.aclose()

    def _wrong_password(self) -> ControlError:
        return Conflict(
            f"A senha guardada em {self.home.secrets} não é a do Valkey que roda em {self.folder}.",
            hint="Encerre os outros processos do omie-control que usam esta pasta e inicie de novo.",
            code="senha_nao_confere",
        )
