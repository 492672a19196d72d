"""The product with a faster clock at Omie's limits: the campaigns' simulated Omie is not held back by the minute."""

from __future__ import annotations

from omie_control.app import services
from omie_control.cli.main import run
from omie_control.domain.gate import Limits

services.LIMITS = Limits(per_egress=100_000, per_method=100_000, reads_at_once=64, writes_at_once=16).scaled(60)

if __name__ == "__main__":
    run()
