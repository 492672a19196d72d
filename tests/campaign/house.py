"""One installation under test: `omie-control up` as a process of its own, and the pids of what it started."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from omie_control.embedded.home import Home

_ADDRESS = re.compile(r"MCP\s+(http://\S+/mcp)")
_START_SECONDS = 180.0
_STOP_SECONDS = 180.0
UP = ("-m", "omie_control", "up", "--port", "0")
QUICK = ("-m", "tests.campaign.quick", "up", "--port", "0")


class House:
    """Starts, kills and stops one installation; `program` are the arguments of Python that run it."""

    def __init__(
        self, home: Path, omie_base_url: str | None = None, program: Sequence[str] = UP, **environment: str
    ) -> None:
        self.home = home
        self._program = program
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OMIE_CONTROL_")},
            "OMIE_CONTROL_HOME": str(home),
            **environment,
        }
        if omie_base_url is not None:
            self._environment |= {"OMIE_CONTROL_OMIE_BASE_URL": omie_base_url, "OMIE_CONTROL_DEMO": "0"}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.screen = home.with_name(home.name + ".screen")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Ours, once it was started."""
        assert self._process is not None
        return self._process

    @property
    def token(self) -> str:
        """The ready token of the start screen."""
        return (self.home / "agent-token").read_text(encoding="ascii").strip()

    @property
    def owner_url(self) -> str:
        """The superuser's address of the embedded PostgreSQL, wherever its socket lies now."""
        password = Home(self.home).passwords().owner
        postmaster = (self.home / "postgres" / "postmaster.pid").read_text().splitlines()
        port, folder = postmaster[3], postmaster[4]
        return f"postgresql://omie_owner:{password}@/omie_control?host={folder}&port={port}"

    def command(self, *arguments: str, given: str = "") -> str:
        """Run a command of the same installation and return what it printed; it has to succeed."""
        done = self.tried(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tried(self, *arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the same installation, however it ends."""
        return subprocess.run(
            [sys.executable, "-m", "omie_control", *arguments],
            env=self._environment | environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    async def start(self) -> None:
        """Start, and return when the screen is shown."""
        with self.screen.open("wb") as screen:
            self._process = subprocess.Popen(
                [sys.executable, *self._program],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while (found := _ADDRESS.search(self.screen.read_text(encoding="utf-8", errors="replace"))) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the start failed:\n{self.screen.read_text(encoding='utf-8', errors='replace')}")
            await asyncio.sleep(0.02)
        self.url = found[1]

    async def stop(self) -> None:
        """Stop by Ctrl-C, and see that no process of the installation is left."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        await asyncio.to_thread(self._process.wait, _STOP_SECONDS)
        self._process = None
        left = [process.pid for process in self.servers()]
        assert not left, f"processes left behind: {left}"

    async def kill(self, whom: str) -> None:
        """kill -9 the `server` (our process), `postgres` (the postmaster) or `valkey`; restart ours when it was it."""
        if whom == "server":
            assert self._process is not None
            self._process.kill()
            self._process.wait()
            await self.start()
            return
        # Read before anybody is killed: whoever starts PostgreSQL again writes the file anew.
        postmaster = self._postmaster()
        for process in self.servers():
            # Asked by what was seen when it was found: a backend may end at any moment.
            is_valkey = process.info["name"] == "valkey-server"
            if is_valkey if whom == "valkey" else process.pid == postmaster:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def servers(self) -> list[psutil.Process]:
        """Find the embedded servers' processes of this home, by the folder they were started with or work in."""
        found = []
        for process in psutil.process_iter(["name"]):
            if process.info["name"] in {"postgres", "valkey-server"}:
                try:
                    words = " ".join(process.cmdline()) + " " + process.cwd()
                except psutil.Error:
                    continue
                if str(self.home) in words:
                    found.append(process)
        return found

    def end(self) -> None:
        """Kill everything that this installation still runs; for the end of a failed test."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for process in self.servers():
            # Backends end by themselves once their postmaster is gone.
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _postmaster(self) -> int:
        return int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
