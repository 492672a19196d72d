"""PIX charges: make one for a title or an amount, follow it, cancel it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import Codigo, CodigoIntegracao, Documento, EmissaoAte, EmissaoDe, Valor
from omie_control.mcp.tools.shapes import Shape, code, days, money, text
from omie_control.mcp.tools.wire import Fields, Key, between, only_one

PATH = "financas/pix/"

_CODES = {
    "codigo_pix": code("nIdPix", "código"),
    "codigo_integracao": text("cCodIntPix"),
    "codigo_titulo": code("nCodTitulo", "título"),
}
CHARGE = Shape(
    **_CODES,
    codigo_cliente=code("cCliente", "cliente"),
    valor=money("vValor", "valor"),
    emissao=days("dEmissao", "emissão"),
    vencimento=days("dVencimento"),
    status=text("cStatus", "status"),
    link=text("cUrlPix"),
    copia_e_cola=text("cCopiaCola"),
)
LISTA = Listing(PATH, "ListarPix", "cobranças PIX", key="cobrancas", shape=CHARGE)
PIX = Reading(PATH, "ObterPix", "PIX", key="pix", title="status", read=CHARGE.read)
MADE = Shape(**_CODES, valor=money("vValor"), link=text("cUrlPix"), copia_e_cola=text("cCopiaCola"))
GERAR = Writing(PATH, "GerarPix", "PIX", "gerado", MADE)
CANCELAR = Writing(
    PATH, "CancelarPix", "PIX", "cancelado", Shape(codigo_pix=code("nIdPix"), codigo_integracao=text("cCodIntPix"))
)

CodigoPix = Annotated[Codigo | None, Field(description="Código do PIX no Omie, de gerar_pix ou listar_pix.")]
CodigoTitulo = Annotated[Codigo | None, Field(description="Código do título a receber no Omie.")]

family = Family(Category.FINANCEIRO)
register = family.register


@family.writes(
    "Gerar PIX",
    Complexity.AVANCADA,
    GERAR,
    "Gera uma cobrança PIX, de um título a receber (codigo_titulo) ou avulsa (valor e conta), e devolve link e copia e "
    "cola. Só em conta com PIX no Omie (recebe_pix em listar_contas_correntes). Não envia nada ao cliente. Depois "
    "acompanhe com consultar_pix.",
    destructive=False,
    idempotent=False,
)
def gerar_pix(
    *,
    codigo_titulo: CodigoTitulo = None,
    valor: Annotated[Valor | None, Field(description="Valor em R$ de uma cobrança avulsa.")] = None,
    codigo_conta_corrente: Annotated[
        Codigo | None, Field(description="Conta que recebe, código no Omie; exigida na avulsa.")
    ] = None,
    codigo_cliente: Annotated[Codigo | None, Field(description="Quem paga a avulsa, código no Omie.")] = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ de quem paga a avulsa.")] = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    is_single = only_one(codigo_titulo=codigo_titulo, valor=valor) == "valor"
    if is_single and codigo_conta_corrente is None:
        raise InvalidInput(
            "codigo_conta_corrente: é obrigatório na cobrança avulsa. Exemplo: 5500000001.",
            hint="Ache a conta com listar_contas_correntes; nada foi enviado.",
        )
    return {
        "nCodTitulo": codigo_titulo,
        "vValor": valor,
        "nIdConta": codigo_conta_corrente,
        "nIdCliente": codigo_cliente,
        "cCnpjCpf": cnpj_cpf,
        "cCodIntPix": codigo_integracao,
    }


@family.gets(
    "Consultar PIX",
    Complexity.BASICA,
    PIX,
    "Mostra uma cobrança PIX e se ela foi paga: status REGISTRADO (à espera), LIQUIDADO (paga) ou CANCELADO. Pelo "
    "código do PIX, pelo de integração ou pelo título (um dos três).",
)
def consultar_pix(
    *,
    codigo_pix: CodigoPix = None,
    codigo_integracao: CodigoIntegracao = None,
    codigo_titulo: CodigoTitulo = None,
) -> Fields:
    only_one(codigo_pix=codigo_pix, codigo_integracao=codigo_integracao, codigo_titulo=codigo_titulo)
    return {"nIdPix": codigo_pix, "cCodIntPix": codigo_integracao, "nCodTitulo": codigo_titulo}


@family.lists(
    "Listar PIX",
    Complexity.INTERMEDIARIA,
    LISTA,
    "Lista as cobranças PIX por emissão e situação, uma página por vez. Use para ver quais foram pagas (LIQUIDADO); "
    "depois chame consultar_pix ou cancelar_pix com o codigo_pix.",
)
def listar_pix(
    *,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    status: Annotated[
        Literal["REGISTRADO", "LIQUIDADO", "CANCELADO"] | None, Field(description="Só as desta situação.")
    ] = None,
) -> Fields:
    return {**between("emissao", emissao_de, emissao_ate, "dEmissaoDe", "dEmissaoAte"), "cStatus": status}


@family.writes(
    "Cancelar PIX",
    Complexity.AVANCADA,
    CANCELAR,
    "Cancela uma cobrança PIX ainda não paga; o título continua em aberto. Não tem volta: para cobrar de novo, chame "
    "gerar_pix. Confira antes com consultar_pix que ela não foi liquidada.",
    destructive=True,
    idempotent=True,
)
def cancelar_pix(*, codigo_pix: CodigoPix = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    key = Key("nIdPix", "cCodIntPix", "listar_pix", ("codigo_pix", "codigo_integracao"))
    return key(codigo_pix, codigo_integracao)
