"""Second factors: enrolled by a first code, used once each, recovered by codes that are used once too."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from tests.integration.services.conftest import OWNER, STRANGER, audited

from omie_control.domain.actors import Role, User
from omie_control.domain.executions import Origin
from omie_control.errors import Conflict, Forbidden, InvalidInput, NotFound, Overloaded, Unauthenticated
from omie_control.postgres.database import Postgres
from omie_control.services.access import Access
from omie_control.services.attempts import FORGOTTEN_AFTER, FREE_ATTEMPTS
from omie_control.services.keys import Keys
from omie_control.services.logins import Logins
from omie_control.services.second_factors import RECOVERY_CODES, SecondFactors
from omie_control.services.users import Users

PASSWORD = "cavalo bateria grampo certo"
ORIGIN = Origin("web", "Navegador", ip_address("203.0.113.7"))


@pytest.fixture
def users(postgres: Postgres, access: Access, clock: Any) -> Users:
    return Users(postgres, access, clock)


@pytest.fixture
def factors(postgres: Postgres, keys: Keys, access: Access, users: Users, clock: Any) -> SecondFactors:
    return SecondFactors(postgres, keys, access, users.attempts, clock)


@pytest.fixture
async def maria(users: Users) -> User:
    return await users.create(OWNER, "maria", PASSWORD, Role.OPERATOR)


def codes_around(totp: pyotp.TOTP, clock: Any) -> list[str]:
    """Return the codes of the steps near this one: of a million, two are equal once in a while."""
    return [totp.at(clock.now + timedelta(seconds=30 * step)) for step in range(-2, 8)]


def wrong_codes(totp: pyotp.TOTP, clock: Any) -> list[str]:
    """Return codes that hold at no step near this one."""
    return [code for code in map("{:06d}".format, range(100)) if code not in codes_around(totp, clock)]


async def enrolled(factors: SecondFactors, maria: User, clock: Any) -> tuple[pyotp.TOTP, list[str]]:
    while True:
        made = await factors.begin(maria.actor, "maria")
        totp = pyotp.TOTP(made.secret)
        if len(set(codes_around(totp, clock))) == len(codes_around(totp, clock)):
            break
    codes = await factors.confirm(maria.actor, "maria", totp.at(clock()), ORIGIN)
    clock.advance(seconds=30)
    return totp, codes


async def test_a_code_lets_in_once(factors: SecondFactors, users: Users, maria: User, clock: Any, conn: Any) -> None:
    assert not (await users.authenticate("maria", PASSWORD, ORIGIN)).has_totp
    totp, _ = await enrolled(factors, maria, clock)
    assert (await users.authenticate("maria", PASSWORD, ORIGIN)).has_totp
    assert len(await audited(conn, "login.succeeded")) == 1, "whoever owes a code is not in yet"
    code = totp.at(clock())
    assert (await factors.verify("maria", code, ORIGIN)).id == maria.id
    with pytest.raises(Unauthenticated):
        await factors.verify("maria", code, ORIGIN)
    with pytest.raises(Unauthenticated):
        await factors.verify("maria", totp.at(clock.now - timedelta(seconds=30)), ORIGIN)
    clock.advance(seconds=30)
    assert await factors.verify("maria", f"{totp.at(clock())[:3]} {totp.at(clock())[3:]}", ORIGIN)
    clock.advance(seconds=60)
    assert await factors.verify("maria", totp.at(clock.now - timedelta(seconds=30)), ORIGIN), (
        "a clock may be half a minute late"
    )
    assert len(await audited(conn, "second_factor.enabled")) == 1
    assert len(await audited(conn, "login.code_refused", "refused")) == 2


async def test_of_equal_codes_at_once_one_lets_in(factors: SecondFactors, maria: User, clock: Any) -> None:
    totp, codes = await enrolled(factors, maria, clock)
    for code in (totp.at(clock()), codes[0]):
        answers = await asyncio.gather(
            *(factors.verify("maria", code, ORIGIN) for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(answer, User) for answer in answers) == 1
        clock.advance(seconds=7200)


async def test_a_recovery_code_lets_in_once_and_is_stored_hashed(
    factors: SecondFactors, maria: User, clock: Any, conn: Any
) -> None:
    _, codes = await enrolled(factors, maria, clock)
    assert len(set(codes)) == RECOVERY_CODES
    assert await factors.verify("maria", f" {codes[0].upper()} ", ORIGIN)
    with pytest.raises(Unauthenticated):
        await factors.verify("maria", codes[0], ORIGIN)
    assert await factors.verify("maria", codes[1].replace("-", ""), ORIGIN)
    assert await factors.recovery_left(maria.id) == RECOVERY_CODES - 2
    stored = repr([dict(row) for row in await conn.fetch("select * from recovery_codes")])
    assert codes[2].replace("-", "") not in stored
    assert len(await audited(conn, "second_factor.recovered")) == 2


async def test_the_secret_is_sealed_and_bound_to_its_person(
    factors: SecondFactors, users: Users, maria: User, clock: Any, conn: Any
) -> None:
    made = await factors.begin(maria.actor, "maria")
    uri = urlsplit(made.uri)
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/omie-control:maria")
    assert parse_qs(uri.query)["secret"] == [made.secret]
    await factors.confirm(maria.actor, "maria", pyotp.TOTP(made.secret).at(clock()), ORIGIN)
    everything = repr([dict(row) for row in await conn.fetch("select * from users")])
    assert made.secret not in everything + repr(await conn.fetch("select * from audit_events"))
    assert made.secret not in repr(made)
    joana = await users.create(OWNER, "joana", PASSWORD, Role.VIEWER)
    await conn.execute(
        "update users j set totp_sealed = m.totp_sealed, totp_key_id = m.totp_key_id, totp_confirmed_at = now() "
        "from users m where j.id = $1 and m.id = $2",
        joana.id,
        maria.id,
    )
    clock.advance(seconds=60)
    with pytest.raises(Conflict):
        await factors.verify("joana", pyotp.TOTP(made.secret).at(clock()), ORIGIN)


async def test_guessing_codes_is_slowed_down(factors: SecondFactors, maria: User, clock: Any) -> None:
    totp, _ = await enrolled(factors, maria, clock)
    for code in wrong_codes(totp, clock)[:FREE_ATTEMPTS]:
        with pytest.raises(Unauthenticated):
            await factors.verify("maria", code, ORIGIN)
    with pytest.raises(Overloaded):
        await factors.verify("maria", totp.at(clock()), ORIGIN)


async def test_a_right_password_in_between_buys_no_more_guesses_at_the_code(
    factors: SecondFactors, users: Users, maria: User, clock: Any
) -> None:
    totp, _ = await enrolled(factors, maria, clock)
    for code in wrong_codes(totp, clock)[:FREE_ATTEMPTS]:
        assert (await users.authenticate("maria", PASSWORD, ORIGIN)).has_totp
        with pytest.raises(Unauthenticated):
            await factors.verify("maria", code, ORIGIN)
    for attempt in (users.authenticate("maria", PASSWORD, ORIGIN), factors.verify("maria", "000000", ORIGIN)):
        with pytest.raises(Overloaded):
            await attempt
    clock.now += FORGOTTEN_AFTER + timedelta(seconds=1)
    for _ in range(2 * FREE_ATTEMPTS):
        # Nobody who has both is held up, however often they come.
        assert (await users.authenticate("maria", PASSWORD, ORIGIN)).has_totp
        clock.now += timedelta(seconds=30)
        await factors.verify("maria", totp.at(clock.now), ORIGIN)


async def test_wrong_steps_are_refused(factors: SecondFactors, users: Users, maria: User, clock: Any) -> None:
    for attempt in (
        factors.confirm(maria.actor, "maria", "123456", ORIGIN),
        factors.remove(maria.actor, "maria"),
    ):
        with pytest.raises(Conflict):
            await attempt
    made = await factors.begin(maria.actor, "maria")
    other = wrong_codes(pyotp.TOTP(made.secret), clock)[0]
    for wrong in ("", "abcdef", "１２３４５６", "1" * 500, "12345\x00", other):
        with pytest.raises((InvalidInput, Overloaded)):
            await factors.confirm(maria.actor, "maria", wrong, replace(ORIGIN, ip_address=None))
    assert not (await users.authenticate("maria", PASSWORD, ORIGIN)).has_totp
    await enrolled(factors, maria, clock)
    with pytest.raises(Conflict):
        await factors.begin(maria.actor, "maria")
    for actor in (STRANGER, replace(maria.actor, name="joana", id=None)):
        for verb in (factors.begin, factors.remove):
            with pytest.raises(Forbidden):
                await verb(actor, "maria")
    with pytest.raises(NotFound):
        await factors.begin(OWNER, "ninguem")
    await factors.remove(OWNER, "maria")
    assert not (await users.authenticate("maria", PASSWORD, ORIGIN)).has_totp


async def test_a_password_alone_opens_no_session(
    factors: SecondFactors, postgres: Postgres, users: Users, maria: User, clock: Any
) -> None:
    logins = Logins(postgres, users, clock)
    assert await logins.enter("maria", PASSWORD, ORIGIN)
    await enrolled(factors, maria, clock)
    with pytest.raises(Unauthenticated) as refused:
        await logins.enter("maria", PASSWORD, ORIGIN)
    assert refused.value.code == "falta_codigo"
