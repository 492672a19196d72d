"""The pages say what the code does: generated ones are current, hand-written ones name only what exists."""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.util
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest
import typer

from omie_control.cli.main import main as cli
from omie_control.domain.configuration import KEYS, TOKEN_PACE
from omie_control.domain.executions import TRANSITIONS, Status
from omie_control.mcp.search import LISTED
from omie_control.services.failures import _BY_CODE
from omie_control.services.pace import BURST_SECONDS
from omie_control.settings import PREFIX, Settings
from omie_control.telemetry import Event

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PACKAGE = ROOT / "src" / "omie_control"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]

_LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
_MAKE = re.compile(r"(?:^|`)make ([a-z][a-z-]*)", re.M)
_VARIABLE = re.compile(rf"\b{PREFIX}([A-Z_]+)(\[_FILE\])?")
_COMMAND = re.compile(r"\bomie-control ((?:[a-z]+ ?)+)")
# Words that are often typed without their accents, and mean nothing then.
_ACCENTED = """
    não são você execução execuções situação situações aprovação aprovações configuração configurações também já até só
    após número números código códigos usuário usuários próprio histórico métrica métricas serão estão página páginas
    memória segurança padrão versão conexão informação permissão retenção parâmetro possível disponível necessário
    início máquina licença núcleo referência saída cópia cópias saúde relatório serviço preço índice único últimas
    partição partições demonstração decisão decisões operação ação ações união direção direções agendado exceção
"""


