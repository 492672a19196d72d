"""Ctrl-C while the command is still loading ends it as quietly as later: no trace of ours on the screen."""

from __future__ import annotations

import subprocess
import sys

INTERRUPTED_WHILE_LOADING = """
import sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "omie_control.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
from omie_control.__main__ import run
run()
"""


def test_ctrl_c_while_it_loads_says_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING], capture_output=True, text=True, check=False, timeout=200
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
