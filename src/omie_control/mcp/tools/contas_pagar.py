"""Payables: list, show, create, change, delete, pay, undo a payment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoIntegracao,
    CodigoOmie,
    Data,
    Dinheiro,
    Documento,
    SimNao,
    Valor,
)
from omie_control.mcp.tools.shapes import Shape, code, days, flag, money, text
from omie_control.mcp.tools.wire import Fields, Key, between

PATH = "financas/contapagar/"

CONTAS = Listing(
    PATH,
    "ListarContasPagar",
    "contas a pagar",
    key="contas",
    shape=Shape(
        codigo_omie=code("codigo_lancamento_omie", "código"),
        codigo_integracao=text("codigo_lancamento_integracao"),
        codigo_fornecedor=code("codigo_cliente_fornecedor", "fornecedor"),
        documento=text("numero_documento", "documento"),
        parcela=text("numero_parcela"),
        emissao=days("data_emissao"),
        vencimento=days("data_vencimento", "vencimento"),
        previsao=days("data_previsao"),
        valor=money("valor_documento", "valor"),
        status=text("status_titulo", "status"),
        categoria=text("codigo_categoria", "categoria"),
        codigo_conta_corrente=code("id_conta_corrente"),
    ),
)
CONTA = Reading(PATH, "ConsultarContaPagar", "Conta a pagar", key="conta", title="numero_documento")
KEY = Key("codigo_lancamento_omie", "codigo_lancamento_integracao", "consultar_contas_pagar")
CODES = Shape(codigo_omie=code("codigo_lancamento_omie"), codigo_integracao=text("codigo_lancamento_integracao"))
PAYMENT = Shape(
    codigo_omie=code("codigo_lancamento"),
    codigo_baixa=code("codigo_baixa"),
    codigo_baixa_integracao=text("codigo_baixa_integracao"),
    valor_baixado=money("valor_baixado"),
    liquidado=flag("liquidado"),
)
INCLUIR = Writing(PATH, "IncluirContaPagar", "Conta a pagar", "incluída", CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarContaPagar", "Conta a pagar", "alterada", CODES, KEY.fields, has_other_fields=True)
EXCLUIR = Writing(PATH, "ExcluirContaPagar", "Conta a pagar", "excluída", CODES)
PAGAR = Writing(PATH, "LancarPagamento", "Pagamento", "lançado", PAYMENT)
DESPAGAR = Writing(
    PATH,
    "CancelarPagamento",
    "Pagamento",
    "cancelado",
    Shape(codigo_baixa=code("codigo_baixa"), codigo_baixa_integracao=text("codigo_baixa_integracao")),
)

Status = Annotated[
    Literal["LIQUIDADO", "EMABERTO", "PAGTO_PARCIAL", "VENCEHOJE", "AVENCER", "ATRASADO"] | None,
    Field(description="Situação do título."),
]
Fornecedor = Annotated[Codigo | None, Field(description="Código do fornecedor no Omie.")]
Categoria = Annotated[str | None, Field(description="Código da categoria.", max_length=20, examples=["2.01.01"])]
ContaCorrente = Annotated[Codigo | None, Field(description="Código da conta corrente no Omie.")]
Projeto = Annotated[Codigo | None, Field(description="Código do projeto no Omie.")]
NumeroDocumento = Annotated[str | None, Field(description="Número do documento.", max_length=20, examples=["NF-123"])]
Observacao = Annotated[str | None, Field(description="Observação.", max_length=4000, examples=["Aluguel de março"])]
CodigoBaixa = Annotated[Codigo | None, Field(description="Código da baixa no Omie, de lancar_pagamento.")]
CodigoBaixaIntegracao = Annotated[
    str | None, Field(description="Código da baixa em quem integra.", min_length=1, max_length=20, examples=["BX-1"])
]

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
    vencidas: Annotated[SimNao | None, Field(description="true: só as atrasadas.")] = None,
    emissao_de: Annotated[Data | None, Field(description="Emissão a partir de.")] = None,
    emissao_ate: Annotated[Data | None, Field(description="Emissão até.")] = None,
    registro_de: Annotated[Data | None, Field(description="Registro a partir de.")] = None,
    registro_ate: Annotated[Data | None, Field(description="Registro até.")] = None,
    codigo_fornecedor: Fornecedor = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ do fornecedor.")] = None,
    codigo_conta_corrente: ContaCorrente = None,
    codigo_projeto: Projeto = None,
) -> Fields:
    if vencidas and status not in (None, "ATRASADO"):
        raise InvalidInput("vencidas e status não combinam.", hint='Use vencidas=true ou status="ATRASADO", só um.')
    return {
        "filtrar_por_status": "ATRASADO" if vencidas else status,
        **between("emissao", emissao_de, emissao_ate, "filtrar_por_emissao_de", "filtrar_por_emissao_ate"),
        **between("registro", registro_de, registro_ate, "filtrar_por_registro_de", "filtrar_por_registro_ate"),
        "filtrar_cliente": codigo_fornecedor,
        "filtrar_por_cpf_cnpj": cnpj_cpf,
        "filtrar_conta_corrente": codigo_conta_corrente,
        "filtrar_por_projeto": codigo_projeto,
    }


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
    valor: Annotated[Valor, Field(description="Valor do título em R$.")],
    vencimento: Annotated[Data, Field(description="Vencimento.")],
    categoria: Annotated[str, Field(description="Código da categoria.", max_length=20, examples=["2.01.01"])],
    previsao: Annotated[Data | None, Field(description="Previsão de pagamento; sem ela, o vencimento.")] = None,
    emissao: Annotated[Data | None, Field(description="Emissão do documento.")] = None,
    codigo_conta_corrente: ContaCorrente = None,
    codigo_projeto: Projeto = None,
    numero_documento: NumeroDocumento = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    required = {"valor_documento": valor, "data_vencimento": vencimento, "data_previsao": previsao or vencimento}
    who = {"codigo_cliente_fornecedor": codigo_fornecedor, "codigo_lancamento_integracao": codigo_integracao}
    return (
        who
        | required
        | _details(categoria, emissao, codigo_conta_corrente, codigo_projeto, numero_documento, observacao)
    )


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
    valor: Annotated[Valor | None, Field(description="Novo valor em R$.")] = None,
    vencimento: Annotated[Data | None, Field(description="Novo vencimento.")] = None,
    previsao: Annotated[Data | None, Field(description="Nova previsão de pagamento.")] = None,
    categoria: Categoria = None,
    emissao: Annotated[Data | None, Field(description="Emissão do documento.")] = None,
    codigo_conta_corrente: ContaCorrente = None,
    codigo_projeto: Projeto = None,
    numero_documento: NumeroDocumento = None,
    observacao: Observacao = None,
) -> Fields:
    changed = {"valor_documento": valor, "data_vencimento": vencimento, "data_previsao": previsao}
    rest = _details(categoria, emissao, codigo_conta_corrente, codigo_projeto, numero_documento, observacao)
    return KEY(codigo_omie, codigo_integracao) | changed | rest


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
    desconto: Annotated[Dinheiro | None, Field(description="Desconto em R$.")] = None,
    juros: Annotated[Dinheiro | None, Field(description="Juros em R$.")] = None,
    multa: Annotated[Dinheiro | None, Field(description="Multa em R$.")] = None,
    observacao: Observacao = None,
    codigo_baixa_integracao: CodigoBaixaIntegracao = None,
) -> Fields:
    key = Key("codigo_lancamento", "codigo_lancamento_integracao", "consultar_contas_pagar")
    return {
        **key(codigo_omie, codigo_integracao),
        "codigo_conta_corrente": codigo_conta_corrente,
        "valor": valor,
        "data": data,
        "desconto": desconto,
        "juros": juros,
        "multa": multa,
        "observacao": observacao,
        "codigo_baixa_integracao": codigo_baixa_integracao,
    }


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
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: CodigoBaixaIntegracao = None
) -> Fields:
    words = ("codigo_baixa", "codigo_baixa_integracao")
    return Key(*words, "mostrar_execucao da baixa", words)(codigo_baixa, codigo_baixa_integracao)


def _details(
    category: str | None, issued: Any, account: int | None, project: int | None, document: str | None, note: str | None
) -> dict[str, Any]:
    return {
        "codigo_categoria": category,
        "data_emissao": issued,
        "id_conta_corrente": account,
        "codigo_projeto": project,
        "numero_documento": document,
        "observacao": note,
    }
