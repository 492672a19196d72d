"""Contracts of recurring services: list, show, suspend, activate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import Codigo, CodigoCliente, CodigoIntegracao, CodigoOmie, Documento
from omie_control.mcp.tools.shapes import Shape, code, days, money, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "servicos/contrato/"
INVOICING_PATH = "servicos/contratofat/"

CONTRATOS = Listing(
    PATH,
    "ListarContratos",
    "contratos de serviço",
    key="contratos",
    shape=Shape(
        codigo_omie=code("cabecalho.nCodCtr", "código"),
        codigo_integracao=text("cabecalho.cCodIntCtr"),
        numero=text("cabecalho.cNumCtr", "número"),
        codigo_cliente=code("cabecalho.nCodCli", "cliente"),
        situacao=text("cabecalho.cCodSit", "situação"),
        vigencia_de=days("cabecalho.dVigInicial", "de"),
        vigencia_ate=days("cabecalho.dVigFinal", "até"),
        dia_faturamento=code("cabecalho.nDiaFat"),
        valor_mensal=money("cabecalho.nValTotMes", "valor/mês"),
        codigo_vendedor=code("infAdic.nCodVend"),
    ),
)
CONTRATO = Reading(
    PATH, "ConsultarContrato", "Contrato", key="contrato", title="cabecalho.cNumCtr", inside="contratoCadastro"
)
KEY = Key("contratoChave.nCodCtr", "contratoChave.cCodIntCtr", "listar_contratos")
CODE = Shape(codigo_omie=code("nCodCtr"))
SUSPENDER = Writing(INVOICING_PATH, "SuspenderContrato", "Contrato", "suspenso", CODE)
ATIVAR = Writing(INVOICING_PATH, "AtivarContrato", "Contrato", "ativado", CODE)

CodigoContrato = Annotated[Codigo, Field(description="Código do contrato no Omie, de listar_contratos.")]

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar contratos",
    Complexity.BASICA,
    CONTRATOS,
    "Lista os contratos de serviço da empresa, uma página por vez, com valor por mês, vigência e situação (código do "
    "Omie: 10 ativo, 90 suspenso, 99 cancelado). Use para ver a receita recorrente ou o que um cliente contratou; "
    "depois chame consultar_contrato.",
)
def listar_contratos(
    *,
    codigo_cliente: CodigoCliente = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ do cliente.")] = None,
) -> Fields:
    return {"filtrar_cliente": codigo_cliente, "filtrar_cnpj_cpf": cnpj_cpf}


@family.gets(
    "Consultar contrato",
    Complexity.BASICA,
    CONTRATO,
    "Mostra um contrato de serviço inteiro: cabeçalho, itens, vencimento, textos. Informe codigo_omie ou "
    "codigo_integracao. Use antes de suspender_contrato ou ativar_contrato.",
)
def consultar_contrato(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Suspender contrato",
    Complexity.AVANCADA,
    SUSPENDER,
    "Suspende um contrato de serviço: ele deixa de ser faturado até ativar_contrato. O que já foi faturado fica. "
    "Confirme com o usuário; confira depois com consultar_contrato.",
    destructive=True,
    idempotent=True,
)
def suspender_contrato(*, codigo_omie: CodigoContrato) -> Fields:
    return {"nCodCtr": codigo_omie}


@family.writes(
    "Ativar contrato",
    Complexity.AVANCADA,
    ATIVAR,
    "Ativa um contrato de serviço suspenso: ele volta a ser faturado no seu dia. Confira antes, com "
    "consultar_contrato, vigência e valor.",
    destructive=False,
    idempotent=True,
)
def ativar_contrato(*, codigo_omie: CodigoContrato) -> Fields:
    return {"nCodCtr": codigo_omie}
