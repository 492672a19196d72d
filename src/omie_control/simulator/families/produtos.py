"""geral/produtos: products, by Omie's id, by the seller's own code, or by integration code."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import page, touched
from omie_control.simulator.families.records import Noun, info, require
from omie_control.simulator.world import Desk, Record, Row

PATH = "geral/produtos/"
NOUN = Noun("produtos", "Produto", "codigo_produto", "codigo_produto_integracao")
_KEYS = frozenset({NOUN.id_tag, NOUN.code_tag, "info"})
# ConsultarProduto shows these, the list does not.
_LONG = frozenset({"descr_detalhada", "obs_internas", "imagens", "videos"})


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarProdutos."""
    return page(catalog().method(PATH, "ListarProdutos"), param, _matching(desk, param), _listed)


def listar_resumido(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarProdutosResumido."""
    return page(catalog().method(PATH, "ListarProdutosResumido"), param, _matching(desk, param), _summary)


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarProduto."""
    return full(find(desk, param))


def incluir(desk: Desk, param: Record) -> dict[str, Any]:
    """IncluirProduto."""
    require(param, "descricao", "unidade", "ncm", "valor_unitario")
    code = str(param.get(NOUN.code_tag) or "")
    NOUN.refuse_known_code(desk, code)
    _refuse_known_description(desk, param)
    return NOUN.status(desk.add(NOUN.table, new_record(param), code), "cadastrado")


def alterar(desk: Desk, param: Record) -> dict[str, Any]:
    """AlterarProduto."""
    return _change(desk, find(desk, param), param)


def upsert(desk: Desk, param: Record) -> dict[str, Any]:
    """UpsertProduto, by integration code."""
    require(param, NOUN.code_tag)
    row = desk.company.table(NOUN.table).with_code(param[NOUN.code_tag])
    return incluir(desk, param) if row is None else _change(desk, row, param)


def excluir(desk: Desk, param: Record) -> dict[str, Any]:
    """ExcluirProduto."""
    row = find(desk, param)
    desk.remove(NOUN.table, row)
    return NOUN.status(row, "excluído")


HANDLERS = {
    "ListarProdutos": listar,
    "ListarProdutosResumido": listar_resumido,
    "ConsultarProduto": consultar,
    "IncluirProduto": incluir,
    "AlterarProduto": alterar,
    "UpsertProduto": upsert,
    "ExcluirProduto": excluir,
    "AssociarCodIntProduto": NOUN.associate,
}


def new_record(param: Record) -> Record:
    """Return a product with what Omie adds by itself to the tags that came."""
    return {
        "bloqueado": "N",
        "inativo": "N",
        "tipoItem": "00",
        "codigo": param.get(NOUN.code_tag) or "",
        **{tag: value for tag, value in param.items() if tag not in _KEYS},
    }


def full(row: Row) -> Record:
    """Return a product as ConsultarProduto shows it."""
    return {NOUN.id_tag: row.id, NOUN.code_tag: row.code, **row.record, "info": info(row)}


def find(desk: Desk, param: Record) -> Row:
    """Return a product by id, integration code, or the seller's own code, or refuse."""
    own = param.get("codigo")
    if param.get(NOUN.id_tag) or param.get(NOUN.code_tag) or not own:
        return NOUN.find(desk, param)
    row = next((each for each in desk.company.table(NOUN.table) if each.record.get("codigo") == own), None)
    if row is None:
        raise Refusal("Client-105", f"ERROR: Produto não cadastrado para o Código [{own}] !")
    return row


def _matching(desk: Desk, param: Record) -> list[Row]:
    keys = param.get("produtosPorCodigo", [])
    ids = {key.get(NOUN.id_tag) for key in keys}
    codes = {key.get(NOUN.code_tag) for key in keys} - {None, ""}
    # Products of the point of sale are another shop's; there are none here.
    if param.get("filtrar_apenas_omiepdv") == "S":
        return []
    return [
        row
        for row in desk.company.table(NOUN.table)
        if (not keys or row.id in ids or row.code in codes)
        and touched(param, row)
        and _is_described(row, param)
        and param.get("inativo") in (None, "", row.record["inativo"])
    ]


def _is_described(row: Row, param: Record) -> bool:
    """Match the whole description, or a part where `%` stands, which then needs three letters."""
    wanted = str(param.get("filtrar_apenas_descricao", "")).lower()
    part = wanted.strip("%")
    if wanted != part and len(part) < 3:
        raise Refusal("Client-1010", "ERROR: O filtro precisa de no mínimo 3 caracteres além do %!")
    description = row.record["descricao"].lower()
    return not wanted or (part in description if wanted != part else wanted == description)


def _listed(row: Row) -> Record:
    return {tag: value for tag, value in full(row).items() if tag not in _LONG}


def _summary(row: Row) -> Record:
    tags = ("codigo", "descricao", "valor_unitario")
    head = {NOUN.id_tag: row.id, NOUN.code_tag: row.code}
    return head | {tag: row.record[tag] for tag in tags if tag in row.record}


def _change(desk: Desk, row: Row, param: Record) -> dict[str, Any]:
    _refuse_known_description(desk, param, but=row)
    desk.change(NOUN.table, row, {tag: value for tag, value in param.items() if tag not in _KEYS})
    return NOUN.status(row, "alterado")


def _refuse_known_description(desk: Desk, param: Record, *, but: Row | None = None) -> None:
    wanted = str(param.get("descricao", "")).lower()
    for row in desk.company.table(NOUN.table):
        if wanted and row is not but and row.record["descricao"].lower() == wanted:
            code = row.record["codigo"] or row.id
            raise Refusal("Client-143", f"ERROR: descrição já utilizada pelo produto com código {code}")
