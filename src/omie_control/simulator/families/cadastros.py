"""The registers that the catalogue alone can keep: sellers, projects, departments, families and their kin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from omie_control.simulator.engine.shelf import Shelf
from omie_control.simulator.families import clientes, produtos, stock
from omie_control.simulator.families.lists import PastEnd
from omie_control.simulator.world import Company, Record

Seeds = Callable[[Company], Iterable[tuple[str, Record]]]


def _named(prefix: str, tag: str, *names: str, **more: str | int | float) -> Seeds:
    """Seed a record a name."""

    def seeds(company: Company) -> Iterable[tuple[str, Record]]:
        return [(f"{prefix}-{number:02d}", {tag: name, **more}) for number, name in enumerate(names, 1)]

    return seeds


def _departments(company: Company) -> Iterable[tuple[str, Record]]:
    names = ("Administração", "Comercial", "Financeiro", "Logística", "Produção", "Serviços")
    for number, name in enumerate(names, 1):
        place = {"estrutura": f"{number:03d}", "inativo": "N", "nivel_totalizador": "N"}
        yield "", {"descricao": name, **place}


def _services(company: Company) -> Iterable[tuple[str, Record]]:
    names = (
        ("Instalação elétrica", 180.0),
        ("Manutenção mensal", 450.0),
        ("Consultoria", 220.0),
        ("Visita técnica", 90.0),
    )
    for number, (name, price) in enumerate(names, 1):
        head = {"cDescricao": name, "cCodigo": f"SRV-{number:02d}", "nPrecoUnit": price, "cCodCateg": "1.01.02"}
        codes = {"cIdTrib": "01", "cCodServMun": "07498", "cCodLC116": "14.01"}
        yield (
            f"SRV-{number:02d}",
            {
                "cabecalho": {**head, **codes},
                "descricao": {"cDescrCompleta": f"{name}: serviço inventado para demonstração."},
                "impostos": {"nAliqISS": 5.0, "cRetISS": "N"},
                "inativo": "N",
            },
        )


def _requests(company: Company) -> Iterable[tuple[str, Record]]:
    for number, product in enumerate(list(company.table(produtos.NOUN.table))[:5], 1):
        price = round(product.record["valor_unitario"] * 0.6, 2)
        item = {"codItem": 9_100_000_000 + number, "codProd": product.id, "qtde": 10.0 * number, "precoUnit": price}
        day = f"{company.founded_at:%d/%m/%Y}"
        yield f"REQ-{number:02d}", {"codCateg": "2.01.01", "dtSugestao": day, "ItensReqCompra": [item]}


def _tasks(company: Company) -> Iterable[tuple[str, Record]]:
    jobs = ("Conferir extrato", "Enviar notas ao contador", "Ligar para cliente em atraso", "Revisar preços")
    for number, job in enumerate(jobs, 1):
        day = company.founded_at + timedelta(days=290 + number)
        marks = {"cOrigem": "geral", "cImportante": "N", "cUrgente": "N", "cSituacao": "P"}
        yield f"TAR-{number:02d}", {"cDescricao": job, "dData": f"{day:%d/%m/%Y}", "hHora": "09:00:00", **marks}


VENDEDORES = Shelf(
    "geral/vendedores/",
    "vendedores",
    "Vendedor",
    "codigo",
    "codInt",
    required=("nome",),
    filters={"filtrar_por_nome": "~nome", "filtrar_por_email": "email"},
    past_end=PastEnd.EMPTY,
)
PROJETOS = Shelf(
    "geral/projetos/",
    "projetos",
    "Projeto",
    "codigo",
    "codInt",
    required=("nome",),
    filters={"nome_projeto": "~nome"},
    past_end=PastEnd.EMPTY,
    unknown_id="Client-1035",
)
DEPARTAMENTOS = Shelf(
    "geral/departamentos/",
    "departamentos",
    "Departamento",
    "codigo",
    required=("descricao",),
    seeds=_departments,
)
FAMILIAS = Shelf(
    "geral/familias/",
    "familias",
    "Família",
    "codigo",
    "codInt",
    is_feminine=True,
    required=("nomeFamilia",),
    seeds=_named("FAM", "nomeFamilia", "Ferragens", "Elétrica", "Pintura", "Hidráulica", inativo="N"),
)
CARACTERISTICAS = Shelf(
    "geral/caracteristicas/",
    "caracteristicas",
    "Característica",
    "nCodCaract",
    "cCodIntCaract",
    is_feminine=True,
    required=("cNomeCaract",),
    seeds=_named("CAR", "cNomeCaract", "Cor", "Tamanho", "Voltagem", "Material"),
)
TIPOS_ENTREGA = Shelf(
    "geral/tiposentrega/",
    "tipos_entrega",
    "Tipo de entrega",
    "nCodEntrega",
    "cCodIntEntrega",
    required=("cDescricao",),
    refers={"nCodTransp": clientes.NOUN},
    seeds=_named("ENT", "cDescricao", "Retirada na loja", "Motoboy", "Transportadora", cInativo="N"),
)
LOCAIS = Shelf(
    "estoque/local/",
    stock.PLACES,
    "Local do Estoque",
    "codigo_local_estoque",
    required=("codigo", "descricao"),
    unknown_id="Client-1070",
)
SERVICOS = Shelf(
    "servicos/servico/",
    "servicos",
    "Serviço",
    "nCodServ",
    "cCodIntServ",
    required=("cDescricao",),
    filters={"cDescricao": "~cDescricao"},
    unknown_id="Client-5002",
    unknown_code="Client-5002",
    seeds=_services,
)
REQUISICOES = Shelf(
    "produtos/requisicaocompra/",
    "requisicoes_compra",
    "Requisição de compra",
    "codReqCompra",
    "codIntReqCompra",
    is_feminine=True,
    required=("dtSugestao",),
    refers={"codProd": produtos.NOUN, "codProj": PROJETOS.noun},
    seeds=_requests,
)
TAREFAS = Shelf(
    "geral/tarefas/",
    "tarefas",
    "Tarefa",
    "nCodTarefa",
    "cCodIntTarefa",
    is_feminine=True,
    required=("cDescricao", "cOrigem"),
    seeds=_tasks,
    not_mine=("ObterResumoTarefas", "ObterCalendarioTarefas", "ObterTotalTarefas"),
)
SHELVES = (
    TAREFAS,
    VENDEDORES,
    PROJETOS,
    DEPARTAMENTOS,
    FAMILIAS,
    CARACTERISTICAS,
    TIPOS_ENTREGA,
    LOCAIS,
    SERVICOS,
    REQUISICOES,
)
