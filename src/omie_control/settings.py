"""The one reader of the environment: `OMIE_CONTROL_*`. With nothing set, everything works."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from omie_control.domain.expectations import expected
from omie_control.domain.networks import trusted_networks
from omie_control.domain.outgoing import Outgoing, origin_of
from omie_control.domain.system_faults import reason_of
from omie_control.errors import InvalidInput

PREFIX = "OMIE_CONTROL_"
_COMMAND_SECONDS = 30
_LIST = "A lista está em docs/reference/settings.md."
OMIE_BASE_URL = "https://app.omie.com.br/api/v1/"


def _split(url: str) -> SplitResult | None:
    """Take an address apart; None for one that is none, such as one with half a pair of brackets."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _require_scheme(*schemes: str) -> AfterValidator:
    def check(url: SecretStr) -> SecretStr:
        parts = _split(url.get_secret_value())
        if parts is None or parts.scheme not in schemes:
            raise ValueError(f"precisa começar com {' ou '.join(f'{scheme}://' for scheme in schemes)}")
        return url

    return AfterValidator(check)


def _require_valkey(url: SecretStr) -> SecretStr:
    # Here, so that whoever sets no address need not wait for the client library.
    from omie_control.valkey.address import read_address  # noqa: PLC0415

    try:
        read_address(url.get_secret_value())
    except InvalidInput:
        forms = "valkey://host:6379/0, valkey+sentinel://host1,host2/service/0 ou valkey+cluster://host1,host2"
        raise ValueError(
            f"precisa ter a forma {forms} (também redis://; rediss:// e valkeys:// com TLS; unix://)"
        ) from None
    return url


def _require_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as exc:
        raise ValueError("precisa ser um fuso horário da IANA, como America/Sao_Paulo") from exc
    return name


def _require_http(url: str) -> str:
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("precisa ser um endereço completo, com http:// ou https://")
    return url


def _require_origin(url: str) -> str:
    try:
        origin_of(_require_http(url))
    except InvalidInput:
        raise ValueError("precisa ser um endereço completo, com http:// ou https://, em ASCII e sem usuário") from None
    return url


def _require_hosts(entries: tuple[str, ...]) -> tuple[str, ...]:
    Outgoing.allowing(entries)
    return entries


def _absolute(path: Path) -> Path:
    # Told apart here, once: what is relative would be another folder for each folder that a command is started in.
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError("não se sabe qual é a pasta pessoal desta conta; use um caminho completo") from None


def _own_folder() -> Path:
    return Path("~", ".omie-control")


def _require_networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    try:
        trusted_networks(entries)
    except InvalidInput:
        raise ValueError("esperados endereços ou redes, como 10.0.0.0/8,127.0.0.1") from None
    return entries


PostgresUrl = Annotated[SecretStr, _require_scheme("postgresql", "postgres")]
ValkeyUrl = Annotated[SecretStr, AfterValidator(_require_valkey)]
FilePath = Annotated[Path, AfterValidator(_absolute)]
HttpUrl = Annotated[str, AfterValidator(_require_http)]
OutgoingUrl = Annotated[str, AfterValidator(_require_origin)]


