"""Payables: list, show, create, change, delete, pay, undo a payment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools import titulo_record as record
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoIntegracao,
    CodigoOmie,
    CodigoProjeto,
    Data,
    Documento,
    EmissaoAte,
    EmissaoDe,
    Valor,
)
from omie_control.mcp.tools.shapes import Shape, code
from omie_control.mcp.tools.wire import Fields

PATH = "financas/contapagar/"

CONTAS = Listing(
    PATH,
    "ListarContasPagar",
    "contas a pagar",
    key="contas",
    shape=Shape(**record.NAMED, codigo_fornecedor=code("codigo_cliente_fornecedor", "fornecedor"), **record.COLUMNS),
)
CONTA = Reading(PATH, "ConsultarContaPagar", "Conta a pagar", key="conta", title="numero_documento")
KEY = record.key("consultar_contas_pagar")
BAIXA = record.settlement_key("mostrar_execucao da baixa")
INCLUIR = Writing(PATH, "IncluirContaPagar", "Conta a pagar", "incluída", record.CODES, has_other_fields=True)
ALTERAR = Writing(
    PATH, "AlterarContaPagar", "Conta a pagar", "alterada", record.CODES, KEY.fields, has_other_fields=True
)
EXCLUIR = Writing(PATH, "ExcluirContaPagar", "Conta a pagar", "excluída", record.CODES)
PAGAR = Writing(PATH, "LancarPagamento", "Pagamento", "lançado", record.SETTLED)
DESPAGAR = Writing(PATH, "CancelarPagamento", "Pagamento", "cancelado", record.SETTLEMENT)

Status = Annotated[
    Literal["LIQUIDADO", "EMABERTO", "PAGTO_PARCIAL", "VENCEHOJE", "AVENCER", "ATRASADO"] | None,
    Field(description="Situação do título."),
]
Fornecedor = Annotated[Codigo | None, Field(description="Código do fornecedor no Omie.")]
Categoria = Annotated[str | None, Field(description="Código da categoria.", max_length=20, examples=["2.01.01"])]
Observacao = Annotated[str | None, Field(description="Observação.", max_length=4000, examples=["Aluguel de março"])]
CodigoBaixa = Annotated[Codigo | None, Field(description="Código da baixa no Omie, de lancar_pagamento.")]

family = Family(Category.FINANCEIRO)
register = family.register


@family.lists(
    "Consultar contas a pagar",
    Complexity.AVANCADA,
    CONTAS,
    "Lista títulos a pagar, uma página por vez. Filtre por status, vencidas, emissão, registro, fornecedor ou conta. "
    "Use antes de pagar ou cobrar providências; depois chame consultar_conta_pagar ou lancar_pagamento com o "
    "codigo_omie. Os nomes dos fornecedores estão em consultar_cliente_por_codigo.",
)
def consultar_contas_pagar(
    *,
    status: Status = None,
    vencidas: record.Vencidas = None,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    registro_de: record.RegistroDe = None,
    registro_ate: record.RegistroAte = None,
    codigo_fornecedor: Fornecedor = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ do fornecedor.")] = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_projeto: CodigoProjeto = None,
) -> Fields:
    return record.filters(locals())


@family.gets(
    "Consultar conta a pagar",
    Complexity.BASICA,
    CONTA,
    "Mostra um título a pagar inteiro, com os nomes de campo do Omie, pelo código do Omie ou pelo de integração "
    "(um dos dois). Use antes de alterar, pagar ou excluir, e depois de uma escrita incerta.",
)
def consultar_conta_pagar(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir conta a pagar",
    Complexity.AVANCADA,
    INCLUIR,
    "Inclui um título a pagar. Antes, confira com consultar_contas_pagar que ele ainda não existe. Sem "
    "codigo_integracao, um é criado e devolvido. Depois chame lancar_pagamento quando for pago.",
    destructive=False,
    idempotent=False,
)
def incluir_conta_pagar(
    *,
    codigo_fornecedor: Annotated[Codigo, Field(description="Código do fornecedor no Omie.")],
    valor: record.ValorDoTitulo,
    vencimento: record.Vencimento,
    categoria: Annotated[str, Field(description="Código da categoria.", max_length=20, examples=["2.01.01"])],
    previsao: Annotated[Data | None, Field(description="Previsão de pagamento; sem ela, o vencimento.")] = None,
    emissao: record.Emissao = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_projeto: CodigoProjeto = None,
    numero_documento: record.NumeroDocumento = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return record.new_title(locals())


@family.writes(
    "Alterar conta a pagar",
    Complexity.AVANCADA,
    ALTERAR,
    "Altera um título a pagar em aberto, achado por codigo_omie ou codigo_integracao. Envie só o que muda. Chame "
    "antes consultar_conta_pagar e confira depois com ela.",
    destructive=True,
    idempotent=True,
)
def alterar_conta_pagar(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    valor: record.ValorNovo = None,
    vencimento: record.VencimentoNovo = None,
    previsao: Annotated[Data | None, Field(description="Nova previsão de pagamento.")] = None,
    categoria: Categoria = None,
    emissao: record.Emissao = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_projeto: CodigoProjeto = None,
    numero_documento: record.NumeroDocumento = None,
    observacao: Observacao = None,
) -> Fields:
    return record.fields(locals()) | KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Excluir conta a pagar",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui para sempre um título a pagar sem baixas. Confirme com o usuário; veja antes com consultar_conta_pagar. "
    "Se já foi pago, cancele primeiro com cancelar_pagamento.",
    destructive=True,
    idempotent=True,
)
def excluir_conta_pagar(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Lançar pagamento",
    Complexity.AVANCADA,
    PAGAR,
    "Dá baixa, total ou parcial, em um título a pagar: registra que ele foi pago. Não move dinheiro no banco. Guarde "
    "o codigo_baixa devolvido: cancelar_pagamento o pede. Confira antes o saldo com consultar_conta_pagar.",
    destructive=False,
    idempotent=False,
)
def lancar_pagamento(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    codigo_conta_corrente: Annotated[Codigo, Field(description="Conta corrente de onde saiu, código no Omie.")],
    valor: Annotated[Valor, Field(description="Valor pago em R$.")],
    data: Annotated[Data, Field(description="Data do pagamento.")],
    desconto: record.Desconto = None,
    juros: record.Juros = None,
    multa: record.Multa = None,
    observacao: Observacao = None,
    codigo_baixa_integracao: record.CodigoBaixaIntegracao = None,
) -> Fields:
    return record.settling(locals(), KEY.found_with)


@family.writes(
    "Cancelar pagamento",
    Complexity.AVANCADA,
    DESPAGAR,
    "Desfaz uma baixa de conta a pagar, com o lançamento que ela fez na conta corrente. O título volta a ficar em "
    "aberto; confira com consultar_conta_pagar.",
    destructive=True,
    idempotent=True,
)
def cancelar_pagamento(
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: record.CodigoBaixaIntegracao = None
) -> Fields:
    return BAIXA(codigo_baixa, codigo_baixa_integracao)
