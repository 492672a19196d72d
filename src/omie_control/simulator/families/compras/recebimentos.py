"""produtos/recebimentonfe: suppliers' notes on their way in; concluding one owes the money and takes the goods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.engine.projection import deep_merge
from omie_control.simulator.engine.shelf import Handler, Shelf, status_of
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_correntes, produtos
from omie_control.simulator.families.compras.entradas import Goods, owe, receive, take_back_titles
from omie_control.simulator.families.lists import page_of, touched, within
from omie_control.simulator.families.records import require
from omie_control.simulator.world import Company, Desk, Record, Row

_OPEN, _DONE = "40", "60"


def _seeds(company: Company) -> Iterable[tuple[str, Record]]:
    suppliers = [row for row in company.table(clientes.NOUN.table) if {"tag": "Fornecedor"} in row.record["tags"]]
    goods = list(company.table(produtos.NOUN.table))
    account = next(iter(company.table(contas_correntes.NOUN.table))).id
    for number, supplier in enumerate(suppliers[:8], 1):
        product = goods[number * 11 % len(goods)]
        cost = round(product.record["valor_unitario"] * 0.6, 2)
        total = round(cost * 12, 2)
        day = company.founded_at + timedelta(days=260 + 4 * number)
        yield (
            "",
            {
                "cabec": {
                    "nIdFornecedor": supplier.id,
                    "cNome": supplier.record["nome_fantasia"],
                    "cRazaoSocial": supplier.record["razao_social"],
                    "cCNPJ_CPF": supplier.record["cnpj_cpf"],
                    "cChaveNfe": f"{35260000000000 + number:044d}",
                    "cEtapa": _OPEN,
                    "cNumeroNFe": f"{1000 + number:08d}",
                    "cSerieNFe": "1",
                    "cModeloNFe": "55",
                    "dEmissaoNFe": f"{day:%d/%m/%Y}",
                    "nValorNFe": total,
                },
                "itensRecebimento": [
                    {
                        "itensCabec": {
                            "nIdItem": 9_400_000_000 + number,
                            "nSequencia": 1,
                            "nIdProduto": product.id,
                            "cCodigoProduto": product.record["codigo"],
                            "cDescricaoProduto": product.record["descricao"],
                            "nQtdeNFe": 12.0,
                            "nPrecoUnit": cost,
                            "vTotalItem": total,
                        }
                    }
                ],
                "infoAdicionais": {"cCategCompra": "2.01.01", "nIdConta": account, "dRegistro": f"{day:%d/%m/%Y}"},
                "parcelas": {"cCodParcela": "001", "nQtdParcela": 1},
                "totais": {"vTotalProdutos": total, "vTotalNFe": total},
                "infoCadastro": {"cRecebido": "N", "cFaturado": "N", "cCancelada": "N", "cBloqueado": "N"},
            },
        )


RECEBIMENTOS = Shelf(
    "produtos/recebimentonfe/", "recebimentos", "Recebimento", "nIdReceb", seeds=_seeds, unknown_id="Client-105"
)
PATH = RECEBIMENTOS.path


def find(desk: Desk, param: Record) -> Row:
    """Return what is received by id or by the note's access key, or refuse."""
    key: Record = param.get("ide", param)
    chave = key.get("cChaveNfe")
    if key.get("nIdReceb") or not chave:
        return RECEBIMENTOS.find(desk, {"nIdReceb": key.get("nIdReceb")})
    for row in desk.company.table(RECEBIMENTOS.table):
        if row.record["cabec"]["cChaveNfe"] == chave:
            return row
    raise Refusal("Client-105", f"ERROR: Recebimento não cadastrado para o Código [{chave}] !")


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarRecebimentos."""
    method = catalog().method(PATH, "ListarRecebimentos")
    rows = [
        row
        for row in desk.company.table(RECEBIMENTOS.table)
        if touched(param, row)
        and within(param, "dtAltDe", "dtAltAte", f"{row.changed_at:%d/%m/%Y}")
        and within(param, "dtEmissaoDe", "dtEmissaoAte", row.record["cabec"]["dEmissaoNFe"])
        and param.get("nIdFornecedor") in (None, 0, row.record["cabec"]["nIdFornecedor"])
        and param.get("cEtapa") in (None, "", row.record["cabec"]["cEtapa"])
    ]
    return page_of(method, param, rows, lambda row: RECEBIMENTOS.shown(method, "recebimentos", row))


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarRecebimento."""
    method = catalog().method(PATH, "ConsultarRecebimento")
    return RECEBIMENTOS.shown(method, method.response_type, find(desk, param))


