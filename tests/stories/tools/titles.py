"""What the stories of payables and receivables share: a title is a title, whichever side it is seen from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.tool_stories import Case, House, Story, Told

VALUE = 10.5


@dataclass(frozen=True)
class Side:
    """One side: its tools, whom it owes or bills, and where the simulated Omie keeps its titles and settlements."""

    noun: str
    settle: str
    undo: str
    party: str
    category: str
    table: str

    @property
    def settlements(self) -> str:
        """The simulator's table of what was paid or received."""
        return f"baixas_{self.table}"

    def an_open_title(self, house: House) -> int:
        """Find a title that nobody has settled."""
        settled = {row.record["title"] for row in house.table(self.settlements)}
        return next(row.id for row in house.table(self.table) if row.id not in settled)

    def open_title(self, house: House) -> dict[str, Any]:
        """Name a title that nobody has settled, as an argument."""
        return {"codigo_omie": self.an_open_title(house)}

    def a_new_title(self, house: House, **more: Any) -> dict[str, Any]:
        """Give what a new title needs."""
        return {
            self.party: house.first("clientes", inativo="N").id,
            "valor": "1.234,56",
            "vencimento": "2026-12-31",
            "categoria": self.category,
            "codigo_conta_corrente": an_account(house),
            **more,
        }

    def a_settlement(self, house: House, **more: Any) -> dict[str, Any]:
        """Give what settles a part of an open title."""
        account = {"codigo_conta_corrente": an_account(house)}
        return {**self.open_title(house), **account, "valor": "10,50", "data": "23/11/2026", **more}

    async def a_settled_title(self, house: House, **more: Any) -> dict[str, Any]:
        """Settle a part of a title, and name that settlement."""
        done = await house.call(self.settle, **self.a_settlement(house, **more))
        return {"codigo_baixa": done.data["codigo_baixa"]}

    def only_late_ones(self, house: House, answer: Told) -> None:
        assert 0 < len(answer.data["contas"]) <= 5
        assert {row["status"] for row in answer.data["contas"]} == {"ATRASADO"}
        first = answer.data["contas"][0]
        record = house.row(self.table, first["codigo_omie"]).record
        assert (first["valor"], first["vencimento"]) == (record["valor_documento"], record["data_vencimento"])
        assert first[self.party] == record["codigo_cliente_fornecedor"]
        assert answer.data["registros"] == len(answer.data["contas"])
        assert answer.data["fonte"] == "omie"

    def is_shown(self, house: House, answer: Told) -> None:
        id = answer.data["conta"]["codigo_lancamento_omie"]
        assert answer.data["conta"]["valor_documento"] == house.row(self.table, id).record["valor_documento"]

    def stands_in_omie(self, house: House, answer: Told, value: float = 1234.56) -> None:
        made = house.row(self.table, answer.data["codigo_omie"])
        assert made.code == answer.data["codigo_integracao"] != ""
        assert (made.record["valor_documento"], made.record["codigo_categoria"]) == (value, self.category)
        assert (made.record["data_vencimento"], made.record["data_previsao"]) == ("31/12/2026", "31/12/2026")

    def is_changed(self, house: House, answer: Told) -> None:
        record = house.row(self.table, answer.data["codigo_omie"]).record
        assert (record["valor_documento"], record["observacao"]) == (99.9, "Renegociado")

    def is_gone(self, house: House, answer: Told) -> None:
        assert house.table(self.table).get(answer.data["codigo_omie"]) is None

    def is_settled(self, house: House, answer: Told) -> None:
        done = house.row(self.settlements, answer.data["codigo_baixa"])
        assert (done.record["value"], done.record["title"]) == (VALUE, answer.data["codigo_omie"])
        assert done.record["day"] == "23/11/2026"
        assert done.code == answer.data["codigo_baixa_integracao"]

    def is_open_again(self, house: House, answer: Told) -> None:
        assert house.table(self.settlements).get(answer.data["codigo_baixa"]) is None

    def stories(self) -> tuple[Story, ...]:
        """Tell of the tools that take the same on both sides: show, change, delete, undo a settlement."""
        return (
            Story(
                f"consultar_{self.noun}",
                good=Case(self.open_title, then=self.is_shown),
                empty=Case({"codigo_integracao": "NAO-HA"}, is_refused=True),
                wrong=Case({"codigo_omie": 5, "codigo_integracao": "A"}, says="codigo_omie ou codigo_integracao"),
                failing=Case({"codigo_omie": 5}),
            ),
            Story(
                f"alterar_{self.noun}",
                good=Case(
                    lambda house: {**self.open_title(house), "valor": 99.9, "observacao": "Renegociado"},
                    then=self.is_changed,
                ),
                empty=Case({"codigo_integracao": "NAO-HA", "valor": 1}, is_refused=True),
                wrong=Case({"codigo_omie": 5}, says="Nenhum campo para alterar"),
                failing=Case({"codigo_omie": 5, "valor": 1}, says="Não repita"),
            ),
            Story(
                f"excluir_{self.noun}",
                good=Case(self.open_title, then=self.is_gone),
                empty=Case({"codigo_omie": 42}, is_refused=True),
                wrong=Case({}, says="codigo_omie ou codigo_integracao"),
                failing=Case({"codigo_omie": 5}, says="Não repita"),
            ),
            Story(
                self.undo,
                good=Case(self.a_settled_title, then=self.is_open_again),
                empty=Case({"codigo_baixa": 42}, is_refused=True),
                wrong=Case({}, says="codigo_baixa ou codigo_baixa_integracao"),
                failing=Case({"codigo_baixa": 42}, says="Não repita"),
            ),
        )

    def created(self, then: Callable[[House, Told], None], **more: Any) -> Story:
        """Tell of a new title, with `more` of it. The wrong one is due at no day, and its amount reads two ways."""

        def new_one(house: House) -> dict[str, Any]:
            return self.a_new_title(house, **more)

        return Story(
            f"incluir_{self.noun}",
            good=Case(new_one, then=then),
            empty=Case(lambda house: self.a_new_title(house, **{self.party: 42}), is_refused=True),
            wrong=Case(
                {"valor": "1.234", "vencimento": "amanhã"},
                says=(
                    f"- {self.party}: é obrigatório e não veio. Exemplo: 5500000001.",
                    "- valor: este número se lê de dois modos",
                    "- vencimento: esperada uma data dd/mm/aaaa ou aaaa-mm-dd.",
                    f'- categoria: é obrigatório e não veio. Exemplo: "{self.category}".',
                ),
            ),
            failing=Case(new_one, says="Não repita"),
        )


def an_account(house: House) -> int:
    """Find an account of the company."""
    return next(iter(house.table("contas_correntes"))).id
