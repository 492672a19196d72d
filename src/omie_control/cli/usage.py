"""How a command is asked for, in Portuguese: its help, and what is wrong with a line that was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from omie_control.domain.expectations import expected
from omie_control.errors import InvalidInput

C = TypeVar("C", bound=Callable[..., Any])
_OPTIONS = "[OPÇÕES]"
# What the library says of a line, and what we say; a text it may change one day is shown as it is.
_MISTAKES = (
    (r"No such command '(.*)'\.(?: Did you mean (?P<meant>.+)\?)?", "O comando '{0}' não existe."),
    (r"No such option: (\S+)(?: \(Possible options: (?P<meant>.+)\))?", "A opção {0} não existe."),
    (r"Missing argument '?(.+?)'?\.", "Falta o argumento {0}."),
    (r"Missing option '?(.+?)'?\.", "Falta a opção {0}."),
    (r"Missing command\.", "Falta o comando."),
    (r"Option '(.+)' requires an argument\.", "A opção {0} precisa de um valor."),
    (r"Option '(.+)' does not take a value\.", "A opção {0} não leva valor."),
    (r"Got unexpected extra argument(?:\(s\)|s)? \((.+)\)", "Há palavras a mais: {0}."),
)


class _Spoken:
    """What a command says of itself."""

    def get_usage(self, ctx: Any) -> str:
        """Say how the command is typed."""
        usage: str = super().get_usage(ctx)  # type: ignore[misc]
        return usage.replace("Usage:", "Uso:", 1)

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option that shows the help."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = "Mostra esta ajuda e sai."
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _name_panels()
        super().format_help(ctx, formatter)  # type: ignore[misc]


class _Command(_Spoken, TyperCommand):
    pass


class _Group(_Spoken, TyperGroup):
    pass


class Commands(typer.Typer):
    """The commands of one noun; without a command it shows its help."""

    def __init__(self, **settings: Any) -> None:
        metavar = "COMANDO [ARGUMENTOS]..."
        super().__init__(
            cls=_Group, no_args_is_help=True, options_metavar=_OPTIONS, subcommand_metavar=metavar, **settings
        )

    def command(self, *names: Any, **settings: Any) -> Callable[[C], C]:
        """Register a command, as `typer.Typer.command` does."""
        return super().command(*names, cls=_Command, options_metavar=_OPTIONS, **settings)


def mistake(error: typer.TyperException) -> InvalidInput:
    """Say what is wrong with the line that was typed, and where its help is."""
    text = error.format_message()
    path = getattr(getattr(error, "ctx", None), "command_path", "omie-control")
    hint = f"Veja {path} --help."
    for pattern, ours in _MISTAKES:
        if found := re.fullmatch(pattern, text):
            meant = found.groupdict().get("meant")
            return InvalidInput(
                ours.format(*found.groups()), hint=f"Você quis dizer {meant}? {hint}" if meant else hint
            )
    if found := re.fullmatch(r"Invalid value(?: for (.+?))?: (.+)", text, re.S):
        return InvalidInput(f"{found[1] or 'O valor'} não serve: {_why(error) or found[2]}.", hint=hint)
    return InvalidInput(text, hint=hint)


def _why(error: typer.TyperException) -> str | None:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return None
    first = cause.errors()[0]
    return expected(first["type"], first.get("ctx"))


def _name_panels() -> None:
    # Loaded only where help is shown: it takes as long as a short command.
    from typer import rich_utils  # noqa: PLC0415

    rich_utils.ARGUMENTS_PANEL_TITLE = "Argumentos"
    rich_utils.OPTIONS_PANEL_TITLE = "Opções"
    rich_utils.COMMANDS_PANEL_TITLE = "Comandos"
    rich_utils.REQUIRED_LONG_STRING = "[obrigatório]"
    rich_utils.DEFAULT_STRING = "[padrão: {}]"
