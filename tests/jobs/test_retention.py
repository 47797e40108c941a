"""What is kept: permits with everything for years, films for the plant's own days, readings for as long as is set."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from jobs import retention, sweep
from storage.models import Detector, Media, Permit, PermitApproval, PermitVerdict, Reading
from storage.readings import NewReading
from tests.plant import Plant
from web.permit_sheet import sheet_of


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


def keep(plant, **later):
    plant.now += timedelta(**later)
    sweep.tidy(plant.services)
    return retention.keep(plant.services)


def a_film(plant):
    sha = plant.services.media.save(b"\0\0\0\x18ftypmp42", mime="video/mp4")
    with plant.work() as work:
        work.media.add(Media(sha256=sha, mime="video/mp4", bytes=12, stored_at=plant.now))
        work.commit()
    return sha


def a_closed_permit(plant, film):
    with plant.work() as work:
        person = work.people.by_code("madeshun")
        made = work.permits.add(
            Permit(
                work="hot_work", number="ZY-0001", level="l1", state="closed", content="电焊", applicant=person,
                created_at=plant.now, submitted_at=plant.now, planned_start=plant.now,
                planned_end=plant.now + timedelta(hours=4), facts={}, suspend_why=[], next_due=[], parties=[], gas_tests=[],
                approvals=[PermitApproval(kind="measure", step="drains", words="封盖", granted=True, photo_sha=film)],
            )
        )  # fmt: skip
        verdict = PermitVerdict(
            permit_id=made.id, at=plant.now, facts={"is_night": False}, verdict={"basis": "依据", "rules": []},
            result="pass", table_version="1.0",
        )  # fmt: skip
        made.verdict_id = work.permit_verdicts.add(verdict).id
        work.commit()


def test_a_ticket_with_all_that_hangs_on_it_is_kept_for_years(plant):
    a_closed_permit(plant, a_film(plant))
    for _ in range(5):
        keep(plant, days=366)
        with plant.work(read_only=True) as work:
            found = work.permits.by_number("ZY-0001")
            assert work.permit_verdicts.get(found.verdict_id).facts == {"is_night": False}
            assert sheet_of(work, found, plant="厂", verify="https://a.example/v").measures[0].proof == "附照片"


@pytest.mark.parametrize(("days", "there"), [(30, True), (89, True), (91, False)])
def test_a_film_is_kept_for_the_plants_own_days_and_never_less_than_a_month(plant, days, there):
    film = a_film(plant)
    keep(plant, days=days)
    assert plant.services.media.exists(film) is there
    with plant.work(read_only=True) as work:
        row = work.media.get(film)
        assert (row.mime == "video/mp4") is there  # the row stays and says that there was one


def test_a_picture_is_no_film(plant):
    sha = plant.services.media.save(b"picture", mime="image/jpeg")
    with plant.work() as work:
        work.media.add(Media(sha256=sha, mime="image/jpeg", bytes=7, stored_at=plant.now))
        work.commit()
    keep(plant, days=4000)
    assert plant.services.media.exists(sha)


def test_readings_go_after_the_set_days_a_few_thousand_at_a_time(plant, monkeypatch):
    monkeypatch.setattr(retention, "ROWS", 7)
    with plant.work() as work:
        detectors = work.db.scalars(select(Detector).limit(2)).all()
        rows = [
            NewReading(d.id, d.kind, 1.0, "ok", plant.now - timedelta(days=399, minutes=m))
            for d in detectors
            for m in range(10)
        ]
        rows += [NewReading(detectors[0].id, detectors[0].kind, 1.0, "ok", plant.now)]
        work.readings.add(rows, received_at=plant.now)
        work.commit()
    assert keep(plant) == 0
    assert keep(plant, days=2) == 20
    with plant.work(read_only=True) as work:
        assert work.db.scalar(select(func.count()).select_from(Reading)) == 1
