"""Rows: whatever text comes in, what goes out can be stored."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omie_control.domain.executions import Status
from omie_control.postgres.rows import (
    FinishRow,
    SealedBody,
    StartRow,
    clean_finish,
    clean_start,
    is_address,
    storable,
    without_bodies,
)

ID = UUID(int=7 << 76)
AT = datetime(2026, 11, 23, tzinfo=UTC)
START = StartRow(ID, "consultar_clientes", "consultar_clientes_1", Status.RUNNING, AT)
FINISH = FinishRow(ID, 1, Status.COMPLETED, AT)


@given(st.text(st.characters(codec=None, categories=None)), st.integers(0, 300))
def test_any_text_becomes_storable(text: str, limit: int) -> None:
    fit = storable(text, limit)
    assert "\x00" not in fit
    assert len(fit) <= limit
    fit.encode()


def test_a_clean_row_is_handed_on_as_it_is() -> None:
    row = START._replace(user_agent="n8n", ip_address="10.0.0.1", actor="token:claude")
    assert clean_start(row) is row
    assert clean_finish(FINISH) is FINISH


def test_a_row_that_had_to_be_changed_says_so() -> None:
    row = clean_start(START._replace(process_type="x" * 101, user_agent="a\x00", ip_address="fe80::1%eth0"))
    assert (row.process_type, row.user_agent, row.ip_address, row.is_cleaned) == ("x" * 100, "a\ufffd", None, True)
    end = clean_finish(FINISH._replace(error_message="\ud800" * 20_000, duration_ms=2**40))
    assert (len(end.error_message or ""), end.duration_ms, end.is_cleaned) == (10_000, 2**31 - 1, True)


@pytest.mark.parametrize(("text", "expected"), [("10.0.0.1", True), ("::1", True), ("10.0.0.1:80", False), ("", False)])
def test_only_addresses_are_addresses(text: str, expected: bool) -> None:
    assert is_address(text) is expected


def test_an_end_without_its_bodies_keeps_status_and_its_own_message() -> None:
    end = FINISH._replace(response_data="{}", body=SealedBody(1, ID, b"x"), error_message="Falhou.")
    bare = without_bodies(end, "recusado")
    assert (bare.status, bare.response_data, bare.body, bare.error_message) == (Status.COMPLETED, None, None, "Falhou.")
    assert without_bodies(FINISH, "recusado").error_message == "recusado"
