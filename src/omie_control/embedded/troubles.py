"""Faults of the disk and of the machine, said in one line that tells what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omie_control.domain.system_faults import reason_of
from omie_control.errors import ControlError, InvalidInput, StorageDown

CHOOSE_HOME = "Escolha outra pasta em OMIE_CONTROL_HOME."
USE_EXTERNAL = "Defina OMIE_CONTROL_DATABASE_URL e OMIE_CONTROL_VALKEY_URL para usar servidores que já existem."

_REASONS = {
    errno.ENOSPC: ("não há espaço em disco", "Libere espaço e inicie de novo."),
    errno.EDQUOT: ("a cota de disco acabou", "Libere espaço e inicie de novo."),
    errno.ENOENT: ("a pasta não existe mais", "Encerre o omie-control e inicie de novo."),
    errno.EROFS: ("o disco só permite leitura", CHOOSE_HOME),
    errno.EACCES: ("falta permissão", CHOOSE_HOME),
    errno.EPERM: ("falta permissão", CHOOSE_HOME),
    errno.ENAMETOOLONG: ("o caminho é longo demais", CHOOSE_HOME),
    errno.ENOTDIR: ("o caminho passa por um arquivo que não é pasta", CHOOSE_HOME),
    errno.EEXIST: ("já existe ali um arquivo que não é pasta", CHOOSE_HOME),
}


@contextmanager
def readable(home: Path) -> Iterator[None]:
    """Turn a fault of the operating system under `home` into an error that a person can act on."""
    try:
        yield
    except OSError as exc:
        raise _explained(home, exc) from exc


def _explained(home: Path, exc: OSError) -> ControlError:
    reason, hint = _REASONS.get(exc.errno or 0, (reason_of(exc), "Confira o disco e a pasta."))
    where = exc.filename if isinstance(exc.filename, str) else home
    kind = InvalidInput if hint is CHOOSE_HOME else StorageDown
    return kind(f"Não foi possível usar {where}: {reason}.", hint=hint, code="pasta_inutilizavel")


def home_is_gone(home: Path) -> ControlError:
    """Build the error of a home that was deleted, moved or replaced under its users."""
    return StorageDown(
        f"A pasta {home} foi apagada ou movida enquanto estava em uso.",
        hint="Devolva-a ao lugar, ou restaure-a da cópia de segurança, e inicie de novo.",
        code="pasta_sumiu",
    )
