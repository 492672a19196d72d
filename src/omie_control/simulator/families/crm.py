"""CRM: accounts, contacts, opportunities and tasks, and the small tables they point into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.engine.projection import flat
from omie_control.simulator.engine.shelf import Handler, Shelf, status_of
from omie_control.simulator.world import Company, Desk, Record, Row

_ACCOUNTS = ("Padaria Aurora", "Mercado Girassol", "Gráfica Pinheiro", "Oficina Lua Nova", "Farmácia Horizonte")
_PEOPLE = (("Ana", "Almeida"), ("Bruno", "Barros"), ("Carla", "Duarte"), ("Diego", "Ferraz"), ("Elisa", "Leão"))
_JOBS = ("Ligar para o cliente", "Enviar proposta", "Marcar visita", "Cobrar retorno")


def _accounts(company: Company) -> Iterable[tuple[str, Record]]:
    for number, name in enumerate(_ACCOUNTS, 1):
        yield (
            f"CTA-{number:02d}",
            {
                "identificacao": {"cNome": f"{name} Ltda", "cNomeFantasia": name},
                "endereco": {"cEndereco": "Rua das Acácias", "cCidade": "São Paulo (SP)", "cUF": "SP"},
                "telefone_email": {
                    "cDDDTel": "11",
                    "cNumTel": "4000-1000",
                    "cEmail": f"contato{number}@exemplo.com.br",
                },
                "tags": [{"tag": "Cliente"}],
            },
        )


def _contacts(company: Company) -> Iterable[tuple[str, Record]]:
    owners = list(company.table("crm_contas"))
    for number, (name, surname) in enumerate(_PEOPLE, 1):
        owner = owners[number % len(owners)].id
        person = {"cNome": name, "cSobrenome": surname, "cCargo": "Compras", "nCodConta": owner}
        yield (
            f"CTO-{number:02d}",
            {"identificacao": person, "telefone_email": {"cEmail": f"{name.lower()}@exemplo.com.br"}},
        )


def _opportunities(company: Company) -> Iterable[tuple[str, Record]]:
    random = company.random("crm_oportunidades")
    owners, people = list(company.table("crm_contas")), list(company.table("crm_contatos"))
    for number in range(1, 13):
        owner = owners[number % len(owners)]
        products, services = random.randrange(500, 9000), random.randrange(0, 3000)
        closing = company.founded_at + timedelta(days=random.randrange(250, 400))
        yield (
            f"OPO-{number:02d}",
            {
                "identificacao": {
                    "cDesOp": f"Venda para {owner.record['identificacao']['cNomeFantasia']}",
                    "nCodConta": owner.id,
                    "nCodContato": people[number % len(people)].id,
                    "cNumOp": f"{number:06d}",
                },
                "fasesStatus": {"nCodFase": 9_000_000_001 + number % 6, "nCodStatus": 9_000_000_001 + number % 4},
                "ticket": {
                    "nProdutos": float(products),
                    "nServicos": float(services),
                    "nTicket": float(products + services),
                },
                "previsaoTemp": {"nTemperatura": number % 5 + 1, "nMesPrev": closing.month, "nAnoPrev": closing.year},
                "observacoes": {"cObs": "Oportunidade inventada para demonstração."},
            },
        )


def _tasks(company: Company) -> Iterable[tuple[str, Record]]:
    for number, row in enumerate(company.table("crm_oportunidades"), 1):
        day = company.founded_at + timedelta(days=290 + number)
        yield (
            f"TAR-{number:02d}",
            {
                "nCodOp": row.id,
                "nCodUsuario": 9_000_000_001,
                "dData": f"{day:%d/%m/%Y}",
                "cHora": "10:00:00",
                "nCodAtividade": number % 7 + 1,
                "cDescricao": _JOBS[number % len(_JOBS)],
                "cImportante": "N",
                "cUrgente": "S" if number % 4 == 0 else "N",
                "cEmExecucao": "N",
                "cRealizada": "S" if number % 3 == 0 else "N",
            },
        )


def _task_kinds(company: Company) -> Iterable[tuple[str, Record]]:
    for name, minutes in (("Ligação", 15), ("Reunião", 60), ("Visita", 120), ("E-mail", 10)):
        yield "", {"cDescricao": name, "nMinutos": minutes, "cSyncCalend": "N"}


CONTAS = Shelf(
    "crm/contas/",
    "crm_contas",
    "Conta",
    "nCod",
    "cCodInt",
    is_feminine=True,
    required=("cNome",),
    seeds=_accounts,
)
CONTATOS = Shelf(
    "crm/contatos/",
    "crm_contatos",
    "Contato",
    "nCod",
    "cCodInt",
    required=("cNome",),
    refers={"nCodConta": CONTAS.noun},
    filters={"filtrar_por_conta": "nCodConta"},
    seeds=_contacts,
)
OPORTUNIDADES = Shelf(
    "crm/oportunidades/",
    "crm_oportunidades",
    "Oportunidade",
    "nCodOp",
    "cCodIntOp",
    is_feminine=True,
    required=("cDesOp",),
    refers={"nCodConta": CONTAS.noun, "nCodContato": CONTATOS.noun},
    filters={
        "filtrar_por_descricao": "~cDesOp",
        "filtrar_por_conta": "nCodConta",
        "fase": "nCodFase",
        "motivo": "nCodMotivo",
        "codigo_vendedor": "nCodVendedor",
        "status": "cStatus",
    },
    seeds=_opportunities,
)
TAREFAS = Shelf(
    "crm/tarefas/",
    "crm_tarefas",
    "Tarefa",
    "nCodTarefa",
    "cCodInt",
    is_feminine=True,
    required=("cDescricao", "dData"),
    refers={"nCodOp": OPORTUNIDADES.noun},
    seeds=_tasks,
    not_mine=("ListarEmailsTarefas", "CalendarioTarefas"),
)
TIPOS_TAREFA = Shelf(
    "crm/tipostarefa/",
    "crm_tipos_tarefa",
    "Tipo de tarefa",
    "nIdTipoTarefa",
    required=("cDescricao",),
    seeds=_task_kinds,
)
SHELVES = (CONTAS, CONTATOS, OPORTUNIDADES, TAREFAS, TIPOS_TAREFA)


def verifier(shelf: Shelf, call: str) -> Handler:
    """VerificarConta, VerificarContato: the record with that name, e-mail or document, or word that there is none."""
    method = catalog().method(shelf.path, call)

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = next((row for row in desk.company.table(shelf.table) if _is_same(row, param)), None)
        if row is None:
            return {shelf.id_tag: 0, shelf.code_tag: ""} | status_of(method, f"{shelf.label} não encontrado(a).", "1")
        return {shelf.id_tag: row.id, shelf.code_tag: row.code} | status_of(method, f"{shelf.label} encontrado(a)!")

    return handle


def calendar(desk: Desk, param: Record) -> dict[str, Any]:
    """CalendarioTarefas: the open tasks as an iCalendar text."""
    method = catalog().method(TAREFAS.path, "CalendarioTarefas")
    events = [
        f"BEGIN:VEVENT\r\nUID:{row.id}\r\nSUMMARY:{row.record['cDescricao']}\r\nEND:VEVENT"
        for row in desk.company.table(TAREFAS.table)
        if row.record.get("cRealizada") != "S"
    ]
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR")
    return {"ics": "\r\n".join(lines)} | status_of(method, "")


HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    CONTAS.path: {"VerificarConta": verifier(CONTAS, "VerificarConta")},
    CONTATOS.path: {"VerificarContato": verifier(CONTATOS, "VerificarContato")},
    TAREFAS.path: {"CalendarioTarefas": calendar},
}


def _is_same(row: Row, param: Record) -> bool:
    own = flat(row.record)
    asked = {tag: str(value).lower() for tag, value in param.items() if value}
    return bool(asked) and all(str(own.get(tag, "")).lower() == value for tag, value in asked.items())
