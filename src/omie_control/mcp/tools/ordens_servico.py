"""Work orders of services: list, show, create, move, invoice, cancel."""

from __future__ import annotations

from typing import Annotated, Any

from fastmcp.tools import ToolResult
from pydantic import BaseModel, ConfigDict, Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools import pedido_record as sales
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.faturamento import PERMISSION, may_invoice
from omie_control.mcp.tools.omie import Asked, Listing, Omie, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoCliente,
    CodigoIntegracao,
    CodigoOmie,
    CodigoProjeto,
    Data,
    Dinheiro,
    Quantidade,
    SimNao,
)
from omie_control.mcp.tools.shapes import Shape, code, days, flag, money, text
from omie_control.mcp.tools.wire import Fields, Key, between, only_one

PATH = "servicos/os/"
INVOICING_PATH = "servicos/osp/"

ORDENS = Listing(
    PATH,
    "ListarOS",
    "ordens de serviço",
    key="ordens",
    shape=Shape(
        codigo_omie=code("Cabecalho.nCodOS", "código"),
        codigo_integracao=text("Cabecalho.cCodIntOS"),
        numero=text("Cabecalho.cNumOS", "número"),
        codigo_cliente=code("Cabecalho.nCodCli", "cliente"),
        etapa=text("Cabecalho.cEtapa", "etapa"),
        previsao=days("Cabecalho.dDtPrevisao", "previsão"),
        valor=money("Cabecalho.nValorTotal", "valor"),
        codigo_vendedor=code("Cabecalho.nCodVend"),
        codigo_contrato=code("Cabecalho.nCodCtr"),
        inclusao=days("InfoCadastro.dDtInc"),
        faturada=flag("InfoCadastro.cFaturada", "faturada"),
        faturamento=days("InfoCadastro.dDtFat"),
        cancelada=flag("InfoCadastro.cCancelada", "cancelada"),
    ),
)
ORDEM = Reading(PATH, "ConsultarOS", "Ordem de serviço", key="ordem", title="Cabecalho.cNumOS")
STATUS = Reading(PATH, "StatusOS", "Ordem de serviço", key="ordem", title="cNumOS")
KEY = Key("nCodOS", "cCodIntOS", "listar_ordens_servico")
CODES = Shape(codigo_omie=code("nCodOS"), codigo_integracao=text("cCodIntOS"), numero=text("cNumOS"))
SHORT = Shape(codigo_omie=code("nCodOS"), codigo_integracao=text("cCodIntOS"))
INCLUIR = Writing(PATH, "IncluirOS", "Ordem de serviço", "incluída", CODES, has_other_fields=True)
TROCAR = Writing(PATH, "TrocarEtapaOS", "Ordem de serviço", "movida de etapa", CODES)
VALIDAR = Asked(INVOICING_PATH, "ValidarOS", "Ordem de serviço")
FATURAR = Writing(INVOICING_PATH, "FaturarOS", "Ordem de serviço", "faturada", SHORT)
CANCELAR = Writing(INVOICING_PATH, "CancelarOS", "Ordem de serviço", "cancelada", SHORT)

Numero = Annotated[str | None, Field(description="Número da ordem.", max_length=15, examples=["15"])]


