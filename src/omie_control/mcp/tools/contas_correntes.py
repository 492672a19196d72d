"""The company's accounts: banks, cash, cards. Their balances and movements are the statement's matter."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Writing
from omie_control.mcp.tools.parameters import Codigo, CodigoOmie, Data, Dinheiro, DinheiroComSinal, SimNao
from omie_control.mcp.tools.shapes import Shape, code, days, flag, money, text
from omie_control.mcp.tools.wire import Fields, Key

PATH = "geral/contacorrente/"

CONTAS = Listing(
    PATH,
    "ListarContasCorrentes",
    "contas correntes",
    key="contas",
    shape=Shape(
        codigo_omie=code("nCodCC", "código"),
        codigo_integracao=text("cCodCCInt"),
        descricao=text("descricao", "conta"),
        tipo=text("tipo_conta_corrente", "tipo"),
        codigo_banco=text("codigo_banco", "banco"),
        agencia=text("codigo_agencia", "agência"),
        numero=text("numero_conta_corrente", "número"),
        saldo_inicial=money("saldo_inicial"),
        saldo_inicial_em=days("saldo_data"),
        limite=money("valor_limite"),
        emite_boleto=flag("bol_sn"),
        recebe_pix=flag("pix_sn"),
        fora_do_fluxo_de_caixa=flag("nao_fluxo"),
        inativa=flag("inativo", "inativa"),
    ),
)
RESUMO = Listing(
    PATH,
    "ListarResumoContasCorrentes",
    "contas correntes",
    key="contas",
    shape=Shape(
        codigo_omie=code("nCodCC", "código"),
        codigo_integracao=text("cCodCCInt"),
        descricao=text("descricao", "conta"),
        tipo=text("tipo", "tipo"),
        codigo_banco=text("codigo_banco", "banco"),
        agencia=text("codigo_agencia", "agência"),
        numero=text("conta_corrente", "número"),
        saldo_inicial=money("saldo_inicial"),
        gerente=text("nome_gerente"),
    ),
)
KEY = Key("nCodCC", "cCodCCInt", "listar_contas_correntes")
CODES = Shape(codigo_omie=code("nCodCC"), codigo_integracao=text("cCodCCInt"))
INCLUIR = Writing(PATH, "IncluirContaCorrente", "Conta corrente", "incluída", CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarContaCorrente", "Conta corrente", "alterada", CODES, KEY.fields, has_other_fields=True)
EXCLUIR = Writing(PATH, "ExcluirContaCorrente", "Conta corrente", "excluída", CODES)

Ativas = Annotated[SimNao | None, Field(description="true: só as ativas.")]
Tipo = Annotated[
    Literal["CC", "CX", "CP", "AD", "CA", "CR", "CG", "CN", "CE", "CV", "AC", "MT", "PG"],
    Field(
        description="CC conta corrente, CX caixa, CP poupança, CR cartão de crédito, AD adquirente, CN consórcio…",
        examples=["CC"],
    ),
]
Descricao = Annotated[str, Field(description="Nome da conta.", min_length=1, max_length=50, examples=["Banco matriz"])]
Banco = Annotated[str | None, Field(description="Código do banco, três dígitos.", max_length=4, examples=["341"])]
Agencia = Annotated[str | None, Field(description="Agência.", max_length=20, examples=["0123"])]
Numero = Annotated[str | None, Field(description="Número da conta com dígito.", max_length=30, examples=["45678-9"])]
Limite = Annotated[Dinheiro | None, Field(description="Limite de crédito em R$.")]
CodigoCurto = Annotated[
    str | None,
    Field(description="Código da conta em quem integra.", min_length=1, max_length=20, examples=["CC-01"]),
]

family = Family(Category.FINANCEIRO)
register = family.register


@family.lists(
    "Listar contas correntes",
    Complexity.BASICA,
    CONTAS,
    "Lista bancos, caixas e cartões da empresa, com o codigo_omie que baixas, lançamentos e extrato pedem. O "
    "saldo_inicial é o da abertura: para o saldo de hoje, chame consultar_extrato.",
    also=("consultar_contas_correntes",),
)
def listar_contas_correntes(
    *,
    ativas: Ativas = None,
    descricao: Annotated[str | None, Field(description="Parte do nome.", max_length=100, examples=["caixa"])] = None,
    codigo: Annotated[Codigo | None, Field(description="Só esta conta, pelo código no Omie.")] = None,
) -> Fields:
    return {"filtrar_apenas_ativo": ativas, "filtrar_por_descricao": descricao, "codigo": codigo}


@family.lists(
    "Listar resumo das contas correntes",
    Complexity.BASICA,
    RESUMO,
    "Lista as contas correntes em poucas colunas: código, nome, tipo, banco, agência e número. Para limite, boleto, "
    "PIX e situação, use listar_contas_correntes; para saldo, consultar_extrato.",
)
def listar_resumo_contas_correntes(*, ativas: Ativas = None) -> Fields:
    return {"filtrar_apenas_ativo": ativas}


@family.writes(
    "Incluir conta corrente",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Cadastra um banco, caixa ou cartão. Antes, confira com listar_contas_correntes que ele ainda não existe. Sem "
    "codigo_integracao, um é criado e devolvido. Boleto, PIX e outros campos vão em outros_campos.",
    destructive=False,
    idempotent=False,
)
def incluir_conta_corrente(
    *,
    descricao: Descricao,
    tipo: Tipo,
    codigo_banco: Banco = None,
    agencia: Agencia = None,
    numero: Numero = None,
    saldo_inicial: Annotated[DinheiroComSinal | None, Field(description="Saldo na abertura, em R$.")] = None,
    saldo_inicial_em: Annotated[Data | None, Field(description="Dia desse saldo.")] = None,
    limite: Limite = None,
    codigo_integracao: CodigoCurto = None,
) -> Fields:
    return {
        "descricao": descricao,
        "tipo_conta_corrente": tipo,
        "codigo_banco": codigo_banco,
        "codigo_agencia": agencia,
        "numero_conta_corrente": numero,
        "saldo_inicial": saldo_inicial,
        "saldo_data": saldo_inicial_em,
        "valor_limite": limite,
        "cCodCCInt": codigo_integracao,
    }


@family.writes(
    "Alterar conta corrente",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Altera o cadastro de uma conta corrente: nome, agência, número, limite, ativa ou inativa. Envie só o que muda. "
    "Prefira inativar a excluir: os movimentos ficam. Confira depois com listar_contas_correntes.",
    destructive=True,
    idempotent=True,
)
def alterar_conta_corrente(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoCurto = None,
    descricao: Annotated[Descricao | None, Field(description="Novo nome.")] = None,
    codigo_banco: Banco = None,
    agencia: Agencia = None,
    numero: Numero = None,
    limite: Limite = None,
    inativa: Annotated[SimNao | None, Field(description="true inativa a conta; false a reativa.")] = None,
) -> Fields:
    return {
        **KEY(codigo_omie, codigo_integracao),
        "descricao": descricao,
        "codigo_banco": codigo_banco,
        "codigo_agencia": agencia,
        "numero_conta_corrente": numero,
        "valor_limite": limite,
        "inativo": inativa,
    }


@family.writes(
    "Excluir conta corrente",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui para sempre o cadastro de uma conta corrente. Confirme com o usuário; se ela já teve movimento, prefira "
    "alterar_conta_corrente com inativa=true.",
    destructive=True,
    idempotent=True,
)
def excluir_conta_corrente(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoCurto = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)
