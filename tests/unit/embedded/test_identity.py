"""A number in a file proves nothing: only the command line says which process is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from omie_control.embedded.accounts import own_account
from omie_control.embedded.binaries import PostgresBinaries
from omie_control.embedded.endpoints import Endpoints
from omie_control.embedded.home import Home, Passwords
from omie_control.embedded.postgres import PostgresServer
from omie_control.embedded.sockets import Sockets
from omie_control.embedded.valkey import ValkeyServer

HOME = Home(Path("/srv/omie"))
PASSWORDS = Passwords("canary-owner", "canary-app", "canary-reader", "canary-valkey")
SOCKETS = Sockets(Path("/run/omie-x"))


@pytest.fixture
def postgres() -> PostgresServer:
    binaries = PostgresBinaries(Path("/wheel"), "18.6.3")
    return PostgresServer(HOME, own_account(), binaries, passwords=PASSWORDS, sockets=SOCKETS, timezone="UTC")


@pytest.fixture
def valkey() -> ValkeyServer:
    return ValkeyServer(HOME, own_account(), Path("/wheel/valkey-server"), passwords=PASSWORDS, sockets=SOCKETS)


def test_a_postmaster_is_known_by_its_program_and_its_data(postgres: PostgresServer) -> None:
    assert postgres._is_leader(["/another/wheel/postgres", "-D", "/srv/omie/postgres", "-c", "fsync=on"])
    assert not postgres._is_leader(["/wheel/bin/postgres", "-D", "/srv/other/postgres"])
    assert not postgres._is_leader(["/wheel/bin/pg_controldata", "-D", "/srv/omie/postgres"])
    assert not postgres._is_leader(["-D", "/srv/omie/postgres"])
    assert not postgres._is_leader([])


def test_backends_are_known_by_the_name_of_their_cluster(postgres: PostgresServer) -> None:
    ours, theirs = HOME.digest, Home(Path("/srv/other")).digest
    assert postgres._is_member(["postgres:", f"omie_{ours}:", "walwriter"])
    assert postgres._is_member([f"postgres: omie_{ours}: walwriter ", ""])
    assert not postgres._is_member([f"postgres: omie_{theirs}: walwriter "])


def test_a_valkey_is_known_by_its_program_and_its_settings(valkey: ValkeyServer) -> None:
    assert valkey._is_leader(["/another/wheel/valkey-server", "/srv/omie/valkey/valkey.conf"])
    assert not valkey._is_leader(["/usr/bin/vim", "/srv/omie/valkey/valkey.conf"])
    assert not valkey._is_leader(["/wheel/valkey-server", "/srv/other/valkey/valkey.conf"])


def test_addresses_carry_passwords_and_their_text_does_not(postgres: PostgresServer, valkey: ValkeyServer) -> None:
    owner = postgres.url("omie_owner", PASSWORDS.owner)
    assert owner == "postgresql://omie_owner:canary-owner@/omie_control?host=/run/omie-x/pg&port=5432"
    assert valkey.url() == "unix://app:canary-valkey@/run/omie-x/valkey.sock?db=0"
    assert "canary" not in repr(Endpoints(owner, owner, owner, valkey.url())) + repr(PASSWORDS)
