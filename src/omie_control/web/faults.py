"""Every error of ours as an HTTP status, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from omie_control import errors
from omie_control.errors import ControlError

STATUS: Mapping[type[ControlError], int] = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.TooLarge: 413,
    errors.Overloaded: 429,
    errors.ApprovalRequired: 202,
    errors.Uncertain: 502,
    errors.OmieFault: 502,
    errors.OmieBusy: 503,
    errors.OmieUnreachable: 503,
    errors.StorageDown: 503,
    ControlError: 500,
}


def status_of(error: ControlError) -> int:
    """Return the HTTP status of an error, by its nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: ControlError) -> dict[str, str]:
    """Say when to come back, if the error knows; StorageDown is worth a look after five seconds."""
    if error.until is not None:
        return {"Retry-After": str(max(1, round((error.until - datetime.now(UTC)).total_seconds())))}
    return {"Retry-After": "5"} if isinstance(error, errors.StorageDown) else {}


def body_of(error: ControlError) -> dict[str, object]:
    """Shape an error for programs: only text we wrote, never a cause."""
    body: dict[str, object] = {"code": error.code, "message": error.message, "hint": error.hint}
    if error.until is not None:
        body["until"] = error.until.isoformat()
    if error.execution_id is not None:
        body["execution_id"] = error.execution_id
    return {"error": body}
