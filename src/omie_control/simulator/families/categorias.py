"""geral/categorias: the chart of categories, a tree whose codes say where a branch hangs."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import dre
from omie_control.simulator.families.lists import PastEnd, page
from omie_control.simulator.families.records import require
from omie_control.simulator.world import Desk, Record, Row

PATH = "geral/categorias/"
TABLE = "categorias"


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarCategorias."""
    rows = [row for row in desk.company.table(TABLE) if _passes(row, param)]
    return page(catalog().method(PATH, "ListarCategorias"), param, rows, _shown, PastEnd.EMPTY)


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarCategoria."""
    require(param, "codigo")
    return _shown(find(desk, param["codigo"]))


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirCategoria: Omie chooses the code, the next one below its superior."""
    require(param, "categoria_superior", "descricao")
    superior = find(desk, param["categoria_superior"])
    if superior.record["totalizadora"] != "S":
        raise Refusal("Client-4", f"ERROR: A categoria [{superior.code}] não é totalizadora!")
    code = _next_code(desk, f"{superior.code}.")
    record = new_record(code, param["descricao"], is_total=False) | _chosen(param)
    return _status(desk.add(TABLE, record, code), "cadastrada")


def incluir_grupo(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirGrupoCategoria: `tipo_grupo` says whether it gathers revenue (R) or expense (D)."""
    require(param, "descricao", "tipo_grupo")
    code = _next_code(desk, "1." if param["tipo_grupo"] == "R" else "2.")
    return _status(desk.add(TABLE, new_record(code, param["descricao"], is_total=True), code), "cadastrada")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarCategoria and AlterarGrupoCategoria."""
    require(param, "codigo")
    row = find(desk, param["codigo"])
    desk.change(TABLE, row, _chosen(param))
    return _status(row, "alterada")


HANDLERS = {
    "ListarCategorias": listar,
    "ConsultarCategoria": consultar,
    "IncluirCategoria": incluir,
    "IncluirGrupoCategoria": incluir_grupo,
    "AlterarCategoria": alterar,
    "AlterarGrupoCategoria": alterar,
}


def find(desk: Desk, code: str) -> Row:
    """Return a category by its code, or refuse."""
    row = desk.company.table(TABLE).with_code(code)
    if row is None:
        raise Refusal("Client-105", f"ERROR: Categoria não cadastrada para o Código [{code}] !")
    return row


def new_record(code: str, description: str, *, is_total: bool) -> Record:
    """Return a category as Omie keeps it; the first digit of its code says revenue (1) or expense (2)."""
    is_revenue = code.startswith("1")
    return {
        "codigo": code,
        "descricao": description,
        "descricao_padrao": description,
        "conta_inativa": "N",
        "definida_pelo_usuario": "S",
        "conta_receita": "S" if is_revenue else "N",
        "conta_despesa": "N" if is_revenue else "S",
        "nao_exibir": "N",
        "natureza": "R" if is_revenue else "D",
        "totalizadora": "S" if is_total else "N",
        "transferencia": "N",
        "categoria_superior": code.rpartition(".")[0] if code.count(".") > 1 else "",
        "codigo_dre": dre.code_of(code),
    }


def _shown(row: Row) -> Record:
    line = dre.BY_CODE.get(row.record.get("codigo_dre", ""))
    return row.record | ({"dadosDRE": line} if line is not None else {})


def _passes(row: Row, param: Record) -> bool:
    record = row.record
    if param.get("filtrar_apenas_ativo") == "S" and record["conta_inativa"] == "S":
        return False
    kind = param.get("filtrar_por_tipo")
    if kind in ("R", "D") and record["natureza"] != kind:
        return False
    return str(param.get("descricao", "")).lower() in record["descricao"].lower()


def _chosen(param: Record) -> Record:
    fixed = ("codigo", "categoria_superior", "tipo_grupo", "natureza")
    return {tag: value for tag, value in param.items() if tag not in fixed and value != ""}


def _next_code(desk: Desk, prefix: str) -> str:
    taken = {row.code for row in desk.company.table(TABLE)}
    return next(code for number in range(1, 1000) if (code := f"{prefix}{number:02d}") not in taken)


def _status(row: Row, done: str) -> dict[str, Any]:
    text = f"Categoria {done} com sucesso!"
    return {"codigo": row.code, "codigo_status": "0", "descricao_status": text}
