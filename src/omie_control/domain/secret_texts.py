"""Secrets that stand inside an ordinary text: a token pasted into an observation, a key into a message.

Recognised by their form: our own tokens and webhook addresses, signed web tokens, private keys, what follows the word
Bearer, and Omie's secret under its name, as in a request that was written out. A secret without a form of its own (a
password in a sentence) cannot be told from other words.
"""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"(?P<ours>om[cw]_[a-z2-9]{8})_[A-Za-z0-9_-]{32,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*)"
    r"|(?P<bearer>\b[Bb]earer +)(?!om[cw]_)[A-Za-z0-9._~+/-]{16,}=*"
    r"|(?P<named>app_secret[\\\"']{0,4} ?[:=] ?[\\\"']{0,4})[A-Za-z0-9]{16,}",
    re.DOTALL,
)
_HIDDEN = "•••"


def may_hold_secret(text: str) -> bool:
    """Say cheaply whether a text could hold a secret; False is certain."""
    # Asked of every body: one letter is found many times as fast as a word, so the rarest letter of each goes first.
    return (
        ("_" in text and ("omc_" in text or "omw_" in text or "app_secret" in text))
        or ("J" in text and "eyJ" in text)
        or ("Y" in text and "PRIVATE KEY" in text)
        or "earer " in text
    )


def hide_secret(text: str) -> str:
    """Replace every secret within a text; of ours the public beginning stays. The same object when there is none."""
    hidden = _SECRETS.sub(_shown, text)
    return text if hidden == text else hidden


def _shown(found: re.Match[str]) -> str:
    return f"{found['ours'] or found['bearer'] or found['named'] or ''}{_HIDDEN}"
