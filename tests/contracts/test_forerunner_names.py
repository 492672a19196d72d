"""Every tool name of the forerunner's servers keeps working: whoever has it in a prompt or a script loses nothing."""

from __future__ import annotations

from typing import Any, cast

from fastmcp import FastMCP

from omie_control.app import App
from omie_control.mcp.server import register_tools

NAMES = """
    consultar_categorias listar_clientes consultar_contas_pagar incluir_projeto listar_projetos excluir_projeto
    incluir_lancamento listar_lancamentos incluir_conta_corrente listar_contas_correntes
    listar_resumo_contas_correntes consultar_contas_receber status_contas_receber consultar_departamentos
    consultar_tipos_documento cadastrar_cliente_fornecedor conciliar_bancaria gerar_relatorio_fluxo_caixa
    processar_cobranca_automatica consultar_clientes consultar_fornecedores incluir_cliente incluir_fornecedor
    alterar_cliente alterar_fornecedor consultar_cliente_por_codigo consultar_fornecedor_por_codigo
    inativar_cliente inativar_fornecedor incluir_conta_pagar alterar_conta_pagar excluir_conta_pagar
    incluir_conta_receber alterar_conta_receber excluir_conta_receber cache_status cache_clear cache_preload
    webhook_status webhook_configure webhook_test testar_conexao teste_conexao obter_info_empresa info_empresa
    lista_empresas listar_departamentos cadastrar_cliente listar_fornecedores listar_pedidos_venda
    listar_produtos consultar_estoque relatorio_vendas_periodo dashboard_financeiro alterar_lancamento
    excluir_lancamento excluir_conta_corrente cadastrar_fornecedor relatorio_financeiro_completo
    consultar_projetos consultar_lancamentos consultar_contas_correntes
"""


async def test_every_name_of_the_forerunner_is_a_tool() -> None:
    server: FastMCP[Any] = FastMCP("names")
    # Registering reads nothing of the App; only calls do.
    register_tools(server, cast("App", None))
    there = {tool.name for tool in await server.list_tools()}
    names = set(NAMES.split())
    assert len(names) == 62
    assert sorted(names - there) == []
