"""`python -m tests.audit`: the dependencies looked over, as far as that works without a network.

What is installed is what the lock says, hash for hash; the locks name no index; what the code imports is declared;
every licence is one that we may ship with. Known vulnerabilities are asked of the registry's advisory service by
pip-audit; where it cannot be reached (a closed network), that is said, and everything else still counts.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(;[^\\]*)?", re.MULTILINE)
_FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|PostgreSQL|HPND|CNRI|LGPL|Public Domain",
    re.IGNORECASE,
)


def main() -> int:
    """Print what is wrong, a line each; 0 when nothing is."""
    problems = [*_locks(), *_installed(), *_undeclared(), *_licences(), *_inconsistent()]
    vulnerable, note = _vulnerable()
    problems += vulnerable
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"dependencies: {len(_pins('requirements.txt'))} locked, {len(problems)} problems; {note}\n")
    return 1 if problems else 0


def _pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {_plain(match[1]): match[2] for match in _PIN.finditer(text)}


def _locks() -> Iterator[str]:
    for lock in LOCKS:
        text = (ROOT / lock).read_text(encoding="utf-8")
        if re.search(r"https?://|--index|--find-links", text):
            yield f"{lock}: names an index"
        for block in re.split(r"\n(?=[A-Za-z])", text):
            if _PIN.match(block) and "--hash=sha256:" not in block:
                yield f"{lock}: {block.splitlines()[0]} has no hash"


def _installed() -> Iterator[str]:
    for name, version in _pins("requirements.txt").items():
        try:
            found = distribution(name).version
        except PackageNotFoundError:
            continue  # for another platform
        if found != version:
            yield f"{name}: {found} is installed, the lock says {version}"


def _undeclared() -> Iterator[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_plain(re.split(r"[\[<>=!;~ ]", each)[0]) for each in project["dependencies"]}
    # What comes as a part of a declared one, by its own documentation.
    declared |= {"fastmcp-slim", "mcp", "mcp-types"}
    owners = packages_distributions()
    for module, where in sorted(_imports().items()):
        names = {_plain(name) for name in owners.get(module, [])}
        if module not in sys.stdlib_module_names and module != "omie_control" and not names & declared:
            yield f"{where}: imports {module}, which is not a declared dependency"


def _imports() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], str(path.relative_to(ROOT)))
    return found


def _licences() -> Iterator[str]:
    for name in _pins("requirements.txt"):
        try:
            told = _licence(distribution(name))
        except PackageNotFoundError:
            continue
        if not _FREE.search(told):
            yield f"{name}: licence {told[:80]!r} is not one that we know to be free"


def _licence(dist: Distribution) -> str:
    meta = dist.metadata
    classifiers = [value for value in meta.get_all("Classifier", []) if value.startswith("License")]
    return " ".join([meta.get("License-Expression", ""), meta.get("License", "")[:200], *classifiers]).strip()


def _inconsistent() -> Iterator[str]:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    if done.returncode:
        yield from done.stdout.splitlines()


def _vulnerable() -> tuple[list[str], str]:
    command = [sys.executable, "-m", "pip_audit", "-r", str(ROOT / "requirements.txt"), "--disable-pip"]
    try:
        done = subprocess.run([*command, "--timeout", "5"], capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return [], "the advisory service did not answer in time"
    known = [line for line in done.stdout.splitlines() if re.match(r"\S+\s+\S+\s+(PYSEC|GHSA|CVE)-", line)]
    if known:
        return [f"vulnerable: {line}" for line in known], "advisories were read"
    skipped = done.stdout.count("could not be audited")
    if done.returncode or skipped:
        return [], "the advisory service cannot be reached from here"
    return [], "no known vulnerability"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    raise SystemExit(main())
