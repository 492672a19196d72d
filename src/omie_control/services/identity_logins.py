"""Logins to the dashboard by the company's identity provider: authorization code, PKCE, one state and nonce for each.

What a login began with leaves sealed in a cookie of the browser that began it, for ten minutes, and is answered once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2

from omie_control.domain.actors import Actor, User
from omie_control.domain.companies import Secret
from omie_control.domain.executions import Origin
from omie_control.errors import ControlError, Forbidden, Overloaded, StorageDown, Unauthenticated
from omie_control.postgres import user_identities as store
from omie_control.postgres.database import Postgres
from omie_control.services.audit_samples import Samples
from omie_control.services.guesses import Guesses
from omie_control.services.identity_provider import Discovery, IdentityProvider, Refused
from omie_control.services.keys import Keys
from omie_control.services.provider_wire import UNAVAILABLE, trouble
from omie_control.services.user_identities import UserIdentities, visitor
from omie_control.services.users import Users
from omie_control.telemetry import Event, tell

LOGIN_SECONDS = 600
_PLACE = b"cookies/identity-login"
_TARGET_MAX = 500
_CODE_MAX = 4096
_COOKIE_MAX = 4096
# What a provider says when the person, or a rule of theirs, said no; anything else is its own trouble.
_DENIALS = frozenset(
    {"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required"}
)
_TROUBLES = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to the provider. `secret` None: a client that only PKCE protects."""

    id: str
    secret: Secret | None = None
    scopes: str = "openid profile email"


@dataclass(frozen=True, slots=True, repr=False)
class Departure:
    """Where the browser goes, and the cookie that it has to come back with."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came back, and where they wanted to go. With `has_totp` they still owe a code."""

    user: User
    target: str


@dataclass(frozen=True, slots=True, repr=False)
class _Begun:
    """What a login began with: whoever knew it could answer in another's place, so it never prints itself."""

    state: str
    nonce: str
    verifier: str
    target: str
    return_address: str
    until: str


