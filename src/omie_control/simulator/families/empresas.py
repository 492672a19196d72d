"""geral/empresas: the company itself, which never lists more than one page, and shows it again past the end."""

from __future__ import annotations

from typing import Any

from omie_control.omie.catalog import catalog
from omie_control.simulator.envelope import Refusal
from omie_control.simulator.families.lists import PastEnd, page_of
from omie_control.simulator.families.notas import document_of
from omie_control.simulator.world import Company, Desk, Record

PATH = "geral/empresas/"
_ID = 4_400_000_001


def listar(desk: Desk, param: Record) -> dict[str, Any]:
    """ListarEmpresas."""
    companies = [shown(desk.company)]
    return page_of(catalog().method(PATH, "ListarEmpresas"), param, companies, dict, PastEnd.FIRST_PAGE)


def consultar(desk: Desk, param: Record) -> dict[str, Any]:
    """ConsultarEmpresa."""
    if param.get("codigo_empresa") != _ID:
        text = f"ERROR: Empresa não cadastrada para o Código [{param.get('codigo_empresa')}] !"
        raise Refusal("Client-105", text)
    return shown(desk.company)


HANDLERS = {"ListarEmpresas": listar, "ConsultarEmpresa": consultar}


def shown(company: Company) -> Record:
    """Return the company's own card."""
    made = company.founded_at
    return {
        "codigo_empresa": _ID,
        "codigo_empresa_integracao": "",
        "cnpj": document_of(company.app_key),
        "razao_social": company.name,
        "nome_fantasia": company.name,
        "logradouro": "Rua",
        "endereco": "Rua das Acácias",
        "endereco_numero": "100",
        "bairro": "Centro",
        "cidade": "São Paulo (SP)",
        "estado": "SP",
        "cep": "01310100",
        "codigo_pais": "1058",
        "telefone1_ddd": "11",
        "telefone1_numero": "4000-1000",
        "email": "contato@exemplo.com.br",
        "cnae": "4751201",
        "regime_tributario": "1",
        "optante_simples_nacional": "S",
        "inativa": "N",
        "bloqueado": "N",
        "gera_nfe": "S",
        "gera_nfse": "S",
        "inclusao_data": f"{made:%d/%m/%Y}",
        "inclusao_hora": f"{made:%H:%M:%S}",
        "importado_api": "N",
    }
