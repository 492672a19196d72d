"""The simulated world at its beginning: two demo companies and customers who do not exist.

The same seed always gives the same people, documents and ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from omie_control.simulator.clock import BRASILIA
from omie_control.simulator.documents import invent_cnpj, invent_cpf
from omie_control.simulator.families.clientes import NOUN, new_record
from omie_control.simulator.seed_business import open_business
from omie_control.simulator.seed_sales import open_sales
from omie_control.simulator.seed_services import open_services
from omie_control.simulator.world import Company, Record


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A company that exists only here. Its pair opens nothing real."""

    slug: str
    name: str
    app_key: str
    app_secret: str
    customers: int
    titles: int
    first_id: int


DEMO_COMPANIES: tuple[DemoCompany, ...] = (
    DemoCompany("demo-comercio", "Demo Comércio Ltda", "9990000000001", "demo" * 7 + "0001", 137, 180, 5_500_000_001),
    DemoCompany("demo-servicos", "Demo Serviços S.A.", "9990000000002", "demo" * 7 + "0002", 61, 40, 6_600_000_001),
)

_BEGAN_AT = datetime(2026, 1, 5, 8, 0, tzinfo=BRASILIA)
_FIRST = (
    "Ana",
    "Bruno",
    "Carla",
    "Diego",
    "Elisa",
    "Fábio",
    "Gabriela",
    "Heitor",
    "Inês",
    "João",
    "Kátia",
    "Luís",
    "Marina",
    "Nelson",
    "Olívia",
    "Paulo",
)
_LAST = (
    "Almeida",
    "Barros",
    "Conceição",
    "Duarte",
    "Esteves",
    "Ferraz",
    "Gonçalves",
    "Hipólito",
    "Leão",
    "Magalhães",
    "Nóbrega",
    "Queirós",
)
_TRADES = (
    "Padaria",
    "Mercado",
    "Auto Peças",
    "Farmácia",
    "Construtora",
    "Transportes",
    "Gráfica",
    "Papelaria",
    "Metalúrgica",
    "Confecções",
    "Laticínios",
    "Tecnologia",
)
_NAMES = (
    "Sol Nascente",
    "Boa Vista",
    "São Jorge",
    "Araucária",
    "Ipê Amarelo",
    "Três Irmãos",
    "Horizonte",
    "Serra Azul",
    "Jacarandá",
)
_FORMS = ("Ltda", "S.A.", "ME", "EPP")
_PLACES = (
    ("SP", "São Paulo (SP)", "01310-100", "11"),
    ("RJ", "Rio de Janeiro (RJ)", "20040-002", "21"),
    ("MG", "Belo Horizonte (MG)", "30130-010", "31"),
    ("PR", "Curitiba (PR)", "80010-000", "41"),
    ("RS", "Porto Alegre (RS)", "90010-150", "51"),
    ("BA", "Salvador (BA)", "40020-000", "71"),
    ("PE", "Recife (PE)", "50010-000", "81"),
    ("CE", "Fortaleza (CE)", "60010-000", "85"),
    ("SC", "Florianópolis (SC)", "88010-000", "48"),
    ("GO", "Goiânia (GO)", "74010-010", "62"),
)
_STREETS = ("Rua das Acácias", "Avenida Brasil", "Rua Sete de Setembro", "Travessa do Comércio", "Rua São Bento")


def found(companies: Sequence[DemoCompany], seed: int, now: datetime) -> Iterator[Company]:
    """Build each company with everything it has at the beginning."""
    for demo in companies:
        # Repeatable, not secret: these people do not exist.
        random = Random(f"{seed}:{demo.app_key}")  # noqa: S311
        founded_at = now - timedelta(days=300)
        company = Company(demo.app_key, demo.app_secret, demo.name, count(demo.first_id), seed, founded_at)
        for number in range(demo.customers):
            _add_customer(company, random, number)
        open_business(company, random, now, titles=demo.titles)
        open_sales(company, random, now)
        open_services(company, random, now)
        yield company


def _add_customer(company: Company, random: Random, number: int) -> None:
    at = _BEGAN_AT + timedelta(hours=number * 5, minutes=random.randrange(60))
    customer = _person(random) if random.random() < 0.35 else _firm(random)
    # As in real companies, not everybody was made through the API.
    code = f"CLI-{number + 1:04d}" if random.random() < 0.8 else ""
    company.table(NOUN.table).add(new_record(customer | _contact(random)), code, at)


def _person(random: Random) -> Record:
    name = f"{random.choice(_FIRST)} {random.choice(_LAST)} {random.choice(_LAST)}"
    return {"razao_social": name, "nome_fantasia": name, "cnpj_cpf": invent_cpf(random), "tags": [{"tag": "Cliente"}]}


def _firm(random: Random) -> Record:
    short = f"{random.choice(_TRADES)} {random.choice(_NAMES)}"
    tags = random.choice((["Cliente"], ["Fornecedor"], ["Cliente", "Fornecedor"], ["Transportadora"]))
    return {
        "razao_social": f"{short} {random.choice(_FORMS)}",
        "nome_fantasia": short,
        "cnpj_cpf": invent_cnpj(random, has_letters=random.random() < 0.2),
        "inscricao_estadual": str(random.randrange(10**8, 10**9)),
        "contribuinte": "S",
        "tags": [{"tag": tag} for tag in tags],
    }


def _contact(random: Random) -> Record:
    state, city, cep, ddd = random.choice(_PLACES)
    return {
        "endereco": random.choice(_STREETS),
        "endereco_numero": str(random.randrange(1, 2500)),
        "bairro": "Centro",
        "estado": state,
        "cidade": city,
        "cep": cep,
        "telefone1_ddd": ddd,
        "telefone1_numero": f"9{random.randrange(1000, 9999)}-{random.randrange(1000, 9999)}",
        "email": f"contato{random.randrange(1000, 9999)}@exemplo.com.br",
        "inativo": "S" if random.random() < 0.07 else "N",
        "valor_limite_credito": random.randrange(0, 50) * 1000.0,
    }
