"""Configuration: each key takes what it says and refuses the rest by name, without repeating it."""

from __future__ import annotations

from typing import Any

import pytest

from omie_control.domain.configuration import (
    BASE_URL,
    DEFAULTS,
    KEYS,
    PATIENCE,
    PROXY,
    WRITES_ENABLED,
    ConfigType,
    Key,
    key_named,
)
from omie_control.errors import InvalidInput, NotFound


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_every_key_takes_its_own_example_and_default(key: Key) -> None:
    key.read(key.example)
    assert DEFAULTS.get(key) == key.default
    assert key.default is None or key.read(key.default) == key.default
    assert key.description.endswith(".") and key.description_en.endswith(".")


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        (WRITES_ENABLED, "não", False),
        (WRITES_ENABLED, " Sim ", True),
        (WRITES_ENABLED, False, False),
        (PATIENCE, "7.5", 7.5),
        (PATIENCE, "30", 30),
        (BASE_URL, "https://app.omie.com.br/api/v1/", "https://app.omie.com.br/api/v1/"),
        (BASE_URL, "http://127.0.0.1:9000/api/v1/", "http://127.0.0.1:9000/api/v1/"),
        (PROXY, "http://ana:x@proxy:3128", "http://ana:x@proxy:3128"),
    ],
)
def test_a_text_becomes_the_value_it_stands_for(key: Key, given: Any, value: Any) -> None:
    assert key.read(given) == value and type(key.read(given)) is type(value)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        (WRITES_ENABLED, "talvez"),
        (WRITES_ENABLED, 1),
        (WRITES_ENABLED, None),
        (PATIENCE, "vinte"),
        (PATIENCE, "0"),
        (PATIENCE, "121"),
        (PATIENCE, "nan"),
        (PATIENCE, True),
        (PATIENCE, [5]),
        (PATIENCE, 10**400),
        (BASE_URL, "http://app.omie.com.br/api/v1/"),
        (BASE_URL, "https://ana:senha-secreta@app.omie.com.br/"),
        (BASE_URL, "https://"),
        (BASE_URL, "https://[::1"),
        (BASE_URL, "file:///etc/passwd"),
        (BASE_URL, {"a": 1}),
        (PROXY, "proxy:3128"),
        (PROXY, "socks5://proxy:1"),
        (PROXY, "http://proxy:99999"),
        (PROXY, "http://pro xy:1"),
    ],
)
def test_anything_else_is_refused_by_name_and_never_repeated(key: Key, given: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        key.read(given)
    text = refused.value.for_people()
    assert key.name in text and key.example in text and "senha-secreta" not in text


def test_an_unknown_key_is_refused_with_its_nearest() -> None:
    with pytest.raises(NotFound, match=r"writes\.enable'"):
        key_named("writes.enable")
    with pytest.raises(NotFound) as refused:
        key_named("writes.enable")
    assert "writes.enabled" in str(refused.value.hint)
    with pytest.raises(NotFound) as refused:
        key_named("zzz")
    assert all(name in str(refused.value.hint) for name in KEYS)


def test_all_four_types_are_in_use() -> None:
    assert {key.type for key in KEYS.values()} == set(ConfigType)
