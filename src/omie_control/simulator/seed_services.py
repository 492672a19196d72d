"""Which services were sold before the simulator starts: open work orders, and invoiced ones with their notes.

As with goods, invoiced orders stand behind receivables that are there already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from omie_control.simulator.book import Entry
from omie_control.simulator.clock import BRASILIA
from omie_control.simulator.families import cadastros, clientes, contas_correntes, contas_receber
from omie_control.simulator.families.servicos import notas_servico, os
from omie_control.simulator.families.servicos.orders import INVOICED, INVOICING, NOUN, STAGES, move_to
from omie_control.simulator.world import Company, Desk, Record, Row

_EVERY_NTH_TITLE = 6


def open_services(company: Company, random: Random, now: datetime) -> None:
    """Give a company that has customers, titles and sellers its work orders."""
    services = list(company.table(cadastros.SERVICOS.table))
    customers = [row for row in company.table(clientes.NOUN.table) if row.record["inativo"] == "N"]
    account = next(iter(company.table(contas_correntes.NOUN.table))).id
    titles = list(company.table(contas_receber.SIDE.table))
    # One after those of the goods, so that no title has two origins.
    for title in titles[1::_EVERY_NTH_TITLE]:
        made_at = datetime.strptime(title.record["data_emissao"], "%d/%m/%Y").replace(hour=12, tzinfo=BRASILIA)
        if made_at < now:
            _invoiced(company, random, random.choice(services), title, made_at)
    for _ in range(len(titles) // 15):
        at = now - timedelta(days=random.randrange(1, 40))
        service = random.choice(services)
        price = service.record["cabecalho"]["nPrecoUnit"]
        line = {"nCodServico": service.id, "nQtde": float(random.randrange(1, 6)), "nValUnit": price}
        head = {"nCodCli": random.choice(customers).id, "cEtapa": random.choice(STAGES)}
        _order(_desk(company, at), random, head, line, category="1.01.02", account=account)


def _invoiced(company: Company, random: Random, service: Row, title: Row, at: datetime) -> None:
    record = title.record
    desk = _desk(company, at)
    line = {"nCodServico": service.id, "nQtde": 1.0, "nValUnit": record["valor_documento"]}
    head = {"nCodCli": record["codigo_cliente_fornecedor"], "cEtapa": INVOICING}
    row = _order(desk, random, head, line, category=record["codigo_categoria"], account=record["id_conta_corrente"])
    note = notas_servico.invoice(desk, row, title=title)
    move_to(desk, row, INVOICED, invoiced_at=at, note=note.id)
    number = note.record["number"]
    record |= {"nCodOS": row.id, "numero_documento_fiscal": number, "numero_documento": number, "id_origem": "VENR"}


def _order(desk: Desk, random: Random, head: Record, line: Record, *, category: str, account: int) -> Row:
    sellers = list(desk.company.table("vendedores"))
    made = os.incluir(
        desk,
        {
            "Cabecalho": {
                "cCodIntOS": f"OS-{len(desk.company.table(NOUN.table)) + 1:05d}",
                "dDtPrevisao": f"{desk.now + timedelta(days=5):%d/%m/%Y}",
                "cCodParc": random.choice(("000", "001", "002")),
                "nCodVend": random.choice(sellers).id,
                **head,
            },
            "InformacoesAdicionais": {"cCodCateg": category, "nCodCC": account},
            "ServicosPrestados": [line],
        },
    )
    row = desk.company.table(NOUN.table).get(made["nCodOS"])
    assert row is not None
    return row


def _desk(company: Company, at: datetime) -> Desk:
    return Desk(company, at, Entry(0, at.isoformat(), company.app_key, os.PATH))
