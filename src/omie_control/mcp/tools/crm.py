"""CRM: accounts, opportunities and tasks of the sales team, before there is an order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from omie_control.domain.executions import Category, Complexity
from omie_control.mcp.tools.family import Family
from omie_control.mcp.tools.omie import Listing, Reading, Writing
from omie_control.mcp.tools.parameters import (
    Codigo,
    CodigoIntegracao,
    CodigoOmie,
    Data,
    Dinheiro,
    Documento,
    SimNao,
)
from omie_control.mcp.tools.shapes import Shape, code, days, flag, money, text
from omie_control.mcp.tools.wire import Fields, Key, between

OPPORTUNITIES, ACCOUNTS, TASKS = "crm/oportunidades/", "crm/contas/", "crm/tarefas/"

OPORTUNIDADES = Listing(
    OPPORTUNITIES,
    "ListarOportunidades",
    "oportunidades",
    key="oportunidades",
    shape=Shape(
        codigo_omie=code("identificacao.nCodOp", "código"),
        codigo_integracao=text("identificacao.cCodIntOp"),
        numero=text("identificacao.cNumOp"),
        descricao=text("identificacao.cDesOp", "descrição"),
        codigo_conta=code("identificacao.nCodConta", "conta"),
        codigo_vendedor=code("identificacao.nCodVendedor"),
        codigo_fase=code("fasesStatus.nCodFase", "fase"),
        codigo_status=code("fasesStatus.nCodStatus"),
        valor=money("ticket.nTicket", "valor"),
        temperatura=code("previsaoTemp.nTemperatura", "temperatura"),
        mes_previsto=code("previsaoTemp.nMesPrev"),
        ano_previsto=code("previsaoTemp.nAnoPrev"),
        inclusao=days("outrasInf.dInclusao"),
    ),
)
OPORTUNIDADE = Reading(
    OPPORTUNITIES, "ConsultarOportunidade", "Oportunidade", key="oportunidade", title="identificacao.cDesOp"
)
CONTAS = Listing(
    ACCOUNTS,
    "ListarContas",
    "contas do CRM",
    key="contas",
    shape=Shape(
        codigo_omie=code("identificacao.nCod", "código"),
        codigo_integracao=text("identificacao.cCodInt"),
        nome=text("identificacao.cNome", "nome"),
        nome_fantasia=text("identificacao.cNomeFantasia"),
        cnpj_cpf=text("identificacao.cDoc", "CPF/CNPJ"),
        cidade=text("endereco.cCidade", "cidade"),
        estado=text("endereco.cUF"),
        email=text("telefone_email.cEmail", "e-mail"),
        telefone=text("telefone_email.cNumTel"),
        codigo_vendedor=code("identificacao.nCodVend"),
    ),
)
TAREFAS = Listing(
    TASKS,
    "ListarTarefas",
    "tarefas do CRM",
    key="tarefas",
    shape=Shape(
        codigo_omie=code("nCodTarefa", "código"),
        codigo_integracao=text("cCodInt"),
        codigo_oportunidade=code("nCodOp", "oportunidade"),
        descricao=text("cDescricao", "descrição"),
        data=days("dData", "data"),
        hora=text("cHora", "hora"),
        codigo_usuario=code("nCodUsuario"),
        atividade=code("nCodAtividade"),
        importante=flag("cImportante"),
        urgente=flag("cUrgente", "urgente"),
        em_execucao=flag("cEmExecucao"),
        realizada=flag("cRealizada", "realizada"),
    ),
)
KEY = Key("nCodOp", "cCodIntOp", "listar_oportunidades")
INCLUIR = Writing(
    OPPORTUNITIES,
    "IncluirOportunidade",
    "Oportunidade",
    "incluída",
    Shape(codigo_omie=code("nCodOp"), codigo_integracao=text("cCodIntOp")),
    has_other_fields=True,
)
INCLUIR_TAREFA = Writing(
    TASKS,
    "IncluirTarefa",
    "Tarefa do CRM",
    "incluída",
    Shape(codigo_omie=code("nCodTarefa"), codigo_integracao=text("cCodInt"), codigo_oportunidade=code("nCodOp")),
)

Vendedor = Annotated[Codigo | None, Field(description="Código do vendedor no Omie, de listar_vendedores.")]
Conta = Annotated[Codigo | None, Field(description="Código da conta do CRM, de listar_contas_crm.")]
Importante = Annotated[SimNao | None, Field(description="Se é importante.")]
Urgente = Annotated[SimNao | None, Field(description="Se é urgente.")]

family = Family(Category.COMERCIAL)
register = family.register


@family.lists(
    "Listar oportunidades",
    Complexity.INTERMEDIARIA,
    OPORTUNIDADES,
    "Lista as oportunidades do CRM, uma página por vez, por descrição, conta, vendedor ou data de inclusão. Use para "
    "ver o funil antes dos orçamentos; depois chame consultar_oportunidade ou listar_tarefas_crm.",
)
def listar_oportunidades(
    *,
    descricao: Annotated[
        str | None, Field(description="Parte da descrição.", max_length=100, examples=["Padaria"])
    ] = None,
    codigo_conta: Conta = None,
    codigo_vendedor: Vendedor = None,
    inclusao_de: Annotated[Data | None, Field(description="Incluída a partir de.")] = None,
    inclusao_ate: Annotated[Data | None, Field(description="Incluída até.")] = None,
) -> Fields:
    return {
        "filtrar_por_descricao": descricao,
        "filtrar_por_conta": codigo_conta,
        "codigo_vendedor": codigo_vendedor,
        **between("inclusao", inclusao_de, inclusao_ate, "data_inclusao_inicial", "data_inclusao_final"),
    }


@family.gets(
    "Consultar oportunidade",
    Complexity.BASICA,
    OPORTUNIDADE,
    "Mostra uma oportunidade do CRM inteira: fase, valores, previsão, envolvidos, observações. Informe codigo_omie ou "
    "codigo_integracao. As tarefas dela estão em listar_tarefas_crm.",
)
def consultar_oportunidade(*, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None) -> Fields:
    return KEY(codigo_omie, codigo_integracao)


@family.writes(
    "Incluir oportunidade",
    Complexity.INTERMEDIARIA,
    INCLUIR,
    "Inclui uma oportunidade de venda no CRM, para uma conta de listar_contas_crm. Não é orçamento nem pedido: quando "
    "o cliente pedir preço, chame incluir_orcamento. Depois, marque o próximo passo com incluir_tarefa_crm.",
    destructive=False,
    idempotent=False,
)
def incluir_oportunidade(
    *,
    descricao: Annotated[
        str, Field(description="Nome da oportunidade.", min_length=1, max_length=100, examples=["Reforma da loja"])
    ],
    codigo_conta: Annotated[Codigo, Field(description="Código da conta do CRM, de listar_contas_crm.")],
    codigo_contato: Annotated[Codigo | None, Field(description="Código do contato no CRM.")] = None,
    codigo_vendedor: Vendedor = None,
    codigo_fase: Annotated[Codigo | None, Field(description="Código da fase, da lista de fases do CRM.")] = None,
    valor_produtos: Annotated[Dinheiro | None, Field(description="Produtos, em R$.")] = None,
    valor_servicos: Annotated[Dinheiro | None, Field(description="Serviços, em R$.")] = None,
    valor_recorrente: Annotated[Dinheiro | None, Field(description="Receita por mês, em R$.")] = None,
    meses: Annotated[int | None, Field(description="Meses de recorrência.", ge=1, le=120, examples=[12])] = None,
    mes_previsto: Annotated[int | None, Field(description="Mês da venda.", ge=1, le=12, examples=[12])] = None,
    ano_previsto: Annotated[int | None, Field(description="Ano da venda.", ge=2000, le=2200, examples=[2026])] = None,
    observacao: Annotated[
        str | None, Field(description="Observação.", max_length=4000, examples=["Indicação da Ana"])
    ] = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return {
        "identificacao.cCodIntOp": codigo_integracao,
        "identificacao.cDesOp": descricao,
        "identificacao.nCodConta": codigo_conta,
        "identificacao.nCodContato": codigo_contato,
        "identificacao.nCodVendedor": codigo_vendedor,
        "fasesStatus.nCodFase": codigo_fase,
        "ticket.nProdutos": valor_produtos,
        "ticket.nServicos": valor_servicos,
        "ticket.nRecorrencia": valor_recorrente,
        "ticket.nMeses": meses,
        "previsaoTemp.nMesPrev": mes_previsto,
        "previsaoTemp.nAnoPrev": ano_previsto,
        "observacoes.cObs": observacao,
    }


@family.lists(
    "Listar contas do CRM",
    Complexity.BASICA,
    CONTAS,
    "Lista as contas do CRM (empresas e pessoas em prospecção), uma página por vez. Não são os clientes do "
    "faturamento: esses estão em consultar_clientes. Use para achar o código antes de incluir_oportunidade.",
)
def listar_contas_crm(
    *, cnpj_cpf: Annotated[Documento | None, Field(description="CPF ou CNPJ da conta.")] = None
) -> Fields:
    return {"cDoc": cnpj_cpf}


@family.lists(
    "Listar tarefas do CRM",
    Complexity.BASICA,
    TAREFAS,
    "Lista as tarefas do CRM (ligações, visitas, retornos), uma página por vez, por oportunidade, vendedor, período ou "
    "situação. Use para ver o que está por fazer: realizada=false. Para marcar outra, incluir_tarefa_crm.",
)
def listar_tarefas_crm(
    *,
    codigo_oportunidade: Annotated[Codigo | None, Field(description="Código da oportunidade.")] = None,
    codigo_vendedor: Vendedor = None,
    periodo_de: Annotated[Data | None, Field(description="Marcada a partir de.")] = None,
    periodo_ate: Annotated[Data | None, Field(description="Marcada até.")] = None,
    realizada: Annotated[SimNao | None, Field(description="true: só as feitas; false: só as por fazer.")] = None,
    urgente: Urgente = None,
) -> Fields:
    return {
        "nCodOp": codigo_oportunidade,
        "codigo_vendedor": codigo_vendedor,
        **between("periodo", periodo_de, periodo_ate, "data_inicial", "data_final"),
        "cRealizada": realizada,
        "cUrgente": urgente,
    }


@family.writes(
    "Incluir tarefa do CRM",
    Complexity.BASICA,
    INCLUIR_TAREFA,
    "Marca uma tarefa do CRM (ligação, visita, retorno) para uma oportunidade e um usuário do Omie. Confira antes, com "
    "listar_tarefas_crm, que ela ainda não está marcada, e copie de lá o codigo_usuario.",
    destructive=False,
    idempotent=False,
)
def incluir_tarefa_crm(
    *,
    codigo_oportunidade: Annotated[Codigo, Field(description="Código da oportunidade, de listar_oportunidades.")],
    codigo_usuario: Annotated[Codigo, Field(description="Código do usuário do Omie que a fará.")],
    descricao: Annotated[
        str, Field(description="O que fazer.", min_length=1, max_length=500, examples=["Ligar para a Ana"])
    ],
    data: Annotated[Data, Field(description="Dia.")],
    hora: Annotated[
        str, Field(description="Hora de Brasília.", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["14:30"])
    ],
    atividade: Annotated[int, Field(description="Tipo de atividade do Omie, de 1 a 7.", ge=1, le=7, examples=[1])],
    importante: Importante = None,
    urgente: Urgente = None,
    codigo_integracao: CodigoIntegracao = None,
) -> Fields:
    return {
        "cCodInt": codigo_integracao,
        "nCodOp": codigo_oportunidade,
        "nCodUsuario": codigo_usuario,
        "cDescricao": descricao,
        "dData": data,
        "cHora": f"{hora}:00",
        "nCodAtividade": atividade,
        "cImportante": importante,
        "cUrgente": urgente,
    }
