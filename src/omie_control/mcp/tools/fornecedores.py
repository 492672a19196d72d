"""Suppliers: Omie keeps them among the clients, with the tag Fornecedor."""

from __future__ import annotations

from typing import Annotated

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools import cliente_record as record
from omie_control.mcp.tools import clientes
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import Chave, CodigoIntegracao, CodigoOmie, SoInativos
from omie_control.mcp.tools.wire import Fields, Key

PATH = clientes.PATH
TAG = "Fornecedor"

FORNECEDORES = Listing(PATH, "ListarClientes", "fornecedores", key="fornecedores", shape=clientes.CLIENTES.shape)
FORNECEDOR = Reading(PATH, "ConsultarCliente", "Fornecedor", key="fornecedor", title="razao_social", read=record.whole)
KEY = Key("codigo_cliente_omie", "codigo_cliente_integracao", "consultar_fornecedores")
INCLUIR = Writing(PATH, "IncluirCliente", "Fornecedor", "incluído", clientes.CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarCliente", "Fornecedor", "alterado", clientes.CODES, KEY.fields, has_other_fields=True)

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Consultar fornecedores",
    Complexity.BASICA,
    FORNECEDORES,
    "Lista os fornecedores da empresa (cadastros com a etiqueta Fornecedor), uma página por vez. Use para achar a quem "
    "se paga, antes de incluir_conta_pagar ou de incluir_fornecedor; depois chame consultar_fornecedor_por_codigo. "
    "Quem foi cadastrado sem a etiqueta só aparece em consultar_clientes.",
    also=("listar_fornecedores",),
)
def consultar_fornecedores(
    *,
    nome: Annotated[
        str | None, Field(description="Parte da razão social ou do nome.", max_length=60, examples=["Atacado"])
    ] = None,
    nome_fantasia: record.NomeFantasia = None,
    cnpj_cpf: record.CpfCnpj = None,
    inativo: SoInativos = None,
) -> Fields:
    return record.filters(
        razao_social=nome, nome_fantasia=nome_fantasia, cnpj_cpf=cnpj_cpf, inativo=inativo, tags=[TAG]
    )


@family.gets(
    "Consultar fornecedor por código",
    Complexity.BASICA,
    FORNECEDOR,
    "Mostra o cadastro completo de um fornecedor, com os dados bancários, pelo código do Omie ou pelo de integração "
    "(um dos dois). Use antes de alterar_fornecedor e para conferir para onde se paga. Para achar o código, chame "
    "consultar_fornecedores.",
)
def consultar_fornecedor_por_codigo(
    *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None
) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir fornecedor",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Cadastra um novo fornecedor, com a etiqueta Fornecedor. Antes, procure o CNPJ com consultar_clientes: quem já é "
    "cliente não se cadastra de novo, mas ganha a etiqueta com alterar_cliente (envie também as que ele já tem). O CPF "
    "ou CNPJ é obrigatório, salvo para quem é do exterior. Depois chame incluir_conta_pagar com o codigo_omie "
    "devolvido.",
    destructive=False,
    idempotent=False,
    also=("cadastrar_fornecedor",),
)
def incluir_fornecedor(
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
    banco: record.Banco = None,
    agencia: record.Agencia = None,
    conta: record.ContaBancaria = None,
    documento_titular: record.DocTitular = None,
    nome_titular: record.NomeTitular = None,
    chave_pix: record.ChavePix = None,
    tags: Annotated[
        list[str] | None,
        Field(description="Outras etiquetas além de Fornecedor.", max_length=50, examples=[["Cliente"]]),
    ] = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    given = {**locals(), "tags": [TAG, *(tag for tag in tags or () if tag != TAG)]}
    return {**record.named(given), **record.bank(given), "codigo_cliente_integracao": codigo_integracao}


@family.writes(
    "Alterar fornecedor",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Altera o cadastro ou os dados bancários de um fornecedor, achado por codigo_omie ou codigo_integracao. Mudança de "
    "conta ou de chave PIX: confirme com o usuário por outro canal, é o golpe mais comum. Dos dados bancários, envie "
    "todos, não só o que muda. O Omie pode recusar uma alteração com poucos campos: chame antes "
    "consultar_fornecedor_por_codigo e envie o cadastro inteiro com as mudanças. Um texto vazio apaga o campo.",
    destructive=True,
    idempotent=True,
)
def alterar_fornecedor(
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
    banco: record.Banco = None,
    agencia: record.Agencia = None,
    conta: record.ContaBancaria = None,
    documento_titular: record.DocTitular = None,
    nome_titular: record.NomeTitular = None,
    chave_pix: record.ChavePix = None,
) -> Fields:
    given = locals()
    return {**record.named(given), **record.bank(given), **KEY(codigo_omie, codigo_integracao)}


@family.acts(
    "Inativar fornecedor",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Inativa um fornecedor: não recebe compras nem títulos novos; histórico e títulos ficam. Lê o cadastro e o devolve "
    "inteiro ao Omie com a marca de inativo. Se o mesmo cadastro também for cliente, os dois papéis ficam inativos. "
    "Veja antes o que ainda se deve a ele com consultar_contas_pagar (codigo_fornecedor).",
    FORNECEDOR,
    destructive=True,
    idempotent=True,
)
async def inativar_fornecedor(
    omie: Omie,
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    chave_idempotencia: Chave = None,
) -> ToolResult:
    return await clientes.inactivate(omie, KEY(codigo_omie, codigo_integracao), ALTERAR, chave_idempotencia)
