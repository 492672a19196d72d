"""The tools of attachments: packed as Omie wants them, listed, fetched by a link."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest
from tests.stories.tools.sales import ORDERS
from tests.tool_stories import Case, House, Story, Told, told

TABLE = "anexos"
TEXT = "Ata da visita: o cliente aprovou a proposta.\n"


def a_record(house: House) -> dict[str, Any]:
    return {"tabela": "pedido", "codigo_registro": next(iter(house.table(ORDERS))).id}


def a_file(house: House, **more: Any) -> dict[str, Any]:
    return {**a_record(house), "nome_arquivo": "Ata da visita.txt", "texto": TEXT, **more}


async def with_a_file(house: House) -> dict[str, Any]:
    added = await house.call("incluir_anexo", **a_file(house))
    assert not added.is_error, added.text
    return a_record(house)


async def the_file(house: House) -> dict[str, Any]:
    record = await with_a_file(house)
    return {**record, "codigo_anexo": next(iter(house.table(TABLE))).id}


def unpacked(house: House, code: int) -> dict[str, bytes]:
    """Return what is in the zip that Omie was given."""
    packed = base64.b64decode(house.row(TABLE, code).record["cArquivo"])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def is_listed(house: House, answer: Told) -> None:
    [row] = answer.data["anexos"]
    kept = house.row(TABLE, row["codigo_anexo"])
    assert (row["nome_arquivo"], row["tabela"]) == ("Ata da visita.txt", "pedido")
    assert (row["codigo_registro"], row["codigo_integracao"]) == (kept.record["nId"], kept.code)


def has_a_link(house: House, answer: Told) -> None:
    shown = answer.data["anexo"]
    assert shown["cLinkDownload"].endswith(str(shown["nIdAnexo"]))
    assert shown["cNomeArquivo"] == "Ata da visita.txt"


def stands_in_omie(house: House, answer: Told) -> None:
    row = house.row(TABLE, answer.data["codigo_anexo"])
    assert unpacked(house, row.id) == {"Ata da visita.txt": TEXT.encode()}
    assert (row.record["cTabela"], row.record["cTipoArquivo"]) == ("pedido", "txt")
    assert row.code == answer.data["codigo_integracao"]


STORIES = (
    Story(
        "listar_anexos",
        good=Case(with_a_file, then=is_listed),
        empty=Case(a_record, has={"registros": 0, "anexos": []}, says="Nada encontrado"),
        wrong=Case({"tabela": "PEDIDO"}, says=("- tabela: o texto não está", "- codigo_registro: é obrigatório")),
        failing=Case(a_record),
    ),
    Story(
        "obter_anexo",
        good=Case(the_file, then=has_a_link),
        empty=Case(lambda house: {**a_record(house), "codigo_anexo": 42}, is_refused=True),
        wrong=Case(a_record, says="- codigo_anexo: é obrigatório e não veio"),
        failing=Case(lambda house: {**a_record(house), "codigo_anexo": 5}),
    ),
    Story(
        "incluir_anexo",
        good=Case(a_file, then=stands_in_omie),
        empty=Case(lambda house: a_file(house, texto=""), says="O arquivo deve ter de 1 byte a 1 MB", is_refused=True),
        wrong=Case(
            lambda house: a_file(house, nome_arquivo="../senha", codigo_registro=0),
            says=("- nome_arquivo: o texto não está na forma", "- codigo_registro: esperado no mínimo 1"),
        ),
        failing=Case(a_file),
    ),
)


@pytest.mark.parametrize(("tool", "case"), told(STORIES))
async def test_story(house: House, tool: str, case: Case) -> None:
    await house.tell(tool, case)


async def test_any_file_comes_in_base64(house: House) -> None:
    content = bytes(range(256)) * 100
    given = base64.encodebytes(content).decode()
    file = {**a_record(house), "nome_arquivo": "foto.png", "arquivo_base64": given}
    answer = await house.call("incluir_anexo", **file)
    assert unpacked(house, answer.data["codigo_anexo"]) == {"foto.png": content}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"arquivo_base64": "não é base64!"}, "arquivo_base64: esperado um conteúdo em base64"),
        ({"arquivo_base64": base64.b64encode(bytes(1024 * 1024 + 1)).decode()}, "O arquivo deve ter de 1 byte a 1 MB"),
        ({"texto": "a", "arquivo_base64": "YQ=="}, "Informe exatamente um destes: texto, arquivo_base64"),
        ({}, "Informe exatamente um destes: texto, arquivo_base64"),
    ],
)
async def test_what_cannot_be_attached_is_refused_before_anything_leaves(
    house: House, content: dict[str, str], said: str
) -> None:
    answer = await house.call("incluir_anexo", **a_record(house), nome_arquivo="a.txt", **content)
    assert answer.is_error
    assert said in answer.text
    assert house.asked == []


async def test_the_same_file_is_attached_once(house: House) -> None:
    first = await house.call("incluir_anexo", **a_file(house))
    again = await house.call("incluir_anexo", **a_file(house))
    assert again.data["codigo_anexo"] == first.data["codigo_anexo"]
    assert again.data["repetida_de"] == first.data["execution_id"]
    # Under a key of its own it does leave, and Omie knows the file by its code.
    other = await house.call("incluir_anexo", **a_file(house), chave_idempotencia="outra-vez")
    assert other.is_error
    assert len(house.table(TABLE)) == 1
