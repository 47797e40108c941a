"""The database as the auditor sees it: names of tables and columns, nothing of the engine's models.

tests/auditor/test_tables.py compares them with the models, so that a renamed column is noticed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, TypeDecorator, column, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import TableClause


class Utc(TypeDecorator[datetime]):
    """Aware UTC in and out; SQLite keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Data = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _table(name: str, plain: str = "", times: str = "", data: str = "") -> TableClause:
    columns: list[Any] = [column("id", BigInteger), *(column(n) for n in plain.split())]
    columns += [column(n, Utc) for n in times.split()] + [column(n, Data) for n in data.split()]
    return table(name, *columns)


hazard = _table(
    "hazard",
    "number state grade owner_id reporter_id generation evidence_state round area_id",
    "reported_at assigned_at confirmed_at submitted_at closed_at due_at confirm_due_at",
    "plan",
)
permit = _table("permit", "number state area_id", "suspended_at")
permit_party = _table("permit_party", "permit_id person_id", "left_at called_at confirmed_at")
person = _table("person", "active")
account = _table("account", "platform user_id person_id", "last_seen_at left_at")
role_grant = _table("role_grant", "person_id role area_id")
ladder_step = _table(
    "ladder_step", "case_kind case_id generation ladder position", "due_at taken_at called_off_at", "step"
)
roll_call = _table("roll_call", "number kind area_id generation", "started_at ended_at", "plan")
roll_call_member = _table("roll_call_member", "call_id person_id", "called_at confirmed_at")
inbox = _table(
    "inbox",
    "platform sender state needs_media attempts error",
    "received_at lease_until next_try_at handled_at",
)
delivery = _table(
    "delivery",
    "dedupe_key case_kind case_id purpose what platform person_id user_id group_id card_id batch_key urgency state "
    "attempts ref error wait_reason fallback_of_id receipt",
    "due_at expires_at claimed_at lease_until first_tried_at confirmed_at created_at",
    "payload",
)
case_card = _table("case_card", "card_key case_kind case_id revision", "updated_at")
card_post = _table(
    "card_post", "card_id platform shown_revision state attempts error", "lease_until next_try_at posted_at"
)
trail_line = _table(
    "trail_line",
    "case_kind case_id seq by_id by_hidden action from_state to_state why via before_hash hash",
    "at",
    "data",
)
# its key is its name
source_state = table("source_state", column("name"), column("last_error"), column("facts", Data))
finding = _table(
    "audit_finding",
    "kind subject times healed",
    "first_seen_at last_seen_at healed_at told_at cleared_at",
    "facts",
)
run = _table("audit_run", "runs took_ms open_findings beat_error", "at beat_at", "figures progress")

ALL = (
    hazard,
    permit,
    permit_party,
    person,
    account,
    role_grant,
    ladder_step,
    roll_call,
    roll_call_member,
    inbox,
    delivery,
    case_card,
    card_post,
    trail_line,
    source_state,
    finding,
    run,
)  # fmt: skip