class Settings(BaseModel):
    """Every setting, from the environment by `Settings.from_environment()`, or given by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: FilePath = Field(
        default_factory=_own_folder,
        validate_default=True,
        description="Folder of the embedded servers' data, the master key and the runtime files.",
    )
    host: str = Field("127.0.0.1", description="Address that the HTTP server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the HTTP server; 0 takes any free one.")
    public_url: HttpUrl | None = Field(None, description="Address people reach it by, when it stands behind a proxy.")
    trusted_proxies: Annotated[tuple[str, ...], AfterValidator(_require_networks)] = Field(
        (), description="Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed."
    )
    database_url: PostgresUrl | None = Field(
        None, description="PostgreSQL 17+ for the application. Unset: an embedded PostgreSQL is started."
    )
    database_owner_url: PostgresUrl | None = Field(
        None, description="PostgreSQL for migrations and retention. Unset: DATABASE_URL, and the audit is not shielded."
    )
    database_read_url: PostgresUrl | None = Field(None, description="A replica that listings and dashboards read.")
    valkey_url: ValkeyUrl | None = Field(
        None, description="Valkey or Redis: one server, Sentinel or Cluster. Unset: an embedded Valkey is started."
    )
    omie_base_url: OutgoingUrl = Field(OMIE_BASE_URL, description="Root of Omie's API; real companies are called here.")
    outgoing_allowed: Annotated[tuple[str, ...], AfterValidator(_require_hosts)] = Field(
        (),
        description="Comma-separated hosts, addresses or networks inside that configured addresses may lead to, "
        "such as proxy.lan,10.20.0.0/16. What this environment names itself needs no leave.",
    )
    egress: str = Field(
        "default",
        max_length=60,
        description="Name of the outgoing IP that Omie sees; processes that share one share its limits.",
    )
    master_key: SecretStr | None = Field(
        None,
        description="Master key (32 bytes in base64). Unset: MASTER_KEY_FILE, else a file in HOME.",
    )
    master_key_file: FilePath | None = Field(None, description="File that holds the master key.")
    master_key_command: str | None = Field(
        None,
        description="Command that prints the master keys, such as one that asks a vault; run without a shell.",
    )
    audit_folder: FilePath | None = Field(
        None,
        description="Second folder for the checkpoints of the audit, such as a share of another machine; "
        "the first is HOME/audit.",
    )
    oidc_issuer: OutgoingUrl | None = Field(
        None, description="Issuer of the company's identity provider (OpenID Connect), exactly as its tokens name it."
    )
    oidc_audience: str | None = Field(
        None,
        max_length=200,
        description="Audience that tokens of callers (MCP, REST) must name. Unset: no caller comes by such a token.",
    )
    oidc_jwks_url: OutgoingUrl | None = Field(
        None, description="Where the provider's keys are. Unset: where its discovery document says."
    )
    oidc_role_claim: str = Field(
        "roles",
        max_length=100,
        description="Claim that holds a caller's groups; a dot goes inwards (realm_access.roles). "
        "`role group` says what each is here.",
    )
    oidc_client_id: str | None = Field(
        None,
        max_length=200,
        description="Name of the dashboard at the provider: people may then enter by it. Its return address is "
        "PUBLIC_URL/entrar/oidc/volta.",
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="Secret of OIDC_CLIENT_ID. Unset: OIDC_CLIENT_SECRET_FILE, else a client without one."
    )
    oidc_client_secret_file: FilePath | None = Field(None, description="File that holds the secret of OIDC_CLIENT_ID.")
    oidc_scopes: str = Field(
        "openid profile email", max_length=500, description="What the dashboard asks the provider for at a login."
    )
    oidc_link_by_email: bool = Field(
        False,
        description="1: a person's first login by the provider is recognised by an e-mail that it has verified. "
        "Unset: an administrator links each person (`user link`).",
    )
    oidc_login_roles: bool = Field(
        False,
        description="1: each login by the provider gives the role of the person's groups (`role group`), and none "
        "without such a group. Unset: people keep the role that they were given here.",
    )
    admin_password: SecretStr | None = Field(
        None, description="First password of the user admin. Unset: one is made and shown once at the first start."
    )
    admin_password_file: FilePath | None = Field(
        None, description="File that holds the first password of the user admin."
    )
    tz: Annotated[str, AfterValidator(_require_zone)] = Field(
        "America/Sao_Paulo", description="Time zone of ids, date and hour keys and everything people read."
    )
    log_format: Literal["console", "json"] = Field("console", description="Form of the log on stderr: console or json.")
    demo: bool | None = Field(
        None, description="Simulator and demo traffic: 1 on, 0 off. Unset: on while no real company is connected."
    )

    @field_validator("database_owner_url", "database_read_url")
    @classmethod
    def _require_database(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.data.get("database_url") is None:
            # Left aside without a word, the data would go to an embedded server beside the one that was meant.
            raise ValueError(f"vale só junto com {PREFIX}DATABASE_URL, que falta")
        return value

    @model_validator(mode="after")
    def _require_audience(self) -> Self:
        if self.oidc_issuer is not None and not self.oidc_audience and not self.oidc_client_id:
            # A token of the same provider for any other system would open this one.
            raise ValueError("OIDC_ISSUER precisa de OIDC_AUDIENCE ou OIDC_CLIENT_ID junto")
        if self.oidc_client_id is not None and self.oidc_issuer is None:
            raise ValueError("OIDC_CLIENT_ID precisa de OIDC_ISSUER junto")
        if self.oidc_client_id is not None and self.oidc_client_id == self.oidc_audience:
            # What tells the dashboard who somebody is would then open the API to whoever reads it on the way.
            raise ValueError("OIDC_AUDIENCE precisa ser diferente de OIDC_CLIENT_ID")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("OIDC_SCOPES precisa conter openid")
        return self

    @property
    def outgoing(self) -> Outgoing:
        """Where connections to configured addresses may lead."""
        return Outgoing.allowing(self.outgoing_allowed).trusting(
            self.omie_base_url, self.oidc_issuer, self.oidc_jwks_url
        )

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that dates what people read."""
        return ZoneInfo(self.tz)

    @property
    def is_behind_proxy(self) -> bool:
        """Whether somebody has said that a proxy stands in front."""
        return self.public_url is not None or bool(self.trusted_proxies)

    def own_address(self) -> str:
        """Return where this installation is reached: PUBLIC_URL, else on this machine. No slash at its end."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, never bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `OMIE_CONTROL_*`; an empty value counts as unset. Raises InvalidInput with one readable line."""
        source = os.environ if environment is None else environment
        given: dict[str, object] = {}
        for name, value in source.items():
            if not name.startswith(PREFIX) or not value.strip():
                continue
            field = name.removeprefix(PREFIX).lower()
            if field not in cls.model_fields:
                raise InvalidInput(f"{name} não é uma configuração.", hint=_near(field), code="bad_setting")
            given[field] = (
                tuple(part.strip() for part in value.split(",") if part.strip())
                if field in ("trusted_proxies", "outgoing_allowed")
                else value.strip()
            )
        try:
            return cls.model_validate(given)
        except ValidationError as exc:
            first = exc.errors(include_input=False, include_url=False)[0]
            name = PREFIX + str(first["loc"][0] if first["loc"] else "OIDC_AUDIENCE").upper()
            own = first["msg"].removeprefix("Value error, ") if first["type"] == "value_error" else None
            reason = own or expected(first["type"], first.get("ctx"))
            raise InvalidInput(f"{name} não serve: {reason}.", hint=_LIST, code="bad_setting") from None

    def resolved_admin_password(self) -> SecretStr | None:
        """Return the first admin password from the variable or its file."""
        return self.admin_password or _read_secret(self.admin_password_file, "ADMIN_PASSWORD_FILE")

    def resolved_client_secret(self) -> SecretStr | None:
        """Return the dashboard's secret at the identity provider from the variable or its file."""
        return self.oidc_client_secret or _read_secret(self.oidc_client_secret_file, "OIDC_CLIENT_SECRET_FILE")

    def resolved_master_key(self) -> SecretStr | None:
        """Return the master keys from the variable, its file or its command; None means: the file in HOME."""
        return (
            self.master_key
            or _read_secret(self.master_key_file, "MASTER_KEY_FILE")
            or _ask_command(self.master_key_command, "MASTER_KEY_COMMAND")
        )


