"""produtos/notaentrada, remessa and op, with what concludes them: goods come, go, and are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from omie_control.omie.catalog import Method, catalog
from omie_control.simulator.engine.shelf import Handler, Shelf, status_of
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, produtos
from omie_control.simulator.families.compras.entradas import Goods, owe, receive, take_back_titles
from omie_control.simulator.families.lists import PastEnd
from omie_control.simulator.world import Company, Desk, Record, Row

_State = Callable[[Desk, Row, Record], None]


def _notes(prefix: str, party_tag: str, number_tag: str) -> Callable[[Company], Iterable[tuple[str, Record]]]:
    def seeds(company: Company) -> Iterable[tuple[str, Record]]:
        parties = [row for row in company.table(clientes.NOUN.table) if row.record["inativo"] == "N"]
        goods = list(company.table(produtos.NOUN.table))
        for number in range(1, 6):
            product = goods[number * 5 % len(goods)]
            cost = round(product.record["valor_unitario"] * 0.6, 2)
            line = {"nCodIt": 9_500_000_000 + number, "nCodProd": product.id, "nQtde": 5.0, "nValUnit": cost}
            day = company.founded_at + timedelta(days=280 + number)
            head = {party_tag: parties[number % len(parties)].id, "dPrevisao": f"{day:%d/%m/%Y}"}
            more = {"cCodCateg": "2.01.01", "cConsFinal": "N"}
            yield (
                f"{prefix}-{number:03d}",
                {"cabec": {**head, number_tag: f"{number:08d}"}, "infAdic": more, "produtos": [line]},
            )

    return seeds


def _productions(company: Company) -> Iterable[tuple[str, Record]]:
    for number, product in enumerate(list(company.table(produtos.NOUN.table))[:6], 1):
        day = company.founded_at + timedelta(days=285 + number)
        head = {"cNumOP": f"{number:06d}", "nCodProduto": product.id, "nQtde": 10.0}
        yield (
            f"OP-{number:03d}",
            {
                "identificacao": {**head, "dDtPrevisao": f"{day:%d/%m/%Y}"},
                "infAdicionais": {"cEtapa": "10"},
                "outrasInf": {"cConcluida": "N"},
            },
        )


class _Numbered(Shelf):
    """Notes are numbered; status and number stand in their answers."""

    number_tag = ""

    def add(self, desk: Desk, method: Method, param: Record) -> Row:
        row = super().add(desk, method, param)
        row.record.setdefault("cabec", {})[self.number_tag] = f"{len(desk.company.table(self.table)):08d}"
        return row

    def status(self, method: Method, row: Row, param: Record) -> dict[str, Any]:
        told = super().status(method, row, param)
        has_number = self.number_tag in method.response_fields
        return told | ({self.number_tag: row.record["cabec"].get(self.number_tag, "")} if has_number else {})


class _Entries(_Numbered):
    number_tag = "cNumeroNotaEnt"


class _Shipments(_Numbered):
    number_tag = "cNumeroRemessa"


ENTRADAS = _Entries(
    "produtos/notaentrada/",
    "notas_entrada",
    "Nota de entrada",
    "nCodNotaEnt",
    "cCodIntNotaEnt",
    is_feminine=True,
    required=("cCodIntNotaEnt", "dPrevisao"),
    refers={"nCodCli": clientes.NOUN, "nCodProd": produtos.NOUN},
    filters={"nIdCliente": "nCodCli"},
    seeds=_notes("ENT", "nCodCli", "cNumeroNotaEnt"),
    not_mine=("StatusNotaEnt",),
)
REMESSAS = _Shipments(
    "produtos/remessa/",
    "remessas",
    "Remessa",
    "nCodRem",
    "cCodIntRem",
    is_feminine=True,
    required=("dPrevisao",),
    refers={"nCodCli": clientes.NOUN, "nCodProd": produtos.NOUN},
    filters={"nIdCliente": "nCodCli"},
    seeds=_notes("REM", "nCodCli", "cNumeroRemessa"),
    not_mine=("StatusRemessa", "DevolverRemessa"),
)
PRODUCAO = Shelf(
    "produtos/op/",
    "ordens_producao",
    "Ordem de produção",
    "nCodOP",
    "cCodIntOP",
    is_feminine=True,
    required=("dDtPrevisao", "nQtde", "nCodProduto"),
    refers={"nCodProduto": produtos.NOUN},
    filters={"nIdProd": "nCodProduto", "nCodProjeto": "nCodProjeto"},
    seeds=_productions,
    past_end=PastEnd.FAULT,
)
SHELVES = (ENTRADAS, REMESSAS, PRODUCAO)


def acting(shelf: Shelf, path: str, call: str, state: _State, done: str) -> Handler:
    """Return the handler of an act that takes a note from one state to another."""
    method = catalog().method(path, call)

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = shelf.find(desk, param)
        state(desk, row, param)
        key = {shelf.id_tag: row.id, shelf.code_tag: row.code}
        return key | status_of(method, f"{shelf.label} {done} com sucesso!")

    return handle


def told(shelf: Shelf, call: str) -> Handler:
    """StatusNotaEnt, StatusRemessa."""
    method = catalog().method(shelf.path, call)
    number = next(tag for tag in ("cNumeroNotaEnt", "cNumeroRemessa") if tag in method.response_fields)

    def handle(desk: Desk, param: Record) -> dict[str, Any]:
        row = shelf.find(desk, param)
        return {
            shelf.id_tag: row.id,
            shelf.code_tag: row.code,
            number: row.record["cabec"].get(number, ""),
            "cancelada": "S" if row.record.get("state") == "cancelled" else "N",
            "faturada": "S" if row.record.get("state") == "done" else "N",
            "cAmbiente": "P",
            "nValorTotal": _total(row),
            "ListaNfe": [],
        }

    return handle


def _total(row: Row) -> float:
    return round(sum(goods.quantity * goods.cost for goods in _goods(row)), 2)


def _goods(row: Row) -> list[Goods]:
    lines = row.record.get("produtos", [])
    return [Goods(each.get("nCodProd", 0), float(each["nQtde"]), float(each["nValUnit"])) for each in lines]


def _conclude_entry(desk: Desk, row: Row, param: Record) -> None:
    _refuse_closed(row)
    head, more = row.record["cabec"], row.record.get("infAdic", {})
    number = head.get("cNumeroNotaEnt", "")
    ids: list[int] = []
    if head.get("cGeraFinanceiro") != "N" and head.get("nCodCli"):
        ids = owe(
            desk,
            supplier=head["nCodCli"],
            total=_total(row),
            since=head["dPrevisao"],
            condition=head.get("cCodParc", ""),
            category=more.get("cCodCateg", ""),
            account=more.get("nCodCC", 0),
            document=number,
        )
    receive(desk, _goods(row), origin="COM", document=number, supplier=head.get("nCodCli", 0))
    desk.change(ENTRADAS.table, row, {"state": "done", "titles": ids})


def _conclude_shipment(desk: Desk, row: Row, param: Record) -> None:
    _refuse_closed(row)
    head = row.record["cabec"]
    number, party = head.get("cNumeroRemessa", ""), head.get("nCodCli", 0)
    receive(desk, _goods(row), origin="REM", document=number, supplier=party, sign=-1)
    desk.change(REMESSAS.table, row, {"state": "done"})


def _cancel(shelf: Shelf, sign: int) -> _State:
    def state(desk: Desk, row: Row, param: Record) -> None:
        if row.record.get("state") == "cancelled":
            raise Refusal("Client-101", f"ERROR: {shelf.label} já está cancelada!")
        if not take_back_titles(desk, row.record.get("titles", [])):
            raise Refusal("Client-101", f"ERROR: {shelf.label} possui títulos com baixa e não pode ser cancelada!")
        if row.record.get("state") == "done":
            party = row.record["cabec"].get("nCodCli", 0)
            receive(desk, _goods(row), origin="DEV", document=str(row.id), supplier=party, sign=sign)
        desk.change(shelf.table, row, {"state": "cancelled", "titles": []})

    return state


def _check(shelf: Shelf) -> _State:
    return lambda desk, row, param: desk.change(shelf.table, row, {"is_checked": True})


def _copy(shelf: Shelf) -> _State:
    def state(desk: Desk, row: Row, param: Record) -> None:
        fresh = {tag: value for tag, value in row.record.items() if tag not in ("state", "titles")}
        desk.add(shelf.table, fresh, "")

    return state


def _finish_production(desk: Desk, row: Row, param: Record) -> None:
    marks = row.record.get("outrasInf", {})
    if marks.get("cConcluida") == "S":
        raise Refusal("Client-101", "ERROR: A ordem de produção já está concluída!")
    head = row.record["identificacao"]
    made = float(param.get("nQtdeProduzida") or head["nQtde"])
    receive(desk, [Goods(head["nCodProduto"], made, 0.0)], origin="OPS", document=str(row.id), supplier=0)
    today = param.get("dDtConclusao") or f"{desk.now:%d/%m/%Y}"
    done = marks | {"cConcluida": "S", "dConclusao": today}
    desk.change(PRODUCAO.table, row, {"outrasInf": done, "made": made})


def _undo_production(desk: Desk, row: Row, param: Record) -> None:
    marks = row.record.get("outrasInf", {})
    if marks.get("cConcluida") != "S":
        raise Refusal("Client-101", "ERROR: A ordem de produção não está concluída!")
    head = row.record["identificacao"]
    made = [Goods(head["nCodProduto"], row.record["made"], 0.0)]
    receive(desk, made, origin="OPS", document=str(row.id), supplier=0, sign=-1)
    desk.change(PRODUCAO.table, row, {"outrasInf": marks | {"cConcluida": "N", "dConclusao": ""}})


def _send_back(desk: Desk, param: Record) -> dict[str, Any]:
    """DevolverRemessa."""
    row = REMESSAS.find(desk, param)
    if row.record.get("state") != "done":
        raise Refusal("Client-101", "ERROR: A remessa ainda não foi faturada!")
    party = row.record["cabec"].get("nCodCli", 0)
    receive(desk, _goods(row), origin="DEV", document=str(row.id), supplier=party)
    desk.change(REMESSAS.table, row, {"state": "returned"})
    text = "Remessa devolvida com sucesso!"
    return {"nIdDevolucao": next(desk.company.ids), "cCodStatus": "0", "cDesStatus": text}


def _refuse_closed(row: Row) -> None:
    if row.record.get("state"):
        raise Refusal("Client-101", "ERROR: O documento já foi concluído ou cancelado!")


_MAKING_PATH = PRODUCAO.path
_ENTRY_PATH, _SHIPMENT_PATH = "produtos/notaentradafat/", "produtos/remessafat/"
HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    ENTRADAS.path: {"StatusNotaEnt": told(ENTRADAS, "StatusNotaEnt")},
    REMESSAS.path: {"StatusRemessa": told(REMESSAS, "StatusRemessa"), "DevolverRemessa": _send_back},
    _MAKING_PATH: {
        "ConcluirOrdemProducao": acting(
            PRODUCAO, _MAKING_PATH, "ConcluirOrdemProducao", _finish_production, "concluída"
        ),
        "ReverterOrdemProducao": acting(
            PRODUCAO, PRODUCAO.path, "ReverterOrdemProducao", _undo_production, "revertida"
        ),
    },
    _ENTRY_PATH: {
        "ConcluirNotaEnt": acting(ENTRADAS, _ENTRY_PATH, "ConcluirNotaEnt", _conclude_entry, "concluída"),
        "CancelarNotaEnt": acting(ENTRADAS, _ENTRY_PATH, "CancelarNotaEnt", _cancel(ENTRADAS, -1), "cancelada"),
        "ConferirNotaEnt": acting(ENTRADAS, _ENTRY_PATH, "ConferirNotaEnt", _check(ENTRADAS), "conferida"),
        "DuplicarNotaEnt": acting(ENTRADAS, _ENTRY_PATH, "DuplicarNotaEnt", _copy(ENTRADAS), "duplicada"),
    },
    _SHIPMENT_PATH: {
        "ConcluirRemessa": acting(REMESSAS, _SHIPMENT_PATH, "ConcluirRemessa", _conclude_shipment, "concluída"),
        "CancelarRemessa": acting(REMESSAS, _SHIPMENT_PATH, "CancelarRemessa", _cancel(REMESSAS, 1), "cancelada"),
        "ConferirRemessa": acting(REMESSAS, _SHIPMENT_PATH, "ConferirRemessa", _check(REMESSAS), "conferida"),
        "DuplicarRemessa": acting(REMESSAS, _SHIPMENT_PATH, "DuplicarRemessa", _copy(REMESSAS), "duplicada"),
    },
}
