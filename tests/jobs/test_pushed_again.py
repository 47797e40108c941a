"""A platform that pushes one message several times: stored once, and the line for danger is answered once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from bot.message import Inbound, Kind
from jobs import inbound
from jobs.queue import NoKicker
from storage.intake import Intake
from storage.models import Inbox

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def danger(key: str = "1") -> Inbound:
    return Inbound(platform="wecom", key=key, kind=Kind.TEXT, sender="ZhangWei", text="着火了", sent_at=START)


def accept_at(engine: Engine, times: list[datetime], message: Inbound) -> list[str]:
    clock = iter(times)
    accept = inbound.accept_into(engine, NoKicker(), lambda: next(clock), lambda text: "快撤" if "着火" in text else "")
    return [accept([message])[0] for _ in times]


@pytest.mark.parametrize(("after_s", "line"), [(0.001, ""), (3.9, ""), (4.0, ""), (4.1, "快撤")])
def test_a_repeat_is_answered_again_only_when_the_first_answer_was_too_late(engine, after_s, line):
    assert accept_at(engine, [START, START + timedelta(seconds=after_s)], danger()) == ["快撤", line]
    with engine.connect() as db:
        assert db.scalar(select(func.count()).select_from(Inbox)) == 1


def test_two_messages_of_the_same_words_are_both_answered(engine):
    assert accept_at(engine, [START], danger("1")) + accept_at(engine, [START], danger("2")) == ["快撤", "快撤"]


def test_while_the_database_is_away_the_callback_waits_for_it(engine, monkeypatch):
    tries = []
    store = Intake.store

    def away_twice(self: Intake, rows) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("INSERT", {}, Exception("gone"))
        store(self, rows)

    monkeypatch.setattr(Intake, "store", away_twice)
    monkeypatch.setattr(inbound, "sleep", lambda _s: None)
    assert accept_at(engine, [START], danger()) == ["快撤"]
    assert len(tries) == 3


def test_a_database_that_stays_away_is_an_error_in_the_end(engine, monkeypatch):
    ticks = iter(range(100))

    def away(self: Intake, rows) -> None:
        raise OperationalError("INSERT", {}, Exception("gone"))

    monkeypatch.setattr(Intake, "store", away)
    monkeypatch.setattr(inbound, "sleep", lambda _s: None)
    monkeypatch.setattr(inbound, "monotonic", lambda: float(next(ticks)))
    with pytest.raises(OperationalError):
        accept_at(engine, [START], danger())
