"""Clients of a company in Omie (suppliers are clients too): list, show, create, change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastmcp import FastMCP
from fastmcp.tools import ToolResult
from pydantic import Field

from omie_control.app import App
from omie_control.domain.companies import Company
from omie_control.domain.executions import Category, Complexity
from omie_control.domain.people import is_cnpj, is_cpf
from omie_control.errors import InvalidInput
from omie_control.mcp.control import ToolCall, this_call
from omie_control.mcp.tools import cliente_record as record
from omie_control.mcp.tools.hints import offer, reads_omie, writes_omie
from omie_control.mcp.tools.words import answer, bullets, cell, filled, table
from omie_control.omie.catalog import catalog
from omie_control.services.answers import FROM_OMIE, Answer

SERVICE = "geral/clientes/"
PAGE_MAX = 100

Empresa = Annotated[
    str | None,
    Field(
        description="Nome curto da empresa. Omita para usar a empresa padrão deste acesso, ou a única.", max_length=60
    ),
]
CodigoOmie = Annotated[int | None, Field(description="Código do cliente no Omie (codigo_cliente_omie).", ge=1)]
CodigoIntegracao = Annotated[
    str | None, Field(description="Código do cliente no sistema de quem integra.", min_length=1, max_length=60)
]
Chave = Annotated[
    str | None,
    Field(
        description="Identifica esta escrita: repetir a chamada com a mesma chave devolve a primeira resposta e nada "
        "é enviado de novo. Sem ela, chamadas iguais em 10 minutos contam como a mesma.",
        min_length=1,
        max_length=200,
    ),
]
Documento = Annotated[
    str | None,
    Field(
        description="CPF ou CNPJ, com ou sem pontuação; o CNPJ pode ter letras. Exemplo: 11.222.333/0001-81.",
        max_length=20,
    ),
]


def register(server: FastMCP[Any], app: App) -> None:
    """Add the tools of this noun to a server."""
    _register_reads(server, app)
    _register_writes(server, app)


def _register_reads(server: FastMCP[Any], app: App) -> None:
    @offer(
        server,
        reads_omie("Consultar clientes", Category.COMERCIAL, Complexity.INTERMEDIARIA),
        "Lista clientes e fornecedores da empresa, uma página por vez. Sem argumentos: a primeira página. "
        "Use para achar alguém por nome, CPF/CNPJ, código ou etiqueta; depois chame "
        "consultar_cliente_por_codigo com o codigo_omie para ver o cadastro inteiro. "
        "Não repita a mesma consulta em menos de 60 segundos: o Omie recusa.",
        record.PAGE_SCHEMA,
    )
    async def consultar_clientes(
        *,
        pagina: Annotated[int, Field(description="Número da página, a partir de 1.", ge=1)] = 1,
        registros_por_pagina: Annotated[int, Field(description="Registros por página.", ge=1, le=PAGE_MAX)] = 50,
        nome: Annotated[str | None, Field(description="Parte da razão social ou do nome.", max_length=60)] = None,
        nome_fantasia: Annotated[str | None, Field(description="Nome fantasia.", max_length=100)] = None,
        cnpj_cpf: Documento = None,
        codigo: CodigoOmie = None,
        codigo_integracao: CodigoIntegracao = None,
        inativo: Annotated[bool | None, Field(description="true: só inativos; false: só ativos; omita: todos.")] = None,
        tags: Annotated[list[str] | None, Field(description="Etiquetas, como Cliente ou Fornecedor.")] = None,
        empresa: Empresa = None,
    ) -> ToolResult:
        call = this_call()
        filters = record.filters(
            razao_social=nome,
            nome_fantasia=nome_fantasia,
            cnpj_cpf=document(cnpj_cpf),
            codigo_cliente_omie=codigo,
            codigo_cliente_integracao=codigo_integracao,
            inativo=inativo,
            tags=tags,
        )
        param: dict[str, Any] = {"pagina": pagina, "registros_por_pagina": registros_por_pagina}
        if filters:
            param["clientesFiltro"] = filters
        got = await _read(app, call, "ListarClientes", param)
        found = record.page(_data(got), pagina)
        return answer(found | _age(got) | _stamp(call), _page_text(found, call) + _age_text(got))

    @offer(
        server,
        reads_omie("Consultar cliente por código", Category.COMERCIAL, Complexity.BASICA),
        "Mostra o cadastro completo de um cliente ou fornecedor, pelo código do Omie ou pelo de integração "
        "(informe um dos dois). Use antes de alterar_cliente, e depois de uma escrita incerta para saber se ela "
        "foi feita. Para achar o código, chame consultar_clientes.",
        record.RECORD_SCHEMA,
    )
    async def consultar_cliente_por_codigo(
        *, codigo_omie: CodigoOmie = None, codigo_integracao: CodigoIntegracao = None, empresa: Empresa = None
    ) -> ToolResult:
        call = this_call()
        got = await _read(app, call, "ConsultarCliente", client_key(codigo_omie, codigo_integracao))
        found = record.whole(_data(got))
        facts = [(name, value) for name, value in found.items() if not isinstance(value, dict | list)]
        title = f"**{cell(found.get('razao_social')) or 'Cliente'}** · empresa {_slug(call)}"
        return answer({"cliente": found} | _age(got) | _stamp(call), title + _age_text(got), bullets(facts))


def _register_writes(server: FastMCP[Any], app: App) -> None:
    @offer(
        server,
        writes_omie(
            "Incluir cliente", Category.COMERCIAL, Complexity.INTERMEDIARIA, destructive=False, idempotent=False
        ),
        "Cadastra um novo cliente ou fornecedor. Antes, confira com consultar_clientes (cnpj_cpf) que ele ainda "
        "não existe. O CPF ou CNPJ é obrigatório, salvo para cliente do exterior. Os dados são conferidos antes de "
        "sair; CPF e CNPJ pelos dígitos. Informe codigo_integracao "
        "se tiver um; senão um é criado e devolvido, e serve para consultar o registro depois. Fornecedor: use a "
        "etiqueta Fornecedor em tags.",
        record.WRITTEN_SCHEMA,
    )
    async def incluir_cliente(
        *,
        razao_social: record.RazaoSocial,
        cnpj_cpf: Documento = None,
        nome_fantasia: record.NomeFantasia = None,
        email: record.Email = None,
        telefone1_ddd: record.Ddd = None,
        telefone1_numero: record.Telefone = None,
        contato: record.Contato = None,
        endereco: record.Endereco = None,
        endereco_numero: record.Numero = None,
        complemento: record.Complemento = None,
        bairro: record.Bairro = None,
        cidade: record.Cidade = None,
        estado: record.Estado = None,
        cep: record.Cep = None,
        inscricao_estadual: record.Inscricao = None,
        observacao: record.Observacao = None,
        tags: record.Tags = None,
        outros_campos: record.OutrosCampos = None,
        codigo_integracao: CodigoIntegracao = None,
        chave_idempotencia: Chave = None,
        empresa: Empresa = None,
    ) -> ToolResult:
        fields = record.named(locals())
        if codigo_integracao is not None:
            fields["codigo_cliente_integracao"] = codigo_integracao
        return await _write(app, this_call(), "IncluirCliente", fields, "incluído", chave_idempotencia)

    @offer(
        server,
        writes_omie("Alterar cliente", Category.COMERCIAL, Complexity.INTERMEDIARIA, destructive=True, idempotent=True),
        "Altera o cadastro de um cliente ou fornecedor, achado por codigo_omie ou codigo_integracao. Atenção: o "
        "Omie pode recusar uma alteração com poucos campos (endereço, e-mail). Chame antes "
        "consultar_cliente_por_codigo e envie o cadastro inteiro com as mudanças. Um texto vazio apaga o campo.",
        record.WRITTEN_SCHEMA,
    )
    async def alterar_cliente(
        *,
        codigo_omie: CodigoOmie = None,
        codigo_integracao: CodigoIntegracao = None,
        razao_social: record.RazaoSocialNova = None,
        cnpj_cpf: Documento = None,
        nome_fantasia: record.NomeFantasia = None,
        email: record.Email = None,
        telefone1_ddd: record.Ddd = None,
        telefone1_numero: record.Telefone = None,
        contato: record.Contato = None,
        endereco: record.Endereco = None,
        endereco_numero: record.Numero = None,
        complemento: record.Complemento = None,
        bairro: record.Bairro = None,
        cidade: record.Cidade = None,
        estado: record.Estado = None,
        cep: record.Cep = None,
        inscricao_estadual: record.Inscricao = None,
        observacao: record.Observacao = None,
        inativo: record.Inativo = None,
        tags: record.Tags = None,
        outros_campos: record.OutrosCampos = None,
        chave_idempotencia: Chave = None,
        empresa: Empresa = None,
    ) -> ToolResult:
        fields = record.named(locals())
        key = client_key(codigo_omie, codigo_integracao)
        if not fields:
            raise InvalidInput("Nenhum campo para alterar foi informado.", hint="Informe ao menos um campo.")
        return await _write(app, this_call(), "AlterarCliente", key | fields, "alterado", chave_idempotencia)


async def _write(
    app: App, call: ToolCall, method: str, fields: dict[str, Any], done: str, key: str | None
) -> ToolResult:
    if "cnpj_cpf" in fields:
        fields["cnpj_cpf"] = document(fields["cnpj_cpf"])
    answered = await app.calls.write(call.handle, _company(call), catalog().method(SERVICE, method), fields, key)
    written = record.written(answered.payload.data, fields)
    again = filled({"repetida_de": answered.repeated_of, "observacao": answered.note})
    facts = [("codigo_omie", written.get("codigo_omie")), ("codigo_integracao", written.get("codigo_integracao"))]
    text = f"Cliente {done} na empresa {_slug(call)}: {cell(written.get('situacao'))}"
    return answer(written | again | _stamp(call), text, bullets([*facts, *again.items()]))


def _company(call: ToolCall) -> Company:
    if call.company is None:
        raise InvalidInput("Nenhuma empresa foi escolhida.", hint="Informe `empresa`.")
    return call.company


async def _read(app: App, call: ToolCall, method: str, param: dict[str, Any]) -> Answer:
    return await app.calls.read(call.handle, _company(call), catalog().method(SERVICE, method), param)


def _data(got: Answer) -> Mapping[str, Any]:
    return {} if got.payload.is_empty_page else got.payload.data


def _age(got: Answer) -> dict[str, Any]:
    return {"idade_segundos": round(got.age_seconds), "fonte": got.source}


def _age_text(got: Answer) -> str:
    """Say how old an answer is that did not come from Omie just now."""
    return "" if got.source == FROM_OMIE else f"\n\n(Dados de {round(got.age_seconds)} s atrás.)"


def client_key(codigo_omie: int | None, codigo_integracao: str | None) -> dict[str, Any]:
    """Name one client, by exactly one of its two codes."""
    if (codigo_omie is None) == (codigo_integracao is None):
        raise InvalidInput(
            "Informe codigo_omie ou codigo_integracao, um dos dois.",
            hint="Ache o código com consultar_clientes.",
        )
    if codigo_omie is not None:
        return {"codigo_cliente_omie": codigo_omie}
    return {"codigo_cliente_integracao": codigo_integracao}


def document(text: str | None) -> str | None:
    """Return a CPF or CNPJ without punctuation. Raises InvalidInput that never repeats it."""
    if not text:
        return text
    bare = text.translate(_PUNCTUATION).upper()
    if is_cpf(bare) or is_cnpj(bare):
        return bare
    raise InvalidInput(
        "cnpj_cpf: não é um CPF nem um CNPJ válido (os dígitos verificadores não conferem).",
        hint="Confira o número com quem o informou. Exemplo de forma: 11.222.333/0001-81.",
    )


_PUNCTUATION = str.maketrans("", "", ".-/ ")


def _stamp(call: ToolCall) -> dict[str, Any]:
    return {"empresa": _slug(call), "execution_id": call.handle.execution_id}


def _slug(call: ToolCall) -> str:
    company: Company | None = call.company
    return company.slug if company is not None else ""


def _page_text(found: Mapping[str, Any], call: ToolCall) -> str:
    if not found["clientes"]:
        return f"Nenhum cliente nesta página (empresa {_slug(call)}, página {found['pagina']})."
    head = (
        f"{found['registros']} de {found['total_de_registros']} clientes, página {found['pagina']} de "
        f"{found['total_de_paginas']} (empresa {_slug(call)})."
    )
    more = f"\n\nPróxima página: pagina={found['pagina'] + 1}." if found["tem_mais"] else ""
    return f"{head}\n\n{table(record.COLUMNS, found['clientes'])}{more}"
