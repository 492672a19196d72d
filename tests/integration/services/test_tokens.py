"""Tokens: shown once, scoped, expiring, revoked everywhere within two seconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo
from ipaddress import ip_address
from typing import Any

import pytest
from tests.conftest import eventually, secret_part
from tests.integration.services.conftest import OWNER, STRANGER, Firm, audited

from omie_control.domain.actors import Actor, ActorKind, Role
from omie_control.domain.executions import Origin
from omie_control.domain.networks import require_networks
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound, Overloaded
from omie_control.postgres.database import Postgres
from omie_control.services import guesses
from omie_control.services import tokens as room
from omie_control.services.access import Access
from omie_control.services.guesses import GUESSES_A_MINUTE
from omie_control.services.tokens import SEEN_MAX, Tokens


@pytest.fixture
def tokens(postgres: Postgres, access: Access) -> Tokens:
    return Tokens(postgres, access)


async def test_a_token_names_its_actor_and_only_its_hash_is_stored(tokens: Tokens, firm: Firm, conn: Any) -> None:
    made, text = await tokens.create(
        OWNER, "claude", Role.AGENT, companies=[firm.padaria.id], default_company=firm.padaria.id
    )
    assert text.startswith(f"{made.prefix}_")
    actor = await tokens.verify(text)
    assert actor == Actor(ActorKind.TOKEN, "claude", Role.AGENT, made.id, frozenset({firm.padaria.id}), firm.padaria.id)
    stored = repr([dict(row) for row in await conn.fetch("select * from api_tokens")])
    assert text not in stored
    assert secret_part(text) not in stored + repr(await audited(conn, "token.created"))


async def test_a_text_that_is_no_token_is_nobody(tokens: Tokens) -> None:
    _, text = await tokens.create(OWNER, "claude", Role.AGENT)
    for wrong in ("", "omc_", text + "x", "x" + text, text + "\n", text[:-1], "\ud800", "omc_é", text.upper()):
        assert await tokens.verify(wrong) is None
    assert await tokens.verify("omc_aaaaaaaa_" + "a" * 43) is None


async def test_a_revoked_token_stops_in_every_process(
    tokens: Tokens, postgres: Postgres, access: Access, conn: Any
) -> None:
    _, text = await tokens.create(OWNER, "claude", Role.AGENT)
    other = Tokens(postgres, access)
    assert await other.verify(text) is not None
    gone = await tokens.revoke(OWNER, "claude")
    assert gone.revoked_at is not None
    assert await tokens.verify(text) is None

    async def is_out() -> bool:
        return await other.verify(text) is None

    assert room.SEEN_FOR_SECONDS <= 2
    await eventually(is_out)
    assert len(await audited(conn, "token.revoked")) == 1


class InAnHour(datetime):
    """The calendar, an hour ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> InAnHour:
        return super().now(tz) + timedelta(hours=1)


