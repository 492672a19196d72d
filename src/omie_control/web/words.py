"""Words for people. Portuguese is the source; other languages are catalogues beside it, read at the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from omie_control.domain.actors import ActorKind
from omie_control.domain.executions import Status

DEFAULT = "pt-BR"
LANGUAGES: Mapping[str, str] = {"pt-BR": "Português", "en": "English"}
_LOCALE = Path(__file__).parent / "locale"

Translate = Callable[[str], str]


def mark(text: str) -> str:
    """Mark a text for the catalogues where it is declared; it is translated where it is shown."""
    return text


STATUS_WORDS: Mapping[Status, str] = {
    Status.QUEUED: mark("na fila"),
    Status.AWAITING_APPROVAL: mark("aguarda aprovação"),
    Status.RUNNING: mark("em execução"),
    Status.COMPLETED: mark("concluída"),
    Status.FAILED: mark("falhou"),
    Status.TIMEOUT: mark("tempo esgotado"),
    Status.CANCELLED: mark("cancelada"),
    Status.UNCERTAIN: mark("incerta"),
}

# By which door somebody came in; a word that is the same in every language stays as it is.
KIND_WORDS: Mapping[str, str] = {
    ActorKind.USER: mark("pessoa"),
    ActorKind.CLI: mark("linha de comando"),
    ActorKind.SYSTEM: mark("sistema"),
    ActorKind.LIBRARY: mark("biblioteca"),
    ActorKind.IDENTITY: mark("conta da empresa"),
}


def translator(language: str) -> Translate:
    """Return what turns a Portuguese text into the language; an unknown text stays as it is."""
    table = _table(language) if language in LANGUAGES and language != DEFAULT else {}
    return lambda text: table.get(text, text)


@cache
def _table(language: str) -> Mapping[str, str]:
    path = _LOCALE / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
