"""Every place where a secret could come to lie: files, tables, keys of Valkey; and the search in them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import asyncpg
import redis.asyncio
from tests.campaign.house import House

from omie_control.embedded.home import Home

# Where secrets are meant to lie, readable by their owner alone.
KEY_FILES = ("secrets.json", "agent-token", "master.key")


def forms(secret: str) -> set[bytes]:
    """Return how a secret may be written: plain, quoted, base64 from any byte on, hexadecimal."""
    plain = secret.encode()
    made = {plain, quote(secret, safe="").encode(), plain.hex().encode()}
    for skipped in range(3):
        # What stands before shifts base64's letters; the ends are its neighbours'.
        made.add(base64.b64encode(b"x" * skipped + plain)[4 if skipped else 0 : -4])
    return made


def found(text: bytes, canaries: Mapping[str, str]) -> list[str]:
    """Name the secrets that a text holds, in whatever form."""
    return [name for name, secret in canaries.items() if any(form in text for form in forms(secret))]


def files(home: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file of a home but the key files."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in KEY_FILES:
            # While the servers run, a file may go between being found and being read.
            with suppress(FileNotFoundError):
                yield str(path.relative_to(home)), path.read_bytes()


async def rows(house: House) -> AsyncIterator[tuple[str, bytes]]:
    """Give every row of every table, as its owner sees it, and what PostgreSQL knows of the accounts' sessions."""
    connection = await asyncpg.connect(house.owner_url)
    try:
        tables = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        )
        for table in [*(row["name"] for row in tables), "pg_stat_activity", "pg_db_role_setting", "pg_settings"]:
            for row in await connection.fetch(f"select t::text as line from {table} t"):
                yield f"table {table}", (row["line"] or "").encode()
    finally:
        await connection.close()


async def keys(house: House) -> AsyncIterator[tuple[str, bytes]]:
    """Give every key of Valkey with what it holds."""
    socket = next(line for line in _valkey_conf(house) if line.startswith("unixsocket ")).split()[1].strip('"')
    password = Home(house.home).passwords().valkey
    client = redis.asyncio.Redis(unix_socket_path=socket, username="app", password=password)
    try:
        async for key in client.scan_iter(count=1000):
            kind = (await client.type(key)).decode()
            match kind:
                case "string":
                    held = [await client.get(key)]
                case "hash":
                    held = [part for pair in (await client.hgetall(key)).items() for part in pair]
                case "list":
                    held = await client.lrange(key, 0, -1)
                case "set":
                    held = list(await client.smembers(key))
                case "zset":
                    held = await client.zrange(key, 0, -1)
                case "stream":
                    held = [repr(await client.xrange(key)).encode()]
                case "none":
                    # Its life was over between being found and being looked into.
                    continue
                case _:
                    raise AssertionError(f"a key of a kind that nobody looks into: {kind}")
            yield f"valkey {key.decode()}", key + b" " + b" ".join(each for each in held if each)
    finally:
        await client.aclose()


def _valkey_conf(house: House) -> list[str]:
    return (house.home / "valkey" / "valkey.conf").read_text(encoding="utf-8").splitlines()
