"""The verbs of one process, wired once over an open DatabaseManager."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from omie_control.app.database import DatabaseManager
from omie_control.domain.companies import Secret
from omie_control.domain.configuration import PROXY
from omie_control.omie.client import OmieClient
from omie_control.outgoing import Guard
from omie_control.postgres.gate import PostgresGate
from omie_control.postgres.recorder import Recorder
from omie_control.services.access import Access
from omie_control.services.alerts import Alerts
from omie_control.services.allowances import Allowances
from omie_control.services.answers import Answers
from omie_control.services.audit_export import AuditExport
from omie_control.services.audit_trail import AuditTrail
from omie_control.services.bearers import Bearers
from omie_control.services.blocks import Blocks
from omie_control.services.bodies import Bodies
from omie_control.services.calls import OmieCalls
from omie_control.services.companies import Companies
from omie_control.services.configuration import Configurations
from omie_control.services.connections import Connections
from omie_control.services.erasure_list import ErasureList
from omie_control.services.erasures import Erasures
from omie_control.services.errands import Errands
from omie_control.services.executions import Executions
from omie_control.services.exports import Exports
from omie_control.services.failures import Failures
from omie_control.services.fences import Fence
from omie_control.services.firststeps import FirstSteps
from omie_control.services.gate import DoubleGate, Limits
from omie_control.services.idempotency import IdempotentWrites
from omie_control.services.identities import Identities
from omie_control.services.identity_logins import Client, IdentityLogins
from omie_control.services.identity_provider import IdentityProvider, Issuer
from omie_control.services.invitations import Invitations
from omie_control.services.kept_answers import KeptAnswers
from omie_control.services.key_rotation import KeyRotation
from omie_control.services.keys import Keys
from omie_control.services.legal_holds import LegalHolds
from omie_control.services.live_configuration import LiveConfiguration
from omie_control.services.logins import Logins
from omie_control.services.methods import Methods
from omie_control.services.pace import TokenPace
from omie_control.services.person_search import PersonSearch
from omie_control.services.recording import Recording
from omie_control.services.roles import Roles
from omie_control.services.seals import Seals
from omie_control.services.seals_checkpoints import Checkpoints
from omie_control.services.seals_keys import SealKeys
from omie_control.services.second_factors import SecondFactors
from omie_control.services.sending import Sender
from omie_control.services.settlements import Settlements
from omie_control.services.system import System
from omie_control.services.tokens import Tokens
from omie_control.services.user_identities import Recognition, UserIdentities
from omie_control.services.users import Users
from omie_control.services.verifications import Verifications
from omie_control.services.webhook_inbox import WebhookInbox
from omie_control.services.webhook_trials import WebhookTrials
from omie_control.services.webhooks import Webhooks
from omie_control.settings import Settings
from omie_control.valkey.cache import Cache
from omie_control.valkey.exports import ExportStore
from omie_control.valkey.gate import ValkeyGate
from omie_control.valkey.sessions import Sessions

# Omie's published limits; the campaigns, which shorten time, put others here.
LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Services:
    """Every service of this process; faces take what they need from here."""

    recorder: Recorder
    keys: Keys
    live_configuration: LiveConfiguration
    key_rotation: KeyRotation
    configurations: Configurations
    access: Access
    bodies: Bodies
    companies: Companies
    users: Users
    roles: Roles
    invitations: Invitations
    identities: Identities
    user_identities: UserIdentities
    identity_logins: IdentityLogins
    second_factors: SecondFactors
    logins: Logins
    tokens: Tokens
    bearers: Bearers
    token_pace: TokenPace
    executions: Executions
    errands: Errands
    exports: Exports
    failures: Failures
    allowances: Allowances
    alerts: Alerts
    calls: OmieCalls
    methods: Methods
    writes: IdempotentWrites
    answers: Answers
    kept_answers: KeptAnswers
    settlements: Settlements
    verifications: Verifications
    connections: Connections
    first_steps: FirstSteps
    system: System
    seals: Seals
    trail: AuditTrail
    audit_export: AuditExport
    erasures: Erasures
    legal_holds: LegalHolds
    webhooks: Webhooks
    webhook_inbox: WebhookInbox
    webhook_trials: WebhookTrials
    client: OmieClient
    gate: DoubleGate
    blocks: Blocks


async def wire(db: DatabaseManager) -> Services:
    """Build the services; loads the master key, so a lost or wrong one stops the start here."""
    settings, postgres = db.settings, db.postgres
    given = await asyncio.to_thread(settings.resolved_master_key)
    keys = Keys(postgres, None if given is None else partial(_given_keys, settings, [given]), settings.home)
    await keys.open()
    db.instance.on_beat(keys.refresh)
    live_configuration = LiveConfiguration(postgres, keys)
    await live_configuration.open()
    access = Access(postgres, live_configuration)
    bodies = Bodies(postgres, keys, access)
    companies = Companies(postgres, keys, access)
    users, tokens = Users(postgres, access), Tokens(postgres, access)
    sessions = Sessions(db.redis, db.live)
    recording = Recording(bodies, settings.zone, db.instance.id)
    executions = Executions(db.recorder, postgres, access, recording, sessions)
    db.instance.on_beat(executions.stop_asked)
    guard = Guard(settings.outgoing)
    client = OmieClient(settings.omie_base_url, proxy=_proxy(live_configuration), guard=guard)

    async def follow() -> None:
        client.go_through(_proxy(live_configuration))

    live_configuration.on_change(follow)
    postgres_gate = PostgresGate(postgres, LIMITS)
    gate = DoubleGate(ValkeyGate(db.redis, LIMITS), postgres_gate)
    errands, blocks = Errands(postgres, access, settings.zone), Blocks(gate, companies)
    writes = IdempotentWrites(postgres, keys)
    answers = Answers(Cache(db.redis), keys, configuration=live_configuration)
    sender = Sender(client, companies, gate, Fence(postgres), settings.egress, live_configuration)
    calls = OmieCalls(sender, writes, answers, access)
    seal_keys, checkpoints = SealKeys(postgres, keys), Checkpoints(settings.home, settings.audit_folder)
    trail = AuditTrail(postgres, seal_keys, checkpoints, access)
    erasure_list, search = ErasureList(settings.home), PersonSearch(postgres, keys, bodies)
    provider = _provider(settings, guard)
    identities = Identities(postgres, access, provider, tokens.guesses)
    recognition = Recognition(settings.oidc_link_by_email, settings.oidc_login_roles)
    user_identities = UserIdentities(postgres, access, users, identities, settings.oidc_issuer, recognition)
    settlements = Settlements(postgres, keys, bodies, access, answers, db.tell)
    webhooks = Webhooks(postgres, access, settings.own_address())
    inbox = WebhookInbox(postgres, keys, companies, answers)
    return Services(
        recorder=db.recorder,
        keys=keys,
        live_configuration=live_configuration,
        key_rotation=KeyRotation(postgres, keys, access),
        configurations=Configurations(postgres, keys, access, live_configuration, guard),
        access=access,
        bodies=bodies,
        companies=companies,
        users=users,
        roles=Roles(postgres, access),
        invitations=Invitations(postgres, users),
        identities=identities,
        user_identities=user_identities,
        identity_logins=IdentityLogins(postgres, keys, users, user_identities, provider, await _client(settings)),
        second_factors=SecondFactors(postgres, keys, access, users.attempts),
        logins=Logins(postgres, users, configuration=live_configuration),
        tokens=tokens,
        bearers=Bearers(tokens, identities),
        token_pace=TokenPace(postgres, configuration=live_configuration),
        first_steps=FirstSteps(users, tokens, companies),
        executions=executions,
        errands=errands,
        exports=Exports(ExportStore(db.redis), keys, executions, calls),
        failures=Failures(postgres, executions, errands),
        alerts=Alerts(postgres, access),
        allowances=Allowances(postgres_gate, blocks, companies),
        calls=calls,
        methods=Methods(calls, access),
        writes=writes,
        answers=answers,
        kept_answers=KeptAnswers(postgres, access, answers, calls, db.live),
        settlements=settlements,
        verifications=Verifications(postgres, companies, executions, settlements, calls.look),
        connections=Connections(companies, executions, calls),
        system=System(postgres, db.recorder, db.live, sessions, access, trail),
        seals=Seals(postgres, seal_keys, checkpoints),
        trail=trail,
        audit_export=AuditExport(postgres, seal_keys, access),
        erasures=Erasures(postgres, keys, access, search, erasure_list, db.redis),
        legal_holds=LegalHolds(postgres, keys, access),
        webhooks=webhooks,
        webhook_inbox=inbox,
        webhook_trials=WebhookTrials(postgres, companies, webhooks, inbox),
        client=client,
        gate=gate,
        blocks=blocks,
    )


def _given_keys(settings: Settings, first: list[SecretStr]) -> str:
    """Return the master keys as they are given now; at the start they were just asked for."""
    given = first.pop() if first else settings.resolved_master_key()
    return "" if given is None else given.get_secret_value()


def _proxy(configuration: LiveConfiguration) -> str | None:
    secret = configuration.get(PROXY)
    return None if secret is None else secret.reveal()


def _provider(settings: Settings, guard: Guard) -> IdentityProvider | None:
    if settings.oidc_issuer is None:
        return None
    issuer = Issuer(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url, settings.oidc_role_claim)
    return IdentityProvider(issuer, guard)


async def _client(settings: Settings) -> Client | None:
    """Return what the dashboard is at the identity provider, if people may enter by it."""
    if settings.oidc_client_id is None:
        return None
    secret = await asyncio.to_thread(settings.resolved_client_secret)
    return Client(
        settings.oidc_client_id, None if secret is None else Secret(secret.get_secret_value()), settings.oidc_scopes
    )
