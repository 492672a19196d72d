"""The payables' tools: what comes back, what then stands in Omie, what is said when it cannot be."""

from __future__ import annotations

import pytest
from tests.stories.tools.titles import Side
from tests.tool_stories import Case, House, Story, told

PAYABLES = Side(
    "conta_pagar",
    settle="lancar_pagamento",
    undo="cancelar_pagamento",
    party="codigo_fornecedor",
    category="2.01.01",
    table="contas_pagar",
)

STORIES = (
    Story(
        "consultar_contas_pagar",
        good=Case({"vencidas": True, "registros_por_pagina": 5}, then=PAYABLES.only_late_ones),
        empty=Case(
            {"codigo_fornecedor": 7, "emissao_de": "2026-01-01"},
            has={"registros": 0, "total_de_registros": 0, "contas": [], "tem_mais": False},
            says="Nada encontrado",
        ),
        wrong=Case(
            {"emissao_de": "31/02/2026", "cnpj_cpf": "529.982.247-26", "registros_por_pagina": 900, "status": "PAGO"},
            says=(
                "- emissao_de: esta data não existe no calendário. Exemplo: 31/12/2026.",
                "- cnpj_cpf: não é um CPF nem um CNPJ válido",
                "- registros_por_pagina: esperado no máximo 100. Exemplo: 50.",
                "- status: esperado um destes: 'LIQUIDADO'",
            ),
        ),
        failing=Case({"status": "EMABERTO"}),
    ),
    *PAYABLES.stories(),
    PAYABLES.created(PAYABLES.stands_in_omie),
    Story(
        "lancar_pagamento",
        good=Case(PAYABLES.a_settlement, has={"valor_baixado": 10.5, "liquidado": False}, then=PAYABLES.is_settled),
        empty=Case(lambda house: PAYABLES.a_settlement(house, codigo_omie=42), is_refused=True),
        wrong=Case(
            lambda house: PAYABLES.a_settlement(house, valor=-1, juros="1,234", data="2026-13-01"),
            says=("- valor: esperado mais que 0", "- juros: este número se lê de dois modos", "- data: esta data não"),
        ),
        failing=Case(PAYABLES.a_settlement, says="Não repita"),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)
