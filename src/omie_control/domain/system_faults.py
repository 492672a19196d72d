"""What the operating system refused, in plain words: its own texts are English, or whatever its locale says."""

from __future__ import annotations

import errno

_REASONS = {
    errno.ENOENT: "o arquivo ou a pasta não existe",
    errno.EACCES: "falta permissão",
    errno.EPERM: "falta permissão",
    errno.ENOSPC: "não há espaço em disco",
    errno.EDQUOT: "a cota de disco acabou",
    errno.EROFS: "o disco só permite leitura",
    errno.EISDIR: "é uma pasta, e não um arquivo",
    errno.ENOTDIR: "o caminho passa por um arquivo que não é pasta",
    errno.EEXIST: "já existe um arquivo com este nome",
    errno.ENAMETOOLONG: "o caminho é longo demais",
    errno.ELOOP: "os atalhos do caminho voltam a si mesmos",
    errno.EIO: "o disco falhou ao ler ou gravar",
}


def reason_of(fault: OSError) -> str:
    """Say why, without a full stop; what has no words here keeps those of the system."""
    return _REASONS.get(fault.errno or 0) or fault.strerror or type(fault).__name__
