"""Configuration that is data: the keys that exist, what each may hold, and how a person's text becomes its value.

Nothing else can be configured: an unknown key is refused with the name that was probably meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from omie_control.errors import InvalidInput, NotFound

_TEXT_MAX = 2000
_TRUE = frozenset({"true", "sim", "s", "1", "on", "ligado", "yes"})
_FALSE = frozenset({"false", "não", "nao", "n", "0", "off", "desligado", "no"})


class ConfigType(StrEnum):
    """What a configuration is; credentials are ciphertext, by a check of the table."""

    CREDENTIALS = "credentials"
    ENDPOINT = "endpoint"
    THRESHOLD = "threshold"
    FEATURE_FLAG = "feature_flag"


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be configured. `default` None: what the environment says, or nothing.

    `lowest` and `highest` bound a threshold, in `unit`.
    """

    name: str
    type: ConfigType
    default: Any
    description: str
    description_en: str
    example: str
    lowest: float = 0
    highest: float = math.inf
    unit: str = ""

    def read(self, given: Any) -> Any:
        """Return the value that somebody's text (or JSON) stands for. Raises InvalidInput that never repeats it."""
        return _READERS[self.type](self, given)

    def refused(self, expected: str) -> InvalidInput:
        """Say what was expected."""
        return InvalidInput(f"{self.name}: esperado {expected}.", hint=f"Exemplo: {self.example}.")


