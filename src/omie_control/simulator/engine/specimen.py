"""Made-up values that are true to a type: the same ones each time, in plausible Portuguese, of nobody real."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from omie_control.omie.catalog import Service
from omie_control.simulator.documents import invent_cnpj
from omie_control.simulator.world import Company, Record

if TYPE_CHECKING:
    from omie_control.omie.fields import Field

_DEPTH_MAX = 4
_CITIES = ("São Paulo (SP)", "Curitiba (PR)", "Recife (PE)", "Belo Horizonte (MG)", "Goiânia (GO)")
_PEOPLE = ("Ana Almeida", "Bruno Barros", "Carla Conceição", "Diego Duarte", "Elisa Esteves", "Fábio Ferraz")
# Which table an id of such a name points into.
_TABLES = (
    (re.compile(r"cli|fornec|transp|tomador", re.I), "clientes"),
    (re.compile(r"prod", re.I), "produtos"),
    (re.compile(r"vend", re.I), "vendedores"),
    (re.compile(r"proj", re.I), "projetos"),
    (re.compile(r"CC$|conta_?corrente|IdConta", re.I), "contas_correntes"),
    (re.compile(r"local", re.I), "locais_estoque"),
)
_Text = Callable[[Random, str, int], str]


def _digits(count: int) -> _Text:
    return lambda random, label, number: "".join(random.choices("0123456789", k=count))


def _one_of(*texts: str) -> _Text:
    return lambda random, label, number: random.choice(texts)


_TEXTS: tuple[tuple[re.Pattern[str], _Text], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"(?i)e?-?mail", lambda random, label, number: f"contato{number}@exemplo.com.br"),
        (r"(?i)chave", _digits(44)),
        (r"(?i)cnpj|cpf|^cDoc$", lambda random, label, number: invent_cnpj(random)),
        (r"(?i)link|url", lambda random, label, number: f"https://exemplo.com.br/documento/{number}"),
        (r"(?i)xml", lambda random, label, number: f"<documento><numero>{number}</numero></documento>"),
        (r"^(c?UF|uf|.*[Ee]stado|.*UF)$", _one_of("SP", "PR", "MG", "RJ", "BA")),
        (r"(?i)cidade|munic(?!p)", _one_of(*_CITIES)),
        (r"(?i)cep$", _digits(8)),
        (r"(?i)ddd", _one_of("11", "41", "31", "21")),
        (r"(?i)telefone|celular|fax|NumTel|NumCel", lambda random, label, number: f"9{4000 + number}-{1000 + number}"),
        (r"(?i)bairro", _one_of("Centro", "Jardim América", "Vila Nova")),
        (r"(?i)endere|lograd", _one_of("Rua das Acácias", "Avenida Brasil", "Rua São Bento")),
        (
            r"(?i)^h[A-Z]|hora|^cHr",
            lambda random, label, number: f"{8 + number % 10:02d}:{random.randrange(60):02d}:00",
        ),
        (r"(?i)usu|user|^u[A-Z]|nome$|NomeUser|vendedor$|contato$", _one_of(*_PEOPLE)),
        (
            r"(?i)desc|nome|razao|obs|texto|mensagem|motivo|titulo|label",
            lambda random, label, number: f"{label} {number}",
        ),
        (r"(?i)num|nota|serie|lote|pedido|^n[A-Z]", lambda random, label, number: f"{number:06d}"),
        (r"(?i)cod|id|sigla", lambda random, label, number: f"{number:03d}"),
    )
)


def invent(company: Company, service: Service, type_name: str, random: Random, number: int) -> Record:
    """Return the `number`-th made-up record of a type."""
    return _record(company, service, type_name, random, number, 0)


def label_of(service: Service) -> str:
    """Return how made-up records of a service are called: the last words of its title."""
    words = service.title.rpartition(":")[2].strip()
    return words[:1].upper() + words[1:]


def _record(company: Company, service: Service, type_name: str, random: Random, number: int, depth: int) -> Record:
    made: Record = {}
    for name, field in service.fields(type_name).items():
        if field.is_scalar:
            value = _scalar(company, service, field, random, number)
            made[name] = [value] if field.is_list else value
        elif depth < _DEPTH_MAX:
            part = _record(company, service, field.type, random, number, depth + 1)
            made[name] = [part] if field.is_list else part
    return made


def _scalar(company: Company, service: Service, field: Field, random: Random, number: int) -> str | int | float | bool:
    if field.type == "boolean":
        return random.random() < 0.5
    if field.type == "decimal":
        is_rate = re.search(r"(?i)perc|aliq|^nPer|desc", field.name) is not None
        return round(random.uniform(1, 18 if is_rate else 900), 2)
    if field.type == "integer":
        return _integer(company, field, random, number)
    return _text(company, service, field, random, number)[: field.max_length or 200]


def _integer(company: Company, field: Field, random: Random, number: int) -> int:
    if field.accepted:
        return int(random.choice(field.accepted))
    if not re.search(r"(?i)cod|id", field.name):
        return random.randrange(1, 30)
    noun = next((noun for pattern, noun in _TABLES if pattern.search(field.name)), None)
    rows = list(company.table(noun)) if noun is not None else []
    return random.choice(rows).id if rows else 9_000_000_000 + number


def _text(company: Company, service: Service, field: Field, random: Random, number: int) -> str:
    if field.format == "flag":
        return "S" if random.random() < 0.5 else "N"
    if field.values:
        return random.choice(field.values)
    if field.format == "time":
        return f"{8 + number % 10:02d}:30:00"
    if field.format == "date" or re.match(r"d(?:Dt|t)?[A-Z]|data_|dt[A-Z]", field.name):
        return f"{company.founded_at + timedelta(days=random.randrange(300)):%d/%m/%Y}"
    make = next((make for pattern, make in _TEXTS if pattern.search(field.name)), None)
    return f"{label_of(service)} {number}" if make is None else make(random, label_of(service), number)
