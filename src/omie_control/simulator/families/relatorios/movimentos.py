"""financas/mf and financas/pesquisartitulos: titles, their settlements, and what went through the accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.documents import bare
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families import lancamentos
from omie_control.simulator.families.lists import PastEnd, page_of, within
from omie_control.simulator.families.records import info
from omie_control.simulator.families.relatorios.titles import SIDES, Title, customer_of, find, titles
from omie_control.simulator.families.titulos import DELETED, OPEN
from omie_control.simulator.world import Desk, Record, Row

PATH = "financas/mf/"
SEARCH_PATH = "financas/pesquisartitulos/"
# Which groups of movements each `cTpLancamento` means: titles, settlements, entries made by hand; and which letter.
_KINDS = {
    "CP": ("title", "P"),
    "CR": ("title", "R"),
    "CPCR": ("title", "PR"),
    "BX": ("settlement", "PR"),
    "BXCP": ("settlement", "P"),
    "BXCR": ("settlement", "R"),
    "CC": ("entry", "PR"),
    "CCE": ("entry", "R"),
    "CCS": ("entry", "P"),
}
_SAME = (("nCodCliente", "nCodCliente"), ("nCodTitulo", "nCodTitulo"), ("cCodIntTitulo", "cCodIntTitulo"),
         ("cNumTitulo", "cNumTitulo"), ("nCodCC", "nCodCC"), ("cNatureza", "cNatureza"), ("cCodCateg", "cCodCateg"),
         ("cNumDocFiscal", "cNumDocFiscal"), ("nCodProjeto", "cCodProjeto"), ("nCodVendedor", "cCodVendedor"),
         ("nCodMovCC", "nCodMovCC"), ("cChaveNFe", "cChaveNFe"), ("nCodOS", "nCodOS"))  # fmt: skip
_WINDOWS = (("Emis", "dDtEmissao"), ("Venc", "dDtVenc"), ("Pagto", "dDtPagamento"), ("Prev", "dDtPrevisao"),
            ("Reg", "dDtRegistro"))  # fmt: skip


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarMovimentos: all groups, or those of `cTpLancamento`."""
    kind, letters = _KINDS.get(str(param.get("cTpLancamento") or ""), ("", "PR"))
    found = [each for each in _movements(desk, kind, letters) if _passes(each["detalhes"], param)]
    return page_of(catalog().method(PATH, "ListarMovimentos"), param, found, dict, PastEnd.EMPTY)


def pesquisar(desk: Desk, param: Record) -> dict[str, Any]:
    """PesquisarLancamentos: titles of both sides with their settlements."""
    searched = (_searched(desk, title) for title in titles(desk))
    found = [each for each in searched if _passes(each["cabecTitulo"], param)]
    return page_of(catalog().method(SEARCH_PATH, "PesquisarLancamentos"), param, found, dict, PastEnd.EMPTY)


def pesquisar_excluidos(desk: Desk, param: Record) -> dict[str, Any]:
    """PesquisarExcluidos: what was deleted since the beginning."""
    rows = [
        row
        for row in desk.company.table(DELETED)
        if within(param, "dDtInicial", "dDtFinal", f"{row.created_at:%d/%m/%Y}")
    ]
    return page_of(catalog().method(SEARCH_PATH, "PesquisarExcluidos"), param, rows, _deleted, PastEnd.EMPTY)


def obter_url_boleto(desk: Desk, param: Record) -> dict[str, Any]:
    """ObterURLBoleto."""
    title = find(desk, param.get("nCodTitulo") or 0, str(param.get("cCodIntTitulo") or ""))
    if title is None:
        told = param.get("nCodTitulo") or param.get("cCodIntTitulo")
        raise Refusal("Client-105", f"ERROR: Título não cadastrado para o Código [{told}] !")
    link = str(title.record.get("boleto", {}).get("link", ""))
    return {"nCodTitulo": title.row.id, "cCodIntTitulo": title.row.code, "cLinkBoleto": link}


HANDLERS = {"ListarMovimentos": listar}
SEARCH_HANDLERS = {
    "PesquisarLancamentos": pesquisar,
    "PesquisarExcluidos": pesquisar_excluidos,
    "ObterURLBoleto": obter_url_boleto,
}


