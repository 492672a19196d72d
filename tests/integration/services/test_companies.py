"""Companies: encrypted from the first row, scoped, resolved, and the end of the demonstration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from tests.integration.services.conftest import APP_KEY, APP_SECRET, OWNER, STRANGER, Firm, audited

from omie_control.domain.actors import SYSTEM, Actor, ActorKind, Role
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound
from omie_control.services.companies import DEMO_SLUG, Companies


async def test_credentials_lie_encrypted_and_come_back_whole(companies: Companies, firm: Firm, conn: Any) -> None:
    row = await conn.fetchrow("select * from companies where slug = 'padaria'")
    stored = repr(dict(row)).encode() + row["credentials"]
    assert APP_SECRET.encode() not in stored
    assert APP_KEY.encode() not in stored
    assert row["app_key_hint"] == "…7890"
    door = await companies.door(firm.padaria.id)
    assert (door.credentials.app_key.reveal(), door.credentials.app_secret.reveal()) == (APP_KEY, APP_SECRET)
    assert APP_SECRET not in repr(door)
    assert APP_SECRET not in repr(firm.padaria)


async def test_credentials_moved_to_another_row_do_not_open(companies: Companies, firm: Firm, conn: Any) -> None:
    await conn.execute(
        "update companies set credentials = other.credentials from companies other"
        " where companies.slug = 'oficina' and other.slug = 'padaria'"
    )
    companies._forget()
    with pytest.raises(Conflict):
        await companies.door(firm.oficina.id)


async def test_no_secret_reaches_the_audit(firm: Firm, conn: Any) -> None:
    (first, _) = await audited(conn, "company.added")
    text = repr(dict(first))
    assert APP_SECRET not in text
    assert APP_KEY not in text
    assert (first["actor"], first["object_id"], first["company_id"]) == ("user:dona", "padaria", firm.padaria.id)


async def test_a_helper_sees_and_resolves_only_their_company(companies: Companies, firm: Firm) -> None:
    assert [company.slug for company in await companies.list(firm.helper)] == ["padaria"]
    assert await companies.resolve(firm.helper, None) == firm.padaria
    assert await companies.resolve(firm.helper, "padaria") == firm.padaria


async def test_a_company_outside_the_scope_answers_as_one_that_does_not_exist(companies: Companies, firm: Firm) -> None:
    with pytest.raises(NotFound) as hidden:
        await companies.resolve(firm.helper, "oficina")
    with pytest.raises(NotFound) as unknown:
        await companies.resolve(firm.helper, "oficinx")
    assert hidden.value.message.replace("oficina", "oficinx") == unknown.value.message
    assert hidden.value.hint == unknown.value.hint


async def test_a_stranger_sees_nothing_and_changes_nothing(companies: Companies, firm: Firm, conn: Any) -> None:
    assert await companies.list(STRANGER) == []
    with pytest.raises(InvalidInput):
        await companies.resolve(STRANGER, None)
    for verb in (
        companies.add(STRANGER, "nova", "Nova", APP_KEY, APP_SECRET),
        companies.rename(STRANGER, "padaria", "Minha"),
        companies.deactivate(STRANGER, "padaria"),
        companies.replace_credentials(STRANGER, "padaria", APP_KEY, APP_SECRET),
        companies.ensure_demo(STRANGER, "Demo", APP_KEY, APP_SECRET, None),
    ):
        with pytest.raises(Forbidden):
            await verb
    refused = await audited(conn, "company.manage", "refused")
    assert len(refused) == 5
    assert {row["actor"] for row in refused} == {"token:estranho"}
    assert [company.name for company in await companies.list(OWNER)] == ["Oficina da Ana", "Padaria do João"]


async def test_a_near_name_is_offered(companies: Companies, firm: Firm) -> None:
    with pytest.raises(NotFound) as refused:
        await companies.resolve(OWNER, "padria")
    assert "padaria" in refused.value.hint


async def test_without_a_name_the_choices_are_listed_when_there_are_several(companies: Companies, firm: Firm) -> None:
    with pytest.raises(InvalidInput) as refused:
        await companies.resolve(OWNER, None)
    assert "oficina, padaria" in refused.value.hint
    with_default = replace(OWNER, default_company=firm.oficina.id)
    assert await companies.resolve(with_default, None) == firm.oficina


async def test_without_any_company_it_says_how_to_connect_one(companies: Companies) -> None:
    with pytest.raises(InvalidInput) as refused:
        await companies.resolve(OWNER, None)
    assert "company add" in refused.value.hint


async def test_bad_data_is_refused_without_showing_the_secret(companies: Companies) -> None:
    for slug, name, key, secret in (
        ("Padaria", "x", APP_KEY, APP_SECRET),
        ("padaria", "", APP_KEY, APP_SECRET),
        ("padaria", "a\x00b", APP_KEY, APP_SECRET),
        ("padaria", "x", "abc", APP_SECRET),
        ("padaria", "x", APP_KEY, "curto"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await companies.add(OWNER, slug, name, key, secret)
        assert secret not in refused.value.for_people()


async def test_a_taken_slug_is_a_conflict_and_leaves_the_first_alone(companies: Companies, firm: Firm) -> None:
    with pytest.raises(Conflict):
        await companies.add(OWNER, "padaria", "Outra", "555555", APP_SECRET)
    assert (await companies.get(OWNER, "padaria")).name == "Padaria do João"


async def test_a_deactivated_company_stops_calls_and_stays_in_the_list(
    companies: Companies, firm: Firm, conn: Any
) -> None:
    await companies.deactivate(OWNER, "padaria")
    with pytest.raises(Conflict):
        await companies.resolve(OWNER, "padaria")
    with pytest.raises(Conflict):
        await companies.door(firm.padaria.id)
    assert not (await companies.get(OWNER, "padaria")).is_active
    assert await companies.resolve(OWNER, None) == firm.oficina
    assert (await companies.activate(OWNER, "padaria")).is_active
    assert len(await audited(conn, "company.deactivated")) == 1


async def test_new_credentials_replace_the_old(companies: Companies, firm: Firm) -> None:
    changed = await companies.replace_credentials(OWNER, "padaria", "5555554444", "f" * 32)
    assert changed.app_key_hint == "…4444"
    assert (await companies.door(firm.padaria.id)).credentials.app_secret.reveal() == "f" * 32


async def test_the_first_real_company_ends_the_demonstration(companies: Companies, conn: Any) -> None:
    demo = await companies.ensure_demo(SYSTEM, "Demonstração", "1000", "x" * 20, "http://127.0.0.1:1/api/v1/")
    assert await companies.demo() == demo
    assert await companies.resolve(OWNER, None) == demo
    real = await companies.add(OWNER, "padaria", "Padaria", APP_KEY, APP_SECRET)
    assert await companies.demo() is None
    assert await companies.resolve(OWNER, None) == real
    assert [company.slug for company in await companies.list(OWNER)] == ["padaria", DEMO_SLUG]


async def test_the_demonstration_keeps_its_row_and_follows_the_simulator(companies: Companies) -> None:
    first = await companies.ensure_demo(SYSTEM, "Demonstração", "1000", "x" * 20, "http://127.0.0.1:1/")
    again = await companies.ensure_demo(SYSTEM, "Demonstração", "2000", "y" * 20, "http://127.0.0.1:2/")
    assert again.id == first.id
    door = await companies.door(first.id)
    assert (door.base_url, door.credentials.app_key.reveal()) == ("http://127.0.0.1:2/", "2000")


async def test_the_reader_cannot_read_credentials(database: Any, firm: Firm) -> None:
    reader = await asyncpg.connect(database.reader_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch("select credentials from companies")
    finally:
        await reader.close()


async def test_an_administrator_of_one_company_does_not_reach_another(companies: Companies, firm: Firm) -> None:
    local = Actor(ActorKind.USER, "local", Role.ADMIN, companies=frozenset({firm.padaria.id}))
    assert (await companies.rename(local, "padaria", "Padaria Nova")).name == "Padaria Nova"
    with pytest.raises(NotFound):
        await companies.rename(local, "oficina", "Minha")
