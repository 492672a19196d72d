"""Fiscal notes: of goods and of services, listed, shown, and their documents fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.errors import InvalidInput
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Asked, Listing, Omie, Reading
from omie_control.mcp.tools.parameters import Codigo, CodigoCliente, Documento, EmissaoAte, EmissaoDe, SimNao
from omie_control.mcp.tools.shapes import Shape, code, days, money, result_schema, text, whole
from omie_control.mcp.tools.wire import Fields, between, numbered, only_one
from omie_control.mcp.tools.words import bullets, filled, plain

PATH = "produtos/nfconsultar/"
DOCUMENTS_PATH = "produtos/dfedocs/"
SERVICES_PATH = "servicos/osdocs/"
_KINDS = {"0": "entrada", "1": "saída"}


def _kind(row: Mapping[str, Any]) -> str:
    head = row.get("ide")
    return _KINDS.get(plain(head.get("tpNF")), "") if isinstance(head, Mapping) else ""


NOTAS = Listing(
    PATH,
    "ListarNF",
    "notas fiscais",
    key="notas",
    shape=Shape(
        codigo_nota=code("compl.nIdNF", "código"),
        numero=text("ide.nNF", "número"),
        serie=text("ide.serie"),
        tipo=text(_kind, "tipo"),
        emissao=days("ide.dEmi", "emissão"),
        codigo_cliente=code("nfDestInt.nCodCli"),
        cliente=text("nfDestInt.cRazao", "cliente"),
        valor=money("total.ICMSTot.vNF", "valor"),
        chave=text("compl.cChaveNFe"),
        codigo_pedido=code("compl.nIdPedido"),
        cancelamento=days("ide.dCan", "cancelada em"),
    ),
)
NOTA = Reading(PATH, "ConsultarNF", "Nota fiscal", key="nota", title="ide.nNF")
NFSES = Listing(
    "servicos/nfse/",
    "ListarNFSEs",
    "notas de serviço",
    key="notas",
    shape=Shape(
        codigo_nota=code("Cabecalho.nCodNF", "código"),
        numero=text("Cabecalho.nNumeroNFSe", "número"),
        serie=text("Cabecalho.cSerieNFSe"),
        emissao=days("Emissao.cDataEmissao", "emissão"),
        codigo_cliente=code("Cabecalho.nCodigoCliente", "cliente"),
        valor=money("Cabecalho.nValorNFSe", "valor"),
        valor_iss=money("Valores.nValorISS"),
        status=text("Cabecalho.cStatusNFSe", "status"),
        status_rps=text("RPS.cStatusRPS"),
        codigo_os=code("OrdemServico.nCodigoOS"),
        numero_os=text("OrdemServico.nNumeroOS"),
        cancelamento=days("Cancelamento.cDataCancelamento", "cancelada em"),
    ),
)
# For each document: the method that gives it, the field that names it.
DOCUMENTS = {
    "nfe": (Asked(DOCUMENTS_PATH, "ObterNfe", "NF-e"), "nIdNfe"),
    "danfe_simplificado": (Asked(DOCUMENTS_PATH, "ObterDanfeSimp", "DANFE simplificado"), "nIdNfe"),
    "cupom": (Asked(DOCUMENTS_PATH, "ObterCupom", "Cupom fiscal"), "nIdCupom"),
    "cte": (Asked(DOCUMENTS_PATH, "ObterCTe", "CT-e"), "nIdCTe"),
    "pedido_venda": (Asked(DOCUMENTS_PATH, "ObterPedVenda", "Pedido de venda"), "nIdPed"),
    "nfse": (Asked(SERVICES_PATH, "ObterNFSe", "NFS-e"), "nIdNf"),
    "ordem_servico": (Asked(SERVICES_PATH, "ObterOS", "Ordem de serviço"), "nIdOs"),
}
# Under which names the methods answer the same things.
_TOLD = {
    "numero": ("cNumNfe", "cNumCupom", "cNumCTe", "cNumNFSe", "cNumPed", "cNumOs"),
    "chave": ("nChaveNfe", "nChaveCupom", "nChaveCTe"),
    "codigo_verificacao": ("cCodVerif",),
    "pdf": ("cPdf", "cPdfPed", "cPdfNFSe", "cPdfOs"),
    "pagina_da_prefeitura": ("cUrlNFSe",),
    "portal": ("cLinkPortal",),
}
_XML = ("cXmlNfe", "cXmlCupom", "cXmlCTe", "cXmlNFSe")

Chave = Annotated[
    str | None,
    Field(
        description="Chave de acesso, 44 dígitos.",
        pattern=r"^[0-9A-Z]{44}$",
        examples=["35260111222333000181550010000012341000012345"],
    ),
]

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar notas fiscais",
    Complexity.INTERMEDIARIA,
    NOTAS,
    "Lista notas fiscais de produtos (NF-e), de saída e de entrada, uma página por vez. Informe um período de emissão. "
    "Canceladas vêm com a data do cancelamento. Depois chame consultar_nota_fiscal ou obter_documento_fiscal. As de "
    "serviço estão em listar_nfse.",
)
def listar_notas_fiscais(
    *,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    tipo: Annotated[Literal["entrada", "saida"] | None, Field(description="Só de entrada ou só de saída.")] = None,
    codigo_cliente: Annotated[Codigo | None, Field(description="Cliente ou fornecedor, código no Omie.")] = None,
    cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ do cliente ou fornecedor.")] = None,
    numero_de: Annotated[int | None, Field(description="Número inicial.", ge=1, examples=[1])] = None,
    numero_ate: Annotated[int | None, Field(description="Número final.", ge=1, examples=[999])] = None,
) -> Fields:
    return {
        **between("emissao", emissao_de, emissao_ate, "dEmiInicial", "dEmiFinal"),
        "tpNF": {"entrada": "0", "saida": "1"}.get(tipo or ""),
        "nIdCliente": codigo_cliente,
        "cnpj_cpf": cnpj_cpf,
        **numbered("numero", numero_de, numero_ate, "nNFInicial", "nNFFinal"),
    }


@family.gets(
    "Consultar nota fiscal",
    Complexity.BASICA,
    NOTA,
    "Mostra uma nota fiscal de produtos inteira: itens, totais, títulos que gerou, pedido de origem. Informe um só: "
    "codigo_nota, numero (com serie), chave ou codigo_pedido. Para o DANFE e o XML, chame obter_documento_fiscal.",
)
def consultar_nota_fiscal(
    *,
    codigo_nota: Annotated[Codigo | None, Field(description="Código da nota no Omie.")] = None,
    numero: Annotated[
        str | None, Field(description="Número como em listar_notas_fiscais.", max_length=9, examples=["1234"])
    ] = None,
    serie: Annotated[str | None, Field(description="Série, junto com numero.", max_length=5, examples=["1"])] = None,
    chave: Chave = None,
    codigo_pedido: Annotated[Codigo | None, Field(description="Código do pedido faturado.")] = None,
) -> Fields:
    only_one(codigo_nota=codigo_nota, numero=numero, chave=chave, codigo_pedido=codigo_pedido)
    if serie is not None and numero is None:
        raise InvalidInput("serie só vale junto com numero.", hint="Tire a série ou informe o número.")
    return {"nCodNF": codigo_nota, "nNF": numero, "serie": serie, "cChaveNFe": chave, "nIdPedido": codigo_pedido}


@family.lists(
    "Listar NFS-e",
    Complexity.INTERMEDIARIA,
    NFSES,
    "Lista notas fiscais de serviço (NFS-e), uma página por vez. Informe um período de emissão. O motivo de uma RPS "
    "rejeitada pela prefeitura só está em status_ordem_servico (codigo_os). O documento: obter_documento_fiscal com "
    "documento=nfse e o codigo_nota.",
)
def listar_nfse(
    *,
    emissao_de: EmissaoDe = None,
    emissao_ate: EmissaoAte = None,
    codigo_cliente: CodigoCliente = None,
    codigo_os: Annotated[Codigo | None, Field(description="Código da ordem de serviço.")] = None,
    numero: Annotated[str | None, Field(description="Número da nota.", max_length=20, examples=["1234"])] = None,
) -> Fields:
    return {
        **between("emissao", emissao_de, emissao_ate, "dEmiInicial", "dEmiFinal"),
        "nCodigoCliente": codigo_cliente,
        "nCodigoOS": codigo_os,
        "nNumeroNFSe": numero,
    }


@family.asks(
    "Obter documento fiscal",
    Complexity.BASICA,
    result_schema(
        {**{name: {"type": "string"} for name in (*_TOLD, "xml", "documento")}, "tem_xml": {"type": "boolean"}}
    ),
    "Dá os links (PDF, portal) e, com com_xml=true, o XML de um documento: NF-e, DANFE simplificado, cupom, CT-e, "
    "NFS-e, pedido de venda ou ordem de serviço. O código vem de listar_notas_fiscais, listar_nfse, "
    "listar_pedidos_venda ou listar_ordens_servico. Passe os links só a quem pode ver o documento.",
    *(asked for asked, _ in DOCUMENTS.values()),
)
async def obter_documento_fiscal(
    omie: Omie,
    *,
    documento: Annotated[
        Literal["nfe", "danfe_simplificado", "cupom", "cte", "nfse", "pedido_venda", "ordem_servico"],
        Field(description="Que documento."),
    ],
    codigo: Annotated[Codigo, Field(description="Código da nota, do pedido ou da ordem no Omie.")],
    com_xml: Annotated[SimNao, Field(description="Inclui o XML, que pode ser longo.")] = False,
) -> ToolResult:
    asked, field = DOCUMENTS[documento]
    data = whole((await omie.read(asked, {field: codigo})).payload.data)
    found = {ours: next((str(data[name]) for name in names if data.get(name)), None) for ours, names in _TOLD.items()}
    xml = next((data[name] for name in _XML if data.get(name)), None)
    links = filled(found)
    head = f"**{asked.noun}** {codigo} · empresa {omie.company.slug}"
    told = {"documento": documento, **links, "tem_xml": xml is not None} | ({"xml": xml} if com_xml and xml else {})
    return omie.answer(told, head, bullets(list(links.items())) or "O Omie não deu link para este documento.")
