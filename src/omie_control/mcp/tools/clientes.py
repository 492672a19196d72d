"""Clients of a company in Omie (suppliers are clients too): list, show, create, change, inactivate."""

from __future__ import annotations

from typing import Annotated

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools import cliente_record as record
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import Chave, CodigoIntegracao, CodigoOmie, SoInativos
from omie_control.mcp.tools.shapes import Shape, code, flag, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "geral/clientes/"

CLIENTES = Listing(
    PATH,
    "ListarClientes",
    "clientes",
    key="clientes",
    shape=Shape(
        codigo_omie=code("codigo_cliente_omie", "código"),
        codigo_integracao=text("codigo_cliente_integracao"),
        razao_social=text("razao_social", "nome"),
        nome_fantasia=text("nome_fantasia"),
        cnpj_cpf=text("cnpj_cpf", "CPF/CNPJ"),
        cidade=text("cidade", "cidade"),
        estado=text("estado"),
        email=text("email", "e-mail"),
        telefone=text(record.phone),
        inativo=flag("inativo"),
    ),
)
CLIENTE = Reading(PATH, "ConsultarCliente", "Cliente", key="cliente", title="razao_social", read=record.whole)
KEY = Key("codigo_cliente_omie", "codigo_cliente_integracao", "consultar_clientes")
CODES = Shape(codigo_omie=code("codigo_cliente_omie"), codigo_integracao=text("codigo_cliente_integracao"))
INCLUIR = Writing(PATH, "IncluirCliente", "Cliente", "incluído", CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarCliente", "Cliente", "alterado", CODES, KEY.fields, has_other_fields=True)

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Consultar clientes",
    Complexity.INTERMEDIARIA,
    CLIENTES,
    "Lista clientes e fornecedores da empresa, uma página por vez. Sem argumentos: a primeira página. "
    "Use para achar alguém por nome, CPF/CNPJ, código ou etiqueta; depois chame "
    "consultar_cliente_por_codigo com o codigo_omie para ver o cadastro inteiro. "
    "Não repita a mesma consulta em menos de 60 segundos: o Omie recusa.",
    also=("listar_clientes",),
)
def consultar_clientes(
    *,
    nome: Annotated[
        str | None, Field(description="Parte da razão social ou do nome.", max_length=60, examples=["Padaria"])
    ] = None,
    nome_fantasia: record.NomeFantasia = None,
    cnpj_cpf: record.CpfCnpj = None,
    codigo: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    inativo: SoInativos = None,
    tags: record.Tags = None,
) -> Fields:
    # The others of its filters are silently ignored by Omie.
    return record.filters(
        razao_social=nome,
        nome_fantasia=nome_fantasia,
        cnpj_cpf=cnpj_cpf,
        codigo_cliente_omie=codigo,
        codigo_cliente_integracao=codigo_integracao,
        inativo=inativo,
        tags=tags,
    )


@family.gets(
    "Consultar cliente por código",
    Complexity.BASICA,
    CLIENTE,
    "Mostra o cadastro completo de um cliente ou fornecedor, pelo código do Omie ou pelo de integração "
    "(informe um dos dois). Use antes de alterar_cliente, e depois de uma escrita incerta para saber se ela "
    "foi feita. Para achar o código, chame consultar_clientes.",
)
def consultar_cliente_por_codigo(
    *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None
) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir cliente",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Cadastra um novo cliente ou fornecedor. Antes, confira com consultar_clientes (cnpj_cpf) que ele ainda "
    "não existe. O CPF ou CNPJ é obrigatório, salvo para cliente do exterior. Os dados são conferidos antes de "
    "sair; CPF e CNPJ pelos dígitos. Informe codigo_integracao "
    "se tiver um; senão um é criado e devolvido, e serve para consultar o registro depois. Fornecedor: use a "
    "etiqueta Fornecedor em tags.",
    destructive=False,
    idempotent=False,
    also=("cadastrar_cliente", "cadastrar_cliente_fornecedor"),
)
def incluir_cliente(
    *,
    razao_social: record.RazaoSocial,
    cnpj_cpf: record.CpfCnpj = None,
    nome_fantasia: record.NomeFantasia = None,
    email: record.EMail = None,
    telefone1_ddd: record.Ddd = None,
    telefone1_numero: record.Telefone = None,
    contato: record.Contato = None,
    endereco: record.Endereco = None,
    endereco_numero: record.Numero = None,
    complemento: record.Complemento = None,
    bairro: record.Bairro = None,
    cidade: record.Cidade = None,
    estado: record.Estado = None,
    cep: record.CodigoPostal = None,
    inscricao_estadual: record.Inscricao = None,
    observacao: record.Observacao = None,
    tags: record.Tags = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return record.named(locals()) | {"codigo_cliente_integracao": codigo_integracao}


@family.writes(
    "Alterar cliente",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Altera o cadastro de um cliente ou fornecedor, achado por codigo_omie ou codigo_integracao. Atenção: o "
    "Omie pode recusar uma alteração com poucos campos (endereço, e-mail). Chame antes "
    "consultar_cliente_por_codigo e envie o cadastro inteiro com as mudanças. Um texto vazio apaga o campo.",
    destructive=True,
    idempotent=True,
)
def alterar_cliente(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    razao_social: record.RazaoSocialNova = None,
    cnpj_cpf: record.CpfCnpj = None,
    nome_fantasia: record.NomeFantasia = None,
    email: record.EMail = None,
    telefone1_ddd: record.Ddd = None,
    telefone1_numero: record.Telefone = None,
    contato: record.Contato = None,
    endereco: record.Endereco = None,
    endereco_numero: record.Numero = None,
    complemento: record.Complemento = None,
    bairro: record.Bairro = None,
    cidade: record.Cidade = None,
    estado: record.Estado = None,
    cep: record.CodigoPostal = None,
    inscricao_estadual: record.Inscricao = None,
    observacao: record.Observacao = None,
    inativo: record.Inativo = None,
    tags: record.Tags = None,
) -> Fields:
    return record.named(locals()) | KEY(codigo_omie, codigo_integracao)


@family.acts(
    "Inativar cliente",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Inativa um cliente: ele sai das listas de escolha e não recebe vendas novas; histórico e títulos ficam. Lê o "
    "cadastro e o devolve inteiro ao Omie com a marca de inativo. Para reativar, use alterar_cliente com "
    "inativo=false. Se o mesmo cadastro também for fornecedor, os dois papéis ficam inativos.",
    CLIENTE,
    destructive=True,
    idempotent=True,
)
async def inativar_cliente(
    omie: Omie,
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    chave_idempotencia: Chave = None,
) -> ToolResult:
    return await inactivate(omie, KEY(codigo_omie, codigo_integracao), ALTERAR, chave_idempotencia)


async def inactivate(omie: Omie, named: Fields, writing: Writing, key: str | None) -> ToolResult:
    """Read a record and send it back whole and inactive: Omie may refuse a change with few fields."""
    found = (await omie.read(CLIENTE, named)).payload.data
    if found.get("inativo") == "S":
        said = f"{writing.noun} já estava inativo; nada foi enviado."
        return omie.answer(CODES.read(found) | {"situacao": said}, said)
    return await omie.write_answer(writing, record.sendable(found, writing.method) | {"inativo": True}, key)
