"""Builds that change the master key without overlap: the campaign has to catch each of them.

`python -m tests.campaign.rotation_saboteur late|unswept key rotate …`. `unswept`: what the others sealed under the
old key before they knew of the new one stays there. `late`: besides, they can read the new one only seconds after it
is in force.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from omie_control.cli.main import run
from omie_control.domain.actors import Actor
from omie_control.domain.sealing import MasterKey, key_text, new_key
from omie_control.services import master_ring
from omie_control.services.key_rotation import KeyRotation
from omie_control.services.master_ring import MasterRing

# Long enough for a call, or somebody's look at the key in force, on a busy machine too.
_LATE_SECONDS = 5.0
_withheld: list[tuple[Path, str]] = []


def _add_late(self: MasterRing) -> MasterKey:
    text = f"{self.path.read_text(encoding='ascii').rstrip()}\n{(fresh := key_text(new_key()))}\n"
    _withheld.append((self.path, text))
    return MasterKey.from_text(fresh)


async def _sweep_nothing(self: KeyRotation, actor: Actor, fresh: MasterKey) -> int:
    # Asked once the new key is in force: from here on the others miss it.
    for path, text in _withheld:
        await asyncio.sleep(_LATE_SECONDS)
        master_ring._write(path, text)
    return 0


if __name__ == "__main__":
    if sys.argv.pop(1) == "late":
        MasterRing.add = _add_late  # type: ignore[method-assign]
    KeyRotation._sweep = _sweep_nothing  # type: ignore[method-assign]
    run()
