"""With nothing set everything works; a wrong variable is one readable line that never repeats a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omie_control.errors import InvalidInput
from omie_control.settings import PREFIX, Settings

PROMISED = {
    *("HOME", "HOST", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "DATABASE_URL", "DATABASE_OWNER_URL"),
    *("DATABASE_READ_URL", "VALKEY_URL", "OMIE_BASE_URL", "EGRESS", "MASTER_KEY", "MASTER_KEY_FILE"),
    "MASTER_KEY_COMMAND",
    *(
        "ADMIN_PASSWORD",
        "ADMIN_PASSWORD_FILE",
        "TZ",
        "LOG_FORMAT",
        "DEMO",
        "OIDC_ISSUER",
        "OIDC_AUDIENCE",
        "OIDC_JWKS_URL",
        "OIDC_ROLE_CLAIM",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_CLIENT_SECRET_FILE",
        "OIDC_SCOPES",
        "OIDC_LINK_BY_EMAIL",
        "OIDC_LOGIN_ROLES",
        "OUTGOING_ALLOWED",
        "AUDIT_FOLDER",
    ),
}
UNSET = Settings.from_environment({})
SECRET = "um-segredo-que-ninguem-pode-ver"
WRONG = {
    "PORT": ("abc", "70000", "-1"),
    "TZ": ("Marte/Olimpo", "../../etc/passwd"),
    "LOG_FORMAT": ("xml",),
    "DEMO": ("talvez",),
    "DATABASE_URL": (f"mysql://u:{SECRET}@db/x", SECRET),
    "DATABASE_OWNER_URL": (f"u:{SECRET}@db/x", f"postgresql://u:{SECRET}@[::1/x"),
    "DATABASE_READ_URL": (f"http://u:{SECRET}@db/x",),
    "VALKEY_URL": (
        *(f"memcached://:{SECRET}@cache", SECRET, f"valkey://:{SECRET}@cache:porta"),
        *(f"valkey+sentinel://:{SECRET}@cache", f"redis+cluster://:{SECRET}@/0", f"redis+cluster://:{SECRET}@a/b"),
    ),
    "OMIE_BASE_URL": ("app.omie.com.br/api/v1/", "ftp://app.omie.com.br/"),
    "PUBLIC_URL": ("omie.example.com", "https://", "https://[::1"),
    "TRUSTED_PROXIES": ("proxy.lan", "10.0.0.0/8,abc", "10.0.0.0/99"),
    "EGRESS": ("x" * 61,),
    "OUTGOING_ALLOWED": ("dentro da rede", "10.0.0.1/8", "http://proxy.lan:3128", "2130706433"),
}


def _refused(environment: dict[str, str]) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment(environment)
    return caught.value


def test_the_promised_variables_are_the_settings() -> None:
    assert {name.upper() for name in Settings.model_fields} == PROMISED


def test_nothing_set_and_everything_empty_are_the_same() -> None:
    empty = {f"{PREFIX}{name}": "  " for name in PROMISED}
    assert Settings.from_environment(empty) == UNSET


def test_variables_of_others_are_none_of_our_business() -> None:
    assert Settings.from_environment({"HOME": "/nowhere", "PORT": "abc", "OMIE_PORT": "abc"}) == UNSET


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_one_line_that_names_its_variable(name: str, value: str) -> None:
    error = _refused({f"{PREFIX}{name}": value})
    assert error.message.startswith(f"{PREFIX}{name} não serve: ")
    assert "\n" not in error.for_people()
    assert "Invalid" not in error.message
    assert SECRET not in error.for_people() + repr(error.__cause__) + repr(error.__context__)


@pytest.mark.parametrize("name", ["DATABASE_OWNER_URL", "DATABASE_READ_URL"])
def test_a_second_address_of_the_database_is_nothing_without_the_first(name: str) -> None:
    url = f"postgresql://u:{SECRET}@db/x"
    error = _refused({f"{PREFIX}{name}": url})
    assert error.message == f"{PREFIX}{name} não serve: vale só junto com {PREFIX}DATABASE_URL, que falta."
    assert SECRET not in error.for_people()
    given = Settings.from_environment({f"{PREFIX}{name}": url, f"{PREFIX}DATABASE_URL": url})
    assert getattr(given, name.lower()).get_secret_value() == url


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("POTR", "PORT"), ("DATABSE_URL", "DATABASE_URL"), ("MASTERKEY", "MASTER_KEY"), ("VALKEY_UR", "VALKEY_URL")],
)
def test_a_misspelt_variable_is_named_with_the_nearest_one(typed: str, meant: str) -> None:
    error = _refused({f"{PREFIX}{typed}": "1"})
    assert error.message == f"{PREFIX}{typed} não é uma configuração."
    assert error.hint == f"Você quis dizer {PREFIX}{meant}?"


def test_a_variable_like_none_points_to_the_list() -> None:
    assert "docs/reference/settings.md" in _refused({f"{PREFIX}XYZZY": "1"}).hint


def test_a_secret_comes_from_a_file_and_its_variable_wins(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from-the-file\n")
    read = Settings.from_environment({f"{PREFIX}MASTER_KEY_FILE": str(file)}).resolved_master_key()
    assert read is not None
    assert read.get_secret_value() == "from-the-file"
    both = Settings.from_environment({f"{PREFIX}MASTER_KEY_FILE": str(file), f"{PREFIX}MASTER_KEY": "given"})
    won = both.resolved_master_key()
    assert won is not None
    assert won.get_secret_value() == "given"


def test_a_secret_file_that_is_not_there_is_named_by_its_variable(tmp_path: Path) -> None:
    settings = Settings.from_environment({f"{PREFIX}ADMIN_PASSWORD_FILE": str(tmp_path / "nothing")})
    with pytest.raises(InvalidInput, match=f"{PREFIX}ADMIN_PASSWORD_FILE não pode ser lido"):
        settings.resolved_admin_password()


def test_a_secret_file_that_holds_no_text_is_named_by_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe\x00")
    settings = Settings.from_environment({f"{PREFIX}MASTER_KEY_FILE": str(file)})
    with pytest.raises(InvalidInput, match=f"{PREFIX}MASTER_KEY_FILE não pode ser lido: não é um texto"):
        settings.resolved_master_key()


@pytest.mark.parametrize(
    "name", ["HOME", "MASTER_KEY_FILE", "ADMIN_PASSWORD_FILE", "OIDC_CLIENT_SECRET_FILE", "AUDIT_FOLDER"]
)
def test_a_path_is_the_same_from_every_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.chdir(tmp_path)
    read = {text: Settings.from_environment({f"{PREFIX}{name}": text}) for text in ("~/omie", "omie", "/srv/omie")}
    assert {text: getattr(settings, name.lower()) for text, settings in read.items()} == {
        "~/omie": tmp_path / "me" / "omie",
        "omie": tmp_path / "omie",
        "/srv/omie": Path("/srv/omie"),
    }


def test_an_account_without_a_folder_of_its_own_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    error = _refused({})
    assert error.message.startswith(f"{PREFIX}HOME não serve: não se sabe qual é a pasta pessoal")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8123"),
        ({"HOST": "0.0.0.0"}, "http://127.0.0.1:8123"),
        ({"HOST": "::"}, "http://[::1]:8123"),
        ({"HOST": "::1"}, "http://[::1]:8123"),
        ({"HOST": "torre.lan"}, "http://torre.lan:8123"),
        ({"PUBLIC_URL": "https://torre.example.com/"}, "https://torre.example.com"),
    ],
)
def test_an_installation_says_an_address_that_can_be_typed(given: dict[str, str], address: str) -> None:
    named = {f"{PREFIX}{name}": value for name, value in given.items()}
    settings = Settings.from_environment({f"{PREFIX}PORT": "8123"} | named)
    assert settings.own_address() == address


def test_settings_never_print_their_secrets() -> None:
    settings = Settings.from_environment(
        {
            f"{PREFIX}DATABASE_URL": f"postgresql://u:{SECRET}@db/x",
            f"{PREFIX}VALKEY_URL": f"redis://:{SECRET}@cache",
            f"{PREFIX}MASTER_KEY": SECRET,
            f"{PREFIX}ADMIN_PASSWORD": SECRET,
        }
    )
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("command", [["doctor"], ["up"], ["process", "list"]])
def test_a_command_stops_with_two_lines_and_exit_code_2(command: list[str]) -> None:
    environment = {**os.environ, f"{PREFIX}POTR": "8001"}
    ran = subprocess.run(
        [sys.executable, "-m", "omie_control", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [f"Erro: {PREFIX}POTR não é uma configuração.", f"Você quis dizer {PREFIX}PORT?"]


def test_only_the_settings_read_the_environment() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "omie_control"
    readers = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("os.environ", "os.getenv", "getenv("))
    }
    assert readers == {"settings.py"}


def test_a_command_may_bring_the_master_key(tmp_path: Path) -> None:
    vault = tmp_path / "vault.sh"
    vault.write_text(f"#!/bin/sh\necho {SECRET}\n", encoding="utf-8")
    vault.chmod(0o700)
    read = Settings.from_environment({f"{PREFIX}MASTER_KEY_COMMAND": f"{vault} --key omie"}).resolved_master_key()
    assert read is not None and read.get_secret_value() == SECRET


@pytest.mark.parametrize("script", [f"#!/bin/sh\necho {SECRET}; exit 3\n", None])
def test_a_command_that_fails_is_told_without_what_it_said(tmp_path: Path, script: str | None) -> None:
    vault = tmp_path / "vault.sh"
    if script is not None:
        vault.write_text(script, encoding="utf-8")
        vault.chmod(0o700)
    with pytest.raises(InvalidInput, match="MASTER_KEY_COMMAND falhou") as refused:
        Settings.from_environment({f"{PREFIX}MASTER_KEY_COMMAND": str(vault)}).resolved_master_key()
    assert SECRET not in str(refused.value.for_people())
