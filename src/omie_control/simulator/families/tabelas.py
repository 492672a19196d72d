"""Official and house tables that anybody may read: a few real codes, and made-up rows enough to page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omie_control.omie.catalog import catalog
from omie_control.simulator.engine import plain
from omie_control.simulator.engine.shelf import Handler
from omie_control.simulator.families import clientes, produtos
from omie_control.simulator.world import Company, Record

_BANKS = ("001 Banco do Brasil", "033 Santander", "077 Banco Inter", "104 Caixa Econômica Federal", "208 BTG Pactual",
          "212 Banco Original", "237 Bradesco", "260 Nu Pagamentos", "336 Banco C6", "341 Itaú Unibanco",
          "422 Banco Safra", "613 Omie.CASH", "748 Sicredi", "756 Sicoob", "999 Caixinha")  # fmt: skip
_CAPITALS = ("AC Rio Branco", "AL Maceió", "AM Manaus", "AP Macapá", "BA Salvador", "CE Fortaleza", "DF Brasília",
             "ES Vitória", "GO Goiânia", "MA São Luís", "MG Belo Horizonte", "MS Campo Grande", "MT Cuiabá",
             "PA Belém", "PB João Pessoa", "PE Recife", "PI Teresina", "PR Curitiba", "RJ Rio de Janeiro",
             "RN Natal", "RO Porto Velho", "RR Boa Vista", "RS Porto Alegre", "SC Florianópolis", "SE Aracaju",
             "SP São Paulo", "TO Palmas")  # fmt: skip
_COUNTRIES = ("1058 BR Brasil", "0639 AR Argentina", "1589 CL Chile", "1694 CO Colômbia", "5860 PY Paraguai",
              "8451 UY Uruguai", "5894 PE Peru", "2496 US Estados Unidos", "4936 MX México", "1490 CA Canadá",
              "6076 PT Portugal", "2453 ES Espanha", "2755 FR França", "0230 DE Alemanha", "3867 IT Itália",
              "6289 GB Reino Unido", "1600 CN China", "3999 JP Japão", "3611 IN Índia",
              "7560 ZA África do Sul")  # fmt: skip
_UNITS = ("UN Unidade", "CX Caixa", "PC Peça", "KG Quilograma", "G Grama", "L Litro", "ML Mililitro", "M Metro",
          "M2 Metro quadrado", "M3 Metro cúbico", "PCT Pacote", "PAR Par", "DZ Dúzia", "RL Rolo", "SC Saco",
          "TON Tonelada", "HR Hora", "KIT Kit")  # fmt: skip
_DOCUMENTS = ("ADI Adiantamento", "BOL Boleto", "CRT Cartão", "CHQ Cheque", "CON Conta de consumo", "CRE Crédito",
              "DAS DAS", "DEB Débito", "DIN Dinheiro", "DOC DOC", "GUIA Guia", "PROT Protesto", "REC Recibo",
              "RPA RPA", "TED TED", "TRA Transferência", "99999 Outros")  # fmt: skip
_MEANS = ("01 Dinheiro", "02 Cheque", "03 Cartão de crédito", "04 Cartão de débito", "05 Crédito loja",
          "10 Vale alimentação", "15 Boleto bancário", "16 Depósito bancário", "17 PIX", "18 Transferência bancária",
          "90 Sem pagamento", "99 Outros")  # fmt: skip
_ORIGINS = ("APIP API de contas a pagar", "APIR API de contas a receber", "BAXP Baixa a pagar",
            "BAXR Baixa a receber", "COMP Compra", "DEVP Devolução de venda", "DEVR Devolução de compra",
            "EXTP Extrato, saída", "EXTR Extrato, entrada", "MANP Manual a pagar", "MANR Manual a receber",
            "NFEP Nota de entrada", "NFER Nota de saída", "TRAP Transferência, saída", "TRAR Transferência, entrada",
            "VENR Venda")  # fmt: skip
_SALES = ("API Integração", "OMI Digitado no Omie", "PDV Ponto de venda", "MKP Marketplace", "LOJ Loja virtual")
_FILES = ("cliente Clientes", "produto Produtos", "servico Serviços", "pedido Pedidos de venda",
          "remessa Remessas", "ordem Ordens de serviço", "contrato Contratos", "nota Notas fiscais",
          "conta Contas a pagar e a receber", "crm CRM", "com Compras")  # fmt: skip
_ACCOUNTS = ("CC Conta corrente", "CX Caixa", "CA Conta de aplicação", "CR Cartão de crédito", "CP Conta poupança",
             "CE Conta de empréstimo", "AD Adiantamento")  # fmt: skip
_CARDS = ("01 Visa", "02 Mastercard", "03 American Express", "04 Sorocred", "05 Diners Club", "06 Elo",
          "07 Hipercard", "08 Aura", "09 Cabal", "99 Outros")  # fmt: skip
_CST = ("00 Tributada integralmente", "10 Tributada com substituição", "20 Com redução de base", "30 Isenta com ST",
        "40 Isenta", "41 Não tributada", "50 Suspensão", "51 Diferimento", "60 ICMS cobrado antes por ST",
        "70 Com redução e ST", "90 Outras")  # fmt: skip
_NCM = ("7318.15.00 Parafusos e pinos", "8207.50.11 Brocas", "8539.52.00 Lâmpadas de LED", "8544.49.00 Condutores",
        "3208.10.10 Tintas", "4015.19.00 Luvas de borracha", "8481.80.99 Válvulas", "8482.10.10 Rolamentos",
        "8421.39.90 Filtros", "4010.39.00 Correias")  # fmt: skip
_CFOP = ("1.101 Compra para industrialização", "1.102 Compra para comercialização", "1.202 Devolução de venda",
         "1.403 Compra com ST", "1.556 Compra para uso", "2.102 Compra de outro estado", "5.101 Venda de produção",
         "5.102 Venda de mercadoria", "5.202 Devolução de compra", "5.405 Venda com ST", "5.910 Bonificação",
         "5.915 Remessa para conserto", "5.949 Outras saídas", "6.102 Venda para outro estado",
         "6.108 Venda a não contribuinte", "7.102 Exportação")  # fmt: skip


def _coded(texts: Iterable[str], code: str, name: str, **more: str) -> list[Record]:
    return [{code: text.partition(" ")[0], name: text.partition(" ")[2], **more} for text in texts]


def _banks(company: Company) -> list[Record]:
    made_up = [f"{number:03d} Banco de Demonstração {number}" for number in range(800, 890)]
    return [{**row, "tipo": "CC"} for row in _coded([*_BANKS, *made_up], "codigo", "nome")]


def _cities(company: Company) -> list[Record]:
    random = company.random("cidades")
    names = [text.partition(" ") for text in _CAPITALS]
    first = ("Nova", "Santa", "Porto", "Serra", "Campo", "Vila")
    second = ("Araucária", "Aurora", "Esperança", "das Flores", "do Ipê", "Alegria", "do Sol", "Bonita")
    made_up = [(random.choice(names)[0], " ", f"{one} {two}") for one in first for two in second]
    return [
        {"cCod": f"{name} ({state})", "cNome": name, "cUF": state, "nCodIBGE": f"{1_100_000 + number:07d}"}
        for number, (state, _, name) in enumerate([*names, *made_up])
    ]


def _countries(company: Company) -> list[Record]:
    parts = [text.split(" ", 2) for text in _COUNTRIES]
    return [{"cCodigo": code, "cCodigoISO": iso, "cDescricao": name} for code, iso, name in parts]


def _goods(company: Company) -> list[Record]:
    random = company.random("ncm")
    made_up = [f"{random.randrange(1000, 9800)}.{random.randrange(10, 99)}.{random.randrange(10, 99)} Mercadoria {each}"
               for each in range(1, 111)]  # fmt: skip
    return _coded([*_NCM, *made_up], "cCodigo", "cDescricao", cEX="")


def _suppliers(company: Company) -> list[Record]:
    goods = list(company.table(produtos.NOUN.table))
    owners = [row for row in company.table(clientes.NOUN.table) if {"tag": "Fornecedor"} in row.record["tags"]]
    return [
        {
            "nCodForn": owner.id,
            "cCodIntForn": owner.code,
            "cCpfCnpj": owner.record.get("cnpj_cpf", ""),
            "cRazaoSocial": owner.record["razao_social"],
            "cNomeFantasia": owner.record["nome_fantasia"],
            "produtos": [
                {
                    "nCodProd": each.id,
                    "cCodIntProd": each.code,
                    "cCodigo": each.record["codigo"],
                    "cDescricao": each.record["descricao"],
                }
                for each in goods[number % 10 :: 10]
            ],
        }
        for number, owner in enumerate(owners)
    ]


def _fixed(rows: list[Record]) -> plain.Rows:
    return lambda company: rows


# Service: (list, look-up, rows, what the list filters by).
_TABLES: Mapping[str, tuple[str, str, plain.Rows, Mapping[str, str]]] = {
    "geral/bancos/": ("ListarBancos", "ConsultarBanco", _banks, {}),
    "geral/cidades/": (
        "PesquisarCidades",
        "",
        _cities,
        {"filtrar_cidade_contendo": "~cNome", "filtrar_por_cidade": "cNome", "filtrar_por_uf": "cUF"},
    ),
    "geral/paises/": (
        "ListarPaises",
        "",
        _countries,
        {
            "filtrar_por_codigo": "cCodigo",
            "filtrar_por_descricao": "~cDescricao",
            "filtrar_por_codigo_iso": "cCodigoISO",
        },
    ),
    "geral/unidade/": ("ListarUnidades", "", _fixed(_coded(_UNITS, "codigo", "descricao")), {}),
    "geral/tiposdoc/": (
        "PesquisarTipoDocumento",
        "ConsultarTipoDocumento",
        _fixed(_coded(_DOCUMENTS, "codigo", "descricao")),
        {},
    ),
    "geral/meiospagamento/": ("ListarMeiosPagamento", "", _fixed(_coded(_MEANS, "codigo", "descricao")), {}),
    "geral/origemlancamento/": ("ListarOrigem", "", _fixed(_coded(_ORIGINS, "codigo", "descricao")), {}),
    "geral/origempedido/": ("ListarOrigem", "", _fixed(_coded(_SALES, "codigo", "descricao")), {}),
    "geral/tiposanexo/": ("ListarTiposAnexos", "", _fixed(_coded(_FILES, "codigo", "descricao")), {}),
    "geral/tipocc/": ("ListarTiposCC", "", _fixed(_coded(_ACCOUNTS, "cCodigo", "cDescricao", cGrupo="CC")), {}),
    "geral/bandeiracartao/": ("ListarBandeiras", "", _fixed(_coded(_CARDS, "cCodigo", "cDescricao")), {}),
    "produtos/icmscst/": ("ListarCST", "", _fixed(_coded(_CST, "nCodigo", "cDescricao")), {}),
    "produtos/cfop/": ("ListarCFOP", "", _fixed(_coded(_CFOP, "nCodigo", "cDescricao")), {}),
    "produtos/ncm/": ("ListarNCM", "ConsultarNCM", _goods, {"cDescricao": "~cDescricao"}),
    "estoque/produtofornecedor/": ("ListarProdutoFornecedor", "", _suppliers, {}),
}


def handlers_of(path: str) -> dict[str, Handler]:
    """Return the handlers of a table's service."""
    call, look_up, rows, filters = _TABLES[path]
    listing = catalog().method(path, call)
    found = {call: plain.list_of(listing, rows, filters)}
    return found | ({look_up: plain.one_of(catalog().method(path, look_up), listing, rows)} if look_up else {})


HANDLERS: Mapping[str, Mapping[str, Handler]] = {path: handlers_of(path) for path in _TABLES}
