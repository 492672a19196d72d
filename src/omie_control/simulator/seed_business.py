"""What the demo companies sell, owe and own at the beginning: products, categories, accounts, titles.

Titles are dated around the day on which the simulator starts, so that some are late, some due and some to come.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from omie_control.simulator.book import Entry
from omie_control.simulator.families import (
    categorias,
    clientes,
    contas_correntes,
    contas_pagar,
    contas_receber,
    produtos,
)
from omie_control.simulator.families.titulos import Side
from omie_control.simulator.world import Company, Desk, Record, Row

_CATEGORIES = (
    ("1.01", "Receitas de Vendas", True),
    ("1.01.01", "Vendas de Mercadorias", False),
    ("1.01.02", "Serviços Prestados", False),
    ("1.02", "Outras Receitas", True),
    ("1.02.01", "Juros Recebidos", False),
    ("2.01", "Custos", True),
    ("2.01.01", "Compra de Mercadorias", False),
    ("2.01.02", "Fretes", False),
    ("2.02", "Despesas Administrativas", True),
    ("2.02.01", "Aluguel", False),
    ("2.02.02", "Energia Elétrica", False),
    ("2.02.03", "Telefone e Internet", False),
    ("2.03", "Despesas com Pessoal", True),
    ("2.03.01", "Salários", False),
    ("2.03.02", "Encargos Sociais", False),
    ("2.04", "Impostos", True),
    ("2.04.01", "Simples Nacional", False),
)
_ACCOUNTS = (
    ("CC-BANCO", "Banco do Brasil", "CC", "001"),
    ("CC-CAIXA", "Caixinha", "CX", "999"),
    ("CC-OMIE", "Omie.CASH", "CC", "613"),
)
_OPENING = 15_000.0
_GOODS = ("Parafuso", "Broca", "Lâmpada", "Cabo", "Tinta", "Luva", "Válvula", "Rolamento", "Filtro", "Correia")
_SIZES = ("pequeno", "médio", "grande", "reforçado", "profissional", "econômico", "de aço", "de alumínio", "importado")


def open_business(company: Company, random: Random, now: datetime, *, titles: int) -> None:
    """Give a company that has its customers everything else."""
    began_at = now - timedelta(days=300)
    for code, description, is_total in _CATEGORIES:
        record = categorias.new_record(code, description, is_total=is_total)
        company.table(categorias.TABLE).add(record, code, began_at)
    for code, description, kind, bank in _ACCOUNTS:
        fields: Record = {
            "descricao": description,
            "tipo_conta_corrente": kind,
            "codigo_banco": bank,
            "codigo_agencia": "0001",
        }
        fields |= {"numero_conta_corrente": f"{bank}45-6", "saldo_inicial": _OPENING}
        company.table(contas_correntes.NOUN.table).add(contas_correntes.new_record(fields), code, began_at)
    for number in range(len(_GOODS) * len(_SIZES)):
        product = produtos.new_record(_product(random, number))
        company.table(produtos.NOUN.table).add(product, product["codigo"], began_at + timedelta(hours=number))
    for side, letter in ((contas_receber.SIDE, "R"), (contas_pagar.SIDE, "P")):
        _add_titles(company, random, now, side, letter, titles)


def _product(random: Random, number: int) -> Record:
    code = f"PRD-{number + 1:04d}"
    return {
        produtos.NOUN.code_tag: code,
        "codigo": code,
        "descricao": f"{_GOODS[number % len(_GOODS)]} {_SIZES[number // len(_GOODS)]}",
        "unidade": random.choice(("UN", "CX", "PC")),
        "ncm": random.choice(("7318.15.00", "8207.50.11", "8539.52.00", "8544.49.00")),
        "valor_unitario": round(random.uniform(3, 900), 2),
        "descr_detalhada": "Produto inventado para demonstração.",
    }


def _add_titles(company: Company, random: Random, now: datetime, side: Side, letter: str, count: int) -> None:
    customers = [row for row in company.table(clientes.NOUN.table) if row.record["inativo"] == "N"]
    accounts = list(company.table(contas_correntes.NOUN.table))
    codes = ("1.01.01", "1.01.02") if letter == "R" else ("2.01.01", "2.02.01", "2.02.02", "2.04.01")
    for number in range(count):
        due = now + timedelta(days=random.randrange(-90, 60))
        made_at = due - timedelta(days=30)
        title = company.table(side.table).add(
            {
                "codigo_cliente_fornecedor": random.choice(customers).id,
                "data_vencimento": f"{due:%d/%m/%Y}",
                "data_previsao": f"{due:%d/%m/%Y}",
                "data_emissao": f"{made_at:%d/%m/%Y}",
                side.registered_tag: f"{made_at:%d/%m/%Y}",
                "valor_documento": round(random.uniform(50, 9000), 2),
                "codigo_categoria": random.choice(codes),
                "id_conta_corrente": random.choice(accounts).id,
                "numero_documento": f"{number + 1:06d}",
                "numero_parcela": "001/001",
            },
            f"{letter}-{number + 1:05d}",
            min(made_at, now),
        )
        if due < now and random.random() < 0.75:
            _settle(company, side, title, min(due, now))


def _settle(company: Company, side: Side, title: Row, at: datetime) -> None:
    desk = Desk(company, at, Entry(0, at.isoformat(), company.app_key, side.path))
    side.baixar(desk, {"codigo_lancamento": title.id})
