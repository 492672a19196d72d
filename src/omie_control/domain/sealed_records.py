"""The records that seals are over: an ended execution or an audit event, column by column as text."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from omie_control.domain.seals import CONTENT_TAG, EVENT_TAG, EXECUTION_TAG, Kind, Leaf, State, record_hash, state_of

# In the order in which they are hashed: never changed, only added to under a new version of the tags.
CONTENT_COLUMNS = ("input_parameters", "request_payload", "response_data")
EXECUTION_COLUMNS = (
    "id",
    "process_type",
    "execution_id",
    "status",
    "started_at",
    "completed_at",
    "duration_ms",
    "omie_endpoint",
    "response_status_code",
    "error_message",
    "error_code",
    "user_agent",
    "ip_address",
    "fastmcp_session_id",
    "created_at",
    "updated_at",
    "company_id",
    "actor",
    "parent_id",
    "instance_id",
    "attempt",
    "run_after",
    "priority",
    "writes",
    "is_cleaned",
    "category",
    "complexity",
    "idempotency_key",
    "trace_id",
    "commitment",
    "cancel_reason",
)
EVENT_COLUMNS = (
    "id",
    "at",
    "actor",
    "action",
    "outcome",
    "object_type",
    "object_id",
    "company_id",
    "before",
    "after",
    "detail",
    "ip_address",
    "user_agent",
)
_NAME, _STATUS, _ERROR = (EXECUTION_COLUMNS.index(column) for column in ("execution_id", "status", "error_code"))


@dataclass(frozen=True, slots=True)
class Record:
    """One record as text: instants in UTC as ISO writes them, bytes in hexadecimal, the rest as PostgreSQL has it.

    `content` are an execution's jsonb columns as they are; `content_hash` what they were sealed as, once they have
    been written anew.
    """

    kind: Kind
    id: UUID
    columns: tuple[str | None, ...]
    content: tuple[str | None, ...] = ()
    content_hash: bytes | None = None

    @property
    def name(self) -> str:
        """What people know it by."""
        return (self.columns[_NAME] or "") if self.kind is Kind.EXECUTION else str(self.id)

    @property
    def state(self) -> State | None:
        """The state it would be sealed in; None for an execution that has not ended."""
        if self.kind is Kind.EVENT:
            return State.NONE
        return state_of(self.columns[_STATUS] or "", self.columns[_ERROR])

    @property
    def hash(self) -> bytes:
        """The hash of the whole record, its content by the hash that it was sealed with."""
        if self.kind is Kind.EVENT:
            return record_hash(EVENT_TAG, self.columns)
        content = self.content_hash if self.content_hash is not None else self.hash_of_content
        return record_hash(EXECUTION_TAG, (*self.columns, content.hex()))

    @property
    def hash_of_content(self) -> bytes:
        """The hash of the jsonb columns as they are now."""
        return record_hash(CONTENT_TAG, self.content)

    def leaf(self) -> Leaf | None:
        """Return the leaf that stands for it in a seal; None for an execution that has not ended."""
        state = self.state
        return None if state is None else Leaf(self.kind, state, self.id, self.hash)
