"""The company's identity provider (OpenID Connect): its public keys, and what a token that it signed says.

Only signatures of public keys count: an algorithm that is none, or that takes a shared secret, is refused before
any key is looked at, so that a public key can never be used as a secret.
"""

from __future__ import annotations

import asyncio
import binascii
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from omie_control.errors import StorageDown

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
TOKEN_MAX = 16_384
# How far the clocks of the provider and of this machine may differ.
LEEWAY_SECONDS = 10
_KEYS_HOLD_SECONDS = 600.0
# A token of a key that nobody knows makes us ask again, but not more often than this.
_ASK_AGAIN_SECONDS = 10.0
_TIMEOUT_SECONDS = 5.0
_DOCUMENT_MAX = 1_000_000
_RSA_BITS_MIN = 2048
_DISCOVERY = "/.well-known/openid-configuration"

PublicKey = RSAKey | ECKey | OKPKey


class Refused(Exception):
    """A token that does not hold; the text says why, for the audit alone."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whom we trust, for whom its tokens must be meant, and where its keys are (None: where it says)."""

    issuer: str
    audience: str
    jwks_url: str | None = None
    role_claim: str = "roles"


class IdentityProvider:
    """Reads the tokens of one issuer. Asks it for its keys when they are needed, and keeps them for ten minutes."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self._keys: dict[str, PublicKey] = {}
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def claims_of(self, text: str, now: float) -> Mapping[str, Any]:
        """Return the claims of a token that holds at this instant (seconds since 1970).

        Raises Refused with the reason, StorageDown while the provider's keys are unknown and it does not answer.
        """
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
        self._require(claims, now)
        return claims

    def _require(self, claims: Mapping[str, Any], now: float) -> None:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.issuer.issuer:
            raise Refused("O token é de outro emissor.")
        if self.issuer.audience not in audiences:
            raise Refused("O token não é para este sistema.")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise Refused("O token não diz de quem é.")
        ends, begins, made = (claims.get(name) for name in ("exp", "nbf", "iat"))
        if ends is None or not _is_instant(ends) or ends <= now - LEEWAY_SECONDS:
            raise Refused("O token expirou, ou não diz quando expira.")
        for instant in (begins, made):
            if instant is not None and (not _is_instant(instant) or instant > now + LEEWAY_SECONDS):
                raise Refused("O token ainda não vale.")

    async def _key(self, kid: object) -> PublicKey:
        if time.monotonic() - self._asked_at > _KEYS_HOLD_SECONDS or self._find(kid) is None:
            async with self._asking:
                if self._find(kid) is None or time.monotonic() - self._asked_at > _KEYS_HOLD_SECONDS:
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
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError, KeyError, AttributeError, JoseError) as exc:
            if self._keys:
                # The keys that we know still tell; the provider is asked again with the next unknown one.
                self._asked_at = time.monotonic()
                return
            raise StorageDown(
                "O provedor de identidade não responde.",
                hint="Tente de novo em instantes; se persistir, avise quem opera o sistema.",
                code="identidade_indisponivel",
            ) from exc
        self._asked_at = time.monotonic()
        self._keys = found

    async def _fetch_keys(self) -> dict[str, PublicKey]:
        async with httpx2.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
            address = self.issuer.jwks_url
            if address is None:
                said = await _document(client, self.issuer.issuer.rstrip("/") + _DISCOVERY)
                if said["issuer"] != self.issuer.issuer:
                    raise ValueError("the discovery document is another issuer's")
                address = str(said["jwks_uri"])
                if urlsplit(self.issuer.issuer).scheme == "https" != urlsplit(address).scheme:
                    raise ValueError("keys without TLS")
            document = await _document(client, address)
        keys = [each for each in document["keys"] if each.get("kty") in ("RSA", "EC", "OKP") and _signs(each)]
        read = KeySet.import_key_set({"keys": keys}).keys
        return {str(key.kid): key for key in read if isinstance(key, PublicKey) and _is_strong(key)}


async def _document(client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(address)
    answer.raise_for_status()
    if len(answer.content) > _DOCUMENT_MAX:
        raise ValueError("the document is too large")
    document = orjson.loads(answer.content)
    if not isinstance(document, dict):
        raise TypeError("the document is no object")
    return document


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


def _signs(key: Mapping[str, Any]) -> bool:
    return bool(key.get("use", "sig") == "sig")


def _is_strong(key: PublicKey) -> bool:
    if not isinstance(key, RSAKey):
        return True
    bits: int = key.public_key.key_size
    return bits >= _RSA_BITS_MIN
