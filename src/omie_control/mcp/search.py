"""The list of tools that a client sees: short, and only what its actor may use; search and an envelope reach the rest.

A client that wants every tool says so with the header `X-Omie-Control-Ferramentas: todas` or `?ferramentas=todas`.
Any tool answers to its name, listed or not. This is discovery, not access: each call is judged for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

from fastmcp import Context, FastMCP
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import Tool, ToolResult
from mcp_types import CallToolRequestParams, ToolAnnotations
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from omie_control.app.declarations import declaration_of
from omie_control.domain.access import Right, is_allowed
from omie_control.domain.actors import Actor
from omie_control.domain.search import Index, terms
from omie_control.errors import InvalidInput
from omie_control.mcp.control import ERRAND_ARGUMENT, this_call
from omie_control.mcp.tools.hints import offer, reads_control
from omie_control.mcp.tools.words import answer
from omie_control.mcp.traits import traits_of

SEARCH, ENVELOPE = "buscar_ferramentas", "chamar_ferramenta"
EVERYTHING_HEADER, EVERYTHING_PARAMETER, EVERYTHING = "x-omie-control-ferramentas", "ferramentas", "todas"
# What stands in the short list: where work begins, and what helps when it goes wrong.
LISTED = frozenset(
    {
        SEARCH,
        ENVELOPE,
        "buscar_metodos_omie",
        "descrever_metodo_omie",
        "executar_metodo_omie",
        "consultar_clientes",
        "consultar_contas_pagar",
        "consultar_contas_receber",
        "consultar_extrato",
        "dashboard_financeiro",
        "listar_contas_correntes",
        "listar_produtos",
        "estado_do_sistema",
        "mostrar_execucao",
        "por_que_falhou",
        "meus_limites",
        "iniciar_tarefa",
        "encerrar_tarefa",
    }
)
FOUND_MAX = 10
_NEAR_MAX = 3
_NAME_MAX = 100
_MISSPELT = 0.85
_VERBS = frozenset(terms("consultar listar buscar obter incluir criar cadastrar alterar atualizar excluir gerar"))
_SAME_AS = "(O mesmo que "
# What is inside an envelope may do anything.
_ANYTHING = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True)


class Ferramenta(TypedDict):
    """One tool as search tells it."""

    nome: str
    titulo: str
    descricao: str
    escreve: bool
    esquema: dict[str, Any]


class Achadas(TypedDict):
    """The tools that fit some words, best first."""

    ferramentas: list[Ferramenta]


class Shelf(Middleware):
    """Keeps the list of tools short and to what its caller may use, and opens the envelope. Add it outermost."""

    def __init__(self, who: Callable[[Context], Actor], *, is_whole: bool = False) -> None:
        self._who = who
        self._is_whole = is_whole

    async def __call__(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Take listings and calls; let everything else pass."""
        if context.method == "tools/call" and isinstance(context.message, CallToolRequestParams):
            return await call_next(_opened(context))
        if context.method != "tools/list" or context.fastmcp_context is None:
            return await call_next(context)
        tools: Sequence[Tool] = await call_next(context)
        may_use = usable_by(self._who(context.fastmcp_context), tools)
        if self._is_whole or _wants_everything(context.fastmcp_context):
            return may_use
        return [tool.model_copy(update={"output_schema": None}) for tool in may_use if tool.name in LISTED]


def usable_by(actor: Actor, tools: Sequence[Tool]) -> list[Tool]:
    """Return the tools that an actor's role allows; which companies is for each call to say."""
    if not is_allowed(actor, Right.EXECUTION_RUN):
        return []
    return [tool for tool in tools if _is_usable(actor, tool)]


def _is_usable(actor: Actor, tool: Tool) -> bool:
    traits = traits_of(tool, declaration_of(getattr(tool, "fn", None)))
    # Of a tool that mostly reads, the calls that write are refused one by one.
    right = Right.OMIE_READ if traits.calls_omie and traits.varies is not None else traits.right
    return is_allowed(actor, right, kind=traits.kind)


