"""What a verdict reads in few statements: cards and shifts of several people at once, neighbours as rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from handlers.permit import judge
from storage import plain
from storage.certificates import best
from storage.database import open_engine
from storage.models import Area, Certificate, Detector, Duty, Leave, Permit, PermitParty, Person
from storage.permits import Box
from storage.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOX = Box(south=37.4, west=118.5, north=37.5, east=118.6)
STATEMENTS = 16  # of one verdict of running work; each costs about as much as the database takes to answer


@pytest.fixture
def work(engine: Engine):
    with UnitOfWork(engine, NOW) as work:
        yield work


def people(work: UnitOfWork, count: int) -> list[Person]:
    made = [Person(code=f"p{n}", name=f"人{n}", created_at=NOW) for n in range(count)]
    work.db.add_all(made)
    work.flush()
    return made


def permit(work: UnitOfWork, number: str, guardian: Person, **over) -> Permit:
    values = {
        "lat": 37.45,
        "lon": 118.55,
        "state": "active",
        "content": "出口法兰电焊",
        "facts": {"coordinator_id": "7"},
    }
    made = Permit(
        number=number, work="hot_work", level="l1", created_at=NOW, suspend_why=[], next_due=[], guardian=guardian,
        parties=[PermitParty(person=guardian, role="guardian", joined_at=NOW, checked_in_at=NOW)], **{**values, **over},
    )  # fmt: skip
    return work.permits.add(made)


def test_the_best_card_of_several_people_is_the_one_that_lasts_longest(work):
    one, other, nobody = people(work, 3)
    ends = (date(2026, 1, 1), date(2027, 1, 1), None)
    for n, end in enumerate(ends[:2]):
        work.db.add(Certificate(person_id=one.id, kind="guardian", number=f"A{n}", valid_until=end))
    for n, end in enumerate(ends):
        work.db.add(Certificate(person_id=other.id, kind="guardian", number=f"B{n}", valid_until=end))
    work.db.add(Certificate(person_id=nobody.id, kind="welding", number="C", valid_until=None))
    cards = work.certificates.cards([one.id, other.id, nobody.id])
    assert {key: row.number for key, row in best(cards, ["guardian"]).items()} == {one.id: "A1", other.id: "B2"}
    assert {key: row.number for key, row in best(cards, ["welding"]).items()} == {nobody.id: "C"}
    assert work.certificates.best(one.id, ["guardian"]).number == "A1"
    assert work.certificates.cards([]) == []


def test_shifts_of_several_people(work):
    there, off, away, unkept = people(work, 4)
    spans = [(there, -2, 2), (there, 2, 6), (off, -9, -1), (away, -2, 2)]
    for person, begins, ends in spans:
        work.db.add(Duty(person=person, role="worker", starts_at=NOW + begins * HOUR, ends_at=NOW + ends * HOUR))
    work.db.add(Leave(person_id=away.id, starts_at=NOW - HOUR, ends_at=NOW + HOUR, entered_at=NOW))
    work.flush()
    assert work.roster.shifts_of([there.id, off.id, away.id, unkept.id], NOW) == {
        there.id: (True, NOW + 6 * HOUR),
        off.id: (False, None),
        away.id: (False, None),
        unkept.id: (None, None),
    }
    assert work.roster.shift_of(there.id, NOW) == (True, NOW + 6 * HOUR)
    assert work.roster.shifts_of([], NOW) == {}


def test_neighbours_are_seen_as_they_are_within_the_transaction(work):
    one, other = people(work, 2)
    mine, next_to = permit(work, "ZY-1", one), permit(work, "ZY-2", other)
    next_to.content = "刷漆防腐"
    rows = work.permits.near(BOX, area_id=None, but=mine.id)
    assert [(row.number, row.content) for row in rows] == [("ZY-2", "刷漆防腐")]
    assert work.permits.coordinators([mine.id, next_to.id]) == {mine.id: "7", next_to.id: "7"}
    next_to.state = "closed"
    assert work.permits.near(BOX, area_id=None, but=mine.id) == []
    assert work.permits.guarded_by(other.id) == 0
    assert work.permits.guarded_by(one.id) == 1
    assert work.permits.guarded_by(one.id, but=mine.id) == 0


def test_neighbours_of_a_place_are_in_reach_or_somewhere_in_the_area(work):
    area = Area(code="A1", name="罐区", zone="", media=[], polygon=[])
    work.db.add(area)
    work.flush()
    [one] = people(work, 1)
    here, anywhere = {"area_id": area.id}, {"area_id": area.id, "lat": None, "lon": None}
    made = {
        "far": permit(work, "ZY-1", one, lat=38.0, **here),
        "unplaced": permit(work, "ZY-2", one, **anywhere),
        "ended": permit(work, "ZY-3", one, **{**anywhere, "state": "closed"}),
        "elsewhere": permit(work, "ZY-4", one, lat=None, lon=None),
        "near": permit(work, "ZY-5", one),
    }

    def found(box, area_id, but=None) -> list[str]:
        rows = [row.number for row in work.permits.near(box, area_id=area_id, but=but)]
        return [name for number in rows for name, row in made.items() if row.number == number]

    assert found(BOX, area.id) == ["unplaced", "near"]
    assert found(BOX, None) == ["near"]
    assert found(None, area.id) == ["far", "unplaced"]
    assert found(BOX, area.id, but=made["unplaced"].id) == ["near"]
    assert found(None, None) == []


def test_a_verdict_of_running_work_costs_few_statements(work, engine, monkeypatch):
    guardian, other = people(work, 2)
    number = permit(work, "ZY-1", guardian).id
    permit(work, "ZY-2", other)
    work.commit()
    asked: list[str] = []

    def count(_connection, _cursor, statement, *_rest) -> None:
        asked.append(statement)

    for form in ("rows", "columns"):
        inner = getattr(plain.Layout, form)
        monkeypatch.setattr(
            plain.Layout, form, lambda self, *args, inner=inner: (asked.append(self.sql), inner(self, *args))[1]
        )
    with UnitOfWork(engine, NOW, read_only=True) as again:
        event.listen(engine, "before_cursor_execute", count)
        judged = judge.judge(again, again.permits.seen(number))
        event.remove(engine, "before_cursor_execute", count)
    assert judged.gathered.facts["guardian_id"] == str(guardian.id)
    assert 10 <= len(asked) <= STATEMENTS, asked


def verdict_with_journeys(engine, number: int, monkeypatch) -> tuple[judge.Judgement, int]:
    journeys = []

    def counted(inner):
        return lambda *args: (journeys.append(inner), inner(*args))[1]

    with monkeypatch.context() as counting:
        counting.setattr(plain, "_in_one_journey", counted(plain._in_one_journey))
        counting.setattr(plain.Layout, "run", counted(plain.Layout.run))
        with UnitOfWork(engine, NOW, read_only=True) as work:
            return judge.judge(work, work.permits.seen(number)), len(journeys)


def test_a_verdict_takes_five_journeys_and_says_the_same_as_with_many(postgres_url, monkeypatch):
    engine = open_engine(postgres_url)
    with UnitOfWork(engine, NOW) as work:
        guardian, other = people(work, 2)
        area = Area(code="A1", name="罐区", zone="hazardous", media=["甲醇"], polygon=[])
        work.db.add_all([area, Detector(code="GT-1", kind="combustible", unit="%LEL", lat=37.45, lon=118.55)])
        work.flush()
        number = permit(work, "ZY-1", guardian, area_id=area.id).id
        permit(work, "ZY-2", other)
        work.db.add(Certificate(person_id=guardian.id, kind="guardian", number="B", valid_until=None))
        work.commit()
    few, journeys = verdict_with_journeys(engine, number, monkeypatch)
    assert journeys <= 5
    monkeypatch.setattr(plain, "ahead", lambda *_: None)
    many, without = verdict_with_journeys(engine, number, monkeypatch)
    assert without >= 10
    assert (few.gathered.facts, few.gathered.notes) == (many.gathered.facts, many.gathered.notes)
    assert few.verdict == many.verdict
    engine.dispose()


def test_what_was_asked_ahead_is_forgotten_when_something_is_written(work):
    one, other = people(work, 2)
    mine, next_to = permit(work, "ZY-1", one), permit(work, "ZY-2", other)
    with work.ahead([work.permits.asked_near(BOX, area_id=None, but=mine.id)]):
        next_to.state = "closed"
        assert work.permits.near(BOX, area_id=None, but=mine.id) == []
    with work.ahead([work.permits.asked_guarded(one.id)]):
        assert work.permits.guarded_by(one.id) == 1
        mine.state = "closed"
        work.flush()
        assert work.permits.guarded_by(one.id) == 0


def test_what_was_asked_ahead_is_given_once_and_not_after_the_end(work):
    one, _ = people(work, 2)
    permit(work, "ZY-1", one)
    with work.ahead([work.permits.asked_guarded(one.id)]):
        assert [work.permits.guarded_by(one.id) for _ in range(2)] == [1, 1]
    with work.ahead([work.permits.asked_guarded(one.id)]):
        pass
    permit(work, "ZY-2", one)
    assert work.permits.guarded_by(one.id) == 2
