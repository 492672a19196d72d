"""How long an answer of Omie may be told again, and what a write makes old.

An entity is a service of Omie by its path without the last slash (`financas/contareceber`). A read shows its own
entity; a write touches its own and every neighbour in which its effect can be seen. No life is under 60 seconds:
sooner Omie would refuse the same question as redundant.
"""

from __future__ import annotations

SHORTEST_SECONDS = 60
LIST_SECONDS = 120
TABLE_SECONDS = 3_600
OFFICIAL_SECONDS = 86_400

# Tables of the law or of Omie: nobody edits them.
_OFFICIAL = frozenset(
    {
        "geral/bancos",
        "geral/bandeiracartao",
        "geral/cidades",
        "geral/finaltransf",
        "geral/meiospagamento",
        "geral/origemlancamento",
        "geral/origempedido",
        "geral/paises",
        "geral/tipoassinante",
        "geral/tipocc",
        "geral/tiposanexo",
        "geral/tiposdoc",
        "geral/tpativ",
        "produtos/cest",
        "produtos/cfop",
        "produtos/cnae",
        "produtos/cofinscst",
        "produtos/icmscsosn",
        "produtos/icmscst",
        "produtos/icmsorigem",
        "produtos/ipicst",
        "produtos/ipienq",
        "produtos/ncm",
        "produtos/piscst",
        "produtos/tpcalc",
        "servicos/classificacaoservico",
        "servicos/contratotpfat",
        "servicos/ibpt",
        "servicos/lc116",
        "servicos/listaservico",
        "servicos/nbs",
        "servicos/tipotrib",
        "servicos/tipoutilizacao",
    }
)
# Small tables of a company: they change a few times a year.
_TABLES = frozenset(
    {
        "crm/fases",
        "crm/finders",
        "crm/motivos",
        "crm/origens",
        "crm/solucoes",
        "crm/status",
        "crm/tipos",
        "crm/tipostarefa",
        "crm/usuarios",
        "crm/verticais",
        "estoque/comprador",
        "estoque/local",
        "geral/caracteristicas",
        "geral/categorias",
        "geral/cenarios",
        "geral/departamentos",
        "geral/dre",
        "geral/empresas",
        "geral/motivodevolucao",
        "geral/parcelas",
        "geral/tiposentrega",
        "geral/unidade",
        "produtos/etapafat",
        "produtos/formaspagcompras",
        "produtos/formaspagvendas",
    }
)
# The tables that nearly every task needs; a company is warmed up with them, in this order.
WARM = (
    ("geral/categorias/", "ListarCategorias"),
    ("geral/departamentos/", "ListarDepartamentos"),
    ("geral/parcelas/", "ListarParcelas"),
    ("produtos/etapafat/", "ListarEtapasFaturamento"),
    ("geral/bancos/", "ListarBancos"),
)
# Balances, stock and statements: as short as Omie lets us.
_LIVE = frozenset(
    {
        "estoque/consulta",
        "estoque/movestoque",
        "estoque/resumo",
        "financas/caixa",
        "financas/extrato",
        "financas/pix",
        "financas/resumo",
        "geral/contacorrente",
        "produtos/produtoslote",
    }
)
# It hands out the next number of a series: told twice, two documents would bear it.
_NEVER_KEPT = frozenset({"produtos/cupomfiscal/ObterProximoLote"})

