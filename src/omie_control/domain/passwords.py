"""Names and passwords of people: what is acceptable, said so that one can do better at once."""

from __future__ import annotations

import re

from omie_control.errors import InvalidInput

PASSWORD_MIN = 10
PASSWORD_MAX = 200
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
_COMMON = frozenset(
    """
    1234567890 12345678910 0123456789 9876543210 0987654321 qwertyuiop qwerty1234 qwerty12345 1q2w3e4r5t asdfghjkl1
    password12 password123 password1234 passw0rd123 senha12345 senha123456 minhasenha minhasenha1 minhasenha123
    administrador administrator admin12345 admin123456 adminadmin mudar12345 mudarsenha trocarsenha brasil2025
    brasil2026 brasil12345 flamengo10 flamengo123 corinthians palmeiras1 iloveyou12 abcdefghij abcd123456 abc1234567
    omiecontrol omie-control omie123456 omieomieomie empresa123 empresa1234 financeiro financeiro1 financeiro123
    contabilidade teste12345 teste123456 testeteste changeme12 changeme123 letmein123 welcome123 bemvindo123
    """.split()  # noqa: SIM905 - a list literal of these would be three times as long
)
# A password of fewer different characters is a pattern, not a secret.
_DIFFERENT_MIN = 5


def require_username(username: str) -> str:
    """Return the name in its one form, or raise InvalidInput with an example."""
    plain = username.strip().lower()
    if not _USERNAME.fullmatch(plain):
        raise InvalidInput(
            "O nome de usuário não é válido.",
            hint="Use letras minúsculas sem acento, números e . _ @ + -, até 100 caracteres. Exemplo: maria.silva.",
        )
    return plain


def require_password(password: str, username: str) -> str:
    """Return the password, or raise InvalidInput that says what is weak about it."""
    reason = _weakness(password, username)
    if reason is not None:
        raise InvalidInput(
            f"A senha é fraca: {reason}.",
            hint="Uma frase de quatro palavras que só você conhece é boa e fácil de lembrar.",
            code="senha_fraca",
        )
    return password


def _weakness(password: str, username: str) -> str | None:
    plain = password.casefold()
    if len(password) < PASSWORD_MIN:
        return f"tem {len(password)} caracteres e precisa de pelo menos {PASSWORD_MIN}"
    if len(password) > PASSWORD_MAX:
        return f"passa de {PASSWORD_MAX} caracteres"
    if plain == username or plain == username[::-1] or plain in {username * 2, f"{username}123", f"{username}1234"}:
        return "é o nome de usuário"
    if plain in _COMMON:
        return "está entre as mais usadas"
    if len(set(plain)) < _DIFFERENT_MIN:
        return "repete os mesmos poucos caracteres"
    return None
