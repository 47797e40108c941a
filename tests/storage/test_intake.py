"""Rows are stored once, whoever else is storing at the same time, and nothing counts as stored that is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from storage.intake import MOST_ROWS, Intake
from storage.models import Inbox
from storage.unit_of_work import UnitOfWork

AT = datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=UTC)


def row(key: str, **more: Any) -> dict[str, Any]:
    return {
        "platform": "wecom",
        "key": key,
        "sender": "zhangwei",
        "payload": {"text": "泵漏油 😀", "n": [1, None]},
        "state": "new",
        "needs_media": False,
        "urgent": False,
        "media": [],
        "received_at": AT,
        "sent_at": AT,
        "attempts": 0,
        "error": "",
        **more,
    }


def keys(engine: Engine) -> list[str]:
    with UnitOfWork(engine, AT, read_only=True) as work:
        return [found.key for found in work.db.query(Inbox).order_by(Inbox.id)]


@pytest.fixture
def intake(engine: Engine) -> Iterator[Callable[..., Intake]]:
    made: list[Intake] = []

    def make(stored: Callable[[Any], None] = lambda _rows: None) -> Intake:
        made.append(Intake(engine, stored))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_row_reads_back_as_it_was_given(engine: Engine, intake: Callable[..., Intake]) -> None:
    intake().store([row("a", needs_media=True)])
    with UnitOfWork(engine, AT, read_only=True) as work:
        found = work.inbox.get(1)
    assert (found.payload, found.media, found.needs_media) == ({"text": "泵漏油 😀", "n": [1, None]}, [], True)
    assert (found.received_at, found.sent_at, found.attempts, found.error) == (AT, AT, 0, "")


def test_a_known_key_is_skipped_and_its_neighbours_are_not(engine: Engine, intake: Callable[..., Intake]) -> None:
    one = intake()
    one.store([row("a")])
    one.store([row("a"), row("b")])
    one.store([row("b")])
    assert keys(engine) == ["a", "b"]


@pytest.mark.parametrize("how_many", [1, 2, MOST_ROWS, MOST_ROWS + 1, 2 * MOST_ROWS + 3])
def test_any_number_of_rows_is_stored_in_their_order(
    engine: Engine, intake: Callable[..., Intake], how_many: int
) -> None:
    intake().store([row(f"k{i:03d}") for i in range(how_many)] + [row("k000")])
    assert keys(engine) == [f"k{i:03d}" for i in range(how_many)]


def test_many_threads_lose_nothing_and_each_commit_is_told_once(engine: Engine, intake: Callable[..., Intake]) -> None:
    told: list[str] = []
    one = intake(lambda rows: told.extend(r["key"] for r in rows))
    threads = [threading.Thread(target=lambda n=n: [one.store([row(f"{n}-{i}")]) for i in range(20)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    wanted = sorted(f"{n}-{i}" for n in range(8) for i in range(20))
    assert sorted(keys(engine)) == wanted
    assert sorted(told) == wanted


def test_a_row_that_cannot_be_stored_fails_alone(engine: Engine, intake: Callable[..., Intake]) -> None:
    """The two are written together because the writer is held up while both arrive."""
    one = intake()
    errors: dict[str, Exception] = {}

    def store(key: str, **more: Any) -> None:
        try:
            one.store([row(key, **more)])
        except Exception as error:
            errors[key] = error

    one.store([row("first")])
    assert one._writing.acquire(timeout=5)
    threads = [
        threading.Thread(target=store, args=("good",)),
        threading.Thread(target=store, args=("bad",), kwargs={"sender": None}),
    ]
    for thread in threads:
        thread.start()
    while len(one._waiting) < 2:
        pass
    one._writing.release()
    one._wake_next()
    for thread in threads:
        thread.join(timeout=30)
    assert keys(engine) == ["first", "good"]
    assert list(errors) == ["bad"]
    one.store([row("after")])
    assert keys(engine) == ["first", "good", "after"]


def test_a_database_that_is_away_fails_the_caller_and_comes_back(engine: Engine, intake: Callable[..., Intake]) -> None:
    one = intake()

    def refuse(*_args: Any) -> None:
        raise ConnectionError("away")

    event.listen(engine, "do_connect", refuse)
    engine.dispose()
    with pytest.raises(ConnectionError):
        one.store([row("a")])
    event.remove(engine, "do_connect", refuse)
    one.store([row("a")])
    assert keys(engine) == ["a"]


def test_a_connection_that_was_cut_is_replaced(postgres_url: str) -> None:
    from storage.database import open_engine

    engine = open_engine(postgres_url)
    one = Intake(engine, lambda _rows: None)
    one.store([row("a")])
    with engine.begin() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    one.store([row("b")])
    assert keys(engine) == ["a", "b"]
    one.close()
    engine.dispose()