async def test_a_token_expires_by_itself_even_while_remembered(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SEEN_FOR_SECONDS", 3600.0)
    _, text = await tokens.create(OWNER, "breve", Role.AGENT, expires_at=datetime.now(UTC) + timedelta(minutes=30))
    assert await tokens.verify(text) is not None
    monkeypatch.setattr(room, "datetime", InAnHour)
    assert await tokens.verify(text) is None


async def test_a_token_is_named_by_id_prefix_or_name(tokens: Tokens) -> None:
    made = [(await tokens.create(OWNER, "gêmeo", Role.AGENT))[0] for _ in range(4)]
    with pytest.raises(Conflict) as ambiguous:
        await tokens.revoke(OWNER, "gêmeo")
    assert made[0].prefix in ambiguous.value.hint
    assert (await tokens.revoke(OWNER, str(made[0].id).upper())).id == made[0].id
    assert (await tokens.revoke(OWNER, made[1].prefix)).id == made[1].id
    for reference in (made[1].prefix, "", "\x00", "nenhum"):
        with pytest.raises(NotFound):
            await tokens.revoke(OWNER, reference)


async def test_nobody_makes_a_mightier_token(tokens: Tokens, firm: Firm, conn: Any) -> None:
    local = Actor(ActorKind.USER, "local", Role.ADMIN, companies=frozenset({firm.padaria.id}))
    await tokens.create(local, "meu", Role.AGENT, companies=[firm.padaria.id])
    for actor, scope in ((local, None), (local, [firm.oficina.id]), (firm.helper, [firm.padaria.id]), (STRANGER, None)):
        with pytest.raises(Forbidden):
            await tokens.create(actor, "outro", Role.VIEWER, companies=scope)
    assert len(await audited(conn, "token.manage", "refused")) == 4
    await tokens.create(OWNER, "geral", Role.AGENT)
    assert [token.name for token in await tokens.list(local)] == ["meu"]
    with pytest.raises(NotFound):
        await tokens.revoke(local, "geral")


async def test_no_token_is_taken_for_another_that_sees_other_companies(tokens: Tokens, firm: Firm) -> None:
    """Records tell callers apart by name: what ran for no company is shown to whoever has the name it ran under."""
    here, there = [firm.padaria.id], [firm.oficina.id]
    first, _ = await tokens.create(OWNER, "claude", Role.AGENT, companies=here)
    await tokens.create(OWNER, "claude", Role.VIEWER, companies=here)
    for scope in (there, here + there, None):
        with pytest.raises(Conflict, match="outro token"):
            await tokens.create(OWNER, " claude ", Role.AGENT, companies=scope)
    for token in await tokens.list(OWNER):
        await tokens.revoke(OWNER, str(token.id))
    with pytest.raises(Conflict):
        await tokens.create(OWNER, first.name, Role.AGENT, companies=there)
    assert (await tokens.create(OWNER, first.name, Role.AGENT))[0].companies is None, "who sees all sees that too"
    await tokens.create(OWNER, "n" * 94 + "1", Role.AGENT, companies=here)
    with pytest.raises(Conflict):
        await tokens.create(OWNER, "n" * 94 + "2", Role.AGENT, companies=there)


async def test_a_stranger_neither_lists_nor_revokes(tokens: Tokens) -> None:
    await tokens.create(OWNER, "claude", Role.AGENT)
    for verb in (tokens.list(STRANGER), tokens.revoke(STRANGER, "claude")):
        with pytest.raises(Forbidden):
            await verb


async def test_senseless_tokens_are_refused(tokens: Tokens, firm: Firm) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for name, extra in (
        ("", {}),
        ("a\x00b", {}),
        ("x", {"companies": []}),
        ("x", {"companies": [firm.padaria.id], "default_company": firm.oficina.id}),
        ("x", {"expires_at": past}),
        ("x", {"expires_at": past.replace(tzinfo=None)}),
    ):
        with pytest.raises(InvalidInput):
            await tokens.create(OWNER, name, Role.AGENT, **extra)


async def test_use_is_noted_about_once_a_minute(tokens: Tokens, postgres: Postgres, access: Access, conn: Any) -> None:
    _, text = await tokens.create(OWNER, "claude", Role.AGENT)
    await tokens.verify(text)
    first = await conn.fetchval("select last_used_at from api_tokens")
    assert first is not None
    await Tokens(postgres, access).verify(text)
    assert await conn.fetchval("select last_used_at from api_tokens") == first


async def test_many_who_ask_at_once_share_one_look_up(
    tokens: Tokens, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = await tokens.create(OWNER, "claude", Role.AGENT)
    asked: list[bytes] = []
    look_up = tokens._look_up

    async def counted(digest: bytes) -> Any:
        asked.append(digest)
        return await look_up(digest)

    monkeypatch.setattr(tokens, "_look_up", counted)
    leaving = asyncio.create_task(tokens.verify(text))
    others = [asyncio.create_task(tokens.verify(text)) for _ in range(50)]
    await asyncio.sleep(0)
    leaving.cancel()
    assert all(actor is not None for actor in await asyncio.gather(*others))
    assert len(asked) == 1


async def test_what_is_remembered_is_bounded(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SEEN_MAX", 5)
    assert SEEN_MAX <= 10_000
    for number in range(12):
        assert await tokens.verify(f"omc_aaaaaaaa_{number:043}") is None
    assert len(tokens._seen) == 5


async def test_a_token_of_a_network_is_nobody_from_elsewhere(tokens: Tokens, conn: Any) -> None:
    networks = require_networks(["203.0.113.0/28", "2001:db8::/48", "127.0.0.1"])
    made, text = await tokens.create(OWNER, "claude", Role.AGENT, networks=networks)
    assert made.networks == networks
    for address in ("203.0.113.7", "2001:db8::1", "127.0.0.1", "::ffff:203.0.113.7"):
        assert await tokens.verify(text, at(address)) is not None
    for elsewhere in ("203.0.113.16", "2001:db9::1", "127.0.0.2", "::1"):
        assert await tokens.verify(text, at(elsewhere)) is None
    assert await tokens.verify(text) is None
    (row,) = await audited(conn, "token.refused", "refused")
    assert (row["object_id"], row["detail"]) == (str(made.id), "O token não pode ser usado deste endereço.")
    assert str(row["ip_address"]) == "203.0.113.16"


async def test_a_token_begins_to_hold_at_its_instant(
    tokens: Tokens, conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = datetime.now(UTC) + timedelta(minutes=30)
    _, text = await tokens.create(OWNER, "futuro", Role.AGENT, not_before=begins)
    assert await tokens.verify(text) is None
    assert await conn.fetchval("select last_used_at from api_tokens") is None
    monkeypatch.setattr(room, "datetime", InAnHour)
    assert await tokens.verify(text) is not None
    (row,) = await audited(conn, "token.refused", "refused")
    assert row["detail"] == "O token ainda não vale."


async def test_whoever_tries_texts_that_are_no_token_has_to_wait(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take more than a minute over so many.
    monkeypatch.setattr(guesses, "_MINUTE", 3600.0)
    _, text = await tokens.create(OWNER, "claude", Role.AGENT)
    guesser = at("198.51.100.1")
    assert await tokens.verify(text, guesser) is not None
    for number in range(GUESSES_A_MINUTE):
        guess = "nenhum" if number % 2 else f"omc_aaaaaaaa_{number:043d}"
        assert await tokens.verify(guess, guesser) is None
    for guess in ("nenhum", "omc_aaaaaaaa_" + "b" * 43):
        with pytest.raises(Overloaded) as refused:
            await tokens.verify(guess, guesser)
        assert refused.value.until is not None
    assert await tokens.verify(text, guesser) is not None, "a token that held a moment ago still does"
    assert await tokens.verify("omc_aaaaaaaa_" + "b" * 43, at("198.51.100.2")) is None


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "padaria", "300.1.1.1", "", "10.0.0.0/33"])
def test_what_is_no_network_is_named(wrong: str) -> None:
    with pytest.raises(InvalidInput, match="não é um endereço"):
        require_networks([wrong])


def at(address: str) -> Origin:
    return Origin("http", ip_address=ip_address(address))
