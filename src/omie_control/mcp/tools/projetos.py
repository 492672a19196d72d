"""Projects: a second axis beside categories and departments."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Writing
from omie_control.mcp.tools.parameters import CodigoIntegracao, CodigoOmie, SimNao
from omie_control.mcp.tools.shapes import Shape, code, days, flag, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "geral/projetos/"

PROJETOS = Listing(
    PATH,
    "ListarProjetos",
    "projetos",
    key="projetos",
    shape=Shape(
        codigo_omie=code("codigo", "código"),
        codigo_integracao=text("codInt"),
        nome=text("nome", "nome"),
        inativo=flag("inativo", "inativo"),
        alterado_em=days("info.data_alt"),
    ),
)
KEY = Key("codigo", "codInt", "listar_projetos")
CODES = Shape(codigo_omie=code("codigo"), codigo_integracao=text("codInt"))
INCLUIR = Writing(PATH, "IncluirProjeto", "Projeto", "incluído", CODES)
ALTERAR = Writing(PATH, "AlterarProjeto", "Projeto", "alterado", CODES, KEY.fields)
EXCLUIR = Writing(PATH, "ExcluirProjeto", "Projeto", "excluído", CODES)

_NOME_MAX = 100

family = Family(Category.ORGANIZACIONAL)
register = family.register


@family.lists(
    "Listar projetos",
    Complexity.BASICA,
    PROJETOS,
    "Lista os projetos da empresa, com filtro por parte do nome. Use para achar o código do projeto que títulos, "
    "pedidos, ordens de serviço e compras pedem.",
    also=("consultar_projetos",),
)
def listar_projetos(
    *,
    nome: Annotated[str | None, Field(description="Parte do nome.", max_length=100, examples=["Reforma"])] = None,
) -> Fields:
    return {"nome_projeto": nome}


@family.writes(
    "Incluir projeto",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Inclui um projeto. Confira antes com listar_projetos que ele não existe. Sem codigo_integracao, um é criado e "
    "devolvido. Depois use o codigo_omie nos lançamentos.",
    destructive=False,
    idempotent=False,
)
def incluir_projeto(
    *,
    nome: Annotated[
        str, Field(description="Nome do projeto.", min_length=1, max_length=_NOME_MAX, examples=["Reforma da loja"])
    ],
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return {"nome": nome, "codInt": codigo_integracao}


@family.writes(
    "Alterar projeto",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Muda o nome de um projeto, ou o torna inativo ou ativo, achado por codigo_omie ou codigo_integracao. Prefira "
    "inativar a excluir um projeto que já tem lançamentos. Confira depois com listar_projetos.",
    destructive=True,
    idempotent=True,
)
def alterar_projeto(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    nome: Annotated[
        str | None, Field(description="Novo nome.", min_length=1, max_length=_NOME_MAX, examples=["Reforma da loja"])
    ] = None,
    inativo: Annotated[SimNao | None, Field(description="true: inativa; false: reativa.")] = None,
) -> Fields:
    return KEY(codigo_omie, codigo_integracao) | {"nome": nome, "inativo": inativo}


@family.writes(
    "Excluir projeto",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui um projeto para sempre. Confirme com o usuário. Se ele já foi usado, o Omie recusa: inative-o com "
    "alterar_projeto.",
    destructive=True,
    idempotent=True,
)
def excluir_projeto(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)
