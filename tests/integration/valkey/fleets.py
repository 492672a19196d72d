"""Several real servers that belong together: a master with replicas and sentinels, or a cluster."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from tests.conftest import eventually
from tests.ports import port_of, reserved

from omie_control.embedded.binaries import find_valkey

PASSWORD = "s3gr@do/:,"
SENTINEL_PASSWORD = "outr@"
SERVICE = "omie-control"
SLOTS = 16384


class Node:
    """One server on a port of loopback, ended by its process id."""

    def __init__(self, folder: Path, *options: str, sentinel: str = "") -> None:
        self._reserved = [reserved()]
        self.port = port_of(self._reserved[0])
        self._folder = folder / str(self.port)
        self._folder.mkdir()
        self._sentinel = sentinel
        self._options = [
            *("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.asyncio.Redis(
            port=self.port,
            password=SENTINEL_PASSWORD if sentinel else PASSWORD,
            # A busy machine is no dead server; who was killed refuses at once.
            socket_timeout=30,
            retry=Retry(NoBackoff(), 0),
        )

    def another_port(self) -> int:
        """Return another port that is this server's alone."""
        self._reserved.append(reserved())
        return port_of(self._reserved[-1])

    def add(self, *options: str) -> None:
        """Add options for its start."""
        self._options += options

    async def start(self) -> None:
        """Start it and wait until it answers."""
        command = [str(find_valkey()), *self._options]
        if self._sentinel:
            settings = self._folder / "sentinel.conf"
            settings.write_text(self._sentinel.format(port=self.port, folder=self._folder), encoding="utf-8")
            command = [str(find_valkey()), str(settings), "--sentinel"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        await eventually(self._answers)

    async def _answers(self) -> bool:
        with suppress(RedisError, OSError):
            return bool(await self.client.ping())
        return False

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    async def close(self) -> None:
        """End it for good, and give its ports back."""
        self.kill()
        await self.client.aclose()
        for held in self._reserved:
            held.close()

    def freeze(self) -> None:
        """Stop it in its tracks: it keeps its connections and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    async def ask(self, *command: Any) -> Any:
        """Send one command to this server, whatever it is to the others."""
        return await self.client.execute_command(*command)  # type: ignore[no-untyped-call]

    async def fact(self, section: str, name: str) -> Any:
        """Return one fact of INFO; None while it does not answer."""
        with suppress(RedisError, OSError):
            return (await self.client.info(section)).get(name)
        return None


class Fleet:
    """What the tests of both kinds need: an address, who decides for the gate, and everybody well again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: list[Node] = []
        self.url = ""

    async def leader(self) -> Node:
        """Return the server that holds the gate of the egress 'default'."""
        raise NotImplementedError

    async def is_whole(self) -> bool:
        """Whether every server is in its place again, so that another may fall."""
        raise NotImplementedError

    async def empty(self) -> None:
        """Forget all keys."""
        for node in self.nodes:
            if await node.fact("replication", "role") == "master":
                await node.client.flushall()


class Watched(Fleet):
    """A master, two replicas, three sentinels, passwords everywhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0")
        first = Node(folder, *login)
        self.nodes = [first, *(Node(folder, *login, "--replicaof", f"127.0.0.1 {first.port}") for _ in range(2))]
        settings = "\n".join(
            (
                "port {port}",
                "bind 127.0.0.1",
                "dir {folder}",
                f'requirepass "{SENTINEL_PASSWORD}"',
                f"sentinel monitor {SERVICE} 127.0.0.1 {first.port} 2",
                f'sentinel auth-pass {SERVICE} "{PASSWORD}"',
                # A busy machine is no dead server, for them too.
                f"sentinel down-after-milliseconds {SERVICE} 2000",
                f"sentinel failover-timeout {SERVICE} 2000",
            )
        )
        self.sentinels = [Node(folder, sentinel=settings) for _ in range(3)]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels)
        login_part = f":{quote(PASSWORD, safe='')}@"
        self.url = f"valkey+sentinel://{login_part}{hosts}/{SERVICE}/2?sentinel_password={quote(SENTINEL_PASSWORD)}"

    async def start(self) -> None:
        await asyncio.gather(*(node.start() for node in self.nodes))
        await asyncio.gather(*(node.start() for node in self.sentinels))
        await eventually(self.is_whole, within=60)

    async def leader(self) -> Node:
        host_port = await self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(node for node in self.nodes if node.port == int(host_port[1]))

    async def is_whole(self) -> bool:
        replicas = [await node.fact("replication", "master_link_status") for node in self.nodes]
        if replicas.count("up") != 2:
            return False
        for sentinel in self.sentinels:
            try:
                said: Any = await sentinel.client.sentinel_master(SERVICE)
            except (RedisError, OSError):
                return False
            if said["flags"] not in ("master", {"master"}) or (said["num-slaves"], said["num-other-sentinels"]) != (
                2,
                2,
            ):
                return False
        return True


class Clustered(Fleet):
    """Three masters with a third of the slots each, and a replica for the one that holds the gate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0")
        for _ in range(4):
            options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
            node = Node(folder, *login, *options, "--cluster-replica-validity-factor", "0")
            node.add("--cluster-port", str(node.another_port()))
            self.nodes.append(node)
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])
        self.url = f"redis+cluster://:{quote(PASSWORD, safe='')}@{hosts}"

    async def start(self) -> None:
        await asyncio.gather(*(node.start() for node in self.nodes))
        first = self.nodes[0]
        bus = {node: await node.client.config_get("cluster-port") for node in self.nodes}
        for number, node in enumerate(self.nodes):
            await node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            await node.ask("CLUSTER", "MEET", "127.0.0.1", first.port, bus[first]["cluster-port"])
        for number, node in enumerate(self.nodes[:3]):
            await node.ask("CLUSTER", "ADDSLOTSRANGE", number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1)
        await eventually(self._is_ok, within=60)
        holder = self.nodes[slot_of_gate() * 3 // SLOTS]
        await self.nodes[3].ask("CLUSTER", "REPLICATE", await self.id(holder))
        await eventually(self.is_whole, within=60)

    async def id(self, node: Node) -> str:
        """Return what the others call a node."""
        return str((await node.ask("CLUSTER", "MYID")).decode())

    async def leader(self) -> Node:
        for first, last, master, *_ in await self._slots():
            if first <= slot_of_gate() <= last:
                return next(node for node in self.nodes if node.port == master[1])
        raise AssertionError("nobody holds the gate's slot")

    async def move_the_gate(self) -> None:
        """Move the gate's slot to another master, key by key, as an operator's tool does."""
        source, slot = await self.leader(), slot_of_gate()
        target = next(node for node in self.nodes[:3] if node is not source)
        await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", await self.id(source))
        await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", await self.id(target))
        while keys := await source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1):
            place = ("127.0.0.1", target.port, "", 0, 30_000)
            await source.ask("MIGRATE", *place, "REPLACE", "AUTH", PASSWORD, "KEYS", *keys)
            await asyncio.sleep(0.05)
        for node in self.nodes[:3]:
            await node.ask("CLUSTER", "SETSLOT", slot, "NODE", await self.id(target))

    async def is_whole(self) -> bool:
        roles = [await node.fact("replication", "role") for node in self.nodes]
        links = [await node.fact("replication", "master_link_status") for node in self.nodes]
        return sorted(map(str, roles)) == ["master"] * 3 + ["slave"] and links.count("up") == 1 and await self._is_ok()

    async def _slots(self) -> Any:
        for node in self.nodes:
            with suppress(RedisError, OSError):
                return await node.ask("CLUSTER", "SLOTS")
        raise AssertionError("no node answers")

    async def _is_ok(self) -> bool:
        for node in self.nodes:
            told = await node.ask("CLUSTER INFO")
            if str(told["cluster_state"]) != "ok" or int(told["cluster_known_nodes"]) != len(self.nodes):
                return False
        return True


@asynccontextmanager
async def running(kind: type[Watched] | type[Clustered]) -> AsyncIterator[Watched | Clustered]:
    """Run a fleet; whatever happens, every process of it ends."""
    folder = Path(tempfile.mkdtemp(prefix="octl-fl-"))
    fleet = kind(folder)
    everybody = [*fleet.nodes, *(fleet.sentinels if isinstance(fleet, Watched) else [])]
    try:
        await fleet.start()
        yield fleet
    finally:
        for node in everybody:
            await node.close()
        shutil.rmtree(folder, ignore_errors=True)


def slot_of_gate() -> int:
    """Return the slot that all keys of the egress 'default' share."""
    return key_slot(b"gate:{default}:state")
