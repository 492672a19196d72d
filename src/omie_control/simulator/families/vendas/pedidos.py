"""produtos/pedido: sales orders and quotes; a quote is an order at stage 00."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, notas, produtos
from omie_control.simulator.families.lists import page, touched, within
from omie_control.simulator.families.records import require
from omie_control.simulator.families.vendas.orders import (
    NOUN,
    RETURNED,
    change,
    find,
    full,
    move_to,
    new_record,
    refuse_bad_stage,
    refuse_closed,
    value_of,
)
from omie_control.simulator.world import Desk, Record, Row

PATH = "produtos/pedido/"
_NEEDED_BY_TAXES = "codigo_cenario_impostos_item"


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirPedido."""
    code = str(param.get("cabecalho", {}).get(NOUN.code_tag) or "")
    NOUN.refuse_known_code(desk, code)
    return _status(desk.add(NOUN.table, new_record(desk, param), code), "cadastrado")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarPedidoVenda."""
    row = find(desk, param.get("cabecalho", {}))
    change(desk, row, param)
    return _status(row, "alterado")


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarPedido."""
    return {"pedido_venda_produto": full(find(desk, param))}


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarPedidos."""
    rows = [row for row in desk.company.table(NOUN.table) if _passes(row, param)]
    is_short = param.get("apenas_resumo") == "S"
    method = catalog().method(PATH, "ListarPedidos")
    return page(method, param, rows, lambda row: _shown(row, is_short=is_short))


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirPedido."""
    row = find(desk, param)
    if row.record["invoiced_at"] is not None:
        raise Refusal(
            "Client-101", f"ERROR: O pedido [{row.record['number']}] já foi faturado e não pode ser excluído!"
        )
    desk.remove(NOUN.table, row)
    return _status(row, "excluído")


def status(desk: Desk, param: Record) -> dict[str, Any]:
    """StatusPedido."""
    row = find(desk, param)
    record = row.record
    note = desk.company.table(notas.TABLE).get(record["note"])
    return {
        NOUN.id_tag: row.id,
        NOUN.code_tag: row.code,
        "numero_pedido": record["number"],
        "etapa": record["cabecalho"]["etapa"],
        "cancelada": "N" if record["cancelled_at"] is None else "S",
        "faturada": "N" if record["invoiced_at"] is None else "S",
        "ambiente": "P",
        "valor_total_pedido": value_of(row),
        "ListaNfe": [] if note is None else [notas.status(note)],
    }


def trocar_etapa(desk: Desk, param: Record) -> dict[str, Any]:
    """TrocarEtapaPedido."""
    require(param, "etapa")
    row = find(desk, param)
    refuse_closed(row)
    refuse_bad_stage(param["etapa"])
    move_to(desk, row, param["etapa"])
    return _status(row, "alterado")


