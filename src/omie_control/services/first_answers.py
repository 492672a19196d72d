"""What a further try of a write is told: the first one's answer, or why there is none to give."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from omie_control.domain.companies import Company
from omie_control.domain.executions import Status
from omie_control.errors import Conflict, Uncertain
from omie_control.omie.lookups import Lookup
from omie_control.omie.protocol import Payload
from omie_control.postgres.idempotency import KeyState, StoredKey
from omie_control.services.endings import FIRST_IS_UNCERTAIN
from omie_control.services.keys import Keys
from omie_control.services.recording import Handle
from omie_control.services.write_keys import Scope, digest_of, open_part, payload_of
from omie_control.telemetry import Event, tell

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write. `repeated_of`: the execution whose answer this is, when nothing was sent now."""

    payload: Payload
    repeated_of: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """One call that wants to write: what, for whom, under which key. `touch` makes old what it may have changed."""

    handle: Handle
    company: Company
    lookup: Lookup
    param: Mapping[str, Any]
    key: str
    is_derived: bool
    touch: Callable[[], Awaitable[None]] | None = None

    @property
    def process_type(self) -> str:
        """The kind of execution, as keys know it."""
        return self.handle.request.process_type[:100]

    @property
    def scope(self) -> Scope:
        """What the key is unique in."""
        return self.company.id, self.process_type, self.key

    @property
    def digest(self) -> bytes:
        """What tells its content from any other."""
        return digest_of(self.lookup.method, self.param)


async def first_answer(keys: Keys, attempt: Try, found: StoredKey | None) -> Written | None:
    """Return the answer that a key already has, or None while there is none.

    Raises Conflict when the key was used for other content or its answer was not kept; Uncertain while the fate of its
    first try is unknown.
    """
    if found is None or found.state is KeyState.FREE:
        return None
    if found.digest != attempt.digest:
        raise Conflict(
            f"A chave de idempotência já foi usada com outros dados, na execução {found.execution_name}.",
            hint="Para outra escrita use outra chave_idempotencia; para repetir a mesma, envie os mesmos dados.",
            code="chave_ja_usada",
        )
    if found.state is KeyState.ANSWERED and found.answer is not None:
        return await _again(keys, attempt, found, found.answer)
    if found.state is KeyState.UNCERTAIN or found.status is Status.UNCERTAIN:
        _raise_uncertain(found)
    if found.state is KeyState.OPEN and found.status is Status.COMPLETED:
        raise Conflict(
            f"Esta escrita já foi feita, na execução {found.execution_name}, mas sua resposta não ficou guardada.",
            hint=f"Veja o resultado com mostrar_execucao. {_insist(found)}",
            code="ja_executada",
        )
    return None


def pause_before_look(number: int) -> float:
    """Return how long to wait before looking once more, in seconds: many may wait for one, so ever longer."""
    return min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 1.5**number)


async def wait_there(found: StoredKey | None, deadline: float, number: int) -> None:
    """Wait a moment for a try that runs elsewhere, for the `number`th time. Raises Conflict when it takes too long.

    `found` None: whoever is ahead has not even claimed the key yet.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        where = "" if found is None else f", em {found.execution_name}"
        raise Conflict(
            f"A mesma escrita ainda está sendo executada{where}.",
            hint="Espere alguns segundos e chame de novo com os mesmos dados: a resposta será a da primeira.",
            code="ainda_executando",
        )
    await asyncio.sleep(min(left, pause_before_look(number)))


def refuse_alike(found: StoredKey | None, waited_for: UUID) -> None:
    """Raise Conflict when the try that was waited for has been refused meanwhile: this one would be too."""
    if found is not None and found.state is KeyState.FREE and found.execution_id == waited_for:
        raise Conflict(
            f"A mesma escrita acabou de ser recusada, na execução {found.execution_name}.",
            hint="Veja o motivo com mostrar_execucao, corrija os dados e chame de novo.",
            code="recusada_antes",
        )


async def _again(keys: Keys, attempt: Try, found: StoredKey, answer: bytes) -> Written:
    key = await keys.by_id(found.key_id)
    payload = payload_of(open_part(key.key, answer, attempt.scope, "answer"))
    tell(
        Event.WRITE_REPEATED,
        execution_id=attempt.handle.execution_id,
        repeated_of=found.execution_name,
        is_derived=found.is_derived,
    )
    note = f"Nada foi enviado: esta escrita já tinha sido feita na execução {found.execution_name}. {_insist(found)}"
    return Written(payload, found.execution_name, note)


def _insist(found: StoredKey) -> str:
    if found.is_derived:
        return "Para fazer de novo de propósito, envie uma chave_idempotencia nova."
    return "Para fazer de novo de propósito, envie outra chave_idempotencia."


def _raise_uncertain(found: StoredKey) -> NoReturn:
    raise Uncertain(
        f"Não se sabe ainda se o Omie executou a primeira tentativa desta escrita ({found.execution_name}).",
        hint="Não a refaça com outra chave: o sistema consulta o Omie e resolve em alguns minutos; "
        "depois chame de novo com os mesmos dados.",
        code=FIRST_IS_UNCERTAIN,
        execution_id=found.execution_name,
    )