class IdentityLogins:
    """The verbs of these logins. `client` None: there are none."""

    def __init__(
        self,
        postgres: Postgres,
        keys: Keys,
        users: Users,
        user_identities: UserIdentities,
        provider: IdentityProvider | None,
        client: Client | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._postgres = postgres
        self._keys = keys
        self._users = users
        self._user_identities = user_identities
        self._provider = provider
        self._client = client
        self._clock = clock
        self._samples = Samples(postgres)
        self._guesses = Guesses("Muitas tentativas de entrar seguidas.", "Espere um minuto e tente de novo.")

    @property
    def is_offered(self) -> bool:
        """Say whether people may enter this way."""
        return self._provider is not None and self._client is not None

    async def begin(self, target: str, return_address: str, origin: Origin) -> Departure:
        """Send somebody to the provider, who comes back to `return_address`. Raises StorageDown, Overloaded."""
        provider, client = self._both()
        self._guesses.require_patience(origin.ip_address)
        begun = _Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            target=target if len(target) <= _TARGET_MAX else "/",
            return_address=return_address,
            until=str(int(self._clock()) + LOGIN_SECONDS),
        )
        try:
            discovery = await provider.discovery()
            if discovery.authorization_endpoint is None:
                raise trouble("discovery", "no authorization_endpoint")
        except StorageDown as error:
            await self._note(error, origin, "O provedor de identidade não respondeu.")
            raise
        challenge = hashlib.sha256(begun.verifier.encode()).digest()
        address = httpx2.URL(discovery.authorization_endpoint).copy_merge_params(
            {
                "response_type": "code",
                "client_id": client.id,
                "redirect_uri": return_address,
                "scope": client.scopes,
                "state": begun.state,
                "nonce": begun.nonce,
                "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        )
        return Departure(str(address), self._sealed(begun))

    async def finish(self, cookie: str | None, answer: Mapping[str, str], origin: Origin) -> Arrival:
        """Take the provider's answer of the browser that has this cookie; whoever owes no code has then entered.

        Raises Unauthenticated for an answer that does not hold, Forbidden for somebody who may not enter, StorageDown
        while the provider does not answer, Overloaded; none of them says more. The audit does.
        """
        self._both()
        self._guesses.require_patience(origin.ip_address)
        try:
            begun = await self._open(cookie, answer.get("state"))
            claims = await self._claims(begun, answer)
        except Refused as refused:
            raise await self._refuse(_unproved(), str(refused), origin) from None
        except _Denied as denied:
            raise await self._refuse(_unwelcome(), str(denied), origin) from None
        except StorageDown as error:
            await self._note(error, origin, "O provedor de identidade não deu uma resposta que se possa usar.")
            raise
        try:
            user = await self._user_identities.recognise(claims, origin)
        except Refused as refused:
            raise await self._refuse(_unwelcome(), str(refused), origin, str(claims["sub"])) from None
        if not user.has_totp:
            await self._users.entered(user, origin, issuer=str(claims["iss"]))
        return Arrival(user, begun.target)

    async def _open(self, cookie: str | None, state: str | None) -> _Begun:
        """Return what this browser began and nobody has answered yet."""
        begun = self._opened(cookie)
        if begun is None:
            raise Refused("A resposta veio sem o cookie da entrada, ou ele não é legível.")
        if not state or not hmac.compare_digest(begun.state.encode(), state.encode(errors="replace")):
            raise Refused("O estado da resposta é de outra entrada.")
        until = datetime.fromtimestamp(int(begun.until), UTC)
        if until.timestamp() <= self._clock():
            raise Refused("A entrada começou há tempo demais.")
        async with self._postgres.transaction() as tx:
            if not await store.spend_state(tx, hashlib.sha256(begun.state.encode()).digest(), until):
                raise Refused("A entrada já tinha sido respondida.")
        return begun

    async def _claims(self, begun: _Begun, answer: Mapping[str, str]) -> Mapping[str, Any]:
        provider, client = self._both()
        discovery = await provider.discovery()
        issuer = answer.get("iss")
        if (issuer is not None or discovery.names_itself) and issuer != provider.issuer.issuer:
            raise Refused("A resposta é de outro emissor.")
        if "error" in answer:
            raise _denial(answer["error"])
        code = answer.get("code", "")
        if not 0 < len(code) <= _CODE_MAX:
            raise Refused("A resposta não tem código.")
        text = await self._exchange(discovery, begun, code)
        return await provider.person_of(text, client.id, begun.nonce, self._clock())

    async def _exchange(self, discovery: Discovery, begun: _Begun, code: str) -> str:
        """Give the code for an ID token."""
        provider, client = self._both()
        if discovery.token_endpoint is None:
            raise trouble("discovery", "no token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.return_address,
            "code_verifier": begun.verifier,
        }
        login = None
        if client.secret is not None and discovery.takes_basic:
            # Each part is encoded as in a form before the two are joined (RFC 6749, 2.3.1).
            login = (_form_encoded(client.id), _form_encoded(client.secret.reveal()))
        else:
            form["client_id"] = client.id
            form |= {} if client.secret is None else {"client_secret": client.secret.reveal()}
        status, said = await provider.wire.post("token", discovery.token_endpoint, form, login)
        text = said.get("id_token")
        if status == 400 and said.get("error") == "invalid_grant":
            raise Refused("O provedor não aceitou o código.")
        if status != 200 or not isinstance(text, str):
            raise trouble("token", f"status {status}")
        return text

    async def _refuse(
        self, error: ControlError, reason: str, origin: Origin, subject: str | None = None
    ) -> ControlError:
        """Count a try that failed, and return what its browser is told."""
        await self._note(error, origin, reason, subject)
        try:
            self._guesses.count(origin.ip_address)
        except Overloaded as overloaded:
            return overloaded
        return error

    async def _note(self, error: ControlError, origin: Origin, reason: str, subject: str | None = None) -> None:
        """Keep that somebody did not get in, and why."""
        if isinstance(error, StorageDown) and error.code != UNAVAILABLE:
            return
        tell(Event.LOGIN_REFUSED, reason="identity", ip_address=str(origin.ip_address))
        who: Actor = visitor("desconhecido" if subject is None else subject)
        await self._samples.refused(
            (reason, subject, origin.ip_address),
            who,
            "login.identity_refused",
            object_type="identity",
            object_id=subject,
            detail=reason,
            origin=origin,
        )

    def _sealed(self, begun: _Begun) -> str:
        master = self._keys.master
        fields = {name: Secret(getattr(begun, name)) for name in begun.__slots__}
        sealed = base64.urlsafe_b64encode(master.seal_secrets(fields, _PLACE)).decode()
        return f"{master.key_id}.{sealed}"

    def _opened(self, cookie: str | None) -> _Begun | None:
        if not cookie or len(cookie) > _COOKIE_MAX or not cookie.isascii():
            return None
        key_id, _, text = cookie.partition(".")
        try:
            fields = self._keys.open_secrets(key_id, base64.urlsafe_b64decode(text), _PLACE)
            return _Begun(**{name: secret.reveal() for name, secret in fields.items()})
        except (ControlError, binascii.Error, ValueError, TypeError):
            return None

    def _both(self) -> tuple[IdentityProvider, Client]:
        if self._provider is None or self._client is None:
            raise StorageDown("Nenhum provedor de identidade está configurado.")
        return self._provider, self._client


class _Denied(Exception):
    """The provider said no."""


def _denial(error: str) -> Exception:
    if error in _DENIALS:
        return _Denied(f"O provedor disse não: {error}.")
    # Its words are never repeated unless we know them: anybody could have written them.
    return trouble("authorization", error if error in _TROUBLES else "another error")


def _form_encoded(text: str) -> str:
    return str(httpx2.QueryParams({"": text}))[1:]


def _unproved() -> Unauthenticated:
    return Unauthenticated(
        "Não foi possível confirmar a entrada com a conta da empresa.", hint="Comece de novo.", code="entrada_recusada"
    )


def _unwelcome() -> Forbidden:
    return Forbidden(
        "Esta conta da empresa não tem acesso a este painel.",
        hint="Peça a quem administra o sistema que dê acesso a ela.",
        code="conta_sem_acesso",
    )
