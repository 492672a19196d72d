"""What a verification of the audit can find, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Damage(StrEnum):
    """What was done to a record, a seal, a checkpoint or a key."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    CONTENT_CHANGED = "content_changed"
    SEALED_TWICE = "sealed_twice"
    LEAF_FORGED = "leaf_forged"
    LEAF_MOVED = "leaf_moved"
    SEAL_CHANGED = "seal_changed"
    SEAL_REMOVED = "seal_removed"
    SEAL_FORGED = "seal_forged"
    TRUNCATED = "truncated"
    REPLACED = "replaced"
    CHECKPOINT_CHANGED = "checkpoint_changed"
    KEY_FORGED = "key_forged"


WORDS = {
    Damage.CHANGED: "foi alterado depois de selado",
    Damage.REMOVED: "foi removido depois de selado",
    Damage.INSERTED: "não está em nenhum selo: foi inserido por fora, ou o selo que o cobria foi removido",
    Damage.CONTENT_CHANGED: "tem um conteúdo que nenhum selo conhece",
    Damage.SEALED_TWICE: "foi selado de novo depois de terminado",
    Damage.LEAF_FORGED: "tem no selo uma prova que o selador não fez",
    Damage.LEAF_MOVED: "está fora da ordem dentro do selo",
    Damage.SEAL_CHANGED: "foi alterado",
    Damage.SEAL_REMOVED: "foi removido",
    Damage.SEAL_FORGED: "não foi assinado por uma chave desta instalação",
    Damage.TRUNCATED: "existia e não está mais no banco: o fim da auditoria foi cortado",
    Damage.REPLACED: "não é o que foi registrado fora do banco: a auditoria foi trocada",
    Damage.CHECKPOINT_CHANGED: "foi alterado",
    Damage.KEY_FORGED: "não é de uma chave desta instalação",
}
_SUBJECTS = {
    "execution": "A execução",
    "event": "O evento de auditoria",
    "seal": "O selo",
    "checkpoint": "O registro externo",
    "key": "A chave de assinatura",
    "file": "O arquivo",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed. `subject`: execution, event, seal, checkpoint, key or file."""

    damage: Damage
    subject: str
    id: str
    name: str | None = None
    seal: int | None = None
    detail: str | None = None

    @property
    def message(self) -> str:
        """Say it in Portuguese."""
        where = f" (selo {self.seal})" if self.seal is not None and self.subject in ("execution", "event") else ""
        detail = f" {self.detail}" if self.detail else ""
        if self.subject == "file":
            return self.detail or "O arquivo foi alterado."
        what = _agreed(WORDS[self.damage], self.subject)
        return f"{_SUBJECTS[self.subject]} {self.name or self.id}{where} {what}.{detail}"

    def as_fields(self) -> dict[str, str | int | None]:
        """Return it for JSON."""
        return {
            "damage": self.damage.value,
            "subject": self.subject,
            "id": self.id,
            "name": self.name,
            "seal": self.seal,
            "message": self.message,
        }


def differences(count: int) -> str:
    """Count findings in words."""
    return "1 diferença" if count == 1 else f"{count} diferenças"


def _agreed(words: str, subject: str) -> str:
    if subject not in ("execution", "key"):
        return words
    for masculine, feminine in (
        ("alterado", "alterada"),
        ("removido", "removida"),
        ("inserido", "inserida"),
        ("selado", "selada"),
        ("terminado", "terminada"),
        ("o cobria", "a cobria"),
    ):
        words = words.replace(masculine, feminine)
    return words
