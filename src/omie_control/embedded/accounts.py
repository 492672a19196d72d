"""The account that PostgreSQL runs under, since it refuses root.

A plain user runs it directly. Root runs it in a user namespace: files stay root's, a 0700 folder of root's above
them does no harm. Where namespaces are refused, or a closed folder of somebody else's lies above, it runs as
`nobody` with the one right to pass closed folders; and where even that is refused, as plain `nobody`, from a copy
of the programs when it cannot reach them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import DEVNULL

from omie_control.errors import InvalidInput

_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Account:
    """Who owns a server's files and how a program is started as that account."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()
    is_dropped: bool = False

    @property
    def owner(self) -> tuple[int, int]:
        """The uid and gid of the files."""
        return self.uid, self.gid

    @property
    def needs_open_folders(self) -> bool:
        """Whether closed folders above the data or the programs stop this account."""
        return self.is_dropped


@cache
def choose_account(*folders: Path) -> Account:
    """Return the best account that this machine lets us start PostgreSQL with; it has to enter `folders`."""
    if os.geteuid() != 0:
        return own_account()
    return _in_namespace(folders) or _as_nobody_with_passage(folders) or plain_nobody()


def own_account() -> Account:
    """Return the account that we run as ourselves."""
    return Account(os.geteuid(), os.getegid())


def plain_nobody() -> Account:
    """Return `nobody` without any right of its own."""
    nobody = _nobody()
    return Account(nobody.pw_uid, nobody.pw_gid, is_dropped=True)


def _in_namespace(folders: Sequence[Path]) -> Account | None:
    account = Account(0, 0, _tool("unshare", "-U", "--map-user=1000", "--map-group=1000", "--"))
    return account if _works(account, folders) else None


def _as_nobody_with_passage(folders: Sequence[Path]) -> Account | None:
    nobody = _nobody()
    ids = (f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    passage = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    # PostgreSQL asks access(2) whether its own programs are there, which takes the right away for the question.
    for also_for_access in (("--securebits=+no_setuid_fixup",), ()):
        account = Account(nobody.pw_uid, nobody.pw_gid, _tool("setpriv", *ids, *passage, *also_for_access, "--"))
        if _works(account, folders):
            return account
    return None


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise InvalidInput(
            "O PostgreSQL embutido não roda como root, e este sistema não tem a conta nobody.",
            hint="Rode o omie-control com uma conta comum.",
            code="conta_ausente",
        ) from None


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    found = shutil.which(name, path=_PATH)
    return (found, *arguments) if found else ()


def _works(account: Account, folders: Sequence[Path]) -> bool:
    """Try the way out on a program that only enters the folders."""
    program = shutil.which("ls", path=_PATH)
    if not account.prefix or program is None:
        return False
    try:
        tried = subprocess.run(  # noqa: S603 (our own words, no shell)
            [*account.prefix, program, "-d", "/", *(f"{folder}/." for folder in folders)],
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0


def can_pass(path: Path) -> bool:
    """Whether any account may enter `path` and every folder above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
