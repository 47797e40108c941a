"""Who is sent first, what is held back by whom, and what a batch does when it must be repeated."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from bot.platforms.base import Failure, PlatformError, Posted, Sent, Target
from bot.router import Router
from cards.card import Card
from jobs import deliver, leases, settle, sweep
from jobs.context import Services
from jobs.queue import NoKicker
from storage.database import open_engine
from storage.models import Delivery

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
WAIT_S = 20


class Wire:
    """A platform that calls `on_text` for every text and `on_card` for every card."""

    def __init__(self) -> None:
        self.on_text: Any = lambda user, text: None
        self.on_card: Any = lambda targets, ref: None

    def send_text(self, target, text, *, key, reply_to=None, markdown=False) -> Sent:
        self.on_text(target.user, text)
        return Sent(ref=key)

    def post_card(self, card, targets, *, ref) -> Posted:
        self.on_card(targets, ref)
        return Posted(ref=ref)


class Office:
    def __init__(self, engine: Engine) -> None:
        self.now, self.wire = NOW, Wire()
        self.services = Services(
            engine=engine, clock=lambda: self.now, platforms={"dingtalk": self.wire, "wecom": self.wire},  # type: ignore[dict-item]
            router=Router((), help=lambda _: None), media=None, kick=NoKicker(), zone=ZoneInfo("Asia/Shanghai"),  # type: ignore[arg-type]
            public_url="", redis=None,
        )  # fmt: skip

    def write(self, key: str, *, user: str = "", urgency: int = 5, platform: str = "wecom", **more: Any) -> int:
        values = {"what": "text", "payload": {"text": key}, "user_id": user or key, **more}
        row = Delivery(
            dedupe_key=key, purpose="p", platform=platform, urgency=urgency, due_at=self.now, created_at=self.now,
            expires_at=self.now + timedelta(days=1), **values,
        )  # fmt: skip
        with self.services.new_work() as work:
            work.outbox.add(row)
            work.commit()
            return row.id

    def card(self, key: str, people: int) -> list[int]:
        with self.services.new_work() as work:
            card_id = work.cards.put(key, "", 0, Card(title=key).to_json(), at=self.now).id
            work.commit()
        return [
            self.write(f"{key}:{n}", what="card", payload={}, card_id=card_id, batch_key=f"wecom|{key}")
            for n in range(people)
        ]

    def rows(self) -> list[Delivery]:
        with self.services.new_work(read_only=True) as work:
            return list(work.db.scalars(select(Delivery).order_by(Delivery.id)))


@pytest.fixture
def office(engine) -> Office:
    return Office(engine)


def test_an_alarm_written_while_all_senders_hang_is_sent_at_once(office):
    hanging, alarm_sent, may_end = threading.Semaphore(0), threading.Event(), threading.Event()

    def on_text(user: str, text: str) -> None:
        if text == "alarm":
            alarm_sent.set()
            return
        hanging.release()
        assert may_end.wait(WAIT_S)

    office.wire.on_text = on_text
    for n in range(deliver.SENDERS + 5):
        office.write(f"normal{n}")
    round_ = threading.Thread(target=deliver.send_ready, args=(office.services,))
    round_.start()
    for _ in range(deliver.SENDERS):
        assert hanging.acquire(timeout=WAIT_S)
    office.write("alarm", urgency=0)
    sent = alarm_sent.wait(WAIT_S)
    may_end.set()
    round_.join()
    assert sent, "the alarm waited for messages that are not urgent"
    assert not hanging.acquire(blocking=False) or [r.state for r in office.rows()].count("confirmed") == len(
        office.rows()
    )


def test_messages_to_one_place_go_one_after_another_the_urgent_first(office):
    said, at_once, most = [], [0], [0]
    lock = threading.Lock()

    def on_text(user: str, text: str) -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            said.append(text)
        with lock:
            at_once[0] -= 1

    office.wire.on_text = on_text
    for n, urgency in enumerate((5, 8, 0, 5)):
        office.write(f"m{n}", user="one", urgency=urgency)
    deliver.send_ready(office.services)
    assert said == ["m2", "m0", "m3", "m1"]
    assert most[0] == 1


def test_a_batch_that_failed_goes_out_again_as_one_call(office):
    calls: list[int] = []

    def on_card(targets, ref) -> None:
        calls.append(len(targets))
        if len(calls) == 1:
            raise PlatformError(Failure.RETRY, "busy")

    office.wire.on_card = on_card
    ids = office.card("k", 3)
    deliver.send_ready(office.services)
    assert len({row.due_at for row in office.rows()}) == 1
    office.now += timedelta(seconds=10)
    deliver.send_ready(office.services)
    assert calls == [3, 3]
    with office.services.new_work(read_only=True) as work:
        card_id = work.outbox.get(ids[0]).card_id
        assert sorted(c.user_id for p in work.cards.get(card_id).posts for c in p.copies) == ["k:0", "k:1", "k:2"]


@pytest.mark.parametrize(
    ("platform", "said"), [("dingtalk", ["hello", "hello\n(可能重复)"]), ("wecom", ["hello", "hello"])]
)
def test_a_text_of_unknown_outcome_says_so_where_the_platform_cannot_tell(office, platform, said):
    heard: list[str] = []

    def on_text(user: str, text: str) -> None:
        heard.append(text)
        if len(heard) == 1:
            raise PlatformError(Failure.UNKNOWN, "read_timeout")

    office.wire.on_text = on_text
    office.write("hello", platform=platform)
    deliver.send_ready(office.services)
    office.now += timedelta(seconds=10)
    deliver.send_ready(office.services)
    assert heard == said
    assert [row.state for row in office.rows()] == ["confirmed"]


def test_words_said_twice_to_one_person_are_marked_on_wecom_too(office):
    heard: list[str] = []

    def on_text(user: str, text: str) -> None:
        heard.append(text)
        if len(heard) == 2:
            raise PlatformError(Failure.UNKNOWN, "read_timeout")

    office.wire.on_text = on_text
    for key in ("a", "b"):
        office.write(key, user="one", payload={"text": "hello"})
        deliver.send_ready(office.services)
    office.now += timedelta(seconds=10)
    deliver.send_ready(office.services)
    assert heard == ["hello", "hello", "hello\n(可能重复)"]


def test_what_a_dead_worker_held_is_due_again_when_its_lease_ends(office):
    row_id = office.write("held")
    with office.services.new_work() as work:
        work.outbox.claim([row_id], office.now, lease=leases.LEASE)
        work.commit()
    office.now += leases.LEASE - timedelta(seconds=1)
    assert sweep.leases(office.services) == 0
    office.now += timedelta(seconds=1)
    assert sweep.leases(office.services) == 1
    assert [(row.state, row.wait_reason) for row in office.rows()] == [("due", "reconcile")]


def test_a_living_worker_keeps_its_lease_longer_than_it_is(office, monkeypatch):
    monkeypatch.setattr(leases, "RENEW_S", 0.01)
    renewed = threading.Event()

    def on_text(user: str, text: str) -> None:
        office.now += leases.LEASE + timedelta(seconds=5)
        assert renewed.wait(WAIT_S)
        assert sweep.leases(office.services) == 0

    renew = deliver.Leases._keep

    def keep(self: leases.Leases) -> None:
        def noted(work, ids, until) -> None:
            original(work, ids, until)
            work.commit()
            if until > NOW + 2 * leases.LEASE:
                renewed.set()

        original, self._renew = self._renew, noted
        renew(self)

    monkeypatch.setattr(leases.Leases, "_keep", keep)
    office.wire.on_text = on_text
    office.write("slow")
    deliver.send_ready(office.services)
    assert [(row.state, row.attempts) for row in office.rows()] == [("confirmed", 1)]


def test_cards_to_one_person_arrive_in_their_order(office):
    """Also when each goes to somebody else as well: the one behind waits, and is not overtaken by what comes later."""
    said: list[str] = []
    lock = threading.Lock()

    def on_card(targets, ref) -> None:
        with lock:
            said.append(",".join(sorted(target.user for target in targets)))

    office.wire.on_card = on_card
    office.wire.on_text = lambda user, text: on_card([Target(user=user)], "")
    with office.services.new_work() as work:
        cards = [work.cards.put(f"c{n}", "", 0, Card(title=f"c{n}").to_json(), at=office.now).id for n in range(3)]
        work.commit()
    for n, (card, people) in enumerate(zip(cards, ("ab", "bc", "cd"), strict=True)):
        for user in people:
            office.write(f"c{n}{user}", user=user, what="card", payload={}, card_id=card, batch_key=f"wecom|c{n}")
    office.write("text", user="d")
    deliver.send_ready(office.services)
    assert said == ["a,b", "b,c", "c,d", "d"]


def test_an_alarm_waits_for_no_card_to_the_same_people(office):
    hanging, alarm_sent, may_end = threading.Event(), threading.Event(), threading.Event()

    def on_card(targets, ref) -> None:
        hanging.set()
        assert may_end.wait(WAIT_S)

    office.wire.on_card, office.wire.on_text = on_card, lambda user, text: alarm_sent.set()
    office.card("slow", 2)
    round_ = threading.Thread(target=deliver.send_ready, args=(office.services,))
    round_.start()
    assert hanging.wait(WAIT_S)
    office.write("alarm", user="slow:0", urgency=0)
    sent = alarm_sent.wait(WAIT_S)
    may_end.set()
    round_.join()
    assert sent, "the alarm waited for a card"


def test_many_messages_that_nobody_needs_hold_up_none_that_somebody_does(office):
    """One look at the queue is enough for all of them, however few senders there are."""
    office.services.no_longer = lambda work, row: "" if row.dedupe_key == "needed" else "closed"
    for n in range(3 * deliver.SENDERS):
        office.write(f"void{n}", urgency=1)
    office.write("needed")
    assert deliver.send_ready(office.services) == 3 * deliver.SENDERS + 1
    assert [row.state for row in office.rows()] == ["expired"] * (3 * deliver.SENDERS) + ["confirmed"]


def test_one_row_that_cannot_be_read_holds_up_none_of_those_claimed_with_it(office, monkeypatch):
    bad = office.write("bad")
    for n in range(5):
        office.write(f"good{n}")
    prepare = deliver._prepare

    def breaks(work, rows):
        if any(row.id == bad for row in rows):
            raise KeyError("no such thing")
        return prepare(work, rows)

    monkeypatch.setattr(deliver, "_prepare", breaks)
    deliver.send_ready(office.services)
    states = {row.dedupe_key: row.state for row in office.rows()}
    assert states == {"bad": "due"} | {f"good{n}": "confirmed" for n in range(5)}
    monkeypatch.undo()
    deliver.send_ready(office.services)
    assert {row.state for row in office.rows()} == {"confirmed"}


def test_one_row_that_cannot_be_written_down_costs_the_others_nothing(office, monkeypatch):
    """Both arrived in one moment; the one that cannot be noted stays claimed until its lease ends, and is then reconciled."""
    both = threading.Barrier(2)
    office.wire.on_text = lambda user, text: both.wait(WAIT_S)
    bad, good = office.write("bad"), office.write("good")
    confirm = settle.confirm

    def breaks(services, arrived):
        if bad in arrived:
            raise KeyError("no such thing")
        confirm(services, arrived)

    monkeypatch.setattr(settle, "confirm", breaks)
    deliver.send_ready(office.services)
    assert {row.id: row.state for row in office.rows()} == {bad: "claimed", good: "confirmed"}
    office.now += leases.LEASE + timedelta(seconds=1)
    sweep.leases(office.services)
    assert (office.rows()[0].state, office.rows()[0].wait_reason) == ("due", "reconcile")


def test_two_workers_that_want_the_same_rows_share_them(office):
    ids = [office.write(f"m{n}") for n in range(6)]
    got: list[list[int]] = []
    for wanted in (ids[:4], list(reversed(ids))):
        with office.services.new_work() as work:
            got.append([row.id for row in work.outbox.claim(wanted, office.now, lease=leases.LEASE)])
            work.commit()
    assert got == [ids[:4], ids[4:]]


def test_a_worker_does_not_wait_for_the_one_that_is_just_claiming(postgres_url):
    """Of PostgreSQL: SQLite has one writer at a time."""
    office = Office(open_engine(postgres_url))
    ids = [office.write(f"m{n}") for n in range(3)]
    with office.services.new_work() as one, office.services.new_work() as other:
        assert [row.id for row in one.outbox.claim(ids[:2], office.now, lease=leases.LEASE)] == ids[:2]
        assert [row.id for row in other.outbox.claim(ids, office.now, lease=leases.LEASE)] == ids[2:]
    office.services.engine.dispose()


def test_messages_confirmed_together_keep_a_reference_each(office):
    ids = [office.write(f"m{n}") for n in range(3)]
    with office.services.new_work() as work:
        work.outbox.claim(ids, office.now, lease=leases.LEASE)
        assert work.outbox.confirm({ids[0]: "a", ids[1]: "b"}, office.now) == ids[:2]
        assert work.outbox.confirm({ids[1]: "c", ids[2]: "d"}, office.now) == ids[2:]
        work.commit()
    assert [row.ref for row in office.rows()] == ["a", "b", "d"]


def test_a_late_failure_does_not_overrule_who_took_the_row_over(office):
    def on_text(user: str, text: str) -> None:
        office.now += leases.LEASE
        sweep.leases(office.services)
        with office.services.new_work() as work:
            work.outbox.claim([1], office.now, lease=leases.LEASE)
            work.commit()
        raise PlatformError(Failure.PERMANENT, "refused")

    office.wire.on_text = on_text
    assert office.write("taken over") == 1
    deliver.send_ready(office.services)
    assert [(row.state, row.attempts) for row in office.rows()] == [("claimed", 2)]


def test_others_are_served_beside_an_endless_stream_of_alarms(office):
    """Alarms to hundreds of places keep coming; what waits for anybody else still goes out."""
    said: list[str] = []
    lock, more = threading.Lock(), iter(range(10_000))

    def on_text(user: str, text: str) -> None:
        with lock:
            said.append(text)
            if len(said) < 400 and text.startswith("alarm"):
                office.write(f"alarm more {next(more)}", urgency=0)

    office.wire.on_text = on_text
    for n in range(250):
        office.write(f"alarm {n}", urgency=0)
    for n in range(3):
        office.write(f"other {n}", urgency=8)
    deliver.send_ready(office.services)
    places = [said.index(f"other {n}") for n in range(3)]
    assert max(places) < 100, f"others came after {places} alarms"


def test_what_can_wait_is_overtaken_only_for_a_while(office):
    said: list[str] = []
    office.wire.on_text = lambda user, text: said.append(text)
    office.write("old and unimportant", user="one", urgency=8)
    office.now += timedelta(minutes=3)
    office.write("new", user="one", urgency=5)
    deliver.send_ready(office.services)
    assert said == ["old and unimportant", "new"]


def test_what_the_case_no_longer_needs_is_not_sent(office):
    office.services.no_longer = lambda work, row: "case is over" if row.dedupe_key == "b" else ""
    said: list[str] = []
    office.wire.on_text = lambda user, text: said.append(text)
    for key in ("a", "b"):
        office.write(key)
    deliver.send_ready(office.services)
    assert said == ["a"]
    assert [(row.state, row.error, row.lease_until) for row in office.rows()] == [
        ("confirmed", "", None), ("expired", "case is over", None),
    ]  # fmt: skip


def test_a_card_that_may_be_there_is_repeated_as_it_was(office):
    """The case moved on between two tries: the platform would swallow a repeat and go on showing the first content."""
    office.services.no_longer = lambda work, row: "case is over"
    shown: list[Any] = []

    def on_card(targets, ref) -> None:
        shown.append(office.card_now.title)
        if len(shown) == 1:
            raise PlatformError(Failure.UNKNOWN, "read_timeout")

    post_card = office.wire.post_card

    def noted(card, targets, *, ref):
        office.card_now = card
        return post_card(card, targets, ref=ref)

    office.wire.on_card, office.wire.post_card = on_card, noted
    [row_id] = office.card("k", 1)
    office.services.no_longer = None
    deliver.send_ready(office.services)
    with office.services.new_work() as work:
        work.cards.put("k", "", 0, Card(title="later").to_json(), at=office.now)
        work.commit()
    office.services.no_longer = lambda work, row: "case is over"  # too late to call it off: it may be on a screen
    office.now += timedelta(seconds=10)
    deliver.send_ready(office.services)
    assert shown == ["k", "k"]
    with office.services.new_work(read_only=True) as work:
        row = work.outbox.get(row_id)
        [post] = work.cards.get(row.card_id).posts
        assert (row.state, row.payload, post.shown_revision, post.card.revision) == ("confirmed", {}, 1, 2)


def test_a_card_that_surely_did_not_arrive_goes_out_as_it_is_now(office):
    shown: list[str] = []
    post_card = office.wire.post_card

    def noted(card, targets, *, ref):
        shown.append(card.title)
        if len(shown) == 1:
            raise PlatformError(Failure.RETRY, "busy")
        return post_card(card, targets, ref=ref)

    office.wire.post_card = noted
    office.card("k", 1)
    deliver.send_ready(office.services)
    with office.services.new_work() as work:
        work.cards.put("k", "", 0, Card(title="later").to_json(), at=office.now)
        work.commit()
    office.now += timedelta(seconds=10)
    deliver.send_ready(office.services)
    assert shown == ["k", "later"]


@pytest.mark.parametrize(
    ("error", "reason", "at_least_s", "at_most_s"),
    [
        (PlatformError(Failure.RETRY, "http_500"), "retry", 2, 3),
        (PlatformError(Failure.THROTTLED, "member_minute", wait_s=20), "throttled:member_minute", 20, 28),
        (PlatformError(Failure.CONFIG, "60020"), "config", 5, 7),
        (PlatformError(Failure.QUOTA, "calls_month", wait_s=500_000), "quota:calls_month", 3600, 5040),
        (PlatformError(Failure.UNKNOWN, "read_timeout"), "reconcile", 2, 3),
    ],
)
def test_how_long_it_waits_depends_on_what_went_wrong(office, error, reason, at_least_s, at_most_s):
    def on_text(user: str, text: str) -> None:
        raise error

    office.wire.on_text = on_text
    office.write("m")
    deliver.send_ready(office.services)
    [row] = office.rows()
    assert (row.state, row.wait_reason) == ("due", reason)
    assert at_least_s <= (row.due_at - NOW).total_seconds() <= at_most_s


@pytest.mark.parametrize(
    ("error", "urgency", "elsewhere"),
    [
        (PlatformError(Failure.THROTTLED, "member_minute", wait_s=2), 0, False),
        (PlatformError(Failure.THROTTLED, "member_minute", wait_s=40), 0, True),
        (PlatformError(Failure.THROTTLED, "member_minute", wait_s=40), 5, False),
        (PlatformError(Failure.CONFIG, "60020"), 1, True),
        (PlatformError(Failure.CONFIG, "60020"), 5, False),
        (PlatformError(Failure.RETRY, "busy"), 0, False),
    ],
)
def test_an_alarm_does_not_wait_for_a_limit_or_an_admin(office, error, urgency, elsewhere):
    asked: list[bool] = []

    def fall_back(work, row, *, ahead=False) -> bool:
        asked.append(ahead)
        return True

    def on_text(user: str, text: str) -> None:
        raise error

    office.services.fall_back, office.wire.on_text = fall_back, on_text
    office.write("m", urgency=urgency)
    deliver.send_ready(office.services)
    assert asked == ([True] if elsewhere else [])
    assert [row.state for row in office.rows()] == ["due"]  # and it is still tried here


def test_a_message_whose_senders_keep_dying_is_given_up(office):
    row_id = office.write("poison")
    for _ in range(sweep.MAX_DEATHS):
        with office.services.new_work() as work:
            assert work.outbox.claim([row_id], office.now, lease=leases.LEASE)
            work.commit()
        office.now += leases.LEASE
        sweep.leases(office.services)
    assert [(row.state, row.error) for row in office.rows()] == [("refused", "unknown workers_die")]


@pytest.mark.parametrize(
    ("what", "platform", "payload", "waited_s", "marked"),
    [
        ("text", "wecom", {"text": "hello"}, 60, False),
        ("text", "wecom", {"text": "hello"}, 3600, True),  # WeCom's check does not look back so far
        ("image", "dingtalk", {"sha256": "a", "name": "a.jpg"}, 60, True),
        ("image", "wecom", {"sha256": "a", "name": "a.jpg"}, 60, False),
        ("sms", "sms", {"params": {"time": "11-24 09:00"}}, 60, True),
        ("notice", "wecom", {"card": {"title": "t", "note": "n"}}, 60, False),
    ],
)
def test_a_repeat_that_nobody_would_recognise_says_so(office, what, platform, payload, waited_s, marked):
    row_id = office.write("m", what=what, platform=platform, payload=payload)
    with office.services.new_work() as work:
        work.outbox.claim([row_id], office.now, lease=leases.LEASE)
        work.commit()
    office.now += timedelta(seconds=waited_s)
    sweep.leases(office.services)
    [row] = office.rows()
    assert bool(row.payload.get("maybe_repeat")) is marked
    if what in ("text", "sms"):
        assert ("可能重复" in str(row.payload)) is marked