_BALANCES = (
    "contador/resumo",
    "financas/caixa",
    "financas/contacorrentelancamentos",
    "financas/extrato",
    "financas/mf",
    "financas/pesquisartitulos",
    "financas/resumo",
    "geral/contacorrente",
)
_RECEIVABLES = ("financas/contareceber", "financas/contareceberboleto", "financas/pix", *_BALANCES)
_PAYABLES = ("financas/contapagar", *_BALANCES)
_STOCK = (
    "estoque/ajuste",
    "estoque/consulta",
    "estoque/movestoque",
    "estoque/resumo",
    "geral/produtos",
    "produtos/produtoslote",
)
_PRODUCTS = (
    "estoque/produtofornecedor",
    "geral/malha",
    "geral/prodcaract",
    "produtos/tabelaprecos",
    "produtos/variacao",
    *_STOCK,
)
_DOCUMENTS = (
    "contador/xml",
    "produtos/cte",
    "produtos/cupomfiscal",
    "produtos/cupomfiscalconsultar",
    "produtos/dfedocs",
    "produtos/nfconsultar",
    "produtos/nfe",
    "produtos/notafiscalutil",
)
_SALES = (
    "produtos/pedido",
    "produtos/pedidoetapas",
    "produtos/pedidovendafat",
    "produtos/remessa",
    "produtos/vendas-resumo",
    *_DOCUMENTS,
    *_RECEIVABLES,
    *_STOCK,
)
_PURCHASES = (
    "produtos/compras-resumo",
    "produtos/notaentrada",
    "produtos/pedidocompra",
    "produtos/recebimentonfe",
    "produtos/requisicaocompra",
    *_DOCUMENTS,
    *_PAYABLES,
    *_STOCK,
)
# What is used up at a customer's leaves the stock, or makes a dispatch or an order.
_WORK = (
    "contador/xml",
    "produtos/pedido",
    "produtos/remessa",
    "servicos/contrato",
    "servicos/contratofat",
    "servicos/contratolote",
    "servicos/nfse",
    "servicos/os",
    "servicos/osdocs",
    "servicos/oslote",
    "servicos/osp",
    "servicos/resumo",
    *_RECEIVABLES,
    *_STOCK,
)
_CLIENTS = ("geral/clientes", "geral/clientescaract", "geral/clientetag")
_CRM = (
    "crm/contas",
    "crm/contascaract",
    "crm/contatos",
    "crm/oportunidades",
    "crm/oportunidades-resumo",
    "crm/tarefas",
    "crm/tarefas-resumo",
)
_NEIGHBOURS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("financas/contareceber", "financas/contareceberboleto", "financas/pix"), _RECEIVABLES),
    "financas/contapagar": _PAYABLES,
    **dict.fromkeys(("financas/contacorrentelancamentos", "geral/contacorrente"), _BALANCES),
    **dict.fromkeys(
        (
            "produtos/cte",
            "produtos/cupomfiscal",
            "produtos/cupomfiscalincluir",
            "produtos/nfce",
            "produtos/nfe",
            "produtos/pedido",
            "produtos/pedidovenda",
            "produtos/pedidovendafat",
            "produtos/remessa",
            "produtos/remessafat",
            "produtos/sat",
        ),
        _SALES,
    ),
    **dict.fromkeys(
        (
            "produtos/notaentrada",
            "produtos/notaentradafat",
            "produtos/pedidocompra",
            "produtos/recebimentonfe",
            "produtos/requisicaocompra",
        ),
        _PURCHASES,
    ),
    **dict.fromkeys(
        (
            "servicos/contrato",
            "servicos/contratofat",
            "servicos/contratolote",
            "servicos/os",
            "servicos/oslote",
            "servicos/osp",
        ),
        _WORK,
    ),
    **dict.fromkeys(_CLIENTS, _CLIENTS),
    **dict.fromkeys(("estoque/ajuste", "produtos/op"), _STOCK),
    "estoque/local": ("estoque/consulta", "estoque/movestoque"),
    **dict.fromkeys(
        (
            "geral/familias",
            "geral/malha",
            "geral/prodcaract",
            "geral/produtos",
            "geral/produtoskit",
            "produtos/tabelaprecos",
            "produtos/variacao",
        ),
        _PRODUCTS,
    ),
    "geral/caracteristicas": ("geral/clientescaract", "geral/prodcaract"),
    "geral/categorias": ("geral/dre",),
    **dict.fromkeys(_CRM, _CRM),
}
_MONEY = frozenset((*_RECEIVABLES, *_PAYABLES))


def entity_of(path: str) -> str:
    """Name the entity that the methods of a service show and write."""
    return path.rstrip("/")


def touched_by(path: str) -> tuple[str, ...]:
    """Name every entity whose answers a write to this service makes old, its own first."""
    own = entity_of(path)
    return tuple(dict.fromkeys((own, *_NEIGHBOURS.get(own, ()))))


def life_seconds(path: str, call: str, kind: str, *, is_empty: bool = False) -> int | None:
    """Say for how long an answer may be told again; None: not once. Nothing found is kept as shortly as can be."""
    entity = entity_of(path)
    if f"{entity}/{call}" in _NEVER_KEPT:
        return None
    if is_empty or entity in _LIVE:
        return SHORTEST_SECONDS
    if entity in _OFFICIAL:
        return OFFICIAL_SECONDS
    if entity in _TABLES:
        return TABLE_SECONDS
    return LIST_SECONDS if kind == "list" else SHORTEST_SECONDS


def moves_money(path: str) -> bool:
    """Say whether a write to this service can move money or make somebody owe it."""
    return not _MONEY.isdisjoint(touched_by(path))


def must_be_fresh(path: str, *, is_for_money: bool) -> bool:
    """Say whether a read must be fresh because who asks is about to move money; tables never need to."""
    return is_for_money and entity_of(path) not in _OFFICIAL | _TABLES
