"""What `doctor` looks at: each check says what is so, and what to do when it is not well."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from omie_control import __version__
from omie_control.app import App, open_app
from omie_control.cli.output import local_time
from omie_control.domain.actors import SYSTEM
from omie_control.domain.damages import differences
from omie_control.domain.executions import Status
from omie_control.errors import ControlError
from omie_control.services.system import SEAL_LAG_SECONDS
from omie_control.settings import Settings

Level = Literal["ok", "warning", "error"]
_FREE_BYTES_MIN = 2 * 1024**3
_CLOCK_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result."""

    level: Level
    what: str
    hint: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Run every check; what stops the start becomes the last finding."""
    findings = [Finding("ok", f"omie-control {__version__}; a configuração foi lida.")]
    try:
        async with open_app(settings, kind="doctor") as app:
            findings += _home(settings)
            async for finding in _servers(app):
                findings.append(finding)
            async for finding in _contents(app):
                findings.append(finding)
    except ControlError as error:
        findings.append(Finding("error", error.message, error.hint))
    return findings


def _home(settings: Settings) -> list[Finding]:
    home = settings.home
    if not home.exists():
        return [Finding("ok", "Nada é guardado nesta máquina: os bancos são externos.")]
    findings = [Finding("ok", f"Pasta de dados: {home}")]
    if stat.S_IMODE(home.stat().st_mode) & 0o077:
        findings.append(Finding("warning", "A pasta de dados pode ser lida por outros usuários.", f"chmod 700 {home}"))
    free = shutil.disk_usage(home).free
    if free < _FREE_BYTES_MIN:
        findings.append(Finding("warning", f"Restam só {free // 1024**2} MB no disco.", "Libere espaço no disco."))
    return findings


async def _servers(app: App) -> AsyncIterator[Finding]:
    pool = app.db.pg_pool
    version = await pool.fetchval("show server_version")
    yield Finding("ok", f"PostgreSQL {version} responde.")
    # An unsafe server would have been refused when the pools opened.
    yield Finding("ok", "O PostgreSQL grava no disco antes de confirmar.")
    answers = await app.db.postgres.replica_answers()
    if answers is False:
        yield Finding(
            "warning",
            "A réplica de leitura não responde; listas e páginas são lidas do banco principal.",
            "Confira a réplica e OMIE_CONTROL_DATABASE_READ_URL.",
        )
    elif answers:
        yield Finding("ok", "A réplica de leitura responde.")
    if await pool.fetchval("select has_table_privilege('audit_events', 'delete')"):
        yield Finding(
            "warning",
            "A aplicação pode apagar a auditoria: ela usa o dono do banco.",
            "Dê a OMIE_CONTROL_DATABASE_URL um usuário comum e a OMIE_CONTROL_DATABASE_OWNER_URL o dono.",
        )
    else:
        yield Finding("ok", "A auditoria está fora do alcance da aplicação.")
    skew = abs(float(await pool.fetchval("select extract(epoch from clock_timestamp())::float8 - $1", time.time())))
    if skew > _CLOCK_SECONDS_MAX:
        yield Finding("warning", f"O relógio do banco difere {skew:.0f} s do local.", "Acerte os relógios (NTP).")
    yield await _valkey(app)
    for finding in await _audit(app):
        yield finding


async def _audit(app: App) -> list[Finding]:
    state = await app.services.trail.state()
    lag, last = state.lag_seconds(datetime.now(UTC)), state.verification
    findings = [Finding("ok", f"A auditoria está selada até o selo {state.last_seal}.")]
    if lag > SEAL_LAG_SECONDS:
        hint = "Rode omie-control worker (ou up): é ele que sela."
        findings = [Finding("warning", f"Há registros sem selo há {lag:.0f} s.", hint)]
    if last is not None and last.findings:
        what = f"A última verificação da auditoria encontrou {differences(last.findings)}."
        findings.append(Finding("error", what, "Rode omie-control audit verify."))
    elif last is not None:
        when = local_time(last.ended_at, app.settings.zone)
        findings.append(Finding("ok", f"A auditoria foi verificada em {when}: {last.records} registros conferem."))
    return findings


async def _valkey(app: App) -> Finding:
    try:
        facts = await app.db.redis.info("server")
    except Exception as exc:
        return Finding("warning", f"O Valkey não responde ({type(exc).__name__}).", "Sem ele, tudo anda mais devagar.")
    return Finding("ok", f"Valkey {facts.get('valkey_version', facts.get('redis_version'))} responde.")


async def _contents(app: App) -> AsyncIterator[Finding]:
    companies = await app.companies.list(SYSTEM)
    real = [company.slug for company in companies if not company.is_demo and company.is_active]
    if real:
        yield Finding("ok", f"Empresas conectadas: {', '.join(real)}.")
    else:
        yield Finding("warning", "Nenhuma empresa real está conectada.", "omie-control company add NOME --app-key …")
    for block in await app.blocks.list(SYSTEM):
        yield Finding(
            "warning",
            block.sentence(app.settings.zone),
            "Veja o que se repete: omie-control process list --status failed.",
        )
    months = await app.db.pg_pool.fetchval(
        "select count(*) from pg_inherits where inhparent = 'process_executions'::regclass"
    )
    yield Finding("ok", f"Há {months} partições de execuções.")
    uncertain = await app.executions.list(SYSTEM, status=Status.UNCERTAIN, limit=1)
    if uncertain.items:
        yield Finding(
            "warning",
            "Há escritas cujo resultado não se conhece.",
            "omie-control process list --status uncertain, e confira cada uma no Omie.",
        )