def _movements(desk: Desk, kind: str, letters: str) -> Iterator[Record]:
    for title in titles(desk, letters):
        if kind in ("", "title"):
            details = _details(desk, title)
            details["cGrupo"] = "CONTA_A_PAGAR" if title.letter == "P" else "CONTA_A_RECEBER"
            yield {"detalhes": details, "resumo": _summary(title)}
        if kind in ("", "settlement"):
            for made in title.settlements:
                yield {"detalhes": _settled(desk, title, made), "resumo": _settled_summary(title, made)}
    if kind in ("", "entry"):
        for row in desk.company.table(lancamentos.NOUN.table):
            marks = row.record["diversos"]
            if marks["cNatureza"] in letters and not marks["cOrigem"].startswith("BAX"):
                yield _entry(desk, row)


def _details(desk: Desk, title: Title) -> Record:
    record, row = title.record, title.row
    side = SIDES[title.letter]
    shown = {
        "nCodTitulo": row.id,
        "cCodIntTitulo": row.code,
        "cNumTitulo": record.get("numero_documento", ""),
        "dDtEmissao": record["data_emissao"],
        "dDtVenc": record["data_vencimento"],
        "dDtPrevisao": record.get("data_previsao", record["data_vencimento"]),
        "dDtPagamento": title.settlements[-1].record["day"] if title.settlements and not title.open else "",
        "dDtRegistro": record[side.registered_tag],
        "nCodCliente": record["codigo_cliente_fornecedor"],
        "cCPFCNPJCliente": customer_of(desk, record["codigo_cliente_fornecedor"]).get("cnpj_cpf", ""),
        "nCodCC": record.get("id_conta_corrente", 0),
        "cStatus": title.status,
        "cNatureza": title.letter,
        "cTipo": record.get("codigo_tipo_documento", "99999"),
        "cNumDocFiscal": record.get("numero_documento_fiscal", ""),
        "cCodCateg": record.get("codigo_categoria", ""),
        "cNumParcela": record.get("numero_parcela", ""),
        "nValorTitulo": title.value,
        "cCodProjeto": record.get("codigo_projeto", 0),
        "cCodVendedor": record.get("codigo_vendedor", 0),
        "nCodOS": record.get("nCodOS", 0),
        "cChaveNFe": record.get("chave_nfe", ""),
        "cOrigem": record.get("id_origem", f"MAN{title.letter}"),
        "cNumBoleto": record.get("boleto", {}).get("cNumBoleto", ""),
        "observacao": record.get("observacao", ""),
    }
    return shown | _touched(row)


def _summary(title: Title) -> Record:
    marks = [made.record for made in title.settlements]
    discount, interest, fine = (round(sum(each[tag] for each in marks), 2) for tag in ("discount", "interest", "fine"))
    paid = round(sum(each["value"] for each in marks), 2)
    return {
        "cLiquidado": "S" if paid + discount >= title.value else "N",
        "nValPago": paid,
        "nValAberto": title.open,
        "nDesconto": discount,
        "nJuros": interest,
        "nMulta": fine,
        "nValLiquido": round(paid + interest + fine, 2) if paid else title.value,
    }


def _settled(desk: Desk, title: Title, made: Row) -> Record:
    mark = made.record
    entry = desk.company.table(lancamentos.NOUN.table).get(mark["entry"])
    seen = {} if entry is None else entry.record["diversos"]
    return _details(desk, title) | {
        "cGrupo": "CONTA_CORRENTE_PAG" if title.letter == "P" else "CONTA_CORRENTE_REC",
        "cOrigem": SIDES[title.letter].entry_origin,
        "nCodBaixa": made.id,
        "nCodMovCC": mark["entry"],
        "nValorMovCC": round(mark["value"] + mark["interest"] + mark["fine"], 2),
        "nCodCC": mark["account"],
        "dDtPagamento": mark["day"],
        "dDtCredito": mark["day"],
        "nDesconto": mark["discount"],
        "nJuros": mark["interest"],
        "nMulta": mark["fine"],
        "dDtConcilia": seen.get("dDtConc", ""),
        "cHrConcilia": seen.get("cHrConc", ""),
        "cUsConcilia": seen.get("cUsConc", ""),
        **_touched(made),
    }


