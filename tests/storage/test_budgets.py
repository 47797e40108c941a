"""What is remembered of the platforms' budgets, and since when messages wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storage.models import Delivery, Inbox
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def test_a_day_never_shrinks_and_days_are_read_from_a_day_on(engine):
    with UnitOfWork(engine, NOW) as work:
        assert work.budgets.raise_to("dingtalk", "calls", "2026-11-23", 40) == 40
        assert work.budgets.raise_to("dingtalk", "calls", "2026-11-23", 12) == 40
        work.budgets.raise_to("dingtalk", "calls", "2026-10-31", 900)
        work.budgets.raise_to("wecom", "people", "2026-11-23", 7)
        assert work.budgets.days("dingtalk", "calls", since="2026-11-01") == {"2026-11-23": 40}


def test_a_note_is_written_over(engine):
    with UnitOfWork(engine, NOW) as work:
        assert work.budgets.note("frugal") == {}
        work.budgets.write_note("frugal", {"mode": "on"}, at=NOW)
        work.budgets.write_note("frugal", {"mode": "auto"}, at=NOW)
        assert work.budgets.note("frugal") == {"mode": "auto"}


def test_presses_and_events_are_no_robot_messages(engine):
    with UnitOfWork(engine, NOW) as work:
        for key in ("msgA==", "msgB==", "card:1", "event:2"):
            work.db.add(Inbox(platform="dingtalk", key=key, payload={}, received_at=NOW, sent_at=NOW))
        work.db.add(Inbox(platform="wecom", key="1", payload={}, received_at=NOW, sent_at=NOW))
        work.flush()
        day = timedelta(days=1)
        assert work.budgets.heard_between("dingtalk", NOW - day, NOW + day) == 2
        assert work.budgets.heard_between("dingtalk", NOW + day, NOW + 2 * day) == 0


def test_the_age_of_a_message_counts_from_when_it_first_wanted_to_go(engine):
    with UnitOfWork(engine, NOW) as work:
        for n, (urgency, reason) in enumerate(((5, "throttled"), (5, "throttled"), (0, "retry"), (5, ""))):
            work.db.add(
                Delivery(
                    dedupe_key=f"k{n}", purpose="p", what="text", platform="wecom", user_id="u", urgency=urgency,
                    due_at=NOW + timedelta(seconds=30), wanted_at=NOW - timedelta(minutes=n), wait_reason=reason,
                    created_at=NOW - timedelta(hours=1), expires_at=NOW + timedelta(days=1),
                )
            )  # fmt: skip
        later = NOW + timedelta(hours=2)
        work.db.add(
            Delivery(dedupe_key="later", purpose="p", what="text", platform="wecom", due_at=later, wanted_at=later,
                     created_at=NOW)
        )  # fmt: skip
        work.flush()
        found = {(g.urgent, g.reason): (g.how_many, g.oldest) for g in work.outbox.waiting_groups(NOW)}
        assert found == {
            (False, "throttled"): (2, NOW - timedelta(minutes=1)),
            (True, "retry"): (1, NOW - timedelta(minutes=2)),
            (False, ""): (1, NOW - timedelta(minutes=3)),
        }
        assert [row.dedupe_key for row in work.outbox.longest_waiting(NOW)] == ["k3", "k2", "k1", "k0"]
