"""Drives the published client `iaxys-omie-utils` against another address; run by its own interpreter."""

import json
import sys
from datetime import date, timedelta

from iaxys_omie_utils import Omie
from iaxys_omie_utils.errors import OmieClientError
from iaxys_omie_utils.http import OmieHttp
from iaxys_omie_utils.modules.clientes.models import ClienteParam, ConsultarClienteParam, ListarClientesParam
from iaxys_omie_utils.modules.conta_receber.models import (
    ConsultarContaReceberParam,
    ContaReceberCadastroParam,
    LancarRecebimentoParam,
    ListarContasReceberParam,
)

url, key, secret = sys.argv[1:]
OmieHttp.BASE_URL = url.rstrip("/")
omie = Omie(key, secret)
customer = {"codigo_cliente_integracao": "IAXYS-1", "cnpj_cpf": "11.222.333/0001-81"}
made = omie.clientes.incluir_cliente(ClienteParam(razao_social="Padaria Ação Ltda", **customer))
omie.clientes.alterar_cliente(ClienteParam(razao_social="Padaria Reação Ltda", **customer))
shown = omie.clientes.consultar_cliente(ConsultarClienteParam(codigo_cliente_integracao="IAXYS-1"))
listed = omie.clientes.listar_clientes(ListarClientesParam(pagina=1))
open_ones = omie.conta_receber.listar(ListarContasReceberParam(filtrar_por_status="AVENCER"))
day = f"{date.today() + timedelta(days=10):%d/%m/%Y}"  # noqa: DTZ011
title = ContaReceberCadastroParam(
    codigo_lancamento_integracao="IAXYS-T1",
    codigo_cliente_fornecedor=made["codigo_cliente_omie"],
    data_vencimento=day,
    data_previsao=day,
    data_emissao=day,
    valor_documento=120.5,
    codigo_categoria="1.01.01",
    id_conta_corrente=str(open_ones["conta_receber_cadastro"][0]["id_conta_corrente"]),
)
booked = omie.conta_receber.incluir(title)
omie.conta_receber.lancar_recebimento(
    LancarRecebimentoParam(
        codigo_lancamento=booked["codigo_lancamento_omie"],
        codigo_conta_corrente=open_ones["conta_receber_cadastro"][0]["id_conta_corrente"],
        valor=120.5,
        data=day,
    )
)
settled = omie.conta_receber.consultar(ConsultarContaReceberParam(codigo_lancamento_integracao="IAXYS-T1"))
try:
    omie.clientes.consultar_cliente(ConsultarClienteParam(codigo_cliente_integracao="NINGUEM"))
except OmieClientError as error:
    fault = str(error)
print(
    json.dumps(
        {
            "name": shown["razao_social"],
            "customers": listed["total_de_registros"],
            "status": settled["status_titulo"],
            "fault": fault,
        }
    )
)
