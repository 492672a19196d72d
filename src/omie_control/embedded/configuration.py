"""The servers' settings, tuned to the machine, as the text of their files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

_MB = 1024 * 1024


def machine_memory() -> int:
    """Return the bytes of memory that we may use: the machine's, or the container's limit."""
    total = psutil.virtual_memory().total
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        with suppress(OSError, ValueError):
            total = min(total, int(limit.read_text(encoding="ascii")))
    return total


def _share(memory: int, part: int, *, least: int, most: int) -> int:
    return max(least, min(most, memory // part // _MB))


def postgres_settings(*, socket_folder: Path, logs: Path, cluster: str, timezone: str, memory: int) -> str:
    """Return postgresql.conf. Durability is not for tuning: those lines win from the command line as well."""
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in _postgres(memory).items()) + "".join(
        f"{name} = {_quoted(value)}\n"
        for name, value in {
            "unix_socket_directories": str(socket_folder),
            "log_directory": str(logs),
            "cluster_name": cluster,
            "timezone": timezone,
        }.items()
    )


def _postgres(memory: int) -> Mapping[str, str]:
    return {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "200",
        "shared_buffers": f"{_share(memory, 8, least=64, most=1024)}MB",
        "effective_cache_size": f"{_share(memory, 2, least=256, most=65536)}MB",
        "work_mem": "8MB",
        "maintenance_work_mem": f"{_share(memory, 32, least=32, most=256)}MB",
        "random_page_cost": "1.1",
        "jit": "off",
        # Written ahead: few, slow checkpoints, so that a full page is logged rarely; summaries for incremental backups.
        "wal_level": "replica",
        "wal_compression": "pglz",
        "min_wal_size": "256MB",
        "max_wal_size": "2GB",
        # Until a checkpoint has left segments to use again, each new one stopped all writing while it was filled.
        "wal_init_zero": "off",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "summarize_wal": "on",
        "wal_summary_keep_time": "10d",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # A frozen or vanished client must not hold locks and old rows for ever.
        "idle_in_transaction_session_timeout": "10min",
        "track_io_timing": "on",
        "track_functions": "none",
        "autovacuum_vacuum_insert_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.05",
        # Values of rows are personal data and stay out of the log: no statements, no details.
        "logging_collector": "on",
        "log_filename": "postgresql-%a.log",
        "log_file_mode": "0600",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_timezone": "UTC",
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "lc_messages": "C",
    }


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def valkey_settings(*, folder: Path, socket: Path, log: Path, memory: int) -> str:
    """Return valkey.conf: a socket only, everything appended to a log on disk, never an eviction."""
    settings = {
        "port": "0",
        "unixsocket": _escaped(str(socket)),
        "unixsocketperm": "700",
        "dir": _escaped(str(folder)),
        "pidfile": _escaped(str(folder / "valkey.pid")),
        "logfile": _escaped(str(log)),
        "aclfile": _escaped(str(folder / "users.acl")),
        "daemonize": "no",
        "set-proc-title": "no",
        "always-show-logo": "no",
        "hide-user-data-from-log": "yes",
        "save": '""',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-use-rdb-preamble": "no",
        "aof-load-truncated": "yes",
        "maxmemory": f"{_share(memory, 16, least=64, most=1024)}mb",
        "maxmemory-policy": "noeviction",
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
