"""Who sold what before the simulator starts: sellers, projects, the opening stock, orders and their notes.

Invoiced orders stand behind the receivables that are there already, so the titles stay as many as a demo says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from omie_control.simulator.book import Entry
from omie_control.simulator.clock import BRASILIA
from omie_control.simulator.families import clientes, contas_correntes, contas_receber, notas, produtos, stock
from omie_control.simulator.families.estoque import ajustes
from omie_control.simulator.families.vendas import faturamento, pedidos
from omie_control.simulator.families.vendas.orders import INVOICED, INVOICING, NOUN, OPEN_STAGES, move_to
from omie_control.simulator.world import Company, Desk, Record, Row

_SELLERS = ("Marina Esteves", "Paulo Nóbrega", "Inês Duarte", "Heitor Leão", "Carla Ferraz")
_PROJECTS = ("Loja virtual", "Filial do interior", "Campanha de inverno", "Contrato público")
_EVERY_NTH_TITLE = 3


def open_sales(company: Company, random: Random, now: datetime) -> None:
    """Give a company that has customers, products and titles its sellers, stock and orders."""
    began_at = now - timedelta(days=300)
    for number, name in enumerate(_SELLERS, 1):
        first = name.split()[0].lower()
        seller: Record = {
            "nome": name,
            "inativo": "N",
            "email": f"{first}.{number}@exemplo.com.br",
            "fatura_pedido": "S",
        }
        seller |= {"visualiza_pedido": "S", "comissao": float(number)}
        company.table("vendedores").add(seller, f"VEN-{number:02d}", began_at)
    for number, name in enumerate(_PROJECTS, 1):
        company.table("projetos").add({"nome": name, "inativo": "N"}, f"PRJ-{number:02d}", began_at)
    _open_stock(company, random, began_at)
    titles = list(company.table(contas_receber.SIDE.table))
    for title in titles[::_EVERY_NTH_TITLE]:
        made_at = _midday(title.record["data_emissao"])
        if made_at < now:
            _invoiced_order(company, random, title, made_at)
    for _ in range(len(titles) // 5):
        _open_order(company, random, now)


def _open_stock(company: Company, random: Random, at: datetime) -> None:
    places = company.table(stock.PLACES)
    for code, name in (("PADRAO", "Estoque padrão"), ("LOJA", "Estoque da loja")):
        is_first = len(places) == 0
        record = {"codigo": code, "descricao": name, "tipo": "1", "inativo": "N", "padrao": "S" if is_first else "N"}
        places.add(record, "", at)
    desk = Desk(company, at, Entry(0, at.isoformat(), company.app_key, "estoque/ajuste/"))
    for product in company.table(produtos.NOUN.table):
        if random.random() < 0.8:
            cost = round(product.record["valor_unitario"] * random.uniform(0.4, 0.7), 2)
            quantity = float(random.randrange(20, 300))
            place = stock.default_place(company)
            opening = {"id_prod": product.id, "codigo_local_estoque": place, "data": f"{at:%d/%m/%Y}", "tipo": "ENT"}
            opening |= {"quan": quantity, "valor": cost, "obs": "Saldo inicial", "origem": "AJU", "motivo": "INI"}
            ajustes.incluir(desk, opening)


def _invoiced_order(company: Company, random: Random, title: Row, at: datetime) -> None:
    """Make the order that a receivable came from: its items add up to the title's value."""
    record = title.record
    desk = Desk(company, at, Entry(0, at.isoformat(), company.app_key, pedidos.PATH))
    cents = round(record["valor_documento"] * 100)
    count = next(each for each in (12, 10, 8, 6, 5, 4, 3, 2, 1) if cents % each == 0)
    row = _order(
        desk,
        random,
        customer=record["codigo_cliente_fornecedor"],
        items=[(_some_product(company, random), float(count), cents // count / 100)],
        category=record["codigo_categoria"],
        account=record["id_conta_corrente"],
        stage=INVOICING,
    )
    note = notas.invoice(desk, row, with_titles=False)
    note.record["titles"] = [title.id]
    move_to(desk, row, INVOICED, invoiced_at=at, note=note.id)
    seller = row.record["informacoes_adicionais"]["codVend"]
    record |= notas.origin(row, note) | {"codigo_vendedor": seller, "numero_documento": note.record["number"]}


def _open_order(company: Company, random: Random, now: datetime) -> None:
    at = now - timedelta(days=random.randrange(1, 45), minutes=random.randrange(600))
    desk = Desk(company, at, Entry(0, at.isoformat(), company.app_key, pedidos.PATH))
    customers = [row for row in company.table(clientes.NOUN.table) if row.record["inativo"] == "N"]
    items = []
    for _ in range(random.randrange(1, 5)):
        product = _some_product(company, random)
        items.append((product, float(random.randrange(1, 20)), product.record["valor_unitario"]))
    row = _order(
        desk,
        random,
        customer=random.choice(customers).id,
        items=items,
        category="1.01.01",
        account=next(iter(company.table(contas_correntes.NOUN.table))).id,
        stage=random.choice(OPEN_STAGES),
    )
    if random.random() < 0.15:
        faturamento.cancelar(desk, {"nCodPed": row.id})


def _order(
    desk: Desk,
    random: Random,
    *,
    customer: int,
    items: list[tuple[Row, float, float]],
    category: str,
    account: int,
    stage: str,
) -> Row:
    code = f"PED-{len(desk.company.table(NOUN.table)) + 1:05d}"
    sellers = list(desk.company.table("vendedores"))
    param: Record = {
        "cabecalho": {
            NOUN.code_tag: code,
            "codigo_cliente": customer,
            "data_previsao": f"{desk.now + timedelta(days=7):%d/%m/%Y}",
            "etapa": stage,
            "codigo_parcela": random.choice(("000", "001", "002", "003", "A15")),
        },
        "informacoes_adicionais": {
            "codigo_categoria": category,
            "codigo_conta_corrente": account,
            "codVend": random.choice(sellers).id,
            "consumidor_final": "N",
            "enviar_email": "N",
        },
        "det": [
            {
                "ide": {"codigo_item_integracao": f"{code}-{number}"},
                "produto": {"codigo_produto": product.id, "quantidade": quantity, "valor_unitario": price},
            }
            for number, (product, quantity, price) in enumerate(items, 1)
        ],
    }
    made = pedidos.incluir(desk, param)
    row = desk.company.table(NOUN.table).get(made[NOUN.id_tag])
    assert row is not None
    return row


def _some_product(company: Company, random: Random) -> Row:
    return random.choice(list(company.table(produtos.NOUN.table)))


def _midday(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y").replace(hour=12, tzinfo=BRASILIA)
