"""The command `omie-control`, also as `python -m omie_control`.

Loading takes half a second, and a Ctrl-C in it is nobody's mistake: it ends the command as quietly as later.
"""

import sys

_INTERRUPTED = 130


def run() -> None:
    """Run the command line; exits with the command's code, 130 at Ctrl-C."""
    try:
        from omie_control.cli.main import run as command  # noqa: PLC0415 - see the module

        command()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    run()
