"""What a row of the fault tables holds, and the phrases that many rows share.

A row's sample is its proof: `live` was measured on the real API, `reported` was written down by integrators,
`described` has a known code whose sentence nobody recorded. A unit test runs every row.
"""

from __future__ import annotations

from dataclasses import dataclass

from omie_control.omie.facts import FaultKind


@dataclass(frozen=True, slots=True)
class Sample:
    """A fault as it was seen: faultcode, faultstring, and where."""

    code: str
    text: str
    proof: str = "live"
    service: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """How to recognise one fault and what to say of it; `{groups}` of the pattern may stand in the texts.

    The pattern meets the text without its accents, in any case; `service` narrows a row to URLs that begin so.
    """

    kind: FaultKind
    sample: Sample
    cause: str
    for_agent: str
    for_person: str
    pattern: str = ""
    codes: tuple[str, ...] = ()
    service: str = ""
    field: str | None = None
    seconds: int | None = None


WAIT = "Espere o tempo indicado e chame de novo uma única vez; repetir antes só aumenta a espera."
ASK_OPERATOR = "Não repita: peça a quem opera o sistema que verifique."
FIX = "Corrija o campo indicado e chame de novo."
SEARCH = "Confira o código: procure o registro por nome ou documento com uma listagem antes de tentar de novo."
NOTHING = "Nada a fazer agora; o sistema espera sozinho."
CHECK_DATA = "Confira os dados do pedido no Omie."
CHECK_RECORD = "Confira no Omie se o cadastro existe e está ativo."
LOOK_UP = "Consulte o registro pelo código de integração antes de qualquer nova tentativa de escrita."
