"""JSON read as it was written: the quick reader, and the patient one for what the quick one would change or refuse."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import orjson

# A whole number that may not fit 64 bits: orjson reads it as a float, and its last digits are lost.
_LONG_NUMBER = re.compile(rb"[\s:,\[-][0-9]{19}")


def read_json(text: bytes) -> Any:
    """Read a JSON document in UTF-8; whole numbers of any length stay exact, lone surrogates stay what they are.

    Raises ValueError for what is no JSON, and RecursionError for what is nested too deeply to read.
    """
    if _LONG_NUMBER.search(text) is None and not text[:1].isdigit():
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
