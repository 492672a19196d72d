"""Receivables: list, show, create, change, delete, receive, undo a receipt, tick it off against the bank."""

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

PATH = "financas/contareceber/"

CONTAS = Listing(
    PATH,
    "ListarContasReceber",
    "contas a receber",
    key="contas",
    shape=Shape(
        codigo_omie=code("codigo_lancamento_omie", "código"),
        codigo_integracao=text("codigo_lancamento_integracao"),
        codigo_cliente=code("codigo_cliente_fornecedor", "cliente"),
        documento=text("numero_documento", "documento"),
        parcela=text("numero_parcela"),
        emissao=days("data_emissao"),
        vencimento=days("data_vencimento", "vencimento"),
        previsao=days("data_previsao"),
        valor=money("valor_documento", "valor"),
        status=text("status_titulo", "status"),
        categoria=text("codigo_categoria", "categoria"),
        codigo_conta_corrente=code("id_conta_corrente"),
        codigo_vendedor=code("codigo_vendedor"),
        numero_boleto=text("boleto.cNumBoleto"),
    ),
)
CONTA = Reading(PATH, "ConsultarContaReceber", "Conta a receber", key="conta", title="numero_documento")
KEY = Key("codigo_lancamento_omie", "codigo_lancamento_integracao", "consultar_contas_receber")
CODES = Shape(codigo_omie=code("codigo_lancamento_omie"), codigo_integracao=text("codigo_lancamento_integracao"))
RECEIPT = Shape(
    codigo_omie=code("codigo_lancamento"),
    codigo_baixa=code("codigo_baixa"),
    codigo_baixa_integracao=text("codigo_baixa_integracao"),
    valor_baixado=money("valor_baixado"),
    liquidado=flag("liquidado"),
)
SETTLEMENT = Shape(codigo_baixa=code("codigo_baixa"), codigo_baixa_integracao=text("codigo_baixa_integracao"))
INCLUIR = Writing(PATH, "IncluirContaReceber", "Conta a receber", "incluída", CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarContaReceber", "Conta a receber", "alterada", CODES, KEY.fields, has_other_fields=True)
EXCLUIR = Writing(PATH, "ExcluirContaReceber", "Conta a receber", "excluída", CODES)
RECEBER = Writing(PATH, "LancarRecebimento", "Recebimento", "lançado", RECEIPT)
DESRECEBER = Writing(PATH, "CancelarRecebimento", "Recebimento", "cancelado", SETTLEMENT)
CONCILIAR = Writing(PATH, "ConciliarRecebimento", "Recebimento", "conciliado", SETTLEMENT)
DESCONCILIAR = Writing(PATH, "DesconciliarRecebimento", "Recebimento", "desconciliado", SETTLEMENT)

Status = Annotated[
    Literal["RECEBIDO", "LIQUIDADO", "EMABERTO", "PAGTO_PARCIAL", "VENCEHOJE", "AVENCER", "ATRASADO", "CANCELADO"]
    | None,
    Field(description="Situação do título."),
]
Cliente = Annotated[Codigo | None, Field(description="Código do cliente no Omie.")]
Categoria = Annotated[str | None, Field(description="Código da categoria.", max_length=20, examples=["1.01.01"])]
ContaCorrente = Annotated[Codigo | None, Field(description="Código da conta corrente no Omie.")]
Projeto = Annotated[Codigo | None, Field(description="Código do projeto no Omie.")]
Vendedor = Annotated[Codigo | None, Field(description="Código do vendedor no Omie.")]
NumeroDocumento = Annotated[str | None, Field(description="Número do documento.", max_length=20, examples=["NF-123"])]
Observacao = Annotated[str | None, Field(description="Observação.", max_length=4000, examples=["Mensalidade de março"])]
CodigoBaixa = Annotated[
    Codigo | None, Field(description="Código da baixa no Omie, de lancar_recebimento ou conciliar_bancaria.")
]
CodigoBaixaIntegracao = Annotated[
    str | None, Field(description="Código da baixa em quem integra.", min_length=1, max_length=20, examples=["BX-1"])
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
    status: Status = None,
    vencidas: Annotated[SimNao | None, Field(description="true: só as atrasadas.")] = None,
    emissao_de: Annotated[Data | None, Field(description="Emissão a partir de.")] = None,
    emissao_ate: Annotated[Data | None, Field(description="Emissão até.")] = None,
    registro_de: Annotated[Data | None, Field(description="Registro a partir de.")] = None,
    registro_ate: Annotated[Data | None, Field(description="Registro até.")] = None,
    codigo_cliente: Cliente = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ do cliente.")] = None,
    codigo_conta_corrente: ContaCorrente = None,
    codigo_projeto: Projeto = None,
    codigo_vendedor: Vendedor = None,
) -> Fields:
    if vencidas and status not in (None, "ATRASADO"):
        raise InvalidInput("vencidas e status não combinam.", hint='Use vencidas=true ou status="ATRASADO", só um.')
    return {
        "filtrar_por_status": "ATRASADO" if vencidas else status,
        **between("emissao", emissao_de, emissao_ate, "filtrar_por_emissao_de", "filtrar_por_emissao_ate"),
        **between("registro", registro_de, registro_ate, "filtrar_por_registro_de", "filtrar_por_registro_ate"),
        "filtrar_cliente": codigo_cliente,
        "filtrar_por_cpf_cnpj": cnpj_cpf,
        "filtrar_conta_corrente": codigo_conta_corrente,
        "filtrar_por_projeto": codigo_projeto,
        "filtrar_por_vendedor": codigo_vendedor,
    }


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
    valor: Annotated[Valor, Field(description="Valor do título em R$.")],
    vencimento: Annotated[Data, Field(description="Vencimento.")],
    categoria: Annotated[str, Field(description="Código da categoria.", max_length=20, examples=["1.01.01"])],
    previsao: Annotated[Data | None, Field(description="Previsão de recebimento; sem ela, o vencimento.")] = None,
    emissao: Annotated[Data | None, Field(description="Emissão do documento.")] = None,
    codigo_conta_corrente: ContaCorrente = None,
    codigo_projeto: Projeto = None,
    codigo_vendedor: Vendedor = None,
    numero_documento: NumeroDocumento = None,
    observacao: Observacao = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    required = {"valor_documento": valor, "data_vencimento": vencimento, "data_previsao": previsao or vencimento}
    who = {"codigo_cliente_fornecedor": codigo_cliente, "codigo_lancamento_integracao": codigo_integracao}
    rest = _details(categoria, emissao, codigo_conta_corrente, codigo_projeto, numero_documento, observacao)
    return who | required | rest | {"codigo_vendedor": codigo_vendedor}


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
    valor: Annotated[Valor | None, Field(description="Novo valor em R$.")] = None,
    vencimento: Annotated[Data | None, Field(description="Novo vencimento.")] = None,
    previsao: Annotated[Data | None, Field(description="Nova previsão de recebimento.")] = None,
    categoria: Categoria = None,
    emissao: Annotated[Data | None, Field(description="Emissão do documento.")] = None,
    codigo_conta_corrente: ContaCorrente = None,
    codigo_projeto: Projeto = None,
    codigo_vendedor: Vendedor = None,
    numero_documento: NumeroDocumento = None,
    observacao: Observacao = None,
) -> Fields:
    changed = {"valor_documento": valor, "data_vencimento": vencimento, "data_previsao": previsao}
    rest = _details(categoria, emissao, codigo_conta_corrente, codigo_projeto, numero_documento, observacao)
    return KEY(codigo_omie, codigo_integracao) | changed | rest | {"codigo_vendedor": codigo_vendedor}


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
    key = Key("chave_lancamento", "codigo_lancamento_integracao", "consultar_contas_receber")
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
    desconto: Annotated[Dinheiro | None, Field(description="Desconto em R$.")] = None,
    juros: Annotated[Dinheiro | None, Field(description="Juros em R$.")] = None,
    multa: Annotated[Dinheiro | None, Field(description="Multa em R$.")] = None,
    conciliado: Annotated[SimNao | None, Field(description="true: já conferido com o extrato do banco.")] = None,
    observacao: Observacao = None,
    codigo_baixa_integracao: CodigoBaixaIntegracao = None,
) -> Fields:
    key = Key("codigo_lancamento", "codigo_lancamento_integracao", "consultar_contas_receber")
    return {
        **key(codigo_omie, codigo_integracao),
        "codigo_conta_corrente": codigo_conta_corrente,
        "valor": valor,
        "data": data,
        "desconto": desconto,
        "juros": juros,
        "multa": multa,
        "conciliar_documento": conciliado,
        "observacao": observacao,
        "codigo_baixa_integracao": codigo_baixa_integracao,
    }


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
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: CodigoBaixaIntegracao = None
) -> Fields:
    return _settlement(codigo_baixa, codigo_baixa_integracao)


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
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: CodigoBaixaIntegracao = None
) -> Fields:
    return _settlement(codigo_baixa, codigo_baixa_integracao)


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
    *, codigo_baixa: CodigoBaixa = None, codigo_baixa_integracao: CodigoBaixaIntegracao = None
) -> Fields:
    return _settlement(codigo_baixa, codigo_baixa_integracao)


def _settlement(id: int | None, own: str | None) -> dict[str, Any]:
    words = ("codigo_baixa", "codigo_baixa_integracao")
    return Key(*words, "conciliar_bancaria ou mostrar_execucao da baixa", words)(id, own)


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
