"""The company's identity provider (OpenID Connect): what it says of itself, and what a token that it signed says.

Only signatures of public keys count: an algorithm that is none, or that takes a shared secret, is refused before
any key is looked at, so that a public key can never be used as a secret.
"""

from __future__ import annotations

import asyncio
import binascii
import hmac
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from omie_control.errors import StorageDown
from omie_control.outgoing import Guard
from omie_control.services.provider_wire import ProviderWire, trouble, unavailable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
TOKEN_MAX = 16_384
# How far the clocks of the provider and of this machine may differ.
LEEWAY_SECONDS = 10
_HOLD_SECONDS = 600.0
# A token of a key that nobody knows makes us ask again, but not more often than this.
_ASK_AGAIN_SECONDS = 10.0
# Whoever comes while the provider is away waits for it once, not one after the other.
_AWAY_SECONDS = 2.0
_RSA_BITS_MIN = 2048
_SUBJECT_MAX = 255
_DISCOVERY = "/.well-known/openid-configuration"

PublicKey = RSAKey | ECKey | OKPKey


class Refused(Exception):
    """A token that does not hold; the text says why, for the audit alone."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whom we trust, for whom the tokens of its callers must be meant (None: no caller comes by them), and where
    its keys are (None: where it says).
    """

    issuer: str
    audience: str | None = None
    jwks_url: str | None = None
    role_claim: str = "roles"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a provider says of itself. `takes_basic`: a client's secret goes into a header, not into the form."""

    jwks_uri: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    takes_basic: bool
    names_itself: bool


