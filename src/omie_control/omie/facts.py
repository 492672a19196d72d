"""What a refusal of Omie's means, as values: the kinds of fault there are and the facts read from one.

`facts_of(error)` gives them back from whatever error carried them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from omie_control.errors import ControlError, Uncertain

# Omie's clock is Brasília's, which has had no summer time since 2019.
_BRASILIA = timezone(timedelta(hours=-3))


class FaultKind(StrEnum):
    """What a fault means, whatever code its service chose for it. `omie_<kind>` is our error code."""

    REDUNDANT = "redundante"
    LOCKED = "metodo_em_uso"
    REPEATED = "ja_processada"
    MISUSE = "bloqueio"
    RATE = "limite"
    BROKEN = "resposta_quebrada"
    NOT_READY = "ainda_calculando"
    CREDENTIALS = "credenciais"
    DISABLED = "api_desligada"
    WRONG_METHOD = "metodo_inexistente"
    MALFORMED = "pedido_malformado"
    NO_PARAMS = "sem_parametros"
    EMPTY = "sem_registros"
    NOT_FOUND = "nao_encontrado"
    BAD_REFERENCE = "referencia_invalida"
    DUPLICATE_CODE = "codigo_ja_usado"
    DUPLICATE_DOCUMENT = "documento_ja_usado"
    DUPLICATE = "duplicado"
    SETTLED = "ja_liquidado"
    UNKNOWN_FIELD = "campo_desconhecido"
    REQUIRED = "campo_obrigatorio"
    BAD_VALUE = "valor_nao_aceito"
    BAD_DATE = "data_invalida"
    SHORT_FILTER = "filtro_curto"
    EXCLUSIVE = "campos_excludentes"
    RULE = "regra_de_negocio"
    INACTIVE = "cadastro_inativo"
    UNKNOWN = "desconhecida"

    @property
    def error_code(self) -> str:
        """Return the code by which faces and records name this kind."""
        return f"omie_{self.value}"


@dataclass(frozen=True, slots=True)
class OmieFacts:
    """What is known of one refusal. `text` is Omie's own sentence, shortened, with documents hidden.

    `is_proved_refusal`: Omie said that this very call was not carried out, so sending it again repeats nothing.
    `never_left`: not even a connection brought it to Omie, which has counted nothing.
    `seconds` and `clock_time` (HH:MM:SS in Brasília) say how long Omie wants to be left alone.
    """

    kind: FaultKind
    cause: str
    for_agent: str
    for_person: str
    text: str = ""
    fault_code: str | None = None
    status_code: int | None = None
    seconds: int | None = None
    clock_time: str | None = None
    field: str | None = None
    accepted: tuple[str, ...] = ()
    omie_id: int | None = None
    integration_code: str | None = None
    is_proved_refusal: bool = False
    never_left: bool = False

    def until(self, now: datetime) -> datetime | None:
        """Return the instant from which Omie may be asked again, or None when it named none."""
        if self.clock_time is not None:
            return _next_at(self.clock_time, now)
        return None if self.seconds is None else now + timedelta(seconds=self.seconds)


def facts_of(error: BaseException | None) -> OmieFacts | None:
    """Return the facts that an error carries, or None when it did not come from Omie."""
    facts = getattr(error, "facts", None)
    return facts if isinstance(facts, OmieFacts) else None


def error_with(make: type[ControlError], facts: OmieFacts, hint: str | None = None) -> ControlError:
    """Build an error of the tree that speaks and carries these facts."""
    error = make(facts.cause, hint=hint or facts.for_agent, code=facts.kind.error_code)
    error.facts = facts
    return error


def uncertain_with(facts: OmieFacts, hint: str | None = None) -> ControlError:
    """Build the error of a write whose fate these facts leave open; it always says so and forbids the repeat."""
    error = Uncertain(f"{facts.cause} {Uncertain.__doc__}", hint=hint or Uncertain.hint)
    error.facts = facts
    return error


def _next_at(clock_time: str, now: datetime) -> datetime:
    """Find the nearest instant, within half a day of `now`, at which Brasília's clocks show a time."""
    hour, minute, second = (int(part) for part in clock_time.split(":"))
    here = now.astimezone(_BRASILIA)
    at = here.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if at - here > timedelta(hours=12):
        at -= timedelta(days=1)
    elif here - at > timedelta(hours=12):
        at += timedelta(days=1)
    return at.astimezone(now.tzinfo)
