"""Receivables: list, show, create, change, delete, receive, undo a receipt, tick it off against the bank."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools import titulo_record as record
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoCliente,
    CodigoIntegracao,
    CodigoOmie,
    CodigoProjeto,
    Data,
    Documento,
    EmissaoAte,
    EmissaoDe,
    SimNao,
    Valor,
)
from omie_control.mcp.tools.shapes import Shape, code, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "financas/contareceber/"

CONTAS = Listing(
    PATH,
    "ListarContasReceber",
    "contas a receber",
    key="contas",
    shape=Shape(
        **record.NAMED,
        codigo_cliente=code("codigo_cliente_fornecedor", "cliente"),
        **record.COLUMNS,
        codigo_vendedor=code("codigo_vendedor"),
        numero_boleto=text("boleto.cNumBoleto"),
    ),
)
CONTA = Reading(PATH, "ConsultarContaReceber", "Conta a receber", key="conta", title="numero_documento")
KEY = record.key("consultar_contas_receber")
BAIXA = record.settlement_key("conciliar_bancaria ou mostrar_execucao da baixa")
INCLUIR = Writing(PATH, "IncluirContaReceber", "Conta a receber", "incluída", record.CODES, has_other_fields=True)
ALTERAR = Writing(
    PATH, "AlterarContaReceber", "Conta a receber", "alterada", record.CODES, KEY.fields, has_other_fields=True
)
EXCLUIR = Writing(PATH, "ExcluirContaReceber", "Conta a receber", "excluída", record.CODES)
RECEBER = Writing(PATH, "LancarRecebimento", "Recebimento", "lançado", record.SETTLED)
DESRECEBER = Writing(PATH, "CancelarRecebimento", "Recebimento", "cancelado", record.SETTLEMENT)
CONCILIAR = Writing(PATH, "ConciliarRecebimento", "Recebimento", "conciliado", record.SETTLEMENT)
DESCONCILIAR = Writing(PATH, "DesconciliarRecebimento", "Recebimento", "desconciliado", record.SETTLEMENT)

Vendedor = Annotated[Codigo | None, Field(description="Código do vendedor no Omie.")]
Observacao = Annotated[str | None, Field(description="Observação.", max_length=4000, examples=["Mensalidade de março"])]
CodigoBaixa = Annotated[
    Codigo | None, Field(description="Código da baixa no Omie, de lancar_recebimento ou conciliar_bancaria.")
]

family = Family(Category.FINANCEIRO)
register = family.register


@family.lists(
    "Consultar contas a receber",
    Complexity.AVANCADA,
    CONTAS,
    "Lista títulos a receber, uma página por vez. Filtre por status, vencidas, emissão, registro, cliente, conta ou "
    "vendedor; por vencimento, use pesquisar_titulos. O valor é o do título inteiro, mesmo se já recebido em parte. "
    "Depois chame consultar_conta_receber, lancar_recebimento ou gerar_boleto com o codigo_omie.",
)
def consultar_contas_receber(
    *,
    status: record.Status = None,
    vencidas: record.Vencidas = None,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    registro_de: record.RegistroDe = None,
    registro_ate: record.RegistroAte = None,
    codigo_cliente: CodigoCliente = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ do cliente.")] = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_projeto: CodigoProjeto = None,
    codigo_vendedor: Vendedor = None,
) -> Fields:
    return record.filters(locals())


@family.gets(
    "Consultar conta a receber",
    Complexity.BASICA,
    CONTA,
    "Mostra um título a receber inteiro, com os nomes de campo do Omie, pelo código do Omie ou pelo de integração "
    "(um dos dois). Use antes de alterar, receber ou excluir, e depois de uma escrita incerta.",
)
def consultar_conta_receber(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir conta a receber",
    Complexity.AVANCADA,
    INCLUIR,
    "Inclui um título a receber. Antes, confira com consultar_contas_receber que ele ainda não existe: pedidos e "
    "notas faturadas criam os seus sozinhos. Sem codigo_integracao, um é criado e devolvido. Depois chame gerar_boleto "
    "ou gerar_pix para cobrar, e lancar_recebimento quando for pago.",
    destructive=False,
    idempotent=False,
)
def incluir_conta_receber(
    *,
    codigo_cliente: Annotated[Codigo, Field(description="Código do cliente no Omie.")],
    valor: record.ValorDoTitulo,
    vencimento: record.Vencimento,
    categoria: Annotated[str, Field(description="Código da categoria.", max_length=20, examples=["1.01.01"])],
    previsao: Annotated[Data | None, Field(description="Previsão de recebimento; sem ela, o vencimento.")] = None,
    emissao: record.Emissao = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_projeto: CodigoProjeto = None,
    codigo_vendedor: Vendedor = None,
    numero_documento: record.NumeroDocumento = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return record.new_title(locals())


@family.writes(
    "Alterar conta a receber",
    Complexity.AVANCADA,
    ALTERAR,
    "Altera um título a receber em aberto, achado por codigo_omie ou codigo_integracao. Envie só o que muda. Se já "
    "tem boleto, mude o vencimento com prorrogar_boleto. Chame antes consultar_conta_receber e confira depois com ela.",
    destructive=True,
    idempotent=True,
)
def alterar_conta_receber(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    valor: record.ValorNovo = None,
    vencimento: record.VencimentoNovo = None,
    previsao: Annotated[Data | None, Field(description="Nova previsão de recebimento.")] = None,
    categoria: record.CategoriaDeReceita = None,
    emissao: record.Emissao = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_projeto: CodigoProjeto = None,
    codigo_vendedor: Vendedor = None,
    numero_documento: record.NumeroDocumento = None,
    observacao: Observacao = None,
) -> Fields:
    return record.fields(locals()) | KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Excluir conta a receber",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui para sempre um título a receber sem baixas. Confirme com o usuário; veja antes com "
    "consultar_conta_receber. Se já foi recebido, cancele primeiro com cancelar_recebimento; se tem boleto, com "
    "cancelar_boleto.",
    destructive=True,
    idempotent=True,
)
def excluir_conta_receber(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    key = Key("chave_lancamento", "codigo_lancamento_integracao", KEY.found_with)
    return key(codigo_omie, codigo_integracao)


@family.writes(
    "Lançar recebimento",
    Complexity.AVANCADA,
    RECEBER,
    "Dá baixa, total ou parcial, em um título a receber: registra que o cliente pagou. Não move dinheiro no banco. "
    "Guarde o codigo_baixa devolvido: cancelar_recebimento e conciliar_recebimento o pedem. Confira antes o saldo com "
    "pesquisar_titulos (valor_aberto).",
    destructive=False,
    idempotent=False,
)
def lancar_recebimento(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    codigo_conta_corrente: Annotated[Codigo, Field(description="Conta corrente em que entrou, código no Omie.")],
    valor: Annotated[Valor, Field(description="Valor recebido em R$.")],
    data: Annotated[Data, Field(description="Data do recebimento.")],
    desconto: record.Desconto = None,
    juros: record.Juros = None,
    multa: record.Multa = None,
    conciliado: Annotated[SimNao | None, Field(description="true: já conferido com o extrato do banco.")] = None,
    observacao: Observacao = None,
    codigo_baixa_integracao: record.CodigoBaixaIntegracao = None,
) -> Fields:
    return record.settling(locals(), KEY.found_with)


@family.writes(
    "Cancelar recebimento",
    Complexity.AVANCADA,
    DESRECEBER,
    "Desfaz uma baixa de conta a receber, com o lançamento que ela fez na conta corrente. O título volta a ficar em "
    "aberto; confira com consultar_conta_receber.",
    destructive=True,
    idempotent=True,
)
def cancelar_recebimento(
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: record.CodigoBaixaIntegracao = None
) -> Fields:
    return BAIXA(codigo_baixa, codigo_baixa_integracao)


@family.writes(
    "Conciliar recebimento",
    Complexity.AVANCADA,
    CONCILIAR,
    "Marca uma baixa de conta a receber como conferida com o extrato do banco. Só depois de alguém confirmar que os "
    "dois são o mesmo; conciliar_bancaria mostra as pendentes com o codigo_baixa. O Omie só oferece isto para "
    "recebimentos: pagamentos e lançamentos avulsos são conciliados na tela do Omie.",
    destructive=False,
    idempotent=True,
)
def conciliar_recebimento(
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: record.CodigoBaixaIntegracao = None
) -> Fields:
    return BAIXA(codigo_baixa, codigo_baixa_integracao)


@family.writes(
    "Desconciliar recebimento",
    Complexity.AVANCADA,
    DESCONCILIAR,
    "Tira a marca de conferida de uma baixa de conta a receber; a baixa fica. Para desfazer a própria baixa, chame "
    "cancelar_recebimento. Confira depois com conciliar_bancaria.",
    destructive=True,
    idempotent=True,
)
def desconciliar_recebimento(
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: record.CodigoBaixaIntegracao = None
) -> Fields:
    return BAIXA(codigo_baixa, codigo_baixa_integracao)
