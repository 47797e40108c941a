"""Whose message comes next: words of danger first, with what they wait for."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine

from storage.inbox import WAITED_FOR
from storage.models import Inbox
from storage.unit_of_work import UnitOfWork

AT = datetime(2026, 11, 24, 1, tzinfo=UTC)
_numbers = count()


@pytest.fixture
def work(engine: Engine):
    with UnitOfWork(engine, AT) as made:
        yield made


def came(work: UnitOfWork, sender: str, **more: Any) -> int:
    row = Inbox(
        platform="wecom", key=f"{next(_numbers)}", sender=sender, payload={}, state="new", urgent=False,
        needs_media=False, media=[], received_at=AT, sent_at=AT, attempts=0, error="",
    )  # fmt: skip
    for name, value in more.items():
        setattr(row, name, value)
    work.db.add(row)
    work.flush()
    return row.id


def test_what_words_of_danger_wait_for_is_as_urgent_as_they_are(work: UnitOfWork) -> None:
    calm = came(work, "a")
    photo = came(work, "b", payload={"kind": "image"})
    danger = came(work, "b", urgent=True)
    later = came(work, "c")
    assert work.inbox.ready_ids(AT) == [photo, calm, later]
    work.inbox.get(photo).state = "done"
    work.flush()
    assert work.inbox.ready_ids(AT) == [danger, calm, later]
    work.inbox.get(danger).state = "done"
    after = came(work, "b")
    assert work.inbox.ready_ids(AT) == [calm, later, after]


def test_pictures_before_words_of_danger_are_fetched_first(work: UnitOfWork) -> None:
    first, second = came(work, "a", needs_media=True), came(work, "a", needs_media=True, attempts=1)
    mine = came(work, "b", needs_media=True)
    danger = came(work, "b", urgent=True)
    assert work.inbox.to_fetch(AT) == [mine, first, second]
    assert work.inbox.ready_ids(AT) == []
    work.inbox.get(danger).state = "done"
    work.flush()
    assert work.inbox.to_fetch(AT) == [first, mine, second]


def test_words_of_danger_wait_for_no_more_messages_than_belong_to_them(work: UnitOfWork) -> None:
    photos = [came(work, "b", needs_media=True) for _ in range(WAITED_FOR)]
    danger = came(work, "b", urgent=True)
    assert work.inbox.ready_ids(AT) == []
    came(work, "c", needs_media=True)
    ahead = [came(work, "d", needs_media=True) for _ in range(WAITED_FOR + 1)]
    other = came(work, "d", urgent=True)
    assert work.inbox.ready_ids(AT) == [other]
    assert set(work.inbox.to_fetch(AT)[:7]) == {*photos, *ahead}
    assert danger < other
