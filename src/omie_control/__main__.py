"""`python -m omie_control`: the same as the command `omie-control`."""

from omie_control.cli.main import run

run()
