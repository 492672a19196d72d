"""How answers are printed: tables for people, JSON for scripts; always to stdout, errors to stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from io import TextIOWrapper
from typing import Annotated, Any, TextIO
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console
from rich.table import Table

from omie_control.errors import ControlError

_WIDE = 400
JsonFlag = Annotated[bool, typer.Option("--json", help="Imprime JSON, para scripts.")]


def accept_any_charset() -> None:
    """Show a question mark for a letter that the terminal's character set has not, instead of failing."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def print_json(value: object) -> None:
    """Print one JSON value on one line per object, indented for reading."""
    _write_json(sys.stdout, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str))


def print_json_line(value: object) -> None:
    """Print one JSON value on one line, at once, for whoever follows."""
    _write_json(sys.stdout, orjson.dumps(value, default=str))
    sys.stdout.flush()


def _write_json(stream: TextIO, text: bytes) -> None:
    # JSON is UTF-8 whatever the terminal's character set: whoever reads it is a program.
    stream.flush()
    stream.buffer.write(text + b"\n")


def print_listing(
    items: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    *,
    next: str | None = None,
    as_json: bool,
    empty: str,
    zone: ZoneInfo | None = None,
) -> None:
    """Print a listing: `{"items": …, "next": …}`, or a table with the named columns and their Portuguese titles.

    With a `zone`, the table shows instants as its people read them.
    """
    if as_json:
        print_json({"items": list(items), "next": next})
        return
    if not items:
        sys.stdout.write(empty + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in columns.values():
        table.add_column(title, no_wrap=True)
    for item in items:
        table.add_row(*(_cell(item.get(name), zone) for name in columns))
    # Whole lines, whatever the terminal's width: ids are there to be copied.
    Console(width=_WIDE, file=sys.stdout).print(table, crop=False, overflow="ignore")
    if next is not None:
        sys.stdout.write(f"\nHá mais: repita com --before {next}\n")


def print_object(
    value: Mapping[str, Any],
    *,
    as_json: bool,
    titles: Mapping[str, str] | None = None,
    zone: ZoneInfo | None = None,
) -> None:
    """Print one object: JSON, or a line per field; with `titles` those fields, by their Portuguese names."""
    if as_json:
        print_json(value)
        return
    named = {name: name for name in value} if titles is None else titles
    width = max((len(title) for title in named.values()), default=0)
    for name, title in named.items():
        entry = value.get(name)
        if entry is None:
            continue
        is_nested = isinstance(entry, dict | list | tuple)
        text = (
            orjson.dumps(entry, option=orjson.OPT_INDENT_2, default=str).decode() if is_nested else _cell(entry, zone)
        )
        sys.stdout.write(f"{title:<{width}}  {text}\n")


def print_done(text: str, facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Say that a verb has done its work: the facts for scripts, a sentence for people."""
    if as_json:
        print_json(facts)
    else:
        sys.stdout.write(text + "\n")


def print_error(error: ControlError, *, as_json: bool) -> None:
    """Say on stderr what happened and what to do next."""
    if as_json:
        facts = {"code": error.code, "message": error.message, "hint": error.hint, "execution_id": error.execution_id}
        _write_json(sys.stderr, orjson.dumps({"error": facts}))
    else:
        sys.stderr.write(f"Erro: {error.message}\n{error.hint}\n")


def print_note(text: str) -> None:
    """Say on stderr what goes on; a terminal that was closed meanwhile hears nothing, and stops nothing."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")


def local_time(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """Write an instant as people of the zone read it."""
    return None if instant is None else instant.astimezone(zone).strftime("%d/%m/%Y %H:%M:%S")


def _cell(value: object, zone: ZoneInfo | None = None) -> str:
    match value:
        case None:
            return "-"
        case True:
            return "sim"
        case False:
            return "não"
        case datetime() if zone is not None:
            return str(local_time(value, zone))
        case _:
            return str(value)