def alterar(call: str) -> Handler:
    """Change what is received, before it is concluded or of what little may change after."""

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = find(desk, param)
        if call == "AlterarRecebimento":
            _refuse_done(row)
        parts = {tag: value for tag, value in param.items() if tag in row.record}
        condition = param.get("parcelasEditar", {}).get("cCodParcela")
        if condition:
            parts["parcelas"] = {"cCodParcela": condition}
        desk.change(RECEBIMENTOS.table, row, deep_merge(row.record, parts))
        return _status(call, row, "Recebimento alterado com sucesso!")

    return handle


def alterar_etapa(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarEtapaRecebimento."""
    require(param, "cEtapa")
    row = find(desk, param)
    _refuse_done(row)
    desk.change(RECEBIMENTOS.table, row, {"cabec": row.record["cabec"] | {"cEtapa": param["cEtapa"]}})
    return _status("AlterarEtapaRecebimento", row, "Etapa do recebimento alterada com sucesso!")


def concluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ConcluirRecebimento: payables by instalment, and the goods into the stock."""
    row = find(desk, param)
    _refuse_done(row)
    head, more = row.record["cabec"], row.record["infoAdicionais"]
    document = head["cNumeroNFe"]
    ids = owe(
        desk,
        supplier=head["nIdFornecedor"],
        total=head["nValorNFe"],
        since=head["dEmissaoNFe"],
        condition=row.record["parcelas"]["cCodParcela"],
        category=more.get("cCategCompra", ""),
        account=more.get("nIdConta", 0),
        document=document,
    )
    receive(desk, _goods(row), origin="COM", document=document, supplier=head["nIdFornecedor"])
    marks = row.record["infoCadastro"] | {"cRecebido": "S", "dRec": f"{desk.now:%d/%m/%Y}"}
    desk.change(RECEBIMENTOS.table, row, {"cabec": head | {"cEtapa": _DONE}, "infoCadastro": marks, "titles": ids})
    return _status("ConcluirRecebimento", row, "Recebimento concluído com sucesso!")


def reverter(desk: Desk, param: Record) -> dict[str, Any]:
    """ReverterRecebimento: undoes the conclusion, unless something of it is paid."""
    row = find(desk, param)
    head = row.record["cabec"]
    if head["cEtapa"] != _DONE:
        raise Refusal("Client-101", "ERROR: O recebimento não está concluído!")
    if not take_back_titles(desk, row.record.get("titles", [])):
        raise Refusal("Client-101", "ERROR: O recebimento possui títulos com baixa e não pode ser revertido!")
    receive(desk, _goods(row), origin="COM", document=head["cNumeroNFe"], supplier=head["nIdFornecedor"], sign=-1)
    marks = row.record["infoCadastro"] | {"cRecebido": "N"}
    desk.change(RECEBIMENTOS.table, row, {"cabec": head | {"cEtapa": _OPEN}, "infoCadastro": marks, "titles": []})
    return _status("ReverterRecebimento", row, "Recebimento revertido com sucesso!")


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirRecebimento."""
    row = find(desk, param)
    _refuse_done(row)
    desk.remove(RECEBIMENTOS.table, row)
    return _status("ExcluirRecebimento", row, "Recebimento excluído com sucesso!")


HANDLERS: Mapping[str, Handler] = {
    "ListarRecebimentos": listar,
    "ConsultarRecebimento": consultar,
    "AlterarRecebimento": alterar("AlterarRecebimento"),
    "AlterarRecebimentoConcluido": alterar("AlterarRecebimentoConcluido"),
    "AlterarEtapaRecebimento": alterar_etapa,
    "ConcluirRecebimento": concluir,
    "ReverterRecebimento": reverter,
    "ExcluirRecebimento": excluir,
}


def _goods(row: Row) -> list[Goods]:
    lines = (each["itensCabec"] for each in row.record["itensRecebimento"])
    return [Goods(line["nIdProduto"], line["nQtdeNFe"], line["nPrecoUnit"]) for line in lines]


def _refuse_done(row: Row) -> None:
    if row.record["cabec"]["cEtapa"] == _DONE:
        raise Refusal("Client-101", "ERROR: O recebimento já está concluído!")


def _status(call: str, row: Row, text: str) -> dict[str, Any]:
    return {"nIdReceb": row.id} | status_of(catalog().method(PATH, call), text)
