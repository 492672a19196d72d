"""Titles of both sides, and their movements: searched by whatever is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools import titulo_record as record
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.financas_lidas import SIDES
from omie_control.mcp.tools.omie import Listing
from omie_control.mcp.tools.parameters import Codigo, Data, Documento, EmissaoAte, EmissaoDe
from omie_control.mcp.tools.shapes import Column, Row, Shape, at, code, days, money, text
from omie_control.mcp.tools.wire import Fields, between

SETTLEMENT = Shape(
    codigo_baixa=code("nCodLanc"),
    codigo_lancamento=code("nIdLancCC"),
    data=days("dDtLanc"),
    valor=money("nValLanc"),
    juros=money("nJuros"),
    multa=money("nMulta"),
    desconto=money("nDesconto"),
    codigo_conta_corrente=code("nCodCC"),
)


def _settlements(row: Row) -> list[dict[str, Any]]:
    found = row.get("lancamentos")
    return [SETTLEMENT.read(each) for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


TITULOS = Listing(
    "financas/pesquisartitulos/",
    "PesquisarLancamentos",
    "títulos",
    key="titulos",
    shape=Shape(
        codigo_omie=code("cabecTitulo.nCodTitulo", "código"),
        codigo_integracao=text("cabecTitulo.cCodIntTitulo"),
        lado=text(lambda row: SIDES.get(str(at(row, "cabecTitulo.cNatureza"))), "lado"),
        codigo_cliente=code("cabecTitulo.nCodCliente", "cliente"),
        cnpj_cpf=text("cabecTitulo.cCPFCNPJCliente"),
        documento=text("cabecTitulo.cNumTitulo", "documento"),
        parcela=text("cabecTitulo.cNumParcela"),
        emissao=days("cabecTitulo.dDtEmissao"),
        vencimento=days("cabecTitulo.dDtVenc", "vencimento"),
        previsao=days("cabecTitulo.dDtPrevisao"),
        pagamento=days("cabecTitulo.dDtPagamento"),
        valor=money("cabecTitulo.nValorTitulo", "valor"),
        valor_pago=money("resumo.nValPago"),
        valor_aberto=money("resumo.nValAberto", "em aberto"),
        status=text("cabecTitulo.cStatus", "status"),
        categoria=text("cabecTitulo.cCodCateg"),
        codigo_conta_corrente=code("cabecTitulo.nCodCC"),
        numero_boleto=text("cabecTitulo.cNumBoleto"),
        baixas=Column(_settlements, list, "array"),
    ),
)
MOVIMENTOS = Listing(
    "financas/mf/",
    "ListarMovimentos",
    "movimentos",
    key="movimentos",
    shape=Shape(
        codigo_titulo=code("detalhes.nCodTitulo", "título"),
        codigo_baixa=code("detalhes.nCodBaixa", "baixa"),
        codigo_lancamento=code("detalhes.nCodMovCC"),
        grupo=text("detalhes.cGrupo"),
        origem=text("detalhes.cOrigem"),
        lado=text(lambda row: SIDES.get(str(at(row, "detalhes.cNatureza"))), "lado"),
        codigo_cliente=code("detalhes.nCodCliente", "cliente"),
        documento=text("detalhes.cNumTitulo", "documento"),
        vencimento=days("detalhes.dDtVenc", "vencimento"),
        pagamento=days("detalhes.dDtPagamento", "pagamento"),
        valor_titulo=money("detalhes.nValorTitulo"),
        valor_movimento=money("detalhes.nValorMovCC", "movimento"),
        valor_pago=money("resumo.nValPago"),
        valor_aberto=money("resumo.nValAberto"),
        juros=money("detalhes.nJuros"),
        multa=money("detalhes.nMulta"),
        desconto=money("detalhes.nDesconto"),
        status=text("detalhes.cStatus", "status"),
        categoria=text("detalhes.cCodCateg"),
        codigo_conta_corrente=code("detalhes.nCodCC"),
        conciliado_em=days("detalhes.dDtConcilia"),
    ),
)
_KINDS = {
    "baixas": "BX",
    "recebimentos": "BXCR",
    "pagamentos": "BXCP",
    "conta_corrente": "CC",
    "titulos": "CPCR",
    "titulos_a_receber": "CR",
    "titulos_a_pagar": "CP",
}

Lado = Annotated[Literal["receber", "pagar"] | None, Field(description="Só a receber, ou só a pagar.")]
PagamentoDe = Annotated[Data | None, Field(description="Pagamento a partir de.")]
PagamentoAte = Annotated[Data | None, Field(description="Pagamento até.")]
Cliente = Annotated[Codigo | None, Field(description="Código do cliente ou fornecedor no Omie.")]
CpfCnpj = Annotated[Documento | None, Field(description="CPF ou CNPJ do cliente ou fornecedor.")]

family = Family(Category.FINANCEIRO)
register = family.register


@family.lists(
    "Pesquisar títulos",
    Complexity.AVANCADA,
    TITULOS,
    "Procura títulos a pagar e a receber por vencimento, pagamento, emissão, cliente, categoria, documento ou status, "
    "com o valor em aberto e cada baixa (codigo_baixa, data, valor). Use quando consultar_contas_receber ou "
    "consultar_contas_pagar não têm o filtro. Para somas, prefira relatorio_aging ou titulos_vencidos.",
)
def pesquisar_titulos(
    *,
    lado: Lado = None,
    status: record.Status = None,
    vencimento_de: record.VencimentoDe = None,
    vencimento_ate: record.VencimentoAte = None,
    pagamento_de: PagamentoDe = None,
    pagamento_ate: PagamentoAte = None,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    codigo_cliente: Cliente = None,
    cnpj_cpf: CpfCnpj = None,
    categoria: record.CategoriaDeReceita = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    numero_documento: Annotated[
        str | None, Field(description="Número do documento, exato.", max_length=20, examples=["NF-123"])
    ] = None,
    codigo_titulo: Annotated[Codigo | None, Field(description="Só este título, pelo código no Omie.")] = None,
) -> Fields:
    return {
        "cNatureza": _letter(lado),
        "cStatus": status,
        **between("vencimento", vencimento_de, vencimento_ate, "dDtVencDe", "dDtVencAte"),
        **between("pagamento", pagamento_de, pagamento_ate, "dDtPagtoDe", "dDtPagtoAte"),
        **between("emissao", emissao_de, emissao_ate, "dDtEmisDe", "dDtEmisAte"),
        "nCodCliente": codigo_cliente,
        "cCPFCNPJCliente": cnpj_cpf,
        "cCodCateg": categoria,
        "nCodCC": codigo_conta_corrente,
        "cNumTitulo": numero_documento,
        "nCodTitulo": codigo_titulo,
    }


@family.lists(
    "Listar movimentos financeiros",
    Complexity.INTERMEDIARIA,
    MOVIMENTOS,
    "Lista o que foi pago e recebido (baixas, com codigo_baixa e conciliação), o que passou pelas contas correntes, ou "
    "os títulos. Escolha um `tipo` por vez: somar tipos diferentes conta o mesmo dinheiro duas vezes. Com o "
    "codigo_baixa chame cancelar_pagamento, cancelar_recebimento ou conciliar_recebimento.",
)
def listar_movimentos_financeiros(
    *,
    tipo: Annotated[
        Literal[
            "baixas",
            "recebimentos",
            "pagamentos",
            "conta_corrente",
            "titulos",
            "titulos_a_receber",
            "titulos_a_pagar",
        ],
        Field(description="O que listar."),
    ] = "baixas",
    pagamento_de: PagamentoDe = None,
    pagamento_ate: PagamentoAte = None,
    vencimento_de: record.VencimentoDe = None,
    vencimento_ate: record.VencimentoAte = None,
    status: record.Status = None,
    codigo_cliente: Cliente = None,
    cnpj_cpf: CpfCnpj = None,
    categoria: record.CategoriaDeReceita = None,
    codigo_conta_corrente: record.ContaCorrente = None,
    codigo_lancamento: Annotated[
        Codigo | None, Field(description="Só o deste lançamento de conta corrente, de consultar_extrato.")
    ] = None,
) -> Fields:
    if status is not None and not tipo.startswith("titulos"):
        raise InvalidInput(
            "status: só filtra títulos. Exemplo: tipo=titulos_a_receber, status=ATRASADO.",
            hint="Escolha um tipo de títulos, ou tire o status; nada foi enviado.",
        )
    return {
        "cTpLancamento": _KINDS[tipo],
        "cStatus": status,
        **between("pagamento", pagamento_de, pagamento_ate, "dDtPagtoDe", "dDtPagtoAte"),
        **between("vencimento", vencimento_de, vencimento_ate, "dDtVencDe", "dDtVencAte"),
        "nCodCliente": codigo_cliente,
        "cCPFCNPJCliente": cnpj_cpf,
        "cCodCateg": categoria,
        "nCodCC": codigo_conta_corrente,
        "nCodMovCC": codigo_lancamento,
    }


def _letter(lado: str | None) -> str | None:
    return None if lado is None else next(letter for letter, side in SIDES.items() if side == lado)