def _read_flag(key: Key, given: Any) -> bool:
    if isinstance(given, bool):
        return given
    word = given.strip().casefold() if isinstance(given, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise key.refused("true ou false")


def _read_threshold(key: Key, given: Any) -> float | int:
    expected = f"um número de {key.lowest:g} a {key.highest:g}{f' ({key.unit})' if key.unit else ''}"
    try:
        number = math.nan if isinstance(given, bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not key.lowest <= number <= key.highest:
        raise key.refused(expected)
    return int(number) if number.is_integer() else number


def _read_endpoint(key: Key, given: Any) -> str:
    expected = "um endereço https:// sem usuário nem senha (http:// só nesta máquina)"
    text = given.strip() if isinstance(given, str) else ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise key.refused(expected) from None
    is_plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= _TEXT_MAX
    if not is_plain or not host or parts.username or parts.password or parts.query or parts.fragment:
        raise key.refused(expected)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise key.refused(expected)
    return text


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_proxy(key: Key, given: Any) -> str:
    text = given.strip() if isinstance(given, str) else ""
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port is not None
    except ValueError:
        is_whole = False
    if not is_whole or len(text) > _TEXT_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise key.refused("o endereço de um proxy, com porta: http:// ou https://")
    return text


_READERS: Mapping[ConfigType, Callable[[Key, Any], Any]] = {
    ConfigType.FEATURE_FLAG: _read_flag,
    ConfigType.THRESHOLD: _read_threshold,
    ConfigType.ENDPOINT: _read_endpoint,
    # The one secret so far; another form of secret brings a reader of its own.
    ConfigType.CREDENTIALS: _read_proxy,
}

WRITES_ENABLED = Key(
    "writes.enabled",
    ConfigType.FEATURE_FLAG,
    True,
    "Escritas no Omie. Desligada, nenhum acesso inclui, altera ou exclui nada; as consultas continuam.",
    "Writes to Omie. Off, nobody creates, changes or deletes anything; reading goes on.",
    "false",
)
CACHE_ENABLED = Key(
    "cache.enabled",
    ConfigType.FEATURE_FLAG,
    True,
    "Respostas guardadas. Desligada, cada consulta vai ao Omie e gasta cota.",
    "Kept answers. Off, each read goes to Omie and costs quota.",
    "false",
)
PATIENCE = Key(
    "omie.patience_seconds",
    ConfigType.THRESHOLD,
    20,
    "Quanto uma chamada espera a vez de ir ao Omie antes de quem chamou ser avisado.",
    "How long a call waits for its turn to go to Omie before its caller is told.",
    "30",
    lowest=1,
    highest=120,
    unit="segundos",
)
BACKGROUND_PATIENCE = Key(
    "omie.background_patience_seconds",
    ConfigType.THRESHOLD,
    150,
    "O mesmo para o trabalho de fundo, que pode esperar mais.",
    "The same for background work, which may wait longer.",
    "300",
    lowest=10,
    highest=3600,
    unit="segundos",
)
REPEAT_PATIENCE = Key(
    "omie.repeat_patience_seconds",
    ConfigType.THRESHOLD,
    50,
    "Quanto uma consulta espera quando o Omie acabou de responder à mesma e só aceita outra igual após um minuto.",
    "How long a question waits that Omie has just answered and takes again only after a minute.",
    "0",
    lowest=0,
    highest=61,
    unit="segundos",
)
BASE_URL = Key(
    "omie.base_url",
    ConfigType.ENDPOINT,
    None,
    "Endereço da API do Omie para as empresas sem endereço próprio. Sem valor: OMIE_CONTROL_OMIE_BASE_URL.",
    "Address of Omie's API for companies without one of their own. Unset: OMIE_CONTROL_OMIE_BASE_URL.",
    "https://app.omie.com.br/api/v1/",
)
LOGIN_HOURS = Key(
    "login.hours",
    ConfigType.THRESHOLD,
    12,
    "Por quanto tempo sem uso uma sessão do painel continua aberta.",
    "How long a session of the dashboard stays open without use.",
    "8",
    lowest=1,
    highest=168,
    unit="horas",
)
LOGIN_DAYS = Key(
    "login.days",
    ConfigType.THRESHOLD,
    7,
    "Por quanto tempo, mesmo em uso, uma sessão do painel vale antes de um novo login.",
    "How long a session of the dashboard holds at most, used or not, before a new login.",
    "30",
    lowest=1,
    highest=90,
    unit="dias",
)
TOKEN_PACE = Key(
    "token.per_second",
    ConfigType.THRESHOLD,
    50,
    "Quantos pedidos por segundo um token pode fazer a cada processo, por MCP e REST juntos; por segundos, mais.",
    "How many requests a second one token may make to each process, by MCP and REST together; for some seconds, more.",
    "100",
    lowest=1,
    highest=1000,
    unit="pedidos por segundo",
)
PROXY = Key(
    "omie.proxy",
    ConfigType.CREDENTIALS,
    None,
    "Proxy por onde as chamadas saem para o Omie, com usuário e senha se ele pedir. Sem valor: saem direto.",
    "Proxy through which calls go out to Omie, with its user and password if it asks. Unset: directly.",
    "http://usuario:senha@proxy.empresa.com.br:3128",
)

KEYS: Mapping[str, Key] = {
    key.name: key
    for key in (
        WRITES_ENABLED,
        CACHE_ENABLED,
        PATIENCE,
        BACKGROUND_PATIENCE,
        REPEAT_PATIENCE,
        BASE_URL,
        PROXY,
        LOGIN_HOURS,
        LOGIN_DAYS,
        TOKEN_PACE,
    )
}


class Values:
    """What is configured; by itself, the defaults."""

    def get(self, key: Key) -> Any:
        """Return the value in force of a key; a secret as `Secret`."""
        return key.default


DEFAULTS = Values()


def key_named(name: str) -> Key:
    """Return a key. Raises NotFound that names the nearest one, or all."""
    key = KEYS.get(name)
    if key is not None:
        return key
    near = get_close_matches(name.casefold()[:100], KEYS, n=1, cutoff=0.6)
    hint = f"Você quis dizer '{near[0]}'?" if near else f"As chaves são: {', '.join(KEYS)}."
    raise NotFound(f"A configuração '{name[:60]}' não existe.", hint=hint)