def exports_traces(environment: Mapping[str, str] | None = None) -> bool:
    """Say whether OpenTelemetry's own standard variables name a collector."""
    source = os.environ if environment is None else environment
    return any(source.get(f"OTEL_EXPORTER_OTLP_{part}ENDPOINT") for part in ("", "TRACES_"))


def _read_secret(path: Path | None, name: str) -> SecretStr | None:
    if path is None:
        return None
    try:
        return SecretStr(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeError) as exc:
        # Of what the file holds, not even the cause may travel.
        reason = reason_of(exc) if isinstance(exc, OSError) else "não é um texto em UTF-8"
        raise InvalidInput(
            f"O arquivo de {PREFIX}{name} não pode ser lido: {reason}.",
            hint="Confira o caminho e as permissões.",
            code="bad_setting",
        ) from None


def _near(field: str) -> str:
    match = get_close_matches(field, list(Settings.model_fields), n=1)
    return f"Você quis dizer {PREFIX}{match[0].upper()}?" if match else _LIST


def _ask_command(command: str | None, name: str) -> SecretStr | None:
    if command is None:
        return None
    try:
        # Whoever sets the environment may run what they like; no shell, so that nothing in it is more than a word.
        done = subprocess.run(  # noqa: S603
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as exc:
        # Never its output: it may hold a part of the key.
        ended = f"terminou com {exc.returncode}" if isinstance(exc, subprocess.CalledProcessError) else None
        raise InvalidInput(
            f"O comando de {PREFIX}{name} falhou: {ended or type(exc).__name__}.",
            hint="Rode-o à mão com o mesmo usuário; ele deve imprimir a chave e terminar com 0 em até 30 segundos.",
            code="bad_setting",
        ) from None
    return SecretStr(done.stdout.decode("utf-8", "replace").strip())
