from __future__ import annotations

from pathlib import Path

from omie_control.embedded.configuration import postgres_settings, valkey_settings

_GB = 1024**3


def _postgres(memory: int, folder: str = "/run/x") -> dict[str, str]:
    text = postgres_settings(
        socket_folder=Path(folder), logs=Path("/logs"), cluster="omie_x", timezone="America/Sao_Paulo", memory=memory
    )
    return dict(line.split(" = ", 1) for line in text.splitlines())


def _valkey(memory: int, folder: str = "/data") -> dict[str, str]:
    text = valkey_settings(folder=Path(folder), socket=Path("/run/x.sock"), log=Path("/log"), memory=memory)
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_memory_follows_the_machine_within_bounds() -> None:
    assert [_postgres(size * _GB)["shared_buffers"] for size in (0, 4, 64)] == ["'64MB'", "'512MB'", "'1024MB'"]
    assert [_valkey(size * _GB)["maxmemory"] for size in (0, 4, 64)] == ["64mb", "256mb", "1024mb"]


def test_postgres_listens_on_no_network_and_never_trades_durability() -> None:
    settings = _postgres(4 * _GB)
    assert settings["listen_addresses"] == "''"
    assert settings["unix_socket_permissions"] == "'0700'"
    assert [settings[name] for name in ("fsync", "full_page_writes", "synchronous_commit")] == ["'on'"] * 3
    assert settings["summarize_wal"] == "'on'"


def test_no_statement_and_no_row_value_is_logged() -> None:
    settings = _postgres(4 * _GB)
    assert settings["log_statement"] == "'none'"
    assert settings["log_min_error_statement"] == "'panic'"
    assert settings["log_error_verbosity"] == "'terse'"


def test_valkey_listens_on_no_network_keeps_a_log_and_evicts_nothing() -> None:
    settings = _valkey(4 * _GB)
    assert settings["port"] == "0"
    assert settings["save"] == '""'
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")
    assert settings["aof-use-rdb-preamble"] == "no"
    assert settings["maxmemory-policy"] == "noeviction"


def test_strange_paths_are_quoted() -> None:
    assert _postgres(_GB, "/it's\\here")["unix_socket_directories"] == r"'/it''s\\here'"
    assert _valkey(_GB, '/a "b"')["dir"] == r'"/a \"b\""'
