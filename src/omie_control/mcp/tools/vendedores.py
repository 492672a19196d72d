"""Sellers: list, show, create, change."""

from __future__ import annotations

from typing import Annotated

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import Chave, CodigoIntegracao, CodigoOmie, Dinheiro, Email, SimNao
from omie_control.mcp.tools.shapes import Shape, code, flag, number, text, whole
from omie_control.mcp.tools.wire import Fields, Key

PATH = "geral/vendedores/"

VENDEDORES = Listing(
    PATH,
    "ListarVendedores",
    "vendedores",
    key="vendedores",
    shape=Shape(
        codigo_omie=code("codigo", "código"),
        codigo_integracao=text("codInt"),
        nome=text("nome", "nome"),
        email=text("email", "e-mail"),
        comissao_percentual=number("comissao", "comissão %"),
        inativo=flag("inativo", "inativo"),
    ),
)
VENDEDOR = Reading(PATH, "ConsultarVendedor", "Vendedor", key="vendedor", title="nome")
KEY = Key("codigo", "codInt", "listar_vendedores")
SAID = Shape(codigo_omie=code("codigo"), codigo_integracao=text("codInt"), resposta=text("descricao"))
INCLUIR = Writing(PATH, "IncluirVendedor", "Vendedor", "incluído", SAID)
ALTERAR = Writing(PATH, "AlterarVendedor", "Vendedor", "alterado", SAID)

Nome = Annotated[str, Field(description="Nome do vendedor.", min_length=1, max_length=60, examples=["Marina Esteves"])]
EMail = Annotated[Email | None, Field(description="E-mail do vendedor.")]
Comissao = Annotated[Dinheiro | None, Field(description="Comissão padrão, em %.", examples=[2.5])]
Fatura = Annotated[SimNao | None, Field(description="Se pode faturar pedidos.")]
Visualiza = Annotated[SimNao | None, Field(description="Se vê os pedidos de outros.")]

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar vendedores",
    Complexity.BASICA,
    VENDEDORES,
    "Lista os vendedores da empresa, uma página por vez. Use para achar o código que pedidos, orçamentos e relatórios "
    "pedem; relatorio_vendas_por_vendedor diz quanto cada um vendeu.",
)
def listar_vendedores(
    *,
    nome: Annotated[str | None, Field(description="Nome, ou parte.", max_length=100, examples=["Marina"])] = None,
    email: EMail = None,
) -> Fields:
    return {"filtrar_por_nome": nome, "filtrar_por_email": email}


@family.gets(
    "Consultar vendedor",
    Complexity.BASICA,
    VENDEDOR,
    "Mostra um vendedor, pelo código do Omie ou pelo de integração (um dos dois). Para achar o código, chame "
    "listar_vendedores.",
)
def consultar_vendedor(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir vendedor",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Cadastra um vendedor. Antes, confira com listar_vendedores que ele ainda não existe. Não cria um usuário do Omie. "
    "Depois use o codigo_omie devolvido em incluir_pedido_venda.",
    destructive=False,
    idempotent=False,
)
def incluir_vendedor(
    *,
    nome: Nome,
    email: EMail = None,
    comissao_percentual: Comissao = None,
    fatura_pedido: Fatura = None,
    visualiza_pedido: Visualiza = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    _check(comissao_percentual)
    return {
        "nome": nome,
        "email": email,
        "comissao": comissao_percentual,
        "fatura_pedido": fatura_pedido,
        "visualiza_pedido": visualiza_pedido,
        "codInt": codigo_integracao,
    }


@family.acts(
    "Alterar vendedor",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Altera um vendedor, achado por codigo_omie ou codigo_integracao; inativo=true o tira de uso. Envie só o que muda: "
    "o cadastro é lido antes e volta inteiro ao Omie com as mudanças. A comissão vale para pedidos novos.",
    VENDEDOR,
    destructive=True,
    idempotent=True,
)
async def alterar_vendedor(
    omie: Omie,
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    nome: Nome | None = None,
    email: EMail = None,
    comissao_percentual: Comissao = None,
    fatura_pedido: Fatura = None,
    visualiza_pedido: Visualiza = None,
    inativo: Annotated[SimNao | None, Field(description="true inativa; false reativa.")] = None,
    chave_idempotencia: Chave = None,
) -> ToolResult:
    _check(comissao_percentual)
    named = KEY(codigo_omie, codigo_integracao)
    given = {
        "nome": nome,
        "email": email,
        "comissao": comissao_percentual,
        "fatura_pedido": fatura_pedido,
        "visualiza_pedido": visualiza_pedido,
        "inativo": inativo,
    }
    # An empty e-mail is a change as well: it goes.
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise InvalidInput("Nenhum campo para alterar foi informado.", hint="Informe ao menos um campo.")
    found = whole((await omie.read(VENDEDOR, named)).payload.data)
    kept = {name: found[name] for name in ALTERAR.method.request_fields if name in found and name != "codInt"}
    return await omie.write_answer(ALTERAR, {**kept, **changes}, chave_idempotencia)


def _check(commission: Dinheiro | None) -> None:
    if commission is not None and commission > 100:
        raise InvalidInput("comissao_percentual: esperado no máximo 100. Exemplo: 2,5.", hint="Informe em %.")
