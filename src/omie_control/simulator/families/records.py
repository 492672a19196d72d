"""How every family finds the record a call speaks of, and the faults when it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.world import Desk, Record, Row


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of record: its table, its name in faults, and the tags of its two keys."""

    table: str
    label: str
    id_tag: str
    code_tag: str
    is_feminine: bool = False
    unknown_code: str = "Client-103"
    unknown_id: str = "Client-105"
    status_tags: tuple[str, str] = ("codigo_status", "descricao_status")

    @property
    def _registered(self) -> str:
        return "cadastrada" if self.is_feminine else "cadastrado"

    def find(self, desk: Desk, param: Record) -> Row:
        """Return the record by id, else by integration code, or refuse as Omie does."""
        id, code = param.get(self.id_tag), param.get(self.code_tag)
        if not id and not code:
            tags = f"[{self.id_tag}] ou [{self.code_tag}]"
            raise Refusal("Client-1000", f"ERROR: O preenchimento da(s) tag(s) {tags} é obrigatório!")
        table = desk.company.table(self.table)
        row = table.get(id) if id else table.with_code(str(code))
        if row is None and id:
            text = f"ERROR: {self.label} não {self._registered} para o Código [{id}] !"
            raise Refusal(self.unknown_id, text)
        if row is None:
            text = f"ERROR: {self.label} não {self._registered} para o Código de Integração [{code}] !"
            raise Refusal(self.unknown_code, text)
        return row

    def refuse_known_code(self, desk: Desk, code: str, *, but: Row | None = None) -> None:
        """Refuse an integration code that another record has."""
        row = desk.company.table(self.table).with_code(code) if code else None
        if row is not None and row is not but:
            raise Refusal(
                "Client-102",
                f"ERROR: {self.label} já {self._registered} para o Código de Integração [{code}] "
                f"com o nCod [{row.id}] !",
            )

    def associate(self, desk: Desk, param: Record) -> dict[str, Any]:
        """AssociarCodInt…: give a record made by hand an integration code."""
        require(param, self.id_tag, self.code_tag)
        row = self.find(desk, {self.id_tag: param[self.id_tag]})
        self.refuse_known_code(desk, param[self.code_tag], but=row)
        desk.name(self.table, row, param[self.code_tag])
        return self.status(row, "associada" if self.is_feminine else "associado")

    def status(self, row: Row, done: str) -> dict[str, Any]:
        """Return the small status object of a write that went well."""
        return {
            self.id_tag: row.id,
            self.code_tag: row.code,
            self.status_tags[0]: "0",
            self.status_tags[1]: f"{self.label} {done} com sucesso!",
        }


def require(param: Record, *tags: str) -> None:
    """Refuse a call that lacks a tag, naming the first one."""
    for tag in tags:
        if param.get(tag) in (None, "", [], {}):
            raise Refusal("Client-1000", f"ERROR: O preenchimento da(s) tag(s) [{tag}] é obrigatório!")


def info(row: Row) -> Record:
    """Return when a record was made and last touched, as most services show it."""
    return {
        "dInc": f"{row.created_at:%d/%m/%Y}",
        "hInc": f"{row.created_at:%H:%M:%S}",
        "uInc": "WEBSERVICE",
        "dAlt": f"{row.changed_at:%d/%m/%Y}",
        "hAlt": f"{row.changed_at:%H:%M:%S}",
        "uAlt": "WEBSERVICE",
        "cImpAPI": "S" if row.code else "N",
    }