def _settled_summary(title: Title, made: Row) -> Record:
    mark = made.record
    return {
        "cLiquidado": "S" if not title.open else "N",
        "nValPago": mark["value"],
        "nValAberto": title.open,
        "nDesconto": mark["discount"],
        "nJuros": mark["interest"],
        "nMulta": mark["fine"],
        "nValLiquido": round(mark["value"] + mark["interest"] + mark["fine"], 2),
    }


def _entry(desk: Desk, row: Row) -> Record:
    head, marks, more = row.record["cabecalho"], row.record["diversos"], row.record.get("detalhes", {})
    value = float(head["nValorLanc"])
    return {
        "detalhes": {
            "cGrupo": "CONTA_CORRENTE_PAG" if marks["cNatureza"] == "P" else "CONTA_CORRENTE_REC",
            "nCodMovCC": row.id,
            "nValorMovCC": value,
            "nCodCC": head["nCodCC"],
            "dDtPagamento": head["dDtLanc"],
            "dDtEmissao": head["dDtLanc"],
            "dDtVenc": head["dDtLanc"],
            "dDtPrevisao": head["dDtLanc"],
            "dDtRegistro": f"{row.created_at:%d/%m/%Y}",
            "cNatureza": marks["cNatureza"],
            "cOrigem": marks["cOrigem"],
            "cStatus": "PAGO" if marks["cNatureza"] == "P" else "RECEBIDO",
            "cCodCateg": more.get("cCodCateg", ""),
            "nCodCliente": more.get("nCodCliente", 0),
            "cCodProjeto": more.get("nCodProjeto", 0),
            "cNumTitulo": more.get("cNumDoc", ""),
            "observacao": more.get("cObs", ""),
            "dDtConcilia": marks.get("dDtConc", ""),
            **_touched(row),
        },
        "resumo": {"cLiquidado": "S", "nValPago": value, "nValAberto": 0.0, "nValLiquido": value},
    }


def _searched(desk: Desk, title: Title) -> Record:
    details = {tag: value for tag, value in _details(desk, title).items() if not tag.endswith(("Inc", "Alt"))}
    return {
        "cabecTitulo": details | {"info": info(title.row)},
        "lancamentos": [
            {
                "nCodLanc": made.id,
                "cCodIntLanc": made.code,
                "nIdLancCC": made.record["entry"],
                "dDtLanc": made.record["day"],
                "nValLanc": made.record["value"],
                "nDesconto": made.record["discount"],
                "nJuros": made.record["interest"],
                "nMulta": made.record["fine"],
                "nCodCC": made.record["account"],
                "cNatureza": title.letter,
                "cObsLanc": made.record["remark"],
            }
            for made in title.settlements
        ],
        "resumo": _summary(title),
    }


def _touched(row: Row) -> Record:
    made, changed = row.created_at, row.changed_at
    return {
        "dDtInc": f"{made:%d/%m/%Y}",
        "cHrInc": f"{made:%H:%M:%S}",
        "cUsInc": "WEBSERVICE",
        "dDtAlt": f"{changed:%d/%m/%Y}",
        "cHrAlt": f"{changed:%H:%M:%S}",
        "cUsAlt": "WEBSERVICE",
    }


def _deleted(row: Row) -> Record:
    at = row.created_at
    day, time = f"{at:%d/%m/%Y}", f"{at:%H:%M:%S}"
    title = row.record["title"]
    return {"nCodTitulo": title, "dDataExc": day, "cHoraExc": time, "cUsuarioExc": "WEBSERVICE", "cAcao": "EXCLUIR"}


def _passes(details: Record, param: Record) -> bool:
    document = param.get("cCPFCNPJCliente")
    return (
        all(not param.get(tag) or str(param[tag]) == str(details.get(own, "")) for tag, own in _SAME)
        and (not document or bare(document) == bare(str(details.get("cCPFCNPJCliente", ""))))
        and all(within(param, f"dDt{part}De", f"dDt{part}Ate", details.get(own, "")) for part, own in _WINDOWS)
        and within(param, "dDtIncDe", "dDtIncAte", details.get("dDtInc", ""))
        and within(param, "dDtAltDe", "dDtAltAte", details.get("dDtAlt", ""))
        and _is_so(str(details.get("cStatus", "")), str(param.get("cStatus") or ""))
    )


def _is_so(status: str, wanted: str) -> bool:
    if wanted == "LIQUIDADO":
        return status in ("PAGO", "RECEBIDO")
    return not wanted or (status in OPEN if wanted == "EMABERTO" else status == wanted)