def _load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _load_generator()
TOLD = GENERATOR.tellings()


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _prose(text: str) -> str:
    """The text without code: neither blocks nor words between backticks."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


@pytest.mark.parametrize("name", list(GENERATOR.PAGES))
def test_a_generated_page_is_current(name: str) -> None:
    assert _read(REFERENCE / name) == GENERATOR.PAGES[name](), "run `make docs`"


def test_every_page_of_the_reference_is_generated_or_checked_here() -> None:
    by_hand = {page.name for page in REFERENCE.glob("*.md")} - set(GENERATOR.PAGES)
    assert by_hand <= {"http.md", "valkey-keys.md"}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in _read(REFERENCE / "settings.md")
    assert (Settings.model_fields[name].description or "").endswith(".")


@pytest.mark.parametrize("name", list(KEYS))
def test_every_configuration_key_is_documented(name: str) -> None:
    assert f"| `{name}` |" in _read(REFERENCE / "settings.md")


def test_the_pace_of_a_token_is_the_documented_one() -> None:
    burst = TOKEN_PACE.default * BURST_SECONDS
    said = f"A token may make {burst:.0f} requests at once and {TOKEN_PACE.default} a second after that"
    assert said in _read(REFERENCE / "http.md")


def test_every_metric_of_the_audit_is_documented() -> None:
    named = re.findall(r'\("(\w+)", "[^"]+\.", last\.|"((?:seal|last)_\w+)",', _read(PACKAGE / "web" / "metrics.py"))
    names = [first or second for first, second in named]
    assert len(names) == 4
    assert [name for name in names if f"`omie_control_audit_{name}`" not in _read(REFERENCE / "metrics.md")] == []


def test_a_readable_failure_names_every_code_that_has_an_advice() -> None:
    page = _read(DOCS / "how-to" / "read-a-failure.md")
    ours = {code for code in _BY_CODE if not code.startswith("omie_")} - {"conflito"}
    assert sorted(code for code in ours if f"`{code}`" not in page) == []


def test_the_first_conversation_lists_the_tools_of_today() -> None:
    listed = re.findall(r"^tools: (.+)$", _read(DOCS / "transcript.md"), re.M)
    assert len(listed) == 3
    assert all(set(names.split(", ")) == LISTED for names in listed), "run docs/transcript.py"


def test_the_readmes_count_the_tools() -> None:
    tools = re.findall(r"^## \w+$", _read(REFERENCE / "tools.md"), re.M)
    for name, words in (("README.md", "some {} tools"), ("README.pt-BR.md", "umas {} ferramentas")):
        assert words.format(round(len(tools), -1)) in _read(ROOT / name)


@pytest.mark.parametrize("event", list(Event))
def test_every_event_is_documented_and_told_by_somebody(event: Event) -> None:
    assert f"| `{event.value}` |" in _read(REFERENCE / "events.md")
    assert TOLD[event].rooms, f"nobody tells {event.name}"


def test_every_tool_is_documented() -> None:
    text = _read(REFERENCE / "tools.md")
    tools = asyncio.run(GENERATOR.tools())
    assert tools
    assert all(f"\n## {tool.name}\n" in text for tool in tools)


def test_every_command_is_documented() -> None:
    text = _read(REFERENCE / "cli.md")
    assert all(f"\n## `{path}" in text for path, _ in _commands())


def test_the_states_on_the_page_are_those_of_the_domain() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| (.+) \|$", _read(DOCS / "states.md"), re.M)
    documented = {Status(name): frozenset(map(Status, re.findall(r"`(\w+)`", after))) for name, after in rows}
    assert documented == TRANSITIONS


def test_the_picture_of_the_states_draws_only_what_may_happen() -> None:
    drawn = re.findall(r"^ {4}(\w+) --> (\w+)", _read(DOCS / "states.md"), re.M)
    assert len(drawn) > 8
    assert [(a, b) for a, b in drawn if Status(b) not in TRANSITIONS[Status(a)]] == []


def test_every_web_address_is_documented() -> None:
    text = _read(REFERENCE / "http.md")
    rooms = [importlib.import_module(f"omie_control.web.{name}") for name in _web_modules()]
    routes = {route.path_format for room in rooms if hasattr(room, "router") for route in room.router.routes}
    assert len(routes) > 8
    assert sorted(route for route in routes if f"| `{route}` |" not in text) == []


def _web_modules() -> Iterator[str]:
    for path in (PACKAGE / "web").rglob("*.py"):
        if path.stem != "__init__":
            yield ".".join(path.relative_to(PACKAGE / "web").with_suffix("").parts)


def test_every_table_and_view_is_documented() -> None:
    text = _read(DOCS / "architecture.md")
    made = {
        name
        for migration in (PACKAGE / "postgres" / "migrations").glob("*.sql")
        for name in re.findall(r"^create (?:table|view) (\w+)", _read(migration), re.M)
    }
    assert "process_executions" in made
    assert sorted(name for name in made if f"`{name}`" not in text) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for target in _LINK.findall(_FENCE.sub("", _read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", _read(page)), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", _read(ROOT / "Makefile"), re.M))
    text = _read(ROOT / name)
    commands = "\n".join(block for kind, block in _FENCE.findall(text) if kind == "console")
    named = set(_MAKE.findall(commands)) | set(re.findall(r"`make ([a-z][a-z-]*)`", text))
    assert named <= targets


def test_every_make_target_explains_itself() -> None:
    makefile = _read(ROOT / "Makefile")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.M)[0].split()
    helped = re.findall(r"^([a-z][a-z-]*):.*## \S", makefile, re.M)
    assert sorted(phony) == sorted(helped)
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    assert all(f"make {target} " in shown for target in phony)


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_that_is_named_is_a_setting(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    named = {field for field, _ in _VARIABLE.findall(_read(ROOT / name))}
    assert {field for field in named if field not in known} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_line_in_a_page_is_one_that_exists(name: str) -> None:
    known = {tuple(path.split()[1:]): command for path, command in _commands()}
    for line in _command_lines(_read(ROOT / name)):
        words = line.split()
        path = next((tuple(words[1:n]) for n in (3, 2) if tuple(words[1:n]) in known), None)
        assert path is not None or words[1].startswith("-"), line
        if path is not None:
            options = {option for param in known[path].params for option in param.opts}
            used = {word for word in words if re.fullmatch(r"--[a-z-]+", word)}
            assert used <= options | {"--help"}, line


def _command_lines(text: str) -> Iterator[str]:
    blocks = "\n".join(block for kind, block in _FENCE.findall(text) if kind == "console")
    for line in [*blocks.splitlines(), *re.findall(r"`(omie-control [^`]+)`", _FENCE.sub("", text))]:
        flat = " ".join(line.split("#")[0].split())
        if flat.startswith("omie-control ") and "…" not in flat and "COMMAND" not in flat:
            yield flat


def _commands() -> list[tuple[str, typer.core.TyperCommand]]:
    return list(GENERATOR.commands(typer.main.get_command(cli), "omie-control"))


def test_both_readmes_show_the_same_commands_and_links() -> None:
    english, portuguese = _read(ROOT / "README.md"), _read(ROOT / "README.pt-BR.md")
    for pattern in (r"^## ", r"^\| ", r"^- "):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, portuguese, re.M)), pattern
    assert list(_command_lines(english)) == list(_command_lines(portuguese))
    other = {"README.md", "README.pt-BR.md"}
    assert set(_LINK.findall(english)) - other == set(_LINK.findall(portuguese)) - other


@pytest.mark.parametrize("name", ["README.md", "README.pt-BR.md", "docs/how-to/control-your-own-server.md"])
def test_the_lines_shown_are_those_of_the_example(name: str) -> None:
    example = [line.rstrip() for line in _read(ROOT / "examples" / "own_server.py").splitlines()]
    block = next(block for kind, block in _FENCE.findall(_read(ROOT / name)) if kind == "python")
    position = 0
    for line in filter(None, block.splitlines()):
        assert line in example[position:], line
        position += example[position:].index(line) + 1


@pytest.mark.parametrize("name", [name for name in NAMES if "python" in _read(ROOT / name)])
def test_every_python_block_is_python(name: str) -> None:
    for kind, block in _FENCE.findall(_read(ROOT / name)):
        if kind == "python" and name != "docs/reference/python.md":
            source = block if not block.rstrip().endswith(":") else block + "    ...\n"
            compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_names_a_machine_of_ours(name: str) -> None:
    text = _read(ROOT / name)
    assert re.findall(r"(?<![\w/.])/(?:work|root|home|tmp|Users|mnt)/[\w.-]+", text) == []
    assert re.findall(r"https?://[\w.-]*(?:pypi|python[h]osted|npm[j]s|nexus|mirror)[\w.-]*", text, re.I) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".pt-BR.md")])
def test_portuguese_pages_have_their_accents(name: str) -> None:
    accented = {_bare(word): word for word in _ACCENTED.split()}
    words = set(re.findall(r"[a-zà-ú]+", _prose(_LINK.sub("", _read(ROOT / name))).lower()))
    assert len(words & set(_ACCENTED.split())) > 10, "the page is Portuguese"
    assert {word: right for word, right in accented.items() if word in words and word != right} == {}


def _bare(word: str) -> str:
    return unicodedata.normalize("NFD", word).encode("ascii", "ignore").decode()


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [page.name[:4] for page in (DOCS / "decisions").glob("[0-9]*.md")]
    assert len(set(numbers)) == len(numbers)
    for page in (DOCS / "decisions").glob("[0-9]*.md"):
        assert _read(page).startswith("# "), page.name


def test_every_decision_that_is_cited_was_written() -> None:
    cited = {
        number
        for folder in (PACKAGE, ROOT / "tests", ROOT / "benchmarks", DOCS)
        for path in folder.rglob("*")
        if path.suffix in {".py", ".sql", ".md"}
        for number in re.findall(r"[Dd]ecision (\d{4})", _read(path))
    }
    written = {page.name[:4] for page in (DOCS / "decisions").glob("[0-9]*.md")}
    assert cited <= written
