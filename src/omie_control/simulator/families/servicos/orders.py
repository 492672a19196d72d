"""A work order as it is kept: found, built, reckoned, shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import cadastros, clientes
from omie_control.simulator.families.lists import day
from omie_control.simulator.families.records import Noun, require
from omie_control.simulator.families.references import refuse_bad_account, refuse_bad_category
from omie_control.simulator.families.terms import instalments, term_of
from omie_control.simulator.world import Desk, Record, Row

NOUN = Noun(
    "ordens_servico",
    "Ordem de serviço",
    "nCodOS",
    "cCodIntOS",
    is_feminine=True,
    status_tags=("cCodStatus", "cDescStatus"),
)
STAGES = ("10", "20", "30", "40", "50")
INVOICING, INVOICED = "50", "60"
_PARTS = ("InformacoesAdicionais", "Email", "Observacoes", "despesasReembolsaveis", "produtosUtilizados")
_OWN = frozenset({"nCodOS", "cCodIntOS", "cNumOS", "nValorTotal", "nCodCli"})


def find(desk: Desk, key: Record) -> Row:
    """Return a work order by id, integration code or number, or refuse."""
    number = str(key.get("cNumOS") or "").lstrip("0")
    if key.get("nCodOS") or key.get("cCodIntOS") or not number:
        return NOUN.find(desk, key)
    row = next((each for each in desk.company.table(NOUN.table) if each.record["number"].lstrip("0") == number), None)
    if row is None:
        raise Refusal("Client-105", f"ERROR: Ordem de serviço não cadastrada para o Código [{key['cNumOS']}] !")
    return row


def new_record(desk: Desk, param: Record) -> Record:
    """Return the record that a new work order leaves, or refuse what it lacks or refers to."""
    head: Record = param.get("Cabecalho", {})
    require(head, "cCodIntOS", "dDtPrevisao", "cEtapa", "cCodParc")
    require(param, "ServicosPrestados")
    require(param.get("InformacoesAdicionais", {}), "cCodCateg", "nCodCC")
    record = {
        **{part: dict(param[part]) for part in _PARTS if part in param},
        "Cabecalho": _head(desk, head),
        "ServicosPrestados": [build(desk, each) for each in param["ServicosPrestados"]],
        "Departamentos": param.get("Departamentos", []),
        "Parcelas": param.get("Parcelas", []),
        "number": f"{desk.company.next_number(NOUN.table):015d}",
        "cancelled_at": None,
        "invoiced_at": None,
        "note": 0,
    }
    refuse_bad(desk, record)
    return record


def change(desk: Desk, row: Row, param: Record) -> None:
    """Lay what came over an open work order; items come, change and leave by `cAcaoItem`."""
    refuse_closed(row)
    record = row.record
    changed: Record = {part: {**record.get(part, {}), **param[part]} for part in _PARTS if part in param}
    head: Record = param.get("Cabecalho", {})
    merged = {**record["Cabecalho"], **{tag: value for tag, value in head.items() if tag not in _OWN}}
    if head.get("nCodCli") or head.get("cCodIntCli"):
        merged = _head(desk, {**merged, **head})
    changed["Cabecalho"] = merged
    if "ServicosPrestados" in param:
        changed["ServicosPrestados"] = _merge(desk, record["ServicosPrestados"], param["ServicosPrestados"])
    for part in ("Departamentos", "Parcelas"):
        if part in param:
            changed[part] = param[part]
    refuse_bad(desk, record | changed)
    desk.change(NOUN.table, row, changed)


def build(desk: Desk, given: Record) -> Record:
    """Return a line of a work order, numbered and reckoned; a registered service lends what is not said."""
    known: Record = {}
    if given.get("nCodServico") or given.get("cCodIntServico"):
        key = {"nCodServ": given.get("nCodServico"), "cCodIntServ": given.get("cCodIntServico")}
        row = cadastros.SERVICOS.find(desk, key)
        own = row.record["cabecalho"]
        known = {"nCodServico": row.id, "cCodIntServico": row.code, "nValUnit": own.get("nPrecoUnit", 0.0)}
        known |= {"cDescServ": own["cDescricao"], "cTribServ": own.get("cIdTrib", "01")}
    line = {"nIdItem": next(desk.company.ids), **known}
    line |= {tag: value for tag, value in given.items() if value not in (None, "") and tag != "cAcaoItem"}
    line.setdefault("nQtde", 1.0)
    require(line, "cDescServ")
    if float(line.get("nValUnit") or 0) <= 0 or float(line["nQtde"]) <= 0:
        raise Refusal("Client-101", "ERROR: A quantidade e o valor unitário do serviço devem ser maiores que zero!")
    return line


def value_of(record: Record) -> float:
    """Return what a work order comes to."""
    return round(sum(_line_value(line) for line in record["ServicosPrestados"]), 2)


def parcels(record: Record) -> list[Record]:
    """Return the instalments: those it was given, else those of its payment condition."""
    if record["Parcelas"]:
        return list(record["Parcelas"])
    head, total = record["Cabecalho"], value_of(record)
    term = term_of(head["cCodParc"], head.get("nQtdeParc", 0))
    return [
        {
            "nParcela": number,
            "dDtVenc": due,
            "nValor": value,
            "nPercentual": round(100 * value / total, 4) if total else 0.0,
            "nDias": days,
        }
        for number, (days, due, value) in enumerate(instalments(term, total, day(head["dDtPrevisao"])), 1)
    ]


def full(row: Row) -> Record:
    """Return a work order as ConsultarOS shows it."""
    record = row.record
    shown = {part: record[part] for part in (*_PARTS, "Departamentos") if record.get(part)}
    return {
        "Cabecalho": {
            **record["Cabecalho"],
            "nCodOS": row.id,
            "cCodIntOS": row.code,
            "cNumOS": record["number"],
            "nValorTotal": value_of(record),
        },
        "ServicosPrestados": record["ServicosPrestados"],
        "Parcelas": parcels(record),
        **shown,
        "InfoCadastro": marks(row),
    }


def marks(row: Row) -> Record:
    """Return when a work order was made, touched, invoiced and cancelled."""
    record = row.record
    shown: Record = {
        "cCancelada": "N" if record["cancelled_at"] is None else "S",
        "cFaturada": "N" if record["invoiced_at"] is None else "S",
        "cAmbiente": "P",
        "uInc": "WEBSERVICE",
        "uAlt": "WEBSERVICE",
        "cOrigem": "API",
    }
    dates = (("Inc", row.created_at), ("Alt", row.changed_at), ("Fat", record["invoiced_at"]))
    for part, at in (*dates, ("Canc", record["cancelled_at"])):
        if at is not None:
            shown |= {f"dDt{part}": f"{at:%d/%m/%Y}", f"cHr{part}": f"{at:%H:%M:%S}"}
    return shown


def move_to(desk: Desk, row: Row, stage: str, **more: Any) -> None:
    """Put a work order at a stage."""
    desk.change(NOUN.table, row, {"Cabecalho": row.record["Cabecalho"] | {"cEtapa": stage}, **more})


def refuse_closed(row: Row) -> None:
    """Refuse to change what is cancelled or invoiced."""
    for tag, told in (("cancelled_at", "está cancelada"), ("invoiced_at", "já foi faturada")):
        if row.record[tag] is not None:
            number = row.record["number"].lstrip("0")
            raise Refusal("Client-101", f"ERROR: A ordem de serviço [{number}] {told} e não pode ser alterada!")


def refuse_bad_stage(stage: str) -> None:
    """Refuse a stage that only invoicing leads to, or that does not exist."""
    if stage not in STAGES:
        text = f"ERROR: Conteúdo inválido para a tag [cEtapa]! Valores permitidos: {', '.join(STAGES)}"
        raise Refusal("Client-105", text)


def refuse_bad(desk: Desk, record: Record) -> None:
    """Refuse bad dates, stages, conditions and references."""
    head, more = record["Cabecalho"], record.get("InformacoesAdicionais", {})
    day(head["dDtPrevisao"])
    if record["invoiced_at"] is None:
        refuse_bad_stage(head["cEtapa"])
    refuse_bad_category(desk, more.get("cCodCateg"))
    refuse_bad_account(desk, more.get("nCodCC"))
    parcels(record)


def date_of(at: datetime | None) -> str:
    """Return a day as Omie writes it, nothing for none."""
    return "" if at is None else f"{at:%d/%m/%Y}"


def _head(desk: Desk, head: Record) -> Record:
    key = {clientes.NOUN.id_tag: head.get("nCodCli"), clientes.NOUN.code_tag: head.get("cCodIntCli")}
    customer = clientes.NOUN.find(desk, key)
    kept = {tag: value for tag, value in head.items() if tag not in _OWN}
    return {**kept, "nCodCli": customer.id}


def _line_value(line: Record) -> float:
    gross = float(line["nQtde"]) * float(line["nValUnit"])
    if line.get("cTpDesconto") == "P":
        return gross * (1 - float(line.get("nAliqDesconto") or 0) / 100)
    return gross - float(line.get("nValorDesconto") or 0)


def _merge(desk: Desk, kept: list[Record], given: list[Record]) -> list[Record]:
    lines = list(kept)
    for each in given:
        place = next((index for index, line in enumerate(lines) if _is_same(line, each)), None)
        if place is None:
            lines.append(build(desk, each))
        elif each.get("cAcaoItem") == "E":
            del lines[place]
        else:
            lines[place] = build(desk, {**lines[place], **each})
    return lines


def _is_same(line: Record, given: Record) -> bool:
    if given.get("nIdItem"):
        return bool(given["nIdItem"] == line["nIdItem"])
    return bool(given.get("nSeqItem")) and given["nSeqItem"] == line.get("nSeqItem")
