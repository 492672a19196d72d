"""What cannot work is said in one line that tells what to do."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from omie_control.embedded import EmbeddedServers, HomeLock, binaries
from omie_control.embedded.binaries import PostgresBinaries
from omie_control.embedded.home import Home
from omie_control.embedded.locks import FileLock
from omie_control.embedded.sockets import find_sockets
from omie_control.errors import Conflict, InvalidInput, StorageDown

Make = Callable[..., EmbeddedServers]


async def test_data_of_another_major_version_are_refused_by_name(own_home: Path, make_servers: Make) -> None:
    (own_home / "postgres").mkdir(parents=True)
    (own_home / "secrets.json").write_text('{"owner": "a", "app": "b", "reader": "c", "valkey": "d"}')
    (own_home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(Conflict, match=r"PostgreSQL 16, .* PostgreSQL 18"):
        await make_servers(valkey=False).start()


async def test_data_without_their_passwords_are_refused(own_home: Path, make_servers: Make) -> None:
    (own_home / "postgres").mkdir(parents=True)
    with pytest.raises(Conflict, match=r"falta o arquivo de senhas .*secrets\.json"):
        await make_servers().start()


async def test_passwords_of_another_home_are_refused(own_home: Path, make_servers: Make) -> None:
    servers = make_servers(valkey=False)
    await servers.start()
    await servers.stop()
    (own_home / "secrets.json").write_text('{"owner": "a", "app": "b", "reader": "c", "valkey": "d"}')
    with pytest.raises(Conflict, match="não é a dos dados"):
        await make_servers(valkey=False).start()


async def test_a_server_that_cannot_start_says_why(own_home: Path, make_servers: Make) -> None:
    servers = make_servers(valkey=False)
    await servers.start()
    await servers.stop()
    shutil.rmtree(own_home / "postgres" / "pg_wal")
    with pytest.raises(StorageDown, match=r"PostgreSQL embutido não iniciou: .*pg_wal"):
        await make_servers(valkey=False).start()


async def test_an_account_without_a_name_is_told_that_postgres_wants_one(
    own_home: Path, make_servers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = own_home.parent / "pginstall"
    (programs / "bin").mkdir(parents=True)
    said = "initdb: could not look up effective user ID 4242: user does not exist"
    (programs / "bin" / "initdb").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    (programs / "bin" / "initdb").chmod(0o755)
    monkeypatch.setattr(binaries, "find_postgres", lambda: PostgresBinaries(programs, "18.6"))
    with pytest.raises(StorageDown, match="user ID 4242: user does not exist") as refused:
        await make_servers(valkey=False).start()
    assert "/etc/passwd" in refused.value.hint


async def test_an_unknown_timezone_does_not_hang(make_servers: Make) -> None:
    with pytest.raises(StorageDown, match="não iniciou"):
        await make_servers(valkey=False, timezone="Mars/Olympus").start()


@pytest.mark.parametrize("path", ["file/home", "x" * 300])
async def test_an_unusable_home_is_one_readable_line(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="Não foi possível usar") as refused:
        await EmbeddedServers(tmp_path / path).start()
    assert "OMIE_CONTROL_HOME" in refused.value.for_people()
    with pytest.raises(InvalidInput), HomeLock(tmp_path / path, "up"):
        pass


async def test_a_home_of_another_account_is_refused(
    own_home: Path, make_servers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_home.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: own_home.stat().st_uid + 1)
    with pytest.raises(InvalidInput, match="é de outra conta"):
        await make_servers().start()


async def test_a_full_disk_is_named(own_home: Path, make_servers: Make) -> None:
    own_home.mkdir(mode=0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12M", "tmpfs", str(own_home)], check=False).returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        with pytest.raises(StorageDown, match=r"(espaço|No space)"):
            await make_servers().start()
        assert not list(own_home.glob("postgres.*"))
        assert not (own_home / "postgres").exists()
    finally:
        subprocess.run(["umount", str(own_home)], check=True)


async def test_a_folder_of_sockets_prepared_by_somebody_else_is_not_used(own_home: Path) -> None:
    own_home.mkdir()
    home, elsewhere = Home(own_home), own_home / "elsewhere"
    elsewhere.mkdir()
    (own_home / f"omie-{home.digest}").symlink_to(elsewhere)
    with pytest.raises(Conflict, match="não é uma pasta desta conta"):
        find_sockets(home, base=own_home, mode=0o700)


async def test_a_second_up_names_the_process_that_runs(own_home: Path) -> None:
    with HomeLock(own_home, "up"), pytest.raises(Conflict) as refused:
        HomeLock(own_home, "up").__enter__()
    assert str(os.getpid()) in refused.value.message
    assert f"kill {os.getpid()}" in refused.value.hint
    with HomeLock(own_home, "up"):
        pass


async def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    held, wanted = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert await held.acquire()
    assert not wanted.try_acquire()
    child = subprocess.Popen(["sleep", "60"], pass_fds=(held.fd or -1,))
    held.release()
    assert not await wanted.acquire(within_seconds=0.05)
    child.kill()
    child.wait()
    assert await wanted.acquire(within_seconds=5)
    wanted.release()


def test_the_table_of_reasons_knows_the_faults_of_a_disk() -> None:
    from omie_control.embedded.troubles import readable  # noqa: PLC0415

    for number, word in ((errno.ENOSPC, "espaço"), (errno.EROFS, "leitura"), (errno.EACCES, "permissão")):
        with pytest.raises((StorageDown, InvalidInput), match=word), readable(Path("/home")):
            raise OSError(number, os.strerror(number), "/home/x")
