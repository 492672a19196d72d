"""The product with a faster clock at Omie's limits: the campaigns' simulated Omie is not held back by the minute."""

from __future__ import annotations

from omie_control.app import services
from omie_control.cli.main import run
from omie_control.domain.gate import Limits

# Its callers ask for customers who do not exist, again and again: the breaker has its own tests.
services.LIMITS = Limits(
    per_egress=100_000,
    per_method=100_000,
    reads_at_once=64,
    writes_at_once=16,
    errors_open=100_000,
    errors_most=200_000,
).scaled(60)

if __name__ == "__main__":
    run()
