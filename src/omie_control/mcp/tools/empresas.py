"""Companies: which ones this access may see, whether their Omie answers, what Omie says of them."""

from __future__ import annotations

from typing import Any

from fastmcp import FastMCP
from fastmcp.tools import ToolResult

from omie_control.app import App
from omie_control.domain.executions import Category, Complexity
from omie_control.errors import NotFound
from omie_control.mcp.control import this_call
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.hints import offer, reads_control
from omie_control.mcp.tools.omie import Listing, Omie
from omie_control.mcp.tools.shapes import Shape, code, flag, result_schema, text
from omie_control.mcp.tools.words import answer, bullets, table

# What a person needs to know of a company. Omie's record also holds certificates and their passwords: never those.
REGISTRO = Shape(
    codigo=code("codigo_empresa"),
    razao_social=text("razao_social"),
    nome_fantasia=text("nome_fantasia"),
    cnpj=text("cnpj"),
    inscricao_estadual=text("inscricao_estadual"),
    inscricao_municipal=text("inscricao_municipal"),
    regime_tributario=text("regime_tributario"),
    optante_simples_nacional=text("optante_simples_nacional"),
    cnae=text("cnae"),
    endereco=text("endereco"),
    numero=text("endereco_numero"),
    bairro=text("bairro"),
    cidade=text("cidade"),
    estado=text("estado"),
    cep=text("cep"),
    telefone=text("telefone1_numero"),
    email=text("email"),
    inativa=flag("inativa"),
)
EMPRESAS = Listing("geral/empresas/", "ListarEmpresas", "empresas no Omie", key="cadastros", shape=REGISTRO)
# The cheapest question of which Omie's own answer is never older than a minute.
SINAL = Listing(
    "geral/contacorrente/",
    "ListarContasCorrentes",
    "contas correntes",
    key="contas",
    shape=Shape(codigo=code("nCodCC")),
)
_AGE = {"idade_segundos": {"type": "integer"}, "fonte": {"type": "string"}}
_TESTED = result_schema({"conectada": {"type": "boolean"}, **_AGE}, "conectada", *_AGE)
_TOLD = result_schema({"cadastro": REGISTRO.schema(), **_AGE}, "cadastro", *_AGE)
_ROW = {
    "type": "object",
    "properties": {
        "empresa": {"type": "string"},
        "nome": {"type": "string"},
        "ativa": {"type": "boolean"},
        "demonstracao": {"type": "boolean"},
        "padrao": {"type": "boolean"},
    },
}
_LISTED = {
    "type": "object",
    "properties": {"registros": {"type": "integer"}, "empresas": {"type": "array", "items": _ROW}},
    "required": ["registros", "empresas"],
}
_COLUMNS = {"empresa": "empresa", "nome": "nome", "ativa": "ativa", "padrao": "padrão"}

family = Family(Category.SISTEMA)


@family.asks(
    "Testar conexão",
    Complexity.BASICA,
    _TESTED,
    "Testa se o Omie de uma empresa responde e aceita as credenciais dela, com uma pergunta pequena. Se falhar, a "
    "resposta é a falha do Omie e o que fazer. Um teste repetido em menos de um minuto devolve a resposta anterior, "
    "com a idade dela: o Omie recusa perguntas repetidas.",
    SINAL,
    also=("teste_conexao",),
)
async def testar_conexao(omie: Omie) -> ToolResult:
    page = await omie.page(SINAL, {}, 1, 1)
    facts = {"conectada": True, "idade_segundos": round(page.got.age_seconds), "fonte": page.got.source}
    return omie.answer(facts, f"O Omie da empresa {omie.company.slug} respondeu e aceitou as credenciais.")


@family.asks(
    "Obter informações da empresa",
    Complexity.BASICA,
    _TOLD,
    "Mostra o cadastro da empresa no Omie: razão social, CNPJ, inscrições, regime tributário e endereço. Use para "
    "conferir em qual empresa se está antes de escrever. Certificados e senhas do cadastro nunca são mostrados.",
    EMPRESAS,
    also=("info_empresa",),
    category=Category.ORGANIZACIONAL,
)
async def obter_info_empresa(omie: Omie) -> ToolResult:
    page = await omie.page(EMPRESAS, {}, 1, 1)
    if not page.rows:
        raise NotFound("O Omie não devolveu o cadastro da empresa.", hint="Confira a empresa com testar_conexao.")
    [record] = page.rows[:1]
    facts = {"cadastro": record, "idade_segundos": round(page.got.age_seconds), "fonte": page.got.source}
    return omie.answer(facts, f"**{record.get('razao_social', omie.company.slug)}**", bullets(list(record.items())))


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""
    family.register(server, app)

    @offer(
        server,
        reads_control("Listar empresas"),
        "Lista as empresas que este acesso pode usar, com o nome curto que as outras ferramentas pedem em `empresa`. "
        "Vem dos registros deste sistema: nada é perguntado ao Omie e nenhuma credencial é mostrada. Para saber se "
        "uma delas responde, chame testar_conexao.",
        _LISTED,
    )
    async def lista_empresas() -> ToolResult:
        actor = this_call().handle.request.actor
        rows = [
            {
                "empresa": company.slug,
                "nome": company.name,
                "ativa": company.is_active,
                "demonstracao": company.is_demo,
                "padrao": company.id == actor.default_company,
            }
            for company in await app.companies.list(actor)
        ]
        said = table(_COLUMNS, rows) if rows else "Nenhuma empresa está conectada para este acesso."
        return answer({"registros": len(rows), "empresas": rows}, said)
