"""What a browser says of itself, in two words that people know it by."""

from __future__ import annotations

# In this order: most browsers also claim to be those below them.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 60


def browser(user_agent: str | None) -> str:
    """Name the browser and its system (`Firefox · Windows`); what is neither is given as it is, cut; none is empty."""
    if not user_agent:
        return ""
    known = [_first(user_agent, table) for table in (_BROWSERS, _SYSTEMS)]
    if known[0] is None:
        return user_agent if len(user_agent) <= _LONGEST else user_agent[:_LONGEST] + "…"
    return " · ".join(filter(None, known))


def _first(user_agent: str, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for sign, name in table if sign in user_agent), None)
