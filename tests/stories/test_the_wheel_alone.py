"""Somebody installs the wheel as pipx does, far from any clone, with an empty home: everything is inside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "omie_control"
SECONDS = 150

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("wheel")]


@dataclass(frozen=True)
class Installed:
    """The wheel in an environment of its own, and an empty home to run it in."""

    python: Path
    command: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the developer's: no path of the clone, no setting."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "OMIE_CONTROL_HOME": str(self.folder / "data"),
            "LANG": "C.UTF-8",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.command), *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    @contextlib.contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command that stays, until the block ends with a SIGINT that it must obey."""
        process = subprocess.Popen(
            [str(self.command), *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(SECONDS) in {0, 128 + signal.SIGINT}
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Iterator[Installed]:
    folder = Path(tempfile.mkdtemp(prefix="octl-wheel-"))
    try:
        own = folder / "venv"
        venv.create(own, with_pip=False, symlinks=True)
        python = own / "bin" / "python"
        # The dependencies are those of this test run, so that no network is needed. Only their folder is lent:
        # an editable install in it hangs on a .pth file, and those count only in an environment's own folder.
        lent = f"import site, sys; sys.path.append({sysconfig.get_paths()['purelib']!r})"
        (_site_packages(own) / "lent.pth").write_text(lent + "\n")
        offline = ["install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*_pip(), "--python", str(python), *offline, str(wheel)], check=True, timeout=SECONDS)
        yield Installed(python, own / "bin" / "omie-control", folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _site_packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def _pip() -> list[str]:
    """Call pip: this environment's, or (where it was made without one) the system's."""
    own = [sys.executable, "-m", "pip"]
    has_own = subprocess.run([*own, "--version"], capture_output=True, check=False, timeout=SECONDS).returncode == 0
    return own if has_own else ["python3", "-m", "pip"]


def _line_with(process: subprocess.Popen[bytes], pattern: str) -> str:
    """Read a running command's output until a line matches; give what the pattern holds."""
    assert process.stdout is not None
    deadline, seen = time.monotonic() + SECONDS, b""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        chunk = os.read(process.stdout.fileno(), 65536) if ready else b""
        seen += chunk
        found = re.search(pattern, seen.decode("utf-8", "replace"))
        if found is not None:
            return found[1]
        assert chunk or not ready, f"the command ended without it: {seen!r}"
    raise AssertionError(f"not seen in {SECONDS} s: {seen!r}")


def _get(url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} if body else {})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return bytes(answer.read())


def test_everything_the_package_needs_is_in_the_wheel(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    beside = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert inside == {path.relative_to(PACKAGE.parent).as_posix() for path in beside}
    for needed in (
        "py.typed",
        "omie/catalog.json",
        "postgres/migrations/0001_spine.sql",
        "postgres/grants.sql",
        "postgres/sql/executions.sql",
        "web/templates/base.html",
        "web/static/style.css",
        "web/static/vendor/htmx.min.js",
    ):
        assert f"omie_control/{needed}" in inside


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    metadata = archive.read(f"{folder}/METADATA").decode()
    assert re.search(r"^License-Expression: MIT$", metadata, re.M)
    assert re.search(r"^Requires-Python: >=3\.11$", metadata, re.M)
    assert f"{folder}/licenses/LICENSE" in archive.namelist()
    assert b"omie-control = omie_control.__main__:run" in archive.read(f"{folder}/entry_points.txt")


def test_the_code_that_runs_is_the_wheels(installed: Installed) -> None:
    script = (
        "import sys, omie_control.domain.executions as rules\n"
        "heavy = [name for name in ('asyncpg', 'redis', 'fastmcp', 'fastapi', 'httpx2') if name in sys.modules]\n"
        "print(rules.__file__, heavy)"
    )
    command = [str(installed.python), "-c", script]
    ran = subprocess.run(
        command, cwd=installed.folder, env=installed.environment, capture_output=True, text=True, check=True
    )
    file, _, heavy = ran.stdout.strip().partition(" ")
    assert Path(file).is_relative_to(installed.folder / "venv")
    assert heavy == "[]", "importing the rules loads no server"


def test_the_version_and_the_help_come_at_once(installed: Installed) -> None:
    version = installed.run("version", "--json")
    assert version.returncode == 0, version.stderr
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{json.loads(version.stdout)["version"]}"' in source
    helped = installed.run("--help")
    assert helped.returncode == 0, helped.stderr
    for command in ("up", "serve", "worker", "mcp", "migrate", "doctor", "simulate", "process", "company", "token"):
        assert re.search(rf"^\W*{command}\b", helped.stdout, re.M), command
    assert not (installed.folder / "data").exists(), "asking costs no disk"


def test_the_simulator_answers_alone(installed: Installed) -> None:
    with installed.running("simulate", "--port", "0") as process:
        listing = _line_with(process, r"(http://\S+/api/v1/\n.*app_key \S+  app_secret \S+)\n")
        address, key, secret = re.findall(r"http://\S+|(?<=app_key )\S+|(?<=app_secret )\S+", listing)[:3]
        call = {"call": "ListarClientes", "app_key": key, "app_secret": secret}
        body = json.dumps({**call, "param": [{"pagina": 1, "registros_por_pagina": 3}]}).encode()
        assert len(json.loads(_get(f"{address}geral/clientes/", body))["clientes_cadastro"]) == 3


def test_from_an_empty_home_to_a_page_and_nothing_left_behind(installed: Installed) -> None:
    examined = installed.run("doctor", "--json")
    assert examined.returncode == 0, examined.stdout + examined.stderr
    findings = json.loads(examined.stdout)["items"]
    assert len(findings) > 5
    assert {finding["level"] for finding in findings} <= {"ok", "warning"}
    with installed.running("up", "--port", "0") as process:
        address = _line_with(process, r"Painel +(http://\S+)/\n")
        assert json.loads(_get(f"{address}/readyz"))["ready"] is True
        assert "omie-control" in _get(f"{address}/entrar").decode()
        assert b"htmx" in _get(f"{address}/static/vendor/htmx.min.js")
    assert process.returncode == 0
    assert not list((installed.folder / "data" / "postgres").glob("postmaster.pid"))
