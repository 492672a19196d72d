"""What may vanish: live state, hints, sessions. Nothing here is the only copy of anything."""

from omie_control.valkey.bus import Bus
from omie_control.valkey.connection import connect
from omie_control.valkey.live import Live
from omie_control.valkey.sessions import Sessions

__all__ = ["Bus", "Live", "Sessions", "connect"]
