"""An identity provider of the tests' own: served on this machine, with real keys, tokens, codes and PKCE."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import orjson
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.mcp_serving import serving

AUDIENCE = "omie-control"
CLIENT_ID = "painel da empresa"
CLIENT_SECRET = "segredo:do painel/+%"


def rsa(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig"})


@dataclass
class Provider:
    """An issuer: its keys, the address that it is served at, and how it behaves."""

    keys: dict[str, RSAKey | ECKey] = field(
        default_factory=lambda: {
            "rsa-1": rsa("rsa-1"),
            "ec-1": ECKey.generate_key("P-256", parameters={"kid": "ec-1", "use": "sig"}),
        }
    )
    url: str = ""
    # How often its keys and its discovery document were asked for.
    asked: int = 0
    discovered: int = 0
    exchanged: int = 0
    # Who consents at the next login, and what their ID token says beside the usual.
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "ana-7"})
    # Makes the ID token of a login's own claims; None: as a provider does.
    forge: Callable[[dict[str, Any]], str] | None = None
    # Path → what is answered there instead; a number is slept before the honest answer.
    moods: dict[str, Response | float] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    takes: str = "client_secret_basic"
    client_secret: str = CLIENT_SECRET
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        paths = {
            "/.well-known/openid-configuration": self._discovery,
            "/authorize": self._authorize,
            "/token": self._token,
            "/keys": self._jwks,
        }
        return Starlette(
            routes=[Route(path, self._moody(path, answer), methods=["GET", "POST"]) for path, answer in paths.items()]
        )

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        said = {"iss": self.url, "aud": AUDIENCE, "sub": "ana-7", "roles": ["financeiro"], "iat": now, "exp": now + 300}
        return {name: value for name, value in {**said, **more}.items() if value is not ...}

    def token(self, kid: str = "rsa-1", alg: str = "RS256", key: Any = None, **more: Any) -> str:
        return self.signed(self.claims(**more), kid, alg, key)

    def signed(self, claims: dict[str, Any], kid: str = "rsa-1", alg: str = "RS256", key: Any = None) -> str:
        signer = key if key is not None else self.keys[kid]
        # In ASCII, so that also what no encoder would write can be signed.
        return jws.serialize_compact({"alg": alg, "kid": kid}, json.dumps(claims), signer, algorithms=[alg])

    def _moody(self, path: str, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answered(request: Request) -> Response:
            mood = self.moods.get(path)
            if isinstance(mood, Response):
                return mood
            await asyncio.sleep(mood or 0)
            answered: Response = await answer(request)
            return answered

        return answered

    async def _discovery(self, request: Request) -> Response:
        self.discovered += 1
        said = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize?tenant=1",
            "token_endpoint": f"{self.url}/token",
            "token_endpoint_auth_methods_supported": [self.takes],
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse({name: value for name, value in {**said, **self.discovery}.items() if value is not ...})

    async def _jwks(self, request: Request) -> Response:
        self.asked += 1
        # A key of a kind that nobody here knows is no reason to know none.
        strange = {"kty": "RSA", "kid": "strange", "n": "?", "e": 3}
        return JSONResponse({"keys": [strange, *(key.as_dict(private=False) for key in self.keys.values())]})

    async def _authorize(self, request: Request) -> Response:
        """Let whoever comes be the person of the moment, and send them back with a code."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code" and asked["tenant"] == "1"
        assert "openid" in asked["scope"].split() and asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = request.url.replace(query="").replace_query_params(code=code, state=asked["state"], iss=self.url).query
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        self.exchanged += 1
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        if not self._is_client(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or form["redirect_uri"] != asked["redirect_uri"]
            or verifier.rstrip(b"=").decode() != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = self.claims(**{"aud": CLIENT_ID, "roles": ..., "nonce": asked["nonce"], **self.person})
        text = self.signed(claims) if self.forge is None else self.forge(claims)
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": text})

    def _is_client(self, request: Request, form: dict[str, str]) -> bool:
        if self.takes == "client_secret_basic":
            given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            name, _, secret = given.partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, self.client_secret)
        if self.takes == "client_secret_post":
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, self.client_secret)
        return form.get("client_id") == CLIENT_ID and "client_secret" not in form


@asynccontextmanager
async def provided() -> AsyncIterator[Provider]:
    """Serve a provider."""
    made = Provider()
    async with serving(made.app()) as url:
        made.url = url
        yield made


def html(status: int = 200) -> Response:
    """A page where a document was expected, as proxies and broken servers give."""
    return HTMLResponse("<html><body>Bem-vindo</body></html>", status)


def part(fields: dict[str, Any]) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(orjson.dumps(fields)).rstrip(b"=").decode()


def hs256(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Sign with a public key as if it were a secret; libraries that know better refuse to."""
    text = f"{part(header)}.{part(claims)}"
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
