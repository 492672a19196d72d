"""What goes through the accounts: entries by hand, transfers, and those that settlements leave."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import Codigo, CodigoOmie, CodigoProjeto, Data, Valor
from omie_control.mcp.tools.shapes import Shape, code, days, money, text
from omie_control.mcp.tools.wire import Fields, Key, between

PATH = "financas/contacorrentelancamentos/"

LANCAMENTOS = Listing(
    PATH,
    "ListarLancCC",
    "lançamentos",
    key="lancamentos",
    shape=Shape(
        codigo_omie=code("nCodLanc", "código"),
        codigo_integracao=text("cCodIntLanc"),
        codigo_conta_corrente=code("cabecalho.nCodCC", "conta"),
        data=days("cabecalho.dDtLanc", "data"),
        valor=money("cabecalho.nValorLanc", "valor"),
        natureza=text("diversos.cNatureza", "natureza"),
        origem=text("diversos.cOrigem", "origem"),
        categoria=text("detalhes.cCodCateg", "categoria"),
        codigo_cliente=code("detalhes.nCodCliente"),
        documento=text("detalhes.cNumDoc"),
        observacao=text("detalhes.cObs"),
        codigo_conta_destino=code("transferencia.nCodCCDestino"),
        conciliado_em=days("diversos.dDtConc"),
        codigo_conta_receber=code("diversos.nCodLancCR"),
        codigo_conta_pagar=code("diversos.nCodLancCP"),
    ),
)
LANCAMENTO = Reading(PATH, "ConsultaLancCC", "Lançamento", key="lancamento")
KEY = Key("nCodLanc", "cCodIntLanc", "listar_lancamentos")
CODES = Shape(codigo_omie=code("nCodLanc"), codigo_integracao=text("cCodIntLanc"))
INCLUIR = Writing(PATH, "IncluirLancCC", "Lançamento", "incluído", CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarLancCC", "Lançamento", "alterado", CODES, KEY.fields, has_other_fields=True)
EXCLUIR = Writing(PATH, "ExcluirLancCC", "Lançamento", "excluído", CODES)

Categoria = Annotated[str | None, Field(description="Código da categoria.", max_length=20, examples=["2.04.01"])]
Cliente = Annotated[Codigo | None, Field(description="Código do cliente ou fornecedor no Omie.")]
NumeroDocumento = Annotated[str | None, Field(description="Número do documento.", max_length=20, examples=["REC-12"])]
Observacao = Annotated[str | None, Field(description="Observação.", max_length=4000, examples=["Tarifa de março"])]
TipoDocumento = Annotated[
    Literal[
        "ADI", "BOL", "CRT", "CHQ", "CON", "CRE", "DRF", "DAS", "DEB", "DIN", "DOC", "GUIA", "PROT", "REC", "RPA",
        "TED", "TRA", "99999",
    ]
    | None,
    Field(description="Tipo do documento, de consultar_tipos_documento; DIN é dinheiro, 99999 outros."),
]  # fmt: skip
CodigoCurto = Annotated[
    str | None,
    Field(description="Código do lançamento em quem integra.", min_length=1, max_length=20, examples=["LC-01"]),
]

family = Family(Category.FINANCEIRO)
register = family.register


@family.lists(
    "Listar lançamentos",
    Complexity.INTERMEDIARIA,
    LANCAMENTOS,
    "Lista o que passou pelas contas correntes de todas as contas, uma página por vez: lançamentos avulsos, "
    "transferências (origem TRA…) e as baixas de títulos (BAXR recebimento, BAXP pagamento). natureza R entra, P sai. "
    "Para uma conta só, com saldos, use consultar_extrato. Depois chame consultar_lancamento com o codigo_omie.",
    also=("consultar_lancamentos",),
)
def listar_lancamentos(
    *,
    data_de: Annotated[Data | None, Field(description="Data do lançamento, a partir de.")] = None,
    data_ate: Annotated[Data | None, Field(description="Data do lançamento, até.")] = None,
    inclusao_de: Annotated[Data | None, Field(description="Incluídos a partir de.")] = None,
    inclusao_ate: Annotated[Data | None, Field(description="Incluídos até.")] = None,
    origem: Annotated[
        Literal["MANR", "MANP", "TRAR", "TRAP", "EXTR", "EXTP", "OFXR", "OFXP", "DEVR", "DEVP"] | None,
        Field(description="MAN manual, TRA transferência, EXT e OFX extrato importado; final R entra, P sai."),
    ] = None,
) -> Fields:
    return {
        **between("data", data_de, data_ate, "dtPagInicial", "dtPagFinal"),
        **between("inclusao", inclusao_de, inclusao_ate, "dDtIncDe", "dDtIncAte"),
        "cOrigem": origem,
    }


@family.gets(
    "Consultar lançamento",
    Complexity.BASICA,
    LANCAMENTO,
    "Mostra um lançamento de conta corrente inteiro, com os nomes de campo do Omie; diversos.dDtConc diz se foi "
    "conciliado. Use antes de alterar ou excluir, e depois de uma escrita incerta.",
)
def consultar_lancamento(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoCurto = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir lançamento",
    Complexity.AVANCADA,
    INCLUIR,
    "Lança uma entrada ou saída direto na conta corrente, sem título: tarifa, rendimento, retirada. A categoria diz se "
    "entra (receita) ou sai (despesa); com codigo_conta_destino é uma transferência entre contas. Para pagar ou "
    "receber um título existente use lancar_pagamento ou lancar_recebimento. Confira depois com consultar_lancamento.",
    destructive=False,
    idempotent=False,
)
def incluir_lancamento(
    *,
    codigo_conta_corrente: Annotated[Codigo, Field(description="Conta corrente, código no Omie.")],
    data: Annotated[Data, Field(description="Data do lançamento.")],
    valor: Annotated[Valor, Field(description="Valor em R$, sem sinal.")],
    categoria: Categoria = None,
    codigo_conta_destino: Annotated[
        Codigo | None, Field(description="Só em transferência: a conta que recebe.")
    ] = None,
    tipo_documento: TipoDocumento = None,
    numero_documento: NumeroDocumento = None,
    codigo_cliente: Cliente = None,
    codigo_projeto: CodigoProjeto = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoCurto = None,
) -> Fields:
    if categoria is None and codigo_conta_destino is None:
        raise InvalidInput(
            'categoria: diz se o dinheiro entra ou sai, e não veio. Exemplo: "2.01.01".',
            hint="Ache-a com consultar_categorias; numa transferência, informe codigo_conta_destino.",
        )
    if codigo_conta_destino == codigo_conta_corrente:
        raise InvalidInput(
            "codigo_conta_destino: esperada outra conta que não a de origem.",
            hint="As contas estão em listar_contas_correntes; nada foi enviado.",
        )
    return {
        "cCodIntLanc": codigo_integracao,
        **_head(codigo_conta_corrente, data, valor),
        **_details(categoria, tipo_documento, numero_documento, codigo_cliente, codigo_projeto, observacao),
        "transferencia.nCodCCDestino": codigo_conta_destino,
    }


@family.writes(
    "Alterar lançamento",
    Complexity.AVANCADA,
    ALTERAR,
    "Altera um lançamento avulso de conta corrente. Envie só o que muda. O lançamento de uma baixa (origem BAX…) muda "
    "pelo título: cancele a baixa e lance de novo. Chame antes consultar_lancamento e confira depois com ela.",
    destructive=True,
    idempotent=True,
)
def alterar_lancamento(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoCurto = None,
    codigo_conta_corrente: Annotated[Codigo | None, Field(description="Nova conta corrente.")] = None,
    data: Annotated[Data | None, Field(description="Nova data.")] = None,
    valor: Annotated[Valor | None, Field(description="Novo valor em R$, sem sinal.")] = None,
    categoria: Categoria = None,
    tipo_documento: TipoDocumento = None,
    numero_documento: NumeroDocumento = None,
    codigo_cliente: Cliente = None,
    codigo_projeto: CodigoProjeto = None,
    observacao: Observacao = None,
) -> Fields:
    return {
        **KEY(codigo_omie, codigo_integracao),
        **_head(codigo_conta_corrente, data, valor),
        **_details(categoria, tipo_documento, numero_documento, codigo_cliente, codigo_projeto, observacao),
    }


@family.writes(
    "Excluir lançamento",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui para sempre um lançamento avulso de conta corrente. Confirme com o usuário; veja antes com "
    "consultar_lancamento. O de uma baixa sai com cancelar_pagamento ou cancelar_recebimento.",
    destructive=True,
    idempotent=True,
)
def excluir_lancamento(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoCurto = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


def _head(account: int | None, day: date | None, value: Decimal | None) -> dict[str, Any]:
    return {"cabecalho.nCodCC": account, "cabecalho.dDtLanc": day, "cabecalho.nValorLanc": value}


def _details(
    category: str | None,
    kind: str | None,
    number: str | None,
    client: int | None,
    project: int | None,
    note: str | None,
) -> dict[str, Any]:
    return {
        "detalhes.cCodCateg": category,
        "detalhes.cTipo": kind,
        "detalhes.cNumDoc": number,
        "detalhes.nCodCliente": client,
        "detalhes.nCodProjeto": project,
        "detalhes.cObs": note,
    }
