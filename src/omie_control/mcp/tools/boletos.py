"""Bank slips of receivables: issue, show, put off, cancel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Reading, Writing
from omie_control.mcp.tools.parameters import CodigoIntegracao, CodigoOmie, Data
from omie_control.mcp.tools.shapes import Shape, code, days, number, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "financas/contareceberboleto/"

KEY = Key("nCodTitulo", "cCodIntTitulo", "consultar_contas_receber")
_TITLE = {"codigo_omie": code("nCodTitulo"), "codigo_integracao": text("cCodIntTitulo")}
SLIP = Shape(
    **_TITLE,
    numero=text("cNumBoleto"),
    nosso_numero=text("cNumBancario"),
    codigo_de_barras=text("cCodBarras"),
    link=text("cLinkBoleto"),
    emissao=days("dDtEmBol"),
    juros_ao_mes=number("nPerJuros"),
    multa=number("nPerMulta"),
)
BOLETO = Reading(PATH, "ObterBoleto", "Boleto", key="boleto", title="numero", read=SLIP.read)
GERAR = Writing(PATH, "GerarBoleto", "Boleto", "gerado", SLIP)
PRORROGAR = Writing(PATH, "ProrrogarBoleto", "Boleto", "prorrogado", SLIP)
CANCELAR = Writing(PATH, "CancelarBoleto", "Boleto", "cancelado", Shape(**_TITLE))

family = Family(Category.FINANCEIRO)
register = family.register


@family.writes(
    "Gerar boleto",
    Complexity.AVANCADA,
    GERAR,
    "Gera o boleto de um título a receber em aberto e devolve link, número e código de barras. O banco o registra: "
    "confirme com o usuário. A conta corrente do título precisa emitir boleto (emite_boleto em "
    "listar_contas_correntes). Não envia nada ao cliente. Confira antes com obter_boleto que ainda não há um.",
    destructive=False,
    idempotent=False,
)
def gerar_boleto(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.gets(
    "Obter boleto",
    Complexity.BASICA,
    BOLETO,
    "Mostra o boleto de um título a receber: link, número, código de barras, juros e multa. Recusa quando o título não "
    "existe, já foi liquidado ou não tem boleto; então confira com consultar_conta_receber ou chame gerar_boleto.",
)
def obter_boleto(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Prorrogar boleto",
    Complexity.AVANCADA,
    PRORROGAR,
    "Muda o vencimento de um boleto já gerado; o banco recebe a alteração. Confirme a data com o usuário e confira "
    "depois com obter_boleto.",
    destructive=True,
    idempotent=True,
)
def prorrogar_boleto(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    vencimento: Annotated[Data, Field(description="Novo vencimento.")],
) -> Fields:
    return KEY(codigo_omie, codigo_integracao) | {"dDtVenc": vencimento}


@family.writes(
    "Cancelar boleto",
    Complexity.AVANCADA,
    CANCELAR,
    "Cancela o boleto de um título a receber; o título continua em aberto. Não tem volta: para cobrar de novo, chame "
    "gerar_boleto. Confirme com o usuário que o cliente não está para pagar este.",
    destructive=True,
    idempotent=True,
)
def cancelar_boleto(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)
