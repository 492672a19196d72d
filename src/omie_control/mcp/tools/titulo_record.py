"""A title as tools take and give it: payables and receivables are one record of Omie, seen from either side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from omie_control.errors import InvalidInput
from omie_control.mcp.tools.parameters import Codigo, Data, Dinheiro, SimNao, Valor
from omie_control.mcp.tools.shapes import Shape, code, days, flag, money, text
from omie_control.mcp.tools.wire import Key, between

# The columns of a list: who the other party is stands between these two, under the side's own name.
NAMED = {
    "codigo_omie": code("codigo_lancamento_omie", "código"),
    "codigo_integracao": text("codigo_lancamento_integracao"),
}
COLUMNS = {
    "documento": text("numero_documento", "documento"),
    "parcela": text("numero_parcela"),
    "emissao": days("data_emissao"),
    "vencimento": days("data_vencimento", "vencimento"),
    "previsao": days("data_previsao"),
    "valor": money("valor_documento", "valor"),
    "status": text("status_titulo", "status"),
    "categoria": text("codigo_categoria", "categoria"),
    "codigo_conta_corrente": code("id_conta_corrente"),
}
CODES = Shape(**NAMED)
SETTLED = Shape(
    codigo_omie=code("codigo_lancamento"),
    codigo_baixa=code("codigo_baixa"),
    codigo_baixa_integracao=text("codigo_baixa_integracao"),
    valor_baixado=money("valor_baixado"),
    liquidado=flag("liquidado"),
)
SETTLEMENT = Shape(codigo_baixa=code("codigo_baixa"), codigo_baixa_integracao=text("codigo_baixa_integracao"))

Status = Annotated[
    Literal["RECEBIDO", "LIQUIDADO", "EMABERTO", "PAGTO_PARCIAL", "VENCEHOJE", "AVENCER", "ATRASADO", "CANCELADO"]
    | None,
    Field(description="Situação do título."),
]
Vencidas = Annotated[SimNao | None, Field(description="true: só as atrasadas.")]
RegistroDe = Annotated[Data | None, Field(description="Registro a partir de.")]
RegistroAte = Annotated[Data | None, Field(description="Registro até.")]
VencimentoDe = Annotated[Data | None, Field(description="Vencimento a partir de.")]
VencimentoAte = Annotated[Data | None, Field(description="Vencimento até.")]
ValorDoTitulo = Annotated[Valor, Field(description="Valor do título em R$.")]
ValorNovo = Annotated[Valor | None, Field(description="Novo valor em R$.")]
Vencimento = Annotated[Data, Field(description="Vencimento.")]
VencimentoNovo = Annotated[Data | None, Field(description="Novo vencimento.")]
Emissao = Annotated[Data | None, Field(description="Emissão do documento.")]
CategoriaDeReceita = Annotated[
    str | None, Field(description="Código da categoria.", max_length=20, examples=["1.01.01"])
]
ContaCorrente = Annotated[Codigo | None, Field(description="Código da conta corrente no Omie.")]
NumeroDocumento = Annotated[str | None, Field(description="Número do documento.", max_length=20, examples=["NF-123"])]
Desconto = Annotated[Dinheiro | None, Field(description="Desconto em R$.")]
Juros = Annotated[Dinheiro | None, Field(description="Juros em R$.")]
Multa = Annotated[Dinheiro | None, Field(description="Multa em R$.")]
CodigoBaixaIntegracao = Annotated[
    str | None, Field(description="Código da baixa em quem integra.", min_length=1, max_length=20, examples=["BX-1"])
]

# A tool's argument and the field that Omie has for it.
_FILTERS = {
    "codigo_fornecedor": "filtrar_cliente",
    "codigo_cliente": "filtrar_cliente",
    "cnpj_cpf": "filtrar_por_cpf_cnpj",
    "codigo_conta_corrente": "filtrar_conta_corrente",
    "codigo_projeto": "filtrar_por_projeto",
    "codigo_vendedor": "filtrar_por_vendedor",
}
_FIELDS = {
    "codigo_fornecedor": "codigo_cliente_fornecedor",
    "codigo_cliente": "codigo_cliente_fornecedor",
    "valor": "valor_documento",
    "vencimento": "data_vencimento",
    "previsao": "data_previsao",
    "categoria": "codigo_categoria",
    "emissao": "data_emissao",
    "codigo_conta_corrente": "id_conta_corrente",
    "codigo_projeto": "codigo_projeto",
    "codigo_vendedor": "codigo_vendedor",
    "numero_documento": "numero_documento",
    "observacao": "observacao",
}
_SETTLING = {
    "codigo_conta_corrente": "codigo_conta_corrente",
    "valor": "valor",
    "data": "data",
    "desconto": "desconto",
    "juros": "juros",
    "multa": "multa",
    "conciliado": "conciliar_documento",
    "observacao": "observacao",
    "codigo_baixa_integracao": "codigo_baixa_integracao",
}


def key(found_with: str) -> Key:
    """Say how a title is named, and which tool finds its code."""
    return Key("codigo_lancamento_omie", "codigo_lancamento_integracao", found_with)


def settlement_key(found_with: str) -> Key:
    """Say how a payment or receipt of a title is named, and what finds its code."""
    words = ("codigo_baixa", "codigo_baixa_integracao")
    return Key(*words, found_with, words)


def filters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Build the filter of a list from a tool's arguments. Raises InvalidInput for those that exclude each other."""
    is_late, status = given["vencidas"], given["status"]
    if is_late and status not in (None, "ATRASADO"):
        raise InvalidInput("vencidas e status não combinam.", hint='Use vencidas=true ou status="ATRASADO", só um.')
    issued, entered = _period(given, "emissao"), _period(given, "registro")
    return _renamed(_FILTERS, given) | issued | entered | {"filtrar_por_status": "ATRASADO" if is_late else status}


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Collect a tool's arguments that say what stands in a title."""
    return _renamed(_FIELDS, given)


def new_title(given: Mapping[str, Any]) -> dict[str, Any]:
    """Collect what a new title needs. It is expected on its due date unless another day is given."""
    own = {"codigo_lancamento_integracao": given["codigo_integracao"]}
    return {**fields(given), **own, "data_previsao": given["previsao"] or given["vencimento"]}


def settling(given: Mapping[str, Any], found_with: str) -> dict[str, Any]:
    """Collect what settles a title, wholly or in part; here Omie has a shorter name for the title's own code."""
    named = Key("codigo_lancamento", "codigo_lancamento_integracao", found_with)
    return named(given["codigo_omie"], given["codigo_integracao"]) | _renamed(_SETTLING, given)


def _renamed(names: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    return {omie: given[ours] for ours, omie in names.items() if ours in given}


def _period(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    words = f"filtrar_por_{name}_de", f"filtrar_por_{name}_ate"
    return between(name, given[f"{name}_de"], given[f"{name}_ate"], *words)