def register(server: FastMCP[Any]) -> Catalogue:
    """Add search and envelope to a server whose other tools are there already; return what they search in."""
    catalogue = Catalogue(server)

    @offer(
        server,
        reads_control("Buscar ferramentas"),
        "Procura entre todas as ferramentas deste servidor, também as que não estão na lista, por palavras em "
        "português, como 'baixar conta a receber' ou 'posição de estoque'. Devolve nome e parâmetros; depois chame a "
        f"ferramenta pelo nome, ou com {ENVELOPE} se o seu cliente só chama o que está na lista. Se nada servir, "
        "use buscar_metodos_omie.",
        TypeAdapter(Achadas).json_schema(),
    )
    async def buscar_ferramentas(
        *,
        consulta: Annotated[str, Field(description="Palavras do que se quer fazer.", min_length=2, max_length=200)],
        limite: Annotated[int, Field(description="Ferramentas na resposta.", ge=1, le=FOUND_MAX)] = 5,
    ) -> ToolResult:
        tools = await catalogue.find(this_call().handle.request.actor, consulta)
        found = [_told(tool) for tool in tools[:limite]]
        lines = [f"- **{each['nome']}**: {each['descricao']}" for each in found]
        none = "Nenhuma ferramenta com estas palavras. Procure um método da API com buscar_metodos_omie."
        return answer({"ferramentas": found}, "\n".join(lines) if found else none)

    @offer(
        server,
        reads_control("Chamar ferramenta") | {"annotations": _ANYTHING},
        f"Chama pelo nome uma ferramenta achada com {SEARCH}, para clientes que só chamam o que está na lista. Vale "
        "o mesmo que chamá-la diretamente: os mesmos direitos, limites e registro.",
        {"type": "object"},
    )
    async def chamar_ferramenta(
        *,
        nome: Annotated[str, Field(description="Nome da ferramenta.", min_length=1, max_length=100)],
        argumentos: Annotated[dict[str, Any] | None, Field(description="Os argumentos dela.")] = None,
    ) -> ToolResult:
        # A sound envelope was opened before it got here.
        raise InvalidInput(
            f"nome: {ENVELOPE} não chama a si mesma.", hint=f"Informe o nome de uma ferramenta achada com {SEARCH}."
        )

    return catalogue


class Catalogue:
    """Every tool of a server by its words; the index is made when somebody first asks."""

    def __init__(self, server: FastMCP[Any]) -> None:
        self._server = server
        self._names: frozenset[str] = frozenset()
        self._index: Index[str] = Index({})

    async def near(self, actor: Actor, name: str) -> str | None:
        """Say which tools somebody may have meant by the name of none; None: those that they may use are all unlike."""
        name = name[:_NAME_MAX]
        usable = [tool.name for tool in usable_by(actor, await self._server.list_tools(run_middleware=False))]
        meant = [each for each in usable if _is_about(each, name)]
        likely = get_close_matches(name, meant, _NEAR_MAX, 0) or get_close_matches(name, usable, _NEAR_MAX, _MISSPELT)
        return f"Talvez: {', '.join(likely)}. Para outras, procure com {SEARCH}." if likely else None

    async def find(self, actor: Actor, words: str) -> list[Tool]:
        """Return the tools that fit some words and that the actor may use, best first."""
        everything = await self._server.list_tools(run_middleware=False)
        names = frozenset(tool.name for tool in everything)
        if self._names != names:
            self._names = names
            self._index = Index({tool.name: _texts(tool) for tool in everything if not _is_alias(tool)})
        tools = {tool.name: tool for tool in usable_by(actor, everything)}
        exact = [tools[words.strip()]] if words.strip() in tools else []
        found = [tools[name] for name, _ in self._index.find(words) if name in tools and name not in (SEARCH, ENVELOPE)]
        return exact + [tool for tool in found if tool not in exact]


def _is_about(tool: str, name: str) -> bool:
    """Say whether a tool's name shares half of the nouns of another; what is done to them is easily misnamed."""
    nouns = set(terms(name)) - _VERBS
    return bool(nouns) and 2 * len(nouns & set(terms(tool))) >= len(nouns)


def _is_alias(tool: Tool) -> bool:
    return _SAME_AS in (tool.description or "")


def _texts(tool: Tool) -> list[tuple[float, str]]:
    parameters: Mapping[str, Any] = tool.parameters.get("properties", {})
    return [
        (3.0, tool.name),
        (2.0, tool.title or ""),
        (1.0, tool.description or ""),
        (0.3, " ".join(parameters)),
        (0.5, " ".join(tool.tags)),
    ]


def _told(tool: Tool) -> dict[str, Any]:
    traits = traits_of(tool, declaration_of(getattr(tool, "fn", None)))
    return {
        "nome": tool.name,
        "titulo": tool.title or tool.name,
        "descricao": tool.description or "",
        "escreve": traits.writes,
        "esquema": tool.parameters,
    }


def _opened(context: MiddlewareContext[Any]) -> MiddlewareContext[Any]:
    """Take a call out of its envelope; one that is not sound stays as it is, and its tool says what is wrong."""
    message = context.message
    if message.name != ENVELOPE:
        return context
    given = message.arguments or {}
    name, arguments = given.get("nome"), given.get("argumentos", {})
    if not isinstance(name, str) or not name or name == ENVELOPE or not isinstance(arguments, dict | None):
        return context
    if given.keys() - {"nome", "argumentos", ERRAND_ARGUMENT}:
        return context
    # An errand may stand beside the arguments of any tool, so also on the envelope.
    errand = {ERRAND_ARGUMENT: given[ERRAND_ARGUMENT]} if ERRAND_ARGUMENT in given else {}
    inside = errand | (arguments or {})
    return context.copy(message=message.model_copy(update={"name": name, "arguments": inside}))


def _wants_everything(context: Context) -> bool:
    wire = context.request_context
    request = None if wire is None else wire.request
    if request is None:
        return False
    asked = request.headers.get(EVERYTHING_HEADER) or request.query_params.get(EVERYTHING_PARAMETER)
    return asked is not None and asked.strip().lower() == EVERYTHING
