"""What records refer to: refuses a category, account, seller, project or department that nobody registered."""

from __future__ import annotations

from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import categorias, contas_correntes
from omie_control.simulator.world import Desk


def refuse_bad_category(desk: Desk, code: str | None) -> None:
    """Refuse a category that does not exist."""
    if code and desk.company.table(categorias.TABLE).with_code(code) is None:
        raise Refusal("Client-102", f"ERROR: A categoria [{code}] é inválida!")


def refuse_bad_account(desk: Desk, id: int | None) -> None:
    """Refuse an account that does not exist."""
    if id and desk.company.table(contas_correntes.NOUN.table).get(id) is None:
        raise Refusal("Client-102", f"ERROR: A conta corrente [{id}] é inválida!")
