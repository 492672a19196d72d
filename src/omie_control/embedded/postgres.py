"""The embedded PostgreSQL: its data folder, its start and its passwords."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from omie_control.embedded.accounts import Account
from omie_control.embedded.binaries import PostgresBinaries
from omie_control.embedded.configuration import machine_memory, postgres_settings
from omie_control.embedded.home import Home, Passwords, give, private_folder, rotate, sync_folder, tail, write_durably
from omie_control.embedded.locks import FileLock
from omie_control.embedded.processes import Command, find_processes, launch, send
from omie_control.embedded.server import Server
from omie_control.embedded.sockets import Sockets
from omie_control.embedded.troubles import CHOOSE_HOME, USE_EXTERNAL
from omie_control.errors import Conflict, ControlError, StorageDown

OWNER, APP, READER = "omie_owner", "omie_app", "omie_reader"
DATABASE = "omie_control"
_CONNECT_SECONDS = 2.0
_LOCALE = "C" if sys.platform == "darwin" else "C.UTF-8"
# Sorted and folded by PostgreSQL itself: an update of the system's C library cannot spoil an index.
_INITDB = ("-A", "scram-sha-256", "-E", "UTF8", f"--locale={_LOCALE}")
_COLLATION = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions")
_NOT_YET = (
    ConnectionError,
    FileNotFoundError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
)


class PostgresServer(Server):
    """PostgreSQL of one home, on a socket, with SCRAM passwords even there."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast: clients are cut off, a last checkpoint is written
    quit_signal = signal.SIGQUIT

    def __init__(
        self,
        home: Home,
        account: Account,
        binaries: PostgresBinaries,
        *,
        passwords: Passwords,
        sockets: Sockets,
        timezone: str,
    ) -> None:
        super().__init__(home, account, home.postgres)
        self._binaries = binaries
        self._passwords = passwords
        self._sockets = sockets
        self._timezone = timezone
        self._cluster = f"omie_{home.digest}"
        self._launched_at = ""

    def url(self, user: str, password: str, database: str = DATABASE) -> str:
        """Return the address for one account, its password inside."""
        return f"postgresql://{user}:{password}@/{database}?host={quote(str(self._sockets.postgres))}&port=5432"

    def socket(self) -> Path:
        return self._sockets.postgres / ".s.PGSQL.5432"

    async def ensure(self) -> None:
        """See `Server.ensure`; the database `omie_control` exists afterwards."""
        self._require_version()
        await super().ensure()

    async def _make_data(self) -> None:
        """Run initdb beside the final place and rename: a kill in the middle leaves nothing half-made."""
        if self.folder.exists():
            return
        self._clear_half_made()
        place = private_folder(self.home.path / f"postgres.new-{secrets.token_hex(4)}", owner=self.account.owner)
        try:
            await self._initdb(place)
            (place / "data").rename(self.folder)
            sync_folder(self.home.path)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    async def _initdb(self, place: Path) -> None:
        write_durably(place / "password", self._passwords.owner + "\n", owner=self.account.owner)
        options = ("-D", place / "data", "-U", OWNER, f"--pwfile={place / 'password'}")
        child = launch(
            self.account, [self._binaries.program("initdb"), *options, *_INITDB, *_COLLATION], log=place / "log"
        )
        try:
            while child.poll() is None:  # noqa: ASYNC110 (a process has no event to wait for)
                await asyncio.sleep(0.01)
        except BaseException:
            self._end_group(child)
            raise
        if child.returncode:
            raise _not_made(_first_fault(tail(place / "log")))

    @staticmethod
    def _end_group(child: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def _clear_half_made(self) -> None:
        """End an initdb whose parent was killed, and remove what it had made."""
        for place in self.home.path.glob("postgres.new-*"):
            for orphan in find_processes(self._owners, _mentions(str(place))):
                send(orphan, signal.SIGKILL)
            shutil.rmtree(place, ignore_errors=True)

    def _make_ready(self) -> None:
        logs = private_folder(self.home.logs / "postgres", owner=self.account.owner)
        self._sockets.make()
        private_folder(self._sockets.postgres, owner=self.account.owner)
        if self.folder.stat().st_uid != self.account.uid:
            give(logs, self.account.owner)
            give(self.folder, self.account.owner)
        text = postgres_settings(
            socket_folder=self._sockets.postgres,
            logs=logs,
            cluster=self._cluster,
            timezone=self._timezone,
            memory=machine_memory(),
        )
        write_durably(self.folder / "postgresql.conf", text, owner=self.account.owner)
        rotate(self.log)
        # Nobody lives here (we hold the life lock), so these are leftovers. PostgreSQL would trust the number in
        # them, which another program may carry by now.
        for stale in (self.folder / "postmaster.pid", self.socket(), self.socket().with_name(".s.PGSQL.5432.lock")):
            stale.unlink(missing_ok=True)

    def _launch(self, life: FileLock) -> psutil.Process:
        self._launched_at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        return super()._launch(life)

    def _command(self) -> list[str | Path]:
        durable = ("-c", "fsync=on", "-c", "full_page_writes=on")
        return [self._binaries.program("postgres"), "-D", self.folder, *durable]

    def _require_version(self) -> None:
        try:
            major = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if not self.folder.exists():
                return
            raise Conflict(
                f"A pasta {self.folder} não contém dados do PostgreSQL.", hint=CHOOSE_HOME, code="dados_estranhos"
            ) from None
        if major != self._binaries.major:
            raise Conflict(
                f"Os dados em {self.folder} são do PostgreSQL {major}, e este omie-control traz o "
                f"PostgreSQL {self._binaries.major}.",
                hint=f"Converta-os com pg_upgrade, ou use a versão do omie-control que os criou. {CHOOSE_HOME}",
                code="versao_diferente",
            )

    def _written_pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def _pid_file(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def _is_leader(self, command: Command) -> bool:
        words = list(command)
        at = words.index("-D") if "-D" in words[1:-1] else 0
        return at > 0 and words[at + 1] == str(self.folder) and Path(words[at - 1]).name == "postgres"

    def _is_member(self, command: Command) -> bool:
        return " ".join(command).startswith(f"postgres: {self._cluster}: ")

    def _has_begun(self, process: psutil.Process) -> bool:
        return self._status(process) == "ready"

    def _status(self, process: psutil.Process) -> str:
        lines = self._pid_file()
        return lines[7].strip() if len(lines) > 7 and lines[0].strip() == str(process.pid) else ""

    async def _answers(self, process: psutil.Process) -> bool:
        if self._status(process) != "ready":
            return False
        try:
            await self._greet()
        except asyncpg.InvalidPasswordError as exc:
            raise self._wrong_password() from exc
        except asyncpg.TooManyConnectionsError:
            return True
        except _NOT_YET:
            return False
        except asyncpg.PostgresError as exc:
            raise StorageDown(f"O PostgreSQL embutido não atende: {exc}.", code="servidor_nao_inicia") from exc
        return True

    async def _greet(self) -> None:
        """Connect once as the owner, and make the database when it is missing."""
        try:
            await self._run(DATABASE)
        except asyncpg.InvalidCatalogNameError:
            await self._run("postgres", f"create database {DATABASE}")

    async def _run(self, database: str, statement: str = "select 1") -> None:
        url = self.url(OWNER, self._passwords.owner, database)
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
        try:
            await connection.execute(statement)
        finally:
            await connection.close(timeout=_CONNECT_SECONDS)

    def _last_words(self) -> str:
        """The reason in the logs since this start; older lines are about something else."""
        newest = max((self.home.logs / "postgres").glob("*.log"), key=lambda log: log.stat().st_mtime, default=self.log)
        for text in (tail(self.log), tail(newest)):
            for line in reversed(text.splitlines()):
                if _is_last_word(line) and line[: len(self._launched_at)] >= self._launched_at:
                    return line.split(":  ", 1)[-1].strip().rstrip(".")
        return super()._last_words()

    def _wrong_password(self) -> ControlError:
        return Conflict(
            f"A senha guardada em {self.home.secrets} não é a dos dados em {self.folder}.",
            hint="Restaure o arquivo de senhas e a pasta de dados da mesma cópia de segurança.",
            code="senha_nao_confere",
        )


def _is_last_word(line: str) -> bool:
    """Whether the server itself says it; a session's line has the user between the number and the word."""
    return "] FATAL:" in line or "] PANIC:" in line


def _mentions(path: str) -> Callable[[Command], bool]:
    return lambda words: any(path in word for word in words)


def _first_fault(said: str) -> str:
    """Return the line in which initdb says what went wrong: one of a fault, or its last word."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    faults = [line for line in lines if "error" in line or "FATAL" in line]
    return (faults or lines[-1:] or ["initdb falhou"])[0]


def _not_made(reason: str) -> ControlError:
    hint = "Confira o espaço em disco e inicie de novo."
    if "could not look up effective user ID" in reason:
        hint = f"Rode com uma conta que tenha nome neste sistema (em /etc/passwd). {USE_EXTERNAL}"
    return StorageDown(f"Não foi possível criar os dados do PostgreSQL: {reason}.", hint=hint, code="dados_nao_criados")