class Servico(BaseModel):
    """Um serviço da ordem."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    codigo_servico: Codigo | None = None
    """Serviço cadastrado, de listar_servicos; sem ele, descreva o serviço por inteiro."""
    quantidade: Quantidade
    """Quantidade."""
    valor_unitario: Quantidade
    """Preço de uma unidade em R$."""
    valor_desconto: Dinheiro | None = None
    """Desconto em R$."""
    descricao: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """O que foi feito; sai na nota."""
    tributacao: Annotated[str, Field(max_length=2)] | None = None
    """Tipo de tributação, como 01."""
    codigo_municipal: Annotated[str, Field(max_length=20)] | None = None
    """Código do serviço no município."""
    codigo_lc116: Annotated[str, Field(max_length=10)] | None = None
    """Código da LC 116, como 14.01."""
    retem_iss: SimNao | None = None
    """Se o ISS é retido pelo cliente."""


Servicos = Annotated[
    list[Servico],
    Field(
        description="Serviços prestados.",
        min_length=1,
        max_length=100,
        examples=[[{"codigo_servico": 5500000001, "quantidade": 2, "valor_unitario": 180}]],
    ),
]

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar ordens de serviço",
    Complexity.INTERMEDIARIA,
    ORDENS,
    "Lista ordens de serviço, uma página por vez, por etapa, cliente ou datas. Uma cancelada fica na etapa em que "
    "estava: veja a coluna cancelada. Depois chame consultar_ordem_servico ou status_ordem_servico.",
)
def listar_ordens_servico(
    *,
    etapa: sales.Etapa | None = None,
    codigo_cliente: CodigoCliente = None,
    previsao_de: Annotated[Data | None, Field(description="Previsão de faturamento a partir de.")] = None,
    previsao_ate: Annotated[Data | None, Field(description="Previsão de faturamento até.")] = None,
    faturamento_de: Annotated[Data | None, Field(description="Faturada a partir de.")] = None,
    faturamento_ate: Annotated[Data | None, Field(description="Faturada até.")] = None,
) -> Fields:
    expected = ("filtrar_por_data_previsao_de", "filtrar_por_data_previsao_ate")
    invoiced = ("filtrar_por_data_faturamento_de", "filtrar_por_data_faturamento_ate")
    return {
        "filtrar_por_etapa": etapa,
        "filtrar_por_cliente": codigo_cliente,
        **between("previsao", previsao_de, previsao_ate, *expected),
        **between("faturamento", faturamento_de, faturamento_ate, *invoiced),
    }


@family.gets(
    "Consultar ordem de serviço",
    Complexity.BASICA,
    ORDEM,
    "Mostra uma ordem de serviço inteira: cabeçalho, serviços, parcelas, observações. Informe codigo_omie, "
    "codigo_integracao ou numero. Use antes de faturar ou cancelar; o resultado na prefeitura está em "
    "status_ordem_servico.",
)
def consultar_ordem_servico(
    *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None, numero: Numero = None
) -> Fields:
    return named(codigo_omie, codigo_integracao, numero)


@family.writes(
    "Incluir ordem de serviço",
    Complexity.AVANCADA,
    INCLUIR,
    "Inclui uma ordem de serviço. Ache antes os códigos com consultar_clientes e listar_servicos. Não emite nota: isso "
    "só faz faturar_ordem_servico. Depois confira com consultar_ordem_servico.",
    destructive=False,
    idempotent=False,
)
def incluir_ordem_servico(
    *,
    codigo_cliente: sales.Cliente,
    previsao: sales.Previsao,
    categoria: sales.Categoria,
    codigo_conta_corrente: sales.ContaCorrente,
    servicos: Servicos,
    etapa: sales.Etapa = sales.ORDER,
    condicao_pagamento: sales.Parcela = "000",
    quantidade_parcelas: Annotated[int, Field(description="Número de parcelas.", ge=1, le=120, examples=[1])] = 1,
    codigo_vendedor: sales.Vendedor = None,
    codigo_projeto: CodigoProjeto = None,
    cidade_da_prestacao: Annotated[
        str | None, Field(description="Cidade em que se presta.", max_length=40, examples=["SAO PAULO (SP)"])
    ] = None,
    dados_adicionais_nf: sales.DadosDaNota = None,
    observacao: sales.Observacao = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return {
        "Cabecalho.cCodIntOS": codigo_integracao,
        "Cabecalho.nCodCli": codigo_cliente,
        "Cabecalho.dDtPrevisao": previsao,
        "Cabecalho.cEtapa": etapa,
        "Cabecalho.cCodParc": condicao_pagamento,
        "Cabecalho.nQtdeParc": quantidade_parcelas,
        "Cabecalho.nCodVend": codigo_vendedor,
        "InformacoesAdicionais.cCodCateg": categoria,
        "InformacoesAdicionais.nCodCC": codigo_conta_corrente,
        "InformacoesAdicionais.nCodProj": codigo_projeto,
        "InformacoesAdicionais.cCidPrestServ": cidade_da_prestacao,
        "InformacoesAdicionais.cDadosAdicNF": dados_adicionais_nf,
        "Observacoes.cObsOS": observacao,
        "ServicosPrestados": [_service(position, each) for position, each in enumerate(servicos)],
    }


@family.writes(
    "Trocar etapa da ordem de serviço",
    Complexity.INTERMEDIARIA,
    TROCAR,
    "Move uma ordem de serviço para outra etapa. Não fatura: a etapa 50 só a deixa pronta para faturar_ordem_servico. "
    "As etapas da empresa estão em listar_etapas_faturamento (operação 01).",
    destructive=False,
    idempotent=True,
)
def trocar_etapa_ordem_servico(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    numero: Numero = None,
    etapa: sales.Etapa,
) -> Fields:
    return {**named(codigo_omie, codigo_integracao, numero), "cEtapa": etapa}


@family.asks(
    "Validar ordem de serviço para faturamento",
    Complexity.INTERMEDIARIA,
    PERMISSION,
    "Pergunta ao Omie se uma ordem de serviço pode ser faturada agora, sem emitir nada; quando não, diz o motivo. "
    "Chame antes de faturar_ordem_servico.",
    VALIDAR,
)
async def validar_ordem_servico(
    omie: Omie, *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None
) -> ToolResult:
    return await may_invoice(omie, VALIDAR, KEY(codigo_omie, codigo_integracao))


@family.writes(
    "Faturar ordem de serviço",
    Complexity.ESPECIALIZADA,
    FATURAR,
    "Fatura uma ordem de serviço que está na etapa 50: envia a RPS à prefeitura (NFS-e) ou gera o recibo, e gera os "
    "títulos a receber. É um ato fiscal: confirme com o usuário cliente, serviços e valor, e chame antes "
    "validar_ordem_servico. A prefeitura responde depois: acompanhe com status_ordem_servico. Se terminar incerta, "
    "nunca repita sem ver o status.",
    destructive=True,
    idempotent=False,
)
def faturar_ordem_servico(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Cancelar ordem de serviço",
    Complexity.AVANCADA,
    CANCELAR,
    "Cancela uma ordem de serviço; se já foi faturada, com cancelar_nfse=true pede também o cancelamento da NFS-e. Não "
    "se desfaz: confirme com o usuário e veja antes status_ordem_servico.",
    destructive=True,
    idempotent=True,
)
def cancelar_ordem_servico(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    cancelar_nfse: Annotated[SimNao | None, Field(description="Se a NFS-e também é cancelada.")] = None,
) -> Fields:
    return {**KEY(codigo_omie, codigo_integracao), "cCancelarNfse": cancelar_nfse}


@family.gets(
    "Status da ordem de serviço",
    Complexity.BASICA,
    STATUS,
    "Diz em que pé está uma ordem de serviço: etapa, se foi faturada ou cancelada, e as RPS e NFS-e com as mensagens "
    "da prefeitura; só aqui se lê por que uma RPS foi rejeitada. Use depois de faturar_ordem_servico.",
)
def status_ordem_servico(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


def named(codigo_omie: int | None, codigo_integracao: str | None, numero: str | None) -> Fields:
    """Return the field that names a work order. Raises InvalidInput unless exactly one is given."""
    only_one(codigo_omie=codigo_omie, codigo_integracao=codigo_integracao, numero=numero)
    return {"nCodOS": codigo_omie, "cCodIntOS": codigo_integracao, "cNumOS": numero}


def _service(position: int, given: Servico) -> dict[str, Any]:
    whole = (given.descricao, given.tributacao, given.codigo_municipal, given.codigo_lc116)
    if given.codigo_servico is None and None in whole:
        raise InvalidInput(
            f"servicos[{position}]: informe codigo_servico, ou descricao, tributacao, codigo_municipal e codigo_lc116.",
            hint="Os serviços cadastrados estão em listar_servicos.",
        )
    return {
        "nCodServico": given.codigo_servico,
        "nQtde": given.quantidade,
        "nValUnit": given.valor_unitario,
        "cTpDesconto": "V" if given.valor_desconto is not None else None,
        "nValorDesconto": given.valor_desconto,
        "cDescServ": given.descricao,
        "cTribServ": given.tributacao,
        "cCodServMun": given.codigo_municipal,
        "cCodServLC116": given.codigo_lc116,
        "cRetemISS": given.retem_iss,
    }
