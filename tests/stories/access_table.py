"""What each route, tool, resource and command asks for: the table that `test_access_matrix.py` proves by real calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omie_control.domain.access import Right
from omie_control.domain.protected_resource import RESOURCES as PROTECTED
from omie_control.domain.protected_resource import WELL_KNOWN

Rights = frozenset[Right]
OPEN = "open: "
OWN = "own: "
API = "/api/v1"

# Who changes a configuration is shown it.
CONFIGURE = frozenset({Right.CONFIG_READ, Right.CONFIG_MANAGE})

# Routes: the right that the visitor needs, or why none is asked: `open` to strangers, or of one's `own` things only.
ROUTES: Mapping[tuple[str, str], Right | Rights | str] = {
    ("GET", "/"): frozenset({Right.EXECUTION_READ, Right.COMPANY_READ, Right.SYSTEM_READ}),
    ("GET", "/execucoes/{execution_id}"): Right.EXECUTION_READ,
    ("POST", "/execucoes/{execution_id}/revelar"): Right.BODY_REVEAL,
    ("GET", "/configuracao"): Right.CONFIG_READ,
    ("POST", "/configuracao"): CONFIGURE,
    ("GET", "/configuracao/voltar/{revision}"): Right.CONFIG_READ,
    ("POST", "/configuracao/voltar/{revision}"): CONFIGURE,
    ("GET", "/ao-vivo"): Right.EXECUTION_READ,
    ("GET", "/metrics"): Right.SYSTEM_READ,
    ("GET", "/entrar"): OPEN + "the login form",
    ("POST", "/entrar"): OPEN + "the login",
    ("GET", "/entrar/codigo"): OPEN + "the second step of the login",
    ("POST", "/entrar/codigo"): OPEN + "the second step of the login",
    ("GET", "/entrar/oidc"): OPEN + "the way to the identity provider",
    ("GET", "/entrar/oidc/volta"): OPEN + "the way back from it",
    ("GET", "/convite/{secret}"): OPEN + "whoever has the one-time link",
    ("POST", "/convite/{secret}"): OPEN + "whoever has the one-time link",
    ("GET", "/conta"): OWN + "account",
    ("POST", "/conta/senha"): OWN + "password",
    ("POST", "/conta/sessoes/{session_id}/encerrar"): OWN + "sessions",
    ("POST", "/conta/segundo-fator"): OWN + "second factor",
    ("POST", "/conta/segundo-fator/confirmar"): OWN + "second factor",
    ("POST", "/conta/segundo-fator/desligar"): OWN + "second factor",
    ("POST", "/sair"): OPEN + "ends whatever session there is",
    ("POST", "/idioma"): OPEN + "a cookie with a language",
    **dict.fromkeys((("GET", WELL_KNOWN + each) for each in PROTECTED), OPEN + "names the identity provider"),
    ("GET", "/healthz"): OPEN + "says only that the process lives",
    ("HEAD", "/healthz"): OPEN + "says only that the process lives",
    ("GET", "/readyz"): OPEN + "says only whether it can work",
    ("HEAD", "/readyz"): OPEN + "says only whether it can work",
    ("GET", "/static"): OPEN + "files of ours",
    ("GET", f"{API}/openapi.json"): OWN + "a constant, for whoever has a token",
    ("GET", f"{API}/config"): Right.CONFIG_READ,
    ("GET", f"{API}/config/history"): Right.CONFIG_READ,
    ("GET", f"{API}/config/diff"): Right.CONFIG_READ,
    ("GET", f"{API}/config/{{key}}"): Right.CONFIG_READ,
    ("PUT", f"{API}/config/{{key}}"): CONFIGURE,
    ("DELETE", f"{API}/config/{{key}}"): CONFIGURE,
    ("POST", f"{API}/config/rollback"): Right.CONFIG_MANAGE,
    ("GET", f"{API}/executions"): Right.EXECUTION_READ,
    ("GET", f"{API}/executions/{{execution_id}}"): Right.EXECUTION_READ,
    ("GET", f"{API}/system"): Right.SYSTEM_READ,
    ("GET", f"{API}/webhooks"): frozenset({Right.COMPANY_READ, Right.SYSTEM_READ}),
    ("POST", f"{API}/webhooks"): frozenset({Right.COMPANY_READ, Right.COMPANY_MANAGE}),
    ("GET", f"{API}/webhooks/events"): Right.SYSTEM_READ,
    ("POST", f"{API}/webhooks/test"): frozenset({Right.COMPANY_READ, Right.COMPANY_MANAGE}),
    ("DELETE", f"{API}/webhooks/{{prefix}}"): Right.COMPANY_MANAGE,
    ("POST", "/webhooks/omie/{secret}"): OPEN + "whoever has the secret address of a company",
}
# What a request needs beside its address to get as far as the question of rights.
ASKED: Mapping[str, dict[str, Any]] = {
    f"PUT {API}/config/{{key}}": {"json": {"value": 30}},
    f"POST {API}/config/rollback": {"json": {"revision": 0}},
    f"POST {API}/webhooks": {"json": {"company": "padaria"}},
    f"POST {API}/webhooks/test": {"json": {"company": "padaria"}},
    "POST /configuracao": {"data": {"chave": "login.hours", "valor": "30"}},
    f"GET {API}/config/history": {"params": {"key": "login.hours"}},
    f"GET {API}/config/diff": {"params": {"since": 0, "until": 1}},
}
NO_EXECUTION = {"execution_id": "consultar_clientes_20260101_000000_00000000000000000000000000"}
# Tools that stay in the house: what they need besides leave to run at all, and arguments that reach their verb.
# Every other tool calls Omie for a company: see `rights_of_tool`.
TOOLS: Mapping[str, tuple[Rights, dict[str, Any]]] = {
    "cache_status": (frozenset({Right.COMPANY_READ, Right.SYSTEM_READ}), {"empresa": "padaria"}),
    "cache_clear": (frozenset({Right.COMPANY_READ, Right.CACHE_CLEAR}), {"empresa": "padaria"}),
    "webhook_status": (frozenset({Right.COMPANY_READ, Right.SYSTEM_READ}), {"empresa": "padaria"}),
    "webhook_configure": (frozenset({Right.COMPANY_READ, Right.COMPANY_MANAGE}), {"empresa": "padaria"}),
    "webhook_test": (frozenset({Right.COMPANY_READ, Right.COMPANY_MANAGE}), {"empresa": "padaria"}),
    "lista_empresas": (frozenset({Right.COMPANY_READ}), {}),
    "aguardar_execucao": (frozenset({Right.EXECUTION_READ}), {**NO_EXECUTION, "segundos": 0}),
    "cancelar_execucao": (frozenset(), {**NO_EXECUTION, "motivo": "teste"}),
    "por_que_falhou": (frozenset({Right.EXECUTION_READ}), NO_EXECUTION),
    "meus_limites": (frozenset({Right.COMPANY_READ}), {}),
    "iniciar_tarefa": (frozenset({Right.COMPANY_READ}), {"objetivo": "fechar o mês", "empresa": "padaria"}),
    "encerrar_tarefa": (frozenset({Right.EXECUTION_READ}), {"resultado": "feito", "tarefa": "nenhuma"}),
    "resumo_da_tarefa": (frozenset({Right.EXECUTION_READ}), {"tarefa": "nenhuma"}),
    "estado_do_sistema": (frozenset({Right.COMPANY_READ, Right.SYSTEM_READ}), {}),
    "buscar_execucoes": (frozenset({Right.EXECUTION_READ}), {}),
    "mostrar_execucao": (frozenset({Right.EXECUTION_READ}), NO_EXECUTION),
    "buscar_metodos_omie": (frozenset(), {"consulta": "clientes"}),
    "descrever_metodo_omie": (frozenset(), {"metodo": "ListarClientes"}),
    "buscar_ferramentas": (frozenset(), {"consulta": "clientes"}),
}
# The envelope only names another tool, whose rights hold.
ENVELOPES = {"chamar_ferramenta"}
RESOURCES: Mapping[str, Rights] = {
    "omie://database/status": frozenset({Right.SYSTEM_READ}),
    "omie://metrics/summary": frozenset({Right.SYSTEM_READ}),
    "omie://alerts/active": frozenset({Right.SYSTEM_READ}),
    "omie://companies": frozenset({Right.COMPANY_READ}),
    "omie://metodos/geral/clientes/ListarClientes": frozenset(),
}
TEMPLATES = {"omie://metodos/{grupo}/{servico}/{metodo}": "omie://metodos/geral/clientes/ListarClientes"}
# Commands act as an administrator, for whoever can run them holds the database's credentials: the right is what
# their verb asks of that actor; a text says why none is asked.
COMMANDS: Mapping[str, Right | str] = {
    **dict.fromkeys(("up", "serve", "worker", "mcp", "simulate"), "starts a process"),
    **dict.fromkeys(("migrate", "doctor"), "works on the installation, before there are any roles"),
    "version": "a constant",
    "process list": Right.EXECUTION_READ,
    "process show": Right.EXECUTION_READ,
    "process tail": Right.EXECUTION_READ,
    "process cancel": Right.EXECUTION_CANCEL,
    "process settle": Right.EXECUTION_SETTLE,
    "company add": Right.COMPANY_MANAGE,
    "company list": Right.COMPANY_READ,
    "company test": Right.OMIE_READ,
    **dict.fromkeys(("user create", "user list", "user role", "user invite", "user reset"), Right.USER_MANAGE),
    **dict.fromkeys(("user activate", "user deactivate", "user sessions", "user end-session"), Right.USER_MANAGE),
    **dict.fromkeys(("user totp", "user totp-off"), Right.USER_MANAGE),
    **dict.fromkeys(("user identities", "user link", "user unlink", "user email"), Right.USER_MANAGE),
    **dict.fromkeys(("role list", "role create", "role change", "role delete"), Right.USER_MANAGE),
    **dict.fromkeys(("role groups", "role group", "role ungroup"), Right.USER_MANAGE),
    "role rights": "a constant",
    "token create": Right.TOKEN_MANAGE,
    "token list": Right.TOKEN_READ,
    "token revoke": Right.TOKEN_MANAGE,
    **dict.fromkeys(("audit list", "audit show", "audit verify", "audit export", "audit public-key"), Right.AUDIT_READ),
    "audit verify-file": "reads a file, without the database",
    **dict.fromkeys(("config list", "config get", "config history", "config diff"), Right.CONFIG_READ),
    **dict.fromkeys(("config set", "config unset", "config rollback"), Right.CONFIG_MANAGE),
    "person report": Right.PERSON_REPORT,
    **dict.fromkeys(("person erase", "person reapply"), Right.PERSON_ERASE),
    **dict.fromkeys(("person erasures", "hold list"), Right.AUDIT_READ),
    "person processing": "a constant",
    **dict.fromkeys(("hold set", "hold lift"), Right.HOLD_MANAGE),
    **dict.fromkeys(("webhook create", "webhook revoke", "webhook test"), Right.COMPANY_MANAGE),
    **dict.fromkeys(("webhook status", "webhook list"), Right.SYSTEM_READ),
    **dict.fromkeys(("key list", "key new", "key rotate"), Right.KEY_MANAGE),
}
