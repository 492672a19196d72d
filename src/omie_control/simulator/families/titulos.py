"""Titles: what the two sides of the money, payables and receivables, have in common, settlements included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.documents import bare
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import clientes, contas_correntes, lancamentos
from omie_control.simulator.families.lists import PastEnd, day, page, touched, within
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.families.references import refuse_bad_account, refuse_bad_category
from omie_control.simulator.world import Desk, Record, Row

# The titles that were deleted, of both sides, for the one method that lists them.
DELETED = "titulos_excluidos"
_ID = "codigo_lancamento_omie"
_CODE = "codigo_lancamento_integracao"
_KEYS = frozenset({_ID, _CODE, "status_titulo", "info"})
OPEN = frozenset({"EMABERTO", "PAGTO_PARCIAL", "VENCEHOJE", "AVENCER", "ATRASADO"})
# The row writes them with a space, the filter without.
_SHOWN = {"AVENCER": "A VENCER", "VENCEHOJE": "VENCE HOJE"}


@dataclass(frozen=True, slots=True)
class Side:
    """Payables or receivables: where they live, and their own words."""

    path: str
    table: str
    list_call: str
    settled_word: str
    entry_origin: str
    registered_tag: str

    @property
    def noun(self) -> Noun:
        """Return how a title is found."""
        return Noun(self.table, "Lançamento", _ID, _CODE)

    @property
    def settlement(self) -> Noun:
        """Return how a settlement is found."""
        return Noun(f"baixas_{self.table}", "Baixa", "codigo_baixa", "codigo_baixa_integracao", is_feminine=True)

    def listar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """List the titles that pass the filters."""
        rows = [row for row in desk.company.table(self.table) if self._passes(desk, row, param)]
        method = catalog().method(self.path, self.list_call)
        return page(method, param, rows, lambda row: self.full(desk, row), PastEnd.EMPTY)

    def consultar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Show one title."""
        return self.full(desk, self.find(desk, param))

    def incluir(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Make a title."""
        require(param, _CODE, "data_vencimento", "valor_documento")
        self.noun.refuse_known_code(desk, param[_CODE])
        record = self._judged(desk, param)
        row = desk.add(self.table, record, param[_CODE])
        return self.noun.status(row, "cadastrado")

    def book(self, desk: Desk, fields: Record) -> Row:
        """Make the title that an invoice or a purchase leaves; it has no integration code."""
        return desk.add(self.table, self._judged(desk, fields), "")

    def alterar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Change a title that is still open."""
        return self._change(desk, self.find(desk, param), param)

    def upsert(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Make or change a title, by integration code."""
        require(param, _CODE)
        row = desk.company.table(self.table).with_code(param[_CODE])
        return self.incluir(desk, param) if row is None else self._change(desk, row, param)

    def excluir(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Delete a title without settlements."""
        row = self.find(desk, param)
        if self.settlements(desk, row):
            raise Refusal("Client-101", "ERROR: O título possui baixas e não pode ser excluído!")
        desk.remove(self.table, row)
        desk.company.table(DELETED).add({"title": row.id, "side": self.path}, "", desk.now)
        return self.noun.status(row, "excluído")

    def cancelar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Cancel a title; it stays, and shows that it is cancelled."""
        row = self.find(desk, param)
        desk.change(self.table, row, {"status_titulo": "CANCELADO"})
        return self.noun.status(row, "cancelado")

    def baixar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Settle a title, whole or in part."""
        row = self.find(desk, param)
        code = str(param.get(self.settlement.code_tag) or "")
        self.settlement.refuse_known_code(desk, code)
        left = self.left(desk, row)
        if left <= 0:
            raise Refusal("Client-101", "ERROR: O título já foi liquidado!")
        discount, interest, fine = (round(float(param.get(tag) or 0), 2) for tag in ("desconto", "juros", "multa"))
        value = round(float(param.get("valor") or left - discount), 2)
        if round(value + discount, 2) > left:
            raise Refusal("Client-101", "ERROR: O valor da baixa é maior que o saldo do título!")
        account = self._account(desk, param, row)
        at = param.get("data") or f"{desk.now:%d/%m/%Y}"
        day(at)
        entry = lancamentos.settled(
            desk,
            account=account,
            day=at,
            value=round(value + interest + fine, 2),
            origin=self.entry_origin,
            title=row.record,
        )
        settlement = {
            "title": row.id,
            "value": value,
            "discount": discount,
            "interest": interest,
            "fine": fine,
            "day": at,
            "account": account,
            "entry": entry.id,
            "remark": param.get("observacao", ""),
        }
        made = desk.add(self.settlement.table, settlement, code)
        desk.change(self.table, row, {})
        if param.get("conciliar_documento") == "S":
            self._reconcile(desk, made, is_seen=True)
        return {
            "codigo_lancamento": row.id,
            _CODE: row.code,
            "liquidado": "S" if round(value + discount, 2) == left else "N",
            "valor_baixado": value,
            **self.settlement.status(made, "cadastrada"),
        }

    def cancelar_baixa(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Undo a settlement, with its entry in the account."""
        made = self.settlement.find(desk, param)
        entry = desk.company.table(lancamentos.NOUN.table).get(made.record["entry"])
        if entry is not None:
            desk.remove(lancamentos.NOUN.table, entry)
        desk.remove(self.settlement.table, made)
        return self.settlement.status(made, "cancelada")

    def conciliar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Mark a settlement as seen on the bank's statement."""
        made = self.settlement.find(desk, param)
        self._reconcile(desk, made, is_seen=True)
        return self.settlement.status(made, "conciliada")

    def desconciliar(self, desk: Desk, param: Record) -> dict[str, Any]:
        """Take the mark away again."""
        made = self.settlement.find(desk, param)
        self._reconcile(desk, made, is_seen=False)
        return self.settlement.status(made, "desconciliada")

    def is_settled(self, desk: Desk, row: Row) -> bool:
        """Say whether a title has settlements, even if only of a part."""
        return bool(self.settlements(desk, row))

    def settlements(self, desk: Desk, row: Row) -> list[Row]:
        """Return the settlements of a title, oldest first."""
        return desk.company.table(self.settlement.table).where("title", row.id)

    def left(self, desk: Desk, row: Row) -> float:
        """Return what is still to be paid of a title."""
        settled: float = sum(made.record["value"] + made.record["discount"] for made in self.settlements(desk, row))
        return round(float(row.record["valor_documento"]) - settled, 2)

    def status(self, desk: Desk, row: Row) -> str:
        """Return a title's status today, as filters write it."""
        if row.record.get("status_titulo") == "CANCELADO":
            return "CANCELADO"
        left = self.left(desk, row)
        if left <= 0:
            return self.settled_word
        if left < row.record["valor_documento"]:
            return "PAGTO_PARCIAL"
        return _by_due_date(day(row.record["data_vencimento"]), desk.now)

    def find(self, desk: Desk, param: Record) -> Row:
        """Return a title by any of the three names that its id has, or by integration code, or refuse."""
        id = param.get(_ID) or param.get("chave_lancamento") or param.get("codigo_lancamento")
        return self.noun.find(desk, {_ID: id, _CODE: param.get(_CODE)})

    def full(self, desk: Desk, row: Row) -> Record:
        """Return a title as it is shown, its status judged today."""
        status = self.status(desk, row)
        return {
            _ID: row.id,
            _CODE: row.code,
            **row.record,
            "status_titulo": _SHOWN.get(status, status),
            "info": info(row),
        }

    def _judged(self, desk: Desk, param: Record) -> Record:
        """Return the record that a new title leaves, or refuse what it refers to."""
        fields = {tag: value for tag, value in param.items() if tag not in _KEYS}
        key = {
            clientes.NOUN.id_tag: param.get("codigo_cliente_fornecedor"),
            clientes.NOUN.code_tag: param.get("codigo_cliente_fornecedor_integracao"),
        }
        fields["codigo_cliente_fornecedor"] = clientes.NOUN.find(desk, key).id
        self._refuse_bad(desk, fields)
        today = f"{desk.now:%d/%m/%Y}"
        return {
            "data_previsao": param["data_vencimento"],
            "data_emissao": today,
            self.registered_tag: today,
            "numero_parcela": "001/001",
            **fields,
        }

    def _refuse_bad(self, desk: Desk, fields: Record) -> None:
        for tag in ("data_vencimento", "data_previsao", "data_emissao"):
            if fields.get(tag):
                day(fields[tag])
        if fields.get("valor_documento", 1) <= 0:
            raise Refusal("Client-101", "ERROR: O valor do documento deve ser maior que zero!")
        refuse_bad_category(desk, fields.get("codigo_categoria"))
        refuse_bad_account(desk, fields.get("id_conta_corrente"))

    def _change(self, desk: Desk, row: Row, param: Record) -> dict[str, Any]:
        fields = {tag: value for tag, value in param.items() if tag not in _KEYS}
        self._refuse_bad(desk, fields)
        if self.status(desk, row) not in OPEN:
            raise Refusal("Client-101", "ERROR: O título não está em aberto e não pode ser alterado!")
        desk.change(self.table, row, fields)
        return self.noun.status(row, "alterado")

    def _account(self, desk: Desk, param: Record, title: Row) -> int:
        id = param.get("codigo_conta_corrente") or title.record.get("id_conta_corrente")
        key = {"nCodCC": id, "cCodCCInt": param.get("codigo_conta_corrente_integracao")}
        return contas_correntes.NOUN.find(desk, key).id

    def _reconcile(self, desk: Desk, made: Row, *, is_seen: bool) -> None:
        entry = desk.company.table(lancamentos.NOUN.table).get(made.record["entry"])
        if entry is not None:
            lancamentos.reconcile(desk, entry, is_seen=is_seen)
        desk.change(self.settlement.table, made, {"is_reconciled": is_seen})

    def _passes(self, desk: Desk, row: Row, param: Record) -> bool:
        record = row.record
        due_filters = (
            within(param, "filtrar_por_emissao_de", "filtrar_por_emissao_ate", record["data_emissao"])
            and within(param, "filtrar_por_registro_de", "filtrar_por_registro_ate", record[self.registered_tag])
            and touched(param, row)
        )
        ids = {
            "filtrar_cliente": "codigo_cliente_fornecedor",
            "filtrar_conta_corrente": "id_conta_corrente",
            "filtrar_por_projeto": "codigo_projeto",
            "filtrar_por_vendedor": "codigo_vendedor",
        }
        same_ids = all(not param.get(tag) or param[tag] == record.get(own) for tag, own in ids.items())
        return due_filters and same_ids and self._is_whose(desk, row, param) and self._is_so(desk, row, param)

    def _is_whose(self, desk: Desk, row: Row, param: Record) -> bool:
        document = param.get("filtrar_por_cpf_cnpj")
        if not document:
            return True
        customer = desk.company.table(clientes.NOUN.table).get(row.record["codigo_cliente_fornecedor"])
        return customer is not None and bare(customer.record.get("cnpj_cpf", "")) == bare(document)

    def _is_so(self, desk: Desk, row: Row, param: Record) -> bool:
        """Apply the status filter; a title paid and later cancelled still counts as paid."""
        status = self.status(desk, row)
        if param.get("filtrar_apenas_titulos_em_aberto") == "S" and status not in OPEN:
            return False
        wanted = param.get("filtrar_por_status")
        if not wanted:
            return True
        if wanted in ("LIQUIDADO", self.settled_word):
            return self.left(desk, row) <= 0
        return status in OPEN if wanted == "EMABERTO" else status == wanted


def _by_due_date(due: datetime, now: datetime) -> str:
    if due.date() == now.date():
        return "VENCEHOJE"
    return "ATRASADO" if due.date() < now.date() else "AVENCER"