def alterar_faturado(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarPedFaturado: what may still change of an invoiced order, its delivery and its remarks."""
    row = find(desk, param)
    if row.record["invoiced_at"] is None:
        raise Refusal("Client-101", f"ERROR: O pedido [{row.record['number']}] ainda não foi faturado!")
    tags = ("codigo_rastreio", "link_rastreio", "previsao_entrega")
    freight = {tag: param[tag] for tag in tags if param.get(tag)}
    remarks = {"obs_venda": param["obs_venda"]} if param.get("obs_venda") else {}
    fields = {
        "frete": row.record.get("frete", {}) | freight,
        "observacoes": row.record.get("observacoes", {}) | remarks,
    }
    desk.change(NOUN.table, row, fields)
    return _status(row, "alterado")


def devolver(desk: Desk, param: Record) -> dict[str, Any]:
    """DevolverPedido: the goods come back to the stock, in whole or as the item that is named."""
    row = find(desk, param)
    record = row.record
    if record["invoiced_at"] is None or record["cancelled_at"] is not None or record["returned_at"] is not None:
        raise Refusal("Client-101", f"ERROR: O pedido [{record['number']}] não pode ser devolvido!")
    returned = notas.take_back(desk, row, param.get("itens"))
    move_to(desk, row, RETURNED, returned_at=desk.now)
    return {"cCodStatus": "0", "cDesStatus": "Pedido devolvido com sucesso!", "nIdDevolucao": returned}


def simular_impostos(desk: Desk, param: Record) -> dict[str, Any]:
    """SimularImpostos: needs a tax scenario an item, although the documentation calls it optional."""
    customer = clientes.NOUN.find(
        desk,
        {
            clientes.NOUN.id_tag: param.get("codigo_cliente"),
            clientes.NOUN.code_tag: param.get("codigo_cliente_integracao"),
        },
    )
    require(param, "det_simul")
    return {
        "codigo_cliente": customer.id,
        "codigo_cliente_integracao": customer.code,
        "consumidor_final": param.get("consumidor_final", "S"),
        "det_simul_resp": [_simulated(desk, item) for item in param["det_simul"]],
    }


HANDLERS = {
    "IncluirPedido": incluir,
    "AlterarPedidoVenda": alterar,
    "ConsultarPedido": consultar,
    "ListarPedidos": listar,
    "ExcluirPedido": excluir,
    "StatusPedido": status,
    "TrocarEtapaPedido": trocar_etapa,
    "AlterarPedFaturado": alterar_faturado,
    "DevolverPedido": devolver,
    "SimularImpostos": simular_impostos,
}


def _status(row: Row, done: str) -> dict[str, Any]:
    return {**NOUN.status(row, done), "numero_pedido": row.record["number"]}


def _shown(row: Row, *, is_short: bool) -> Record:
    shown = full(row)
    return {tag: part for tag, part in shown.items() if tag not in ("det", "lista_parcelas")} if is_short else shown


def _passes(row: Row, param: Record) -> bool:
    record, head, more = row.record, row.record["cabecalho"], row.record["informacoes_adicionais"]
    ids = (
        ("filtrar_por_cliente", head["codigo_cliente"]),
        ("filtrar_por_vendedor", more.get("codVend")),
        ("filtrar_por_projeto", more.get("codProj")),
        ("etapa", head["etapa"]),
    )
    number = int(record["number"])
    return (
        all(not param.get(tag) or param[tag] == own for tag, own in ids)
        and number >= (param.get("numero_pedido_de") or 0)
        and (not param.get("numero_pedido_ate") or number <= param["numero_pedido_ate"])
        and touched(param, row)
        and _is_so(row, str(param.get("status_pedido") or "").upper())
        and within(param, "data_previsao_de", "data_previsao_ate", head["data_previsao"])
        and within(param, "data_emissao_de", "data_emissao_ate", f"{row.created_at:%d/%m/%Y}")
        and within(param, "data_faturamento_de", "data_faturamento_ate", _date(record["invoiced_at"]))
        and within(param, "data_cancelamento_de", "data_cancelamento_ate", _date(record["cancelled_at"]))
    )


def _is_so(row: Row, wanted: str) -> bool:
    record = row.record
    judged = {
        "CANCELADO": record["cancelled_at"] is not None,
        "FATURADO": record["invoiced_at"] is not None,
        "AUTORIZADO": record["invoiced_at"] is not None,
        "DEVOLVIDO": record["returned_at"] is not None,
    }
    return not wanted or judged.get(wanted, False)


def _date(at: Any) -> str:
    return "" if at is None else f"{at:%d/%m/%Y}"


def _simulated(desk: Desk, item: Record) -> Record:
    if not item.get(_NEEDED_BY_TAXES):
        raise Refusal("Client-9090", f"ERROR: O preenchimento da tag [{_NEEDED_BY_TAXES}] é obrigatório!")
    given: Record = item.get("produto_simul", {})
    product = produtos.find(desk, given)
    quantity, price = float(given.get("quantidade") or 0), float(given.get("valor_unitario") or 0)
    base = round(quantity * price - float(given.get("valor_desconto") or 0), 2)
    shown = {tag: value for tag, value in given.items() if value not in (None, "")}
    return {
        _NEEDED_BY_TAXES: item[_NEEDED_BY_TAXES],
        "produto_simul_resp": {
            **shown,
            "codigo_produto": product.id,
            "codigo_produto_integracao": product.code,
            "valor_total": base,
            "cfop": "5.102",
        },
        "imposto": {
            "icms_sn": {"cod_sit_trib_icms_sn": "102", "origem_icms_sn": "0"},
            "pis_padrao": {"cod_sit_trib_pis": "49", "base_pis": base, "aliq_pis": 0.0, "valor_pis": 0.0},
            "cofins_padrao": {
                "cod_sit_trib_cofins": "49",
                "base_cofins": base,
                "aliq_cofins": 0.0,
                "valor_cofins": 0.0,
            },
        },
    }
