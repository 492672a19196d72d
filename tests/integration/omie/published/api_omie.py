"""Drives the published client `api-omie` against another address; run by its own interpreter, prints what it got."""

import json
import sys

from omieapi import Omie

url, key, secret = sys.argv[1:]
omie = Omie(key, secret)
# Its base address is an attribute of the instance.
omie._endpoint = url


def good(data: dict) -> dict:
    """Stop at what the client reports as an error."""
    assert "Error" not in data, data.get("Mensagem")
    return data


code = {"codigo_cliente_integracao": "API-OMIE-1"}
made = good(omie.incluir_cliente(**code, razao_social="Padaria Ação Ltda", cnpj_cpf="11.222.333/0001-81"))
good(omie.alterar_cliente(**code, nome_fantasia="Ação"))
shown = good(omie.consultar_cliente(codigo_cliente_omie=made["codigo_cliente_omie"]))
listed = good(omie.listar_clientes(pagina=1, registros_por_pagina=50))
moved = good(omie.listar_movimentos_financas(nPagina=1, nRegPorPagina=20))
missing = omie.consultar_cliente(codigo_cliente_integracao="NINGUEM")
print(
    json.dumps(
        {
            "name": shown["nome_fantasia"],
            "customers": listed["total_de_registros"],
            "movements": len(moved["movimentos"]),
            "fault": missing["Mensagem"]["faultcode"],
        }
    )
)
