"""produtos/pedidovenda: the same orders by a flatter form, and one item at a time."""

from __future__ import annotations

from typing import Any

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.records import require
from omie_control.simulator.families.vendas import itens
from omie_control.simulator.families.vendas.orders import NOUN, find, new_record, refuse_closed
from omie_control.simulator.world import Desk, Record, Row

PATH = "produtos/pedidovenda/"
_HEAD = ("codigo_pedido_integracao", "codigo_cliente", "codigo_cliente_integracao", "data_previsao", "etapa",
         "codigo_parcela", "origem_pedido", "codigo_cenario_impostos")  # fmt: skip
_MORE = ("codigo_categoria", "codigo_conta_corrente", "numero_pedido_cliente", "numero_contrato", "contato",
         "consumidor_final", "utilizar_emails", "enviar_email", "enviar_pix", "codVend", "codProj",
         "dados_adicionais_nf")  # fmt: skip
_INTO_MORE = ("codigo_local_estoque", "codigo_cenario_impostos_item", "numero_pedido_compra", "item_pedido_compra",
              "dados_adicionais_item", "nao_movimentar_estoque", "nao_gerar_financeiro", "nao_somar_total",
              "codigo_categoria_item")  # fmt: skip
_PRODUCT = ("codigo_produto", "quantidade", "cfop", "valor_unitario", "tipo_desconto", "percentual_desconto",
            "valor_desconto", "codigo_tabela_preco")  # fmt: skip


def adicionar(desk: Desk, param: Record) -> dict[str, Any]:
    """AdicionarPedido: an order whose fields all lie side by side."""
    require(param, *_HEAD[:1], "itens")
    code = param["codigo_pedido_integracao"]
    NOUN.refuse_known_code(desk, code)
    given = {
        "cabecalho": _some(param, _HEAD),
        "informacoes_adicionais": _some(param, _MORE),
        "det": [_item(item, f"{code}-{number}") for number, item in enumerate(param["itens"], 1)],
    }
    row = desk.add(NOUN.table, new_record(desk, given), code)
    return _status(row, "Pedido cadastrado com sucesso!") | {"numero_pedido": row.record["number"]}


def incluir_item(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirItemPedido."""
    row = _open(desk, param)
    item = itens.build(desk, _item(param, param.get("codigo_item_integracao", "")))
    desk.change(NOUN.table, row, {"det": [*row.record["det"], item]})
    return _status(row, "Item cadastrado com sucesso!") | _key(item)


def alterar_item(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarItemPedido."""
    row = _open(desk, param)
    item = _known(row, param)
    given = _item(param, item["ide"].get("codigo_item_integracao", ""))
    given["ide"] = {**item["ide"], "acao_item": "A"}
    desk.change(NOUN.table, row, {"det": itens.merge(desk, row.record["det"], [given])})
    return _status(row, "Item alterado com sucesso!") | _key(item)


def excluir_item(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirItemPedido."""
    row = _open(desk, param)
    item = _known(row, param)
    desk.change(NOUN.table, row, {"det": [each for each in row.record["det"] if each is not item]})
    return _status(row, "Item excluído com sucesso!") | _key(item)


def excluir_itens(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirItensPedido."""
    row = _open(desk, param)
    desk.change(NOUN.table, row, {"det": []})
    return _status(row, "Itens excluídos com sucesso!")


def totalizar(desk: Desk, param: Record) -> dict[str, Any]:
    """TotalizarPedido: ours always are."""
    row = _open(desk, param)
    desk.change(NOUN.table, row, {})
    return _status(row, "Pedido totalizado com sucesso!")


HANDLERS = {
    "AdicionarPedido": adicionar,
    "IncluirItemPedido": incluir_item,
    "AlterarItemPedido": alterar_item,
    "ExcluirItemPedido": excluir_item,
    "ExcluirItensPedido": excluir_itens,
    "TotalizarPedido": totalizar,
}


def _open(desk: Desk, param: Record) -> Row:
    row = find(desk, {"codigo_pedido": param.get("codigo_pedido")})
    refuse_closed(row)
    return row


def _known(row: Row, param: Record) -> Record:
    require({"codigo_item": param.get("codigo_item") or param.get("codigo_item_integracao")}, "codigo_item")
    item: Record | None = next((each for each in row.record["det"] if itens.is_same(each, param)), None)
    if item is None:
        wanted = param.get("codigo_item") or param.get("codigo_item_integracao")
        raise Refusal("Client-105", f"ERROR: Item não cadastrado para o Código [{wanted}] !")
    return item


def _item(flat: Record, code: str) -> Record:
    item: Record = {"ide": {"codigo_item_integracao": code}, "produto": _some(flat, _PRODUCT)}
    more = _some(flat, _INTO_MORE)
    if more:
        item["inf_adic"] = more
    if flat.get("obs_item"):
        item["observacao"] = {"obs_item": flat["obs_item"]}
    return item


def _some(record: Record, tags: tuple[str, ...]) -> Record:
    return {tag: record[tag] for tag in tags if record.get(tag) not in (None, "")}


def _key(item: Record) -> Record:
    ide = item["ide"]
    return {"codigo_item": ide["codigo_item"], "codigo_item_integracao": ide.get("codigo_item_integracao", "")}


def _status(row: Row, text: str) -> dict[str, Any]:
    return {"codigo_pedido": row.id, "codigo_status": "0", "descricao_status": text}
