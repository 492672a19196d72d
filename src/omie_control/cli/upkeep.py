"""`omie-control migrate` and `doctor`: the schema brought up to date, the installation looked over."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer

from omie_control.app.database import DatabaseManager
from omie_control.cli.doctor import Finding, examine
from omie_control.cli.output import print_json
from omie_control.cli.session import configure_telemetry, run_async
from omie_control.settings import Settings


def migrate(*, as_json: bool) -> None:
    """Bring the schema up to date and say what was applied."""

    async def work() -> None:
        db = DatabaseManager(Settings.from_environment(), kind="migrate")
        try:
            await db.initialize()
            applied = db.applied_migrations
        finally:
            await db.close()
        if as_json:
            print_json({"applied": applied})
            return
        lines = [f"aplicada: {name}" for name in applied] or ["Nada a aplicar: o esquema está em dia."]
        sys.stdout.write("\n".join(lines) + "\n")

    run_async(work(), as_json=as_json)


def doctor(*, as_json: bool) -> None:
    """Print numbered findings; exit 1 when one is an error."""

    async def work() -> list[Finding]:
        settings = Settings.from_environment()
        configure_telemetry(settings, "doctor", level=40)
        return await examine(settings)

    findings = run_async(work(), as_json=as_json)
    if as_json:
        print_json({"items": [asdict(finding) for finding in findings], "next": None})
    else:
        for number, finding in enumerate(findings, 1):
            mark = {"ok": "ok   ", "warning": "aviso", "error": "ERRO "}[finding.level]
            sys.stdout.write(f"{number:>2}. {mark} {finding.what}\n")
            if finding.hint:
                sys.stdout.write(f"          {finding.hint}\n")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)
