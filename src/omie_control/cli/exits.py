"""Exit codes: one table from our errors to what a shell or a script sees."""

from __future__ import annotations

from omie_control import errors

OK = 0
UNEXPECTED = 1

EXIT_CODES: dict[type[errors.ControlError], int] = {
    errors.InvalidInput: 2,
    errors.NotFound: 3,
    errors.Conflict: 3,
    errors.Unauthenticated: 4,
    errors.Forbidden: 4,
    errors.TooLarge: 2,
    errors.Overloaded: 6,
    errors.ApprovalRequired: 8,
    errors.Uncertain: 9,
    errors.OmieFault: 5,
    errors.OmieBusy: 6,
    errors.OmieUnreachable: 6,
    errors.StorageDown: 7,
}


def exit_code(error: BaseException) -> int:
    """Return the exit code of an error; 1 for what is none of ours."""
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return UNEXPECTED
