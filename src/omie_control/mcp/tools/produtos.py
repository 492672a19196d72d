"""Products: list, show, create, change, delete. What is in stock of them stands in `estoque`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoIntegracao,
    CodigoOmie,
    Data,
    PrecoUnitario,
    SimNao,
)
from omie_control.mcp.tools.shapes import Shape, code, days, flag, number, text
from omie_control.mcp.tools.wire import Fields, Key, between, only_one

PATH = "geral/produtos/"

PRODUTOS = Listing(
    PATH,
    "ListarProdutos",
    "produtos",
    key="produtos",
    shape=Shape(
        codigo_omie=code("codigo_produto", "código no Omie"),
        codigo_integracao=text("codigo_produto_integracao"),
        codigo=text("codigo", "código"),
        descricao=text("descricao", "descrição"),
        unidade=text("unidade", "un."),
        preco=number("valor_unitario", "preço"),
        ncm=text("ncm"),
        ean=text("ean"),
        codigo_familia=code("codigo_familia"),
        familia=text("descricao_familia"),
        tipo_item=text("tipoItem"),
        inativo=flag("inativo"),
        alterado_em=days("info.dAlt"),
    ),
    # Without these two Omie leaves most of the products out.
    always={"apenas_importado_api": "N", "filtrar_apenas_omiepdv": "N"},
)
PRODUTO = Reading(PATH, "ConsultarProduto", "Produto", key="produto", title="descricao")
KEY = Key("codigo_produto", "codigo_produto_integracao", "listar_produtos")
CODES = Shape(codigo_omie=code("codigo_produto"), codigo_integracao=text("codigo_produto_integracao"))
INCLUIR = Writing(PATH, "IncluirProduto", "Produto", "incluído", CODES, has_other_fields=True)
ALTERAR = Writing(PATH, "AlterarProduto", "Produto", "alterado", CODES, KEY.fields, has_other_fields=True)
EXCLUIR = Writing(PATH, "ExcluirProduto", "Produto", "excluído", CODES)

TipoItem = Annotated[
    Literal["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "99"] | None,
    Field(description="Tipo do item (SPED): 00 revenda, 01 matéria-prima, 04 produto acabado, 07 uso e consumo …"),
]
Familia = Annotated[Codigo | None, Field(description="Código da família de produtos.")]
Sku = Annotated[str, Field(min_length=1, max_length=60, examples=["PRD-0001"])]
Descricao = Annotated[str, Field(min_length=1, max_length=120, examples=["Parafuso de aço"])]
Unidade = Annotated[str, Field(min_length=1, max_length=6, examples=["UN"])]
Ncm = Annotated[
    str, Field(description="NCM, oito dígitos.", pattern=r"^[0-9]{4}\.?[0-9]{2}\.?[0-9]{2}$", examples=["7318.15.00"])
]
Ean = Annotated[
    str | None, Field(description="Código de barras (GTIN).", pattern=r"^[0-9]{8,14}$", examples=["7891000315507"])
]

family = Family(Category.PRODUTOS)
register = family.register


@family.lists(
    "Listar produtos",
    Complexity.INTERMEDIARIA,
    PRODUTOS,
    "Lista os produtos do cadastro, com preço de venda. Filtre por parte da descrição, família, tipo, situação ou "
    "data de alteração. O cadastro não diz quanto há em estoque: use consultar_estoque. Para ver um produto inteiro, "
    "consultar_produto.",
)
def listar_produtos(
    *,
    descricao: Annotated[
        str | None, Field(description="Parte da descrição.", min_length=3, max_length=100, examples=["parafuso"])
    ] = None,
    codigo_familia: Familia = None,
    tipo_item: TipoItem = None,
    inativo: Annotated[SimNao | None, Field(description="true: só inativos; false: só ativos.")] = None,
    alterado_de: Annotated[Data | None, Field(description="Incluído ou alterado a partir de.")] = None,
    alterado_ate: Annotated[Data | None, Field(description="Incluído ou alterado até.")] = None,
) -> Fields:
    period = between("alterado", alterado_de, alterado_ate, "filtrar_por_data_de", "filtrar_por_data_ate")
    return {
        "filtrar_apenas_descricao": None if descricao is None else f"%{descricao.strip('%')}%",
        "filtrar_apenas_familia": codigo_familia,
        "filtrar_apenas_tipo": tipo_item,
        "inativo": inativo,
        **period,
        "filtrar_apenas_alteracao": True if period else None,
    }


@family.gets(
    "Consultar produto",
    Complexity.BASICA,
    PRODUTO,
    "Mostra um produto inteiro, com impostos, características e preços de tabela, pelo código do Omie, pelo de "
    "integração ou pelo código (SKU) da empresa: um dos três. Use antes de alterar e depois de uma escrita incerta. "
    "O saldo está em posicao_estoque.",
)
def consultar_produto(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    codigo: Annotated[Sku | None, Field(description="Código do produto na empresa (SKU).")] = None,
) -> Fields:
    only_one(codigo_omie=codigo_omie, codigo_integracao=codigo_integracao, codigo=codigo)
    return {"codigo_produto": codigo_omie, "codigo_produto_integracao": codigo_integracao, "codigo": codigo}


@family.writes(
    "Incluir produto",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Inclui um produto no cadastro. Confira antes com listar_produtos que ele não existe: o Omie recusa descrição "
    "repetida. Sem codigo_integracao, um é criado e devolvido. O saldo inicial entra depois, com "
    "incluir_ajuste_estoque.",
    destructive=False,
    idempotent=False,
)
def incluir_produto(
    *,
    codigo: Annotated[Sku, Field(description="Código do produto na empresa (SKU); o Omie não cria um.")],
    descricao: Annotated[Descricao, Field(description="Descrição.")],
    unidade: Annotated[Unidade, Field(description="Unidade de medida.")],
    ncm: Ncm,
    preco: Annotated[PrecoUnitario, Field(description="Preço de venda por unidade em R$.")],
    codigo_familia: Familia = None,
    tipo_item: TipoItem = None,
    ean: Ean = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return {
        "codigo_produto_integracao": codigo_integracao,
        "codigo": codigo,
        "descricao": descricao,
        "unidade": unidade,
        "ncm": ncm,
        "valor_unitario": preco,
        "codigo_familia": codigo_familia,
        "tipoItem": tipo_item,
        "ean": ean,
    }


@family.writes(
    "Alterar produto",
    Complexity.INTERMEDIARIA,
    ALTERAR,
    "Altera um produto, achado por codigo_omie ou codigo_integracao. Envie só o que muda; o resto fica. Com "
    "inativo=true ele deixa de ser oferecido sem perder a história. Preços de tabela mudam com alterar_preco_item. "
    "Confira depois com consultar_produto.",
    destructive=True,
    idempotent=True,
)
def alterar_produto(
    *,
    codigo_omie: CodigoOmie = None,
    codigo_integracao: CodigoIntegracao = None,
    descricao: Annotated[Descricao | None, Field(description="Nova descrição.")] = None,
    preco: Annotated[PrecoUnitario | None, Field(description="Novo preço de venda por unidade em R$.")] = None,
    inativo: Annotated[SimNao | None, Field(description="true: inativa; false: reativa.")] = None,
    unidade: Annotated[Unidade | None, Field(description="Nova unidade de medida.")] = None,
    ncm: Ncm | None = None,
    codigo_familia: Familia = None,
    ean: Ean = None,
) -> Fields:
    return KEY(codigo_omie, codigo_integracao) | {
        "descricao": descricao,
        "valor_unitario": preco,
        "inativo": inativo,
        "unidade": unidade,
        "ncm": ncm,
        "codigo_familia": codigo_familia,
        "ean": ean,
    }


@family.writes(
    "Excluir produto",
    Complexity.AVANCADA,
    EXCLUIR,
    "Exclui um produto para sempre. Confirme com o usuário. O Omie recusa o que já teve movimento de estoque, mesmo "
    "desfeito, ou está em pedidos: então inative-o com alterar_produto.",
    destructive=True,
    idempotent=True,
)
def excluir_produto(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)