class IdentityProvider:
    """Reads the tokens of one issuer. Asks it for its documents when they are needed, and keeps them ten minutes."""

    def __init__(self, issuer: Issuer, guard: Guard) -> None:
        self.issuer = issuer
        self.wire = ProviderWire(guard)
        self._discovery: Discovery | None = None
        self._discovered_at = float("-inf")
        self._keys: dict[str, PublicKey] = {}
        self._asked_at = float("-inf")
        self._away_until = float("-inf")
        self._asking = asyncio.Lock()
        self._discovering = asyncio.Lock()

    async def claims_of(self, text: str, now: float) -> Mapping[str, Any]:
        """Return the claims of a caller's token that holds at this instant (seconds since 1970).

        Raises Refused with the reason, StorageDown while the provider's keys are unknown and it does not answer.
        """
        if self.issuer.audience is None:
            raise Refused("Nenhuma audiência está configurada para tokens de quem chama.")
        claims = await self._signed(text)
        self._require(claims, self.issuer.audience, now)
        return claims

    async def person_of(self, text: str, client_id: str, nonce: str, now: float) -> Mapping[str, Any]:
        """Return the claims of an ID token that was made for this client and this login. Raises as `claims_of`."""
        claims = await self._signed(text)
        self._require(claims, client_id, now)
        several, party = isinstance(claims["aud"], list) and len(claims["aud"]) > 1, claims.get("azp")
        if party != client_id and (several or party is not None):
            raise Refused("O token foi dado a outro sistema.")
        if claims.get("iat") is None:
            raise Refused("O token não diz de quando é.")
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(errors="replace"), nonce.encode()):
            raise Refused("O token é de outra entrada.")
        return claims

    async def discovery(self) -> Discovery:
        """Return what the provider says of itself; what it said before counts while it is away. Raises StorageDown."""
        if time.monotonic() - self._discovered_at <= _HOLD_SECONDS and self._discovery is not None:
            return self._discovery
        async with self._discovering:
            if time.monotonic() - self._discovered_at > _HOLD_SECONDS:
                await self._discover()
        assert self._discovery is not None
        return self._discovery

    async def _discover(self) -> None:
        try:
            if time.monotonic() < self._away_until:
                raise unavailable()
            self._discovery = self._described(
                await self.wire.get("discovery", self.issuer.issuer.rstrip("/") + _DISCOVERY)
            )
            self._discovered_at = time.monotonic()
        except StorageDown:
            self._away_until = max(self._away_until, time.monotonic() + _AWAY_SECONDS)
            if self._discovery is None:
                raise

    def _described(self, said: Mapping[str, Any]) -> Discovery:
        if said.get("issuer") != self.issuer.issuer:
            raise trouble("discovery", "another issuer's")
        ways = said.get("token_endpoint_auth_methods_supported")
        return Discovery(
            self._address(said, "jwks_uri"),
            self._address(said, "authorization_endpoint") if "authorization_endpoint" in said else None,
            self._address(said, "token_endpoint") if "token_endpoint" in said else None,
            takes_basic=not isinstance(ways, list) or "client_secret_basic" in ways,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, said: Mapping[str, Any], name: str) -> str:
        """Return an address of the discovery document; behind an issuer with TLS none is without."""
        address = said.get(name)
        allowed = ("https",) if urlsplit(self.issuer.issuer).scheme == "https" else ("https", "http")
        if not isinstance(address, str) or urlsplit(address).scheme not in allowed:
            raise trouble("discovery", f"{name} is no address, or without TLS")
        return address

    async def _signed(self, text: str) -> Mapping[str, Any]:
        header = _header_of(text)
        if header.get("alg") not in ALGORITHMS:
            raise Refused("A assinatura usa um algoritmo que não é aceito.")
        if "crit" in header:
            raise Refused("O token pede uma extensão que não é conhecida.")
        key = await self._key(header.get("kid"))
        try:
            claims = jwt.decode(text, key, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, KeyError) as exc:
            raise Refused("A assinatura não confere.") from exc
        return claims

    def _require(self, claims: Mapping[str, Any], meant_for: str, now: float) -> None:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.issuer.issuer:
            raise Refused("O token é de outro emissor.")
        if meant_for not in audiences:
            raise Refused("O token não é para este sistema.")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX or not subject.isprintable():
            raise Refused("O token não diz de quem é.")
        ends, begins, made = (claims.get(name) for name in ("exp", "nbf", "iat"))
        if ends is None or not _is_instant(ends) or ends <= now - LEEWAY_SECONDS:
            raise Refused("O token expirou, ou não diz quando expira.")
        for instant in (begins, made):
            if instant is not None and (not _is_instant(instant) or instant > now + LEEWAY_SECONDS):
                raise Refused("O token ainda não vale.")

    async def _key(self, kid: object) -> PublicKey:
        if time.monotonic() - self._asked_at > _HOLD_SECONDS or self._find(kid) is None:
            async with self._asking:
                if self._find(kid) is None or time.monotonic() - self._asked_at > _HOLD_SECONDS:
                    await self._ask()
        found = self._find(kid)
        if found is None:
            raise Refused("A chave do token não é do provedor de identidade.")
        return found

    def _find(self, kid: object) -> PublicKey | None:
        if isinstance(kid, str):
            return self._keys.get(kid)
        # A provider with a single key need not name it.
        return next(iter(self._keys.values())) if kid is None and len(self._keys) == 1 else None

    async def _ask(self) -> None:
        if time.monotonic() - self._asked_at < _ASK_AGAIN_SECONDS:
            return
        try:
            found = await self._fetch_keys()
        except StorageDown:
            if self._keys:
                # The keys that we know still tell; the provider is asked again with the next unknown one.
                self._asked_at = time.monotonic()
                return
            raise
        self._asked_at = time.monotonic()
        self._keys = found

    async def _fetch_keys(self) -> dict[str, PublicKey]:
        document = await self.wire.get("keys", self.issuer.jwks_url or (await self.discovery()).jwks_uri)
        try:
            found = [_read(each) for each in document["keys"]]
        except (TypeError, KeyError) as exc:
            raise trouble("keys", type(exc).__name__) from exc
        return {str(key.kid): key for key in found if key is not None}


def _header_of(text: str) -> Mapping[str, Any]:
    if len(text) > TOKEN_MAX or not text.isascii() or text.count(".") != 2:
        raise Refused("O texto não é um token.")
    first = text.partition(".")[0]
    try:
        header = orjson.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError):
        raise Refused("O texto não é um token.") from None
    if not isinstance(header, dict):
        raise Refused("O texto não é um token.")
    return header


def _is_instant(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read(said: object) -> PublicKey | None:
    """Return a key that signs, or None for one of another use, of a kind that we do not know, or too weak."""
    if not isinstance(said, dict) or said.get("kty") not in ("RSA", "EC", "OKP") or said.get("use", "sig") != "sig":
        return None
    try:
        key = KeySet.import_key_set({"keys": [said]}).keys[0]
    except (ValueError, TypeError, KeyError, JoseError):
        return None
    return key if isinstance(key, PublicKey) and _is_strong(key) else None


def _is_strong(key: PublicKey) -> bool:
    if not isinstance(key, RSAKey):
        return True
    bits: int = key.public_key.key_size
    return bits >= _RSA_BITS_MIN
