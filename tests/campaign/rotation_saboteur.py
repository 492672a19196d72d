"""Builds that change the master key without overlap: the campaign has to catch each of them.

`python -m tests.campaign.rotation_saboteur late|unswept key rotate …`. `unswept`: what the others sealed under the
old key before they knew of the new one stays there. `late`: besides, they can read the new one only seconds later.
"""

from __future__ import annotations

import sys
import threading

from omie_control.cli.main import run
from omie_control.domain.actors import Actor
from omie_control.domain.sealing import MasterKey, key_text, new_key
from omie_control.services import master_ring
from omie_control.services.key_rotation import KeyRotation
from omie_control.services.master_ring import MasterRing

_LATE_SECONDS = 3.0


def _add_late(self: MasterRing) -> MasterKey:
    text = f"{self.path.read_text(encoding='ascii').rstrip()}\n{(fresh := key_text(new_key()))}\n"
    threading.Timer(_LATE_SECONDS, master_ring._write, (self.path, text)).start()
    return MasterKey.from_text(fresh)


async def _sweep_nothing(self: KeyRotation, actor: Actor, fresh: MasterKey) -> int:
    return 0


if __name__ == "__main__":
    if sys.argv.pop(1) == "late":
        MasterRing.add = _add_late  # type: ignore[method-assign]
    KeyRotation._sweep = _sweep_nothing  # type: ignore[method-assign]
    run()
