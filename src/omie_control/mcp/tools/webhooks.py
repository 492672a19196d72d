"""Omie's webhooks for models: how they stand, the address that a person pastes into Omie, and a test of the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.app import App
from omie_control.domain.companies import Company
from omie_control.domain.webhooks import DEFAULT_OVERLAP, EventStatus
from omie_control.errors import InvalidInput
from omie_control.mcp.control import this_call
from omie_control.mcp.tools.hints import keeps_control, offer, reads_control
from omie_control.mcp.tools.parameters import Empresa
from omie_control.mcp.tools.shapes import result_schema
from omie_control.mcp.tools.words import answer, bullets, filled, instant, table
from omie_control.mcp.traits import keeping, varying
from omie_control.services.webhooks import MadeAddress, WebhookStatus

Acao = Annotated[
    Literal["criar", "trocar", "revogar"],
    Field(description="criar: o primeiro endereço; trocar: um novo no lugar do atual; revogar: encerra um já."),
]
Prefixo = Annotated[
    str | None,
    Field(
        description="Só para revogar: o começo do endereço, de webhook_status.",
        max_length=12,
        examples=["omw_ab2cd3ef"],
    ),
]
Horas = Annotated[
    int, Field(description="Só para trocar: por quantas horas o endereço antigo ainda vale.", ge=0, le=720)
]
_OVERLAP_HOURS = int(DEFAULT_OVERLAP.total_seconds()) // 3600
_SAID: Mapping[EventStatus, str] = {
    EventStatus.RECEIVED: "esperando",
    EventStatus.APPLIED: "aplicado",
    EventStatus.IGNORED: "ignorado",
    EventStatus.FAILED: "falhou",
}
_COUNTED = {"topico": "tópico", "situacao": "situação", "eventos": "eventos", "entregas": "entregas"}
_ADDRESS = {
    "type": "object",
    "properties": {
        "prefixo": {"type": "string"},
        "criado_em": {"type": "string"},
        "vale_ate": {"type": "string"},
        "ultimo_teste_do_omie": {"type": "string"},
    },
}
_COUNT = {
    "type": "object",
    "properties": {
        "topico": {"type": "string"},
        "situacao": {"type": "string", "enum": list(_SAID.values())},
        "eventos": {"type": "integer"},
        "entregas": {"type": "integer"},
    },
}
_STATUS = result_schema(
    {
        "tem_endereco": {"type": "boolean"},
        "enderecos": {"type": "array", "items": _ADDRESS},
        "ultimo_teste_do_omie": {"type": "string"},
        "ultimo_evento": {"type": "string"},
        "ultimo_topico": {"type": "string"},
        "esperando": {"type": "integer"},
        "atraso_segundos": {"type": "number"},
        "falhas": {"type": "integer"},
        "ultimas_24_horas": {"type": "array", "items": _COUNT},
    },
    "tem_endereco",
    "esperando",
    "falhas",
)
_CONFIGURED = result_schema(
    {
        "acao": {"type": "string"},
        "prefixo": {"type": "string"},
        "endereco_secreto": {"type": "string"},
        "passos": {"type": "array", "items": {"type": "string"}},
        "substitui": {"type": "array", "items": {"type": "string"}},
        "aviso": {"type": "string"},
    },
    "acao",
    "prefixo",
)
_TESTED = result_schema(
    {
        "chegou": {"type": "boolean"},
        "endereco_testado": {"type": "string"},
        "teste_ms": {"type": "number"},
        "evento_ms": {"type": "number"},
        "aplicado_ms": {"type": "number"},
        "problema": {"type": "string"},
    },
    "chegou",
    "endereco_testado",
)
_NEVER_TRIED = (
    "O Omie ainda não testou este endereço: falta alguém colá-lo no portal do Omie. Aqui nada prova o que foi "
    "configurado lá."
)
_UNPROVED = "Isto não prova que o Omie alcança o endereço: só o teste que o portal do Omie envia prova."


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""

    @offer(
        server,
        reads_control("Estado dos webhooks"),
        "Mostra se a empresa tem endereço para os webhooks do Omie, quando o Omie o testou, o último evento, quantos "
        "vieram por tópico nas últimas 24 horas, o que espera e o que falhou. Use quando um dado mudado direto no "
        "Omie demorar a aparecer. Sem endereço, chame webhook_configure.",
        _STATUS,
    )
    async def webhook_status(*, empresa: Empresa = None) -> ToolResult:
        actor = this_call().handle.request.actor
        company = await app.companies.resolve(actor, empresa)
        return _status(app, await app.services.webhooks.status(actor, company))

    @offer(
        server,
        keeps_control("Configurar webhooks", destructive=True),
        "Cria, troca ou revoga o endereço secreto em que esta instalação recebe os webhooks do Omie de uma empresa, e "
        "diz os passos para colá-lo no portal do Omie, que não tem API para isso: uma pessoa precisa fazê-lo. O "
        "endereço aparece só nesta resposta e vale como uma senha: entregue-o apenas a essa pessoa. Depois confira "
        "com webhook_status. Só para quem administra; fica na auditoria.",
        _CONFIGURED,
    )
    @varying(keeping)
    async def webhook_configure(
        *,
        acao: Acao = "criar",
        empresa: Empresa = None,
        prefixo: Prefixo = None,
        horas_de_sobreposicao: Horas = _OVERLAP_HOURS,
    ) -> ToolResult:
        actor = this_call().handle.request.actor
        company = await app.companies.resolve(actor, empresa)
        webhooks = app.services.webhooks
        if acao == "revogar":
            if prefixo is None:
                raise InvalidInput(
                    "prefixo: esperado o começo do endereço a revogar.", hint="Veja os que valem com webhook_status."
                )
            gone = await webhooks.revoke(actor, prefixo, company)
            facts = {"acao": acao, "prefixo": gone.prefix}
            return _answer(company, facts, f"O endereço {gone.prefix}… foi revogado e não recebe mais nada.")
        if acao == "criar":
            return _made(company, acao, await webhooks.create(actor, company), webhooks.base_url)
        overlap = timedelta(hours=horas_de_sobreposicao)
        return _made(company, acao, await webhooks.rotate(actor, company, overlap), webhooks.base_url)

    @offer(
        server,
        keeps_control("Testar webhooks"),
        "Envia um teste e um evento marcado, de verdade, ao endereço desta própria instalação, e diz se chegaram, se "
        "foram aplicados e em quanto tempo. Use depois de configurar ou quando eventos não aparecem. Não fala com o "
        "Omie. Só para quem administra; fica na auditoria.",
        _TESTED,
    )
    @varying(keeping)
    async def webhook_test(*, empresa: Empresa = None) -> ToolResult:
        actor = this_call().handle.request.actor
        company = await app.companies.resolve(actor, empresa)
        trial = await app.services.webhook_trials.run(actor, company)
        facts = {
            "endereco_testado": trial.base_url,
            "teste_ms": trial.ping_ms,
            "evento_ms": trial.event_ms,
            "aplicado_ms": trial.applied_ms,
            "problema": trial.problem,
        }
        said = (
            f"Chegou: confirmado em {trial.event_ms} ms e aplicado em {trial.applied_ms} ms."
            if trial.problem is None
            else f"Não chegou. {trial.problem} Confira OMIE_CONTROL_PUBLIC_URL e se o servidor está no ar."
        )
        return _answer(company, {"chegou": trial.problem is None, **filled(facts)}, said, _UNPROVED)


def _status(app: App, status: WebhookStatus) -> ToolResult:
    zone, standing = app.settings.zone, status.standing
    addresses = [
        filled(
            {
                "prefixo": each.prefix,
                "criado_em": instant(each.created_at, zone),
                "vale_ate": instant(each.expires_at, zone),
                "ultimo_teste_do_omie": instant(each.last_ping_at, zone),
            }
        )
        for each in status.addresses
    ]
    counts = [
        {"topico": each.topic, "situacao": _SAID[each.status], "eventos": each.events, "entregas": each.deliveries}
        for each in status.counts
    ]
    lag = standing.lag_seconds
    facts = {
        "ultimo_teste_do_omie": instant(status.last_ping_at, zone),
        "ultimo_evento": instant(standing.last_event_at, zone),
        "ultimo_topico": standing.last_topic,
        "atraso_segundos": None if lag is None else round(lag, 1),
    }
    said = "Esta empresa não tem endereço de webhook." if not addresses else f"Endereços que valem: {len(addresses)}."
    unproved = _NEVER_TRIED if addresses and status.last_ping_at is None else None
    shown = {"tem_endereco": bool(addresses), "esperando": standing.waiting, "falhas": standing.failed}
    lines = bullets([*facts.items(), ("esperando", standing.waiting), ("falhas", standing.failed)])
    more = filled({**facts, "enderecos": addresses, "ultimas_24_horas": counts})
    return _answer(status.company, shown | more, said, unproved, lines, table(_COUNTED, counts) if counts else None)


def _made(company: Company, action: str, made: MadeAddress, base_url: str) -> ToolResult:
    steps = _steps(company)
    warning = _warning(base_url)
    facts = {
        "acao": action,
        "prefixo": made.address.prefix,
        # Named so that the record of this call keeps ••• in its place: see domain/personal_fields.py.
        "endereco_secreto": made.url.reveal(),
        "passos": steps,
        **filled({"substitui": list(made.ending), "aviso": warning}),
    }
    text = [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    return _answer(
        company,
        facts,
        f"Endereço secreto, mostrado só desta vez:\n{made.url.reveal()}",
        "O que uma pessoa ainda precisa fazer:\n" + "\n".join(text),
        f"Atenção: {warning}" if warning else None,
    )


def _steps(company: Company) -> Sequence[str]:
    return [
        f"No portal do desenvolvedor do Omie, abra o aplicativo cujo app_key termina em {company.app_key_hint}.",
        "Na parte de webhooks desse aplicativo, cole o endereço e escolha os tópicos que interessam.",
        "O Omie envia um teste ao endereço; confira com webhook_status se ele chegou.",
    ]


def _warning(base_url: str) -> str | None:
    parts = urlsplit(base_url)
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return (
            "este endereço só existe nesta máquina e o Omie não o alcança. Defina OMIE_CONTROL_PUBLIC_URL com o "
            "endereço público e troque o endereço."
        )
    if parts.scheme != "https":
        return "o endereço não usa HTTPS: o segredo viaja em claro até aqui."
    return None


def _answer(company: Company, facts: Mapping[str, Any], *paragraphs: str | None) -> ToolResult:
    stamp = {"empresa": company.slug, "execution_id": this_call().handle.execution_id}
    return answer({**facts, **stamp}, *paragraphs)
