"""The screen at the end of a start: where to go, how to get in, what to paste, what to keep."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

from omie_control import __version__


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the screen tells."""

    url: str
    username: str
    password: str | None
    token: str
    home: Path
    master_key: str
    database: str
    valkey: str
    is_demo: bool


def show(welcome: Welcome) -> None:
    """Print the screen to stdout."""
    sys.stdout.write(text(welcome))
    sys.stdout.flush()


def text(welcome: Welcome) -> str:
    """Write the screen; short, and each line that is to be pasted stands alone."""
    w = welcome
    header = f"Authorization: Bearer {w.token}"
    password = w.password if w.password is not None else "a que você já tem (foi mostrada no primeiro início)"
    lines = [
        "",
        f"  omie-control {__version__} está no ar.",
        "",
        f"  Painel     {w.url}/",
        f"             usuário: {w.username}   senha: {password}",
        f"  MCP        {w.url}/mcp",
        f"             {header}",
        "",
        "  Claude Code:",
        f'    claude mcp add --transport http omie {w.url}/mcp --header "{header}"',
        "  Claude Desktop (claude_desktop_config.json):",
        f"    {_claude_desktop(w)}",
        "  Cursor (~/.cursor/mcp.json):",
        f"    {_cursor(w, header)}",
        "",
        f"  Dados      {w.database} · {w.valkey}",
        f"  Chave      {w.master_key}",
        "             Guarde uma cópia dela fora desta máquina: sem a chave, as credenciais e os",
        "             corpos cifrados não podem ser lidos por ninguém.",
        "",
    ]
    if w.is_demo:
        lines += [
            "  Demonstração: um Omie simulado está respondendo. Para conectar a sua empresa:",
            f"    {_command()} company add minha-empresa --app-key SUA_APP_KEY",
            "",
        ]
    lines += ["  Ctrl-C encerra tudo sem perder nada.", ""]
    return "\n".join(lines) + "\n"


def _command() -> str:
    """Say our command as the shell beside this one takes it: by its name, or from a clone by where it lies."""
    beside = Path(sys.executable).with_name("omie-control")
    if shutil.which("omie-control") is not None or not beside.exists():
        return "omie-control"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def _claude_desktop(w: Welcome) -> str:
    command = {
        "command": sys.executable,
        "args": ["-m", "omie_control", "mcp"],
        "env": {"OMIE_CONTROL_HOME": str(w.home)},
    }
    return orjson.dumps({"mcpServers": {"omie": command}}).decode()


def _cursor(w: Welcome, header: str) -> str:
    name, _, value = header.partition(": ")
    return orjson.dumps({"mcpServers": {"omie": {"url": f"{w.url}/mcp", "headers": {name: value}}}}).decode()
