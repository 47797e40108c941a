"""Every kind of orphan, planted into a real database: found within a minute, healed or told, and over when put right."""

from __future__ import annotations

import http.server
import secrets
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from auditor.finding import WORDS_ZH, Kind
from auditor.heal import STEPS
from auditor.service import EVERY_S, Auditor
from storage import guards
from storage.models import (
    AuditFinding,
    AuditRun,
    CardPost,
    CaseCard,
    Delivery,
    Hazard,
    Inbox,
    LadderStep,
    Person,
    RoleGrant,
    TrailLine,
)
from tests.pictures import scene

# the same questions run on SQLite in test_quiet.py and test_properties.py
pytestmark = pytest.mark.postgres_suffices
FOUND_WITHIN_S = 60.0


@pytest.fixture
def case(plant, auditor):
    """A yellow hazard, dispatched and delivered, at which nothing is wrong."""
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    plant.forward(minutes=2)
    assert auditor.look().found == ()
    return plant.hazard("YH-0001").id


def plant_orphan(plant, model, row_id, **values):
    with plant.work() as work:
        done = work.db.execute(update(model).where(model.id == row_id).values(**values))
        assert done.rowcount == 1
        work.commit()


def first_id(plant, model, *where):
    with plant.work(read_only=True) as work:
        return work.db.scalars(select(model.id).where(*where).order_by(model.id)).first()


def look_until(plant, auditor: Auditor, kind: Kind, *, within_s=FOUND_WITHIN_S):
    """Looks every 30 s of the plant's clock while the engine stands still; the seconds until it was found."""
    planted = plant.now
    while (plant.now - planted).total_seconds() < within_s:
        plant.now += timedelta(seconds=EVERY_S)
        report = auditor.look()
        if any(f.kind is kind for f in report.found):
            return report, (plant.now - planted).total_seconds()
    raise AssertionError(f"{kind} was not found in {within_s} s")


def open_kinds(plant):
    with plant.work(read_only=True) as work:
        return set(work.db.scalars(select(AuditFinding.kind).where(AuditFinding.cleared_at.is_(None))))


def alarms(plant, *, to=""):
    """Alarm rows, or those to one person."""
    with plant.work(read_only=True) as work:
        rows = work.db.scalars(select(Delivery).where(Delivery.purpose == "audit.alarm").order_by(Delivery.id)).all()
        people = {p.id: p.name for p in work.people.everyone()}
    return [row for row in rows if not to or people.get(row.person_id) == to]


def add_inbox(plant, **values):
    row = {
        "platform": "wecom",
        "key": secrets.token_hex(8),
        "sender": "somebody",
        "payload": {},
        "state": "new",
        "received_at": plant.now,
        "sent_at": plant.now,
        **values,
    }
    with plant.work() as work:
        planted = Inbox(**row)
        work.db.add(planted)
        work.commit()
        return planted.id


def add_delivery(plant, case, **values):
    row = {
        "dedupe_key": secrets.token_hex(8),
        "case_kind": "hazard",
        "case_id": case,
        "purpose": "hazard.dispatch",
        "what": "text",
        "platform": "wecom",
        "user_id": "nobody",
        "payload": {"text": "x"},
        "urgency": 0,
        "state": "due",
        "due_at": plant.now,
        "created_at": plant.now,
        **values,
    }
    with plant.work() as work:
        planted = Delivery(**row)
        work.db.add(planted)
        work.commit()
        return planted.id


# -- cases


def test_lost_steps_are_written_again_and_climbed(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(text("DELETE FROM ladder_step"))
        work.commit()
    report, took_s = look_until(plant, auditor, Kind.NO_STEP)
    assert took_s <= FOUND_WITHIN_S
    assert [f.kind for f in report.healed] == [Kind.NO_STEP]
    assert auditor.look().found == ()
    assert alarms(plant) == []
    before = plant.phone("李强").count("还没有人确认")
    plant.forward(hours=9)
    assert plant.phone("李强").count("还没有人确认") > before


def test_steps_called_off_by_mistake_live_again(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(update(LadderStep).where(LadderStep.case_id == case).values(called_off_at=plant.now))
        work.commit()
    report, _ = look_until(plant, auditor, Kind.NO_STEP)
    assert len(report.healed) == 1
    with plant.work(read_only=True) as work:
        assert work.db.scalars(select(LadderStep).where(LadderStep.called_off_at.is_(None))).all()
    assert auditor.look().found == ()


def test_of_the_steps_whose_time_is_over_only_the_highest_is_due_at_once(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(text("DELETE FROM ladder_step WHERE ladder = 'confirm'"))
        work.commit()
    plant.now += timedelta(hours=17)  # two confirm steps are over by now, the third is to come; nothing ran
    auditor.look()
    with plant.work(read_only=True) as work:
        steps = work.db.scalars(
            select(LadderStep).where(LadderStep.ladder == "confirm").order_by(LadderStep.position)
        ).all()
    assert [s.position for s in steps] == [1, 2]
    assert steps[0].due_at == plant.now < steps[1].due_at


def test_a_case_nobody_answers_goes_on_after_its_last_rung(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(update(LadderStep).where(LadderStep.case_id == case).values(taken_at=plant.now))
        work.commit()
    report, _ = look_until(plant, auditor, Kind.LADDER_ENDED)
    assert [f.kind for f in report.healed] == [Kind.LADDER_ENDED]
    with plant.work(read_only=True) as work:
        again = work.db.scalars(select(LadderStep).where(LadderStep.taken_at.is_(None))).one()
    assert timedelta(hours=47) < again.due_at - plant.now <= timedelta(hours=48)
    assert auditor.look().found == ()


def test_a_closed_case_is_never_woken(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(text("DELETE FROM ladder_step"))
        work.db.execute(update(Hazard).values(state="closed", owner_id=None, due_at=None))
        work.commit()
    plant.now += timedelta(minutes=5)
    assert auditor.look().found == ()


def test_a_step_nobody_takes_is_told(plant, auditor, case):
    step = first_id(plant, LadderStep)
    plant_orphan(plant, LadderStep, step, due_at=plant.now)
    report, _ = look_until(plant, auditor, Kind.STEP_LATE)
    assert report.healed == () and report.told >= 1
    assert "scheduler" in alarms(plant)[0].payload["text"] and "YH-0001" in alarms(plant)[0].payload["text"]


def test_a_case_without_owner_alarms_the_safety_officer(plant, auditor, case):
    officers = select(RoleGrant.person_id).where(RoleGrant.role == "safety_officer")
    plant_orphan(plant, Hazard, case, owner_id=None)
    _, _ = look_until(plant, auditor, Kind.NO_OWNER)
    with plant.work(read_only=True) as work:
        told = {row.person_id for row in alarms(plant)}
        assert told & set(work.db.scalars(officers))
    plant.settle()
    plant.phone("王芳").sees("YH-0001", "没有责任人")
    plant_orphan(plant, Hazard, case, owner_id=first_id(plant, Person))
    auditor.look()
    assert Kind.NO_OWNER.value not in open_kinds(plant)


def test_an_owner_who_left_is_told(plant, auditor, case):
    plant_orphan(plant, Person, plant.hazard("YH-0001").owner_id, active=False)
    report, _ = look_until(plant, auditor, Kind.OWNER_LEFT)
    assert report.told >= 1


def test_a_case_without_deadline_is_told(plant, auditor, case):
    plant_orphan(plant, Hazard, case, due_at=None)
    look_until(plant, auditor, Kind.NO_DUE)


def test_a_report_that_reached_nobody_is_told_to_the_safety_officer(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(text("DELETE FROM delivery WHERE purpose NOT IN ('hazard.receipt', 'reply')"))
        work.commit()
    look_until(plant, auditor, Kind.REACHED_NOBODY)
    assert any("没有一条通知" in row.payload["text"] for row in alarms(plant))


def test_a_picture_nobody_makes_is_told(plant, auditor, case):
    plant_orphan(plant, Hazard, case, state="to_accept", evidence_state="due", submitted_at=plant.now)
    look_until(plant, auditor, Kind.PICTURE_STUCK, within_s=auditor.limits.picture.total_seconds() + FOUND_WITHIN_S)


# -- what came in


@pytest.mark.parametrize("lease", [None, timedelta(seconds=-1), timedelta(days=1)])
@pytest.mark.parametrize("state", ["taken", "fetching"])
def test_a_message_held_by_a_dead_worker_is_given_back(plant, auditor, state, lease):
    row = add_inbox(plant, state=state, lease_until=None if lease is None else plant.now + lease)
    report, _ = look_until(plant, auditor, Kind.INBOX_HELD)
    assert [f.subject for f in report.healed] == [f"inbox:{row}"]
    with plant.work(read_only=True) as work:
        found = work.db.get_one(Inbox, row)
        assert (found.state, found.lease_until) == ("new", None)


def test_a_message_nobody_handles_is_told(plant, auditor):
    add_inbox(plant)
    report, took_s = look_until(plant, auditor, Kind.INBOX_LATE)
    assert took_s <= FOUND_WITHIN_S and report.told == len(alarms(plant)) >= 1


def test_a_long_queue_that_moves_is_no_finding_but_a_message_passed_over_is(plant, auditor):
    waiting = add_inbox(plant, sender="patient")
    plant.now += timedelta(seconds=40)
    add_inbox(plant, sender="quick", state="done", handled_at=plant.now, received_at=plant.now - timedelta(seconds=20))
    assert auditor.look().found == ()
    add_inbox(plant, sender="late", state="done", handled_at=plant.now, received_at=plant.now)
    assert [f.subject for f in auditor.look().found] == [f"inbox:{waiting}"]


def test_of_one_sender_only_the_first_message_counts(plant, auditor):
    first = add_inbox(plant, key="a")
    add_inbox(plant, key="b")
    report, _ = look_until(plant, auditor, Kind.INBOX_LATE)
    assert [f.subject for f in report.found] == [f"inbox:{first}"]


def test_a_message_given_up_is_told_once(plant, auditor):
    add_inbox(plant, state="failed", handled_at=plant.now, error="ValueError")
    look_until(plant, auditor, Kind.INBOX_FAILED)
    for _ in range(10):
        plant.now += timedelta(seconds=EVERY_S)
        auditor.look()
    assert len(alarms(plant, to="张伟")) == 1
    plant.now += timedelta(hours=6)
    auditor.look()
    assert len(alarms(plant, to="张伟")) == 2  # it is still so: told again after hours, not every 30 s


def test_a_clock_jump_does_not_put_a_message_to_sleep(plant, auditor):
    row = add_inbox(plant, next_try_at=plant.now + timedelta(hours=1))
    report, _ = look_until(plant, auditor, Kind.INBOX_FAR)
    assert [f.subject for f in report.healed] == [f"inbox:{row}"]


# -- what goes out


@pytest.mark.parametrize("lease", [None, timedelta(seconds=-1), timedelta(days=1)])
def test_a_send_held_by_a_dead_worker_is_let_go(plant, auditor, case, lease):
    row = add_delivery(
        plant, case, state="claimed", claimed_at=plant.now, lease_until=None if lease is None else plant.now + lease
    )
    report, _ = look_until(plant, auditor, Kind.SEND_HELD)
    assert [f.subject for f in report.healed] == [f"delivery:{row}"]
    with plant.work(read_only=True) as work:
        assert work.db.get_one(Delivery, row).state == "unknown"


def test_an_unknown_outcome_nobody_reconciles_is_told(plant, auditor, case):
    add_delivery(plant, case, state="unknown", claimed_at=plant.now - timedelta(seconds=30))
    look_until(plant, auditor, Kind.SEND_UNKNOWN)


def test_an_urgent_message_nobody_sends_is_told(plant, auditor, case):
    add_delivery(plant, case)
    report, _ = look_until(plant, auditor, Kind.SEND_LATE)
    assert report.told >= 1


def test_an_urgent_message_put_off_by_a_clock_jump_is_brought_forward(plant, auditor, case):
    row = add_delivery(plant, case, due_at=plant.now + timedelta(hours=1), wait_reason="retry")
    report, _ = look_until(plant, auditor, Kind.SEND_FAR)
    assert [f.subject for f in report.healed] == [f"delivery:{row}"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"state": "refused", "error": "nobody 81013"}, Kind.SEND_REFUSED),
        ({"state": "expired", "error": "too late"}, Kind.SEND_EXPIRED),
    ],
)
def test_a_notice_that_ended_without_arriving_is_told(plant, auditor, case, values, kind):
    row = add_delivery(plant, case, **values)
    look_until(plant, auditor, kind)
    add_delivery(plant, case, state="confirmed", fallback_of_id=row)
    auditor.look()
    assert kind.value not in open_kinds(plant)


def test_a_card_left_behind_is_told_and_a_held_one_freed(plant, auditor, case):
    post = first_id(plant, CardPost)
    with plant.work() as work:
        work.db.execute(update(CaseCard).values(revision=CaseCard.revision + 1, updated_at=plant.now))
        work.commit()
    look_until(plant, auditor, Kind.CARD_STALE, within_s=auditor.limits.card.total_seconds() + FOUND_WITHIN_S)
    plant_orphan(plant, CardPost, post, lease_until=plant.now + timedelta(days=1))
    report, _ = look_until(plant, auditor, Kind.CARD_HELD)
    assert f"post:{post}" in [f.subject for f in report.healed]


def test_a_case_whose_cards_are_all_dead_is_told(plant, auditor, case):
    with plant.work() as work:
        work.db.execute(update(CardPost).values(state="dead"))
        work.commit()
    look_until(plant, auditor, Kind.CARD_DEAD)


# -- the trail


def take_guards_away(plant):
    """What somebody who owns the database can do before they change a line."""
    with plant.services.engine.begin() as db:
        guards.remove(db)


def test_a_changed_line_of_the_trail_is_found_and_stays_found(plant, auditor, case):
    line = first_id(plant, TrailLine)
    take_guards_away(plant)
    plant_orphan(plant, TrailLine, line, why="something else")
    report, _ = look_until(plant, auditor, Kind.TRAIL_BROKEN)
    assert [(f.subject, f.facts["wrong"]) for f in report.found] == [(f"trail:{line}", "line was changed")]
    assert len(auditor.look().found) == 1
    assert len(alarms(plant, to="张伟")) == 1


@pytest.mark.parametrize("which", ["first", "last"])
def test_a_line_taken_out_is_found(plant, auditor, case, which):
    take_guards_away(plant)
    with plant.work() as work:
        ids = work.db.scalars(select(TrailLine.id).order_by(TrailLine.id)).all()
        work.db.execute(text("DELETE FROM trail_line WHERE id = :id"), {"id": ids[0] if which == "first" else ids[-1]})
        work.commit()
    look_until(plant, auditor, Kind.TRAIL_SHORT)
    assert (Kind.TRAIL_BROKEN.value in open_kinds(plant)) == (which == "first")
    for _ in range(3):
        auditor.look()
    assert Kind.TRAIL_SHORT.value in open_kinds(plant)  # it does not become normal by waiting


# -- the auditor itself


def test_every_kind_has_words_and_every_healed_kind_was_tested_above():
    assert set(WORDS_ZH) == set(Kind)
    assert set(STEPS) == {
        Kind.NO_STEP, Kind.LADDER_ENDED, Kind.INBOX_HELD, Kind.INBOX_FAR, Kind.SEND_HELD, Kind.SEND_FAR, Kind.CARD_HELD,
        Kind.CALL_NO_STEP,  # tests/auditor/test_roll_calls.py
    }  # fmt: skip


def test_what_is_healed_and_comes_back_is_told(plant, auditor):
    row = add_inbox(plant, state="taken")
    for _ in range(3):
        plant.now += timedelta(seconds=31)
        auditor.look()
        plant_orphan(plant, Inbox, row, state="done", handled_at=plant.now)
        auditor.look()
        plant_orphan(plant, Inbox, row, state="taken", handled_at=None)
    assert [("已放回" in a.payload["text"]) for a in alarms(plant, to="张伟")] == [True]


def test_two_auditors_do_not_tell_twice(plant, auditor, case):
    twin = Auditor(engine=auditor.engine, clock=auditor.clock, admins=auditor.admins)
    plant_orphan(plant, Hazard, case, due_at=None)
    plant.now += timedelta(seconds=EVERY_S)
    auditor.look()
    told = len(alarms(plant))
    twin.look()
    assert told == len(alarms(plant)) >= 1


def test_the_run_is_written_down_with_its_figures(plant, auditor, case):
    with plant.work(read_only=True) as work:
        run = work.db.scalars(select(AuditRun)).one()
    assert run.at == plant.now and run.runs == 1
    assert run.figures["reports"] == 1
    assert run.figures["first_notice_on_time_share"] == 1.0
    assert run.figures["first_notice_p99_s"] == pytest.approx(0, abs=1)


# -- the outside heartbeat


class Outside:
    """A service that waits for a beat, on a real socket."""

    def __init__(self, status: int) -> None:
        beats = self.beats = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                beats.append(self.path)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                return None

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/beat/anshao"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize(("status", "error"), [(200, ""), (500, "HTTP 500")])
def test_every_look_beats_outside(plant, auditor, status, error):
    outside = Outside(status)
    auditor.heartbeat_url = outside.url
    auditor.look()
    assert auditor.beat() == error
    outside.close()
    assert outside.beats == ["/beat/anshao"]
    assert auditor.beat() == "URLError"
    with plant.work(read_only=True) as work:
        run = work.db.scalars(select(AuditRun)).one()
    assert (run.beat_at is not None) == (status == 200)
    assert run.beat_error == "URLError"


def test_the_beat_stops_when_the_alarms_do_not_get_out(plant, auditor):
    outside = Outside(200)
    auditor.heartbeat_url = outside.url
    add_inbox(plant, state="failed", handled_at=plant.now, error="ValueError")
    auditor.look()
    assert auditor.beat() == ""
    plant.now += timedelta(minutes=3)
    auditor.look()
    assert auditor.beat() == "muted"
    plant.settle()  # a delivery worker is back
    assert auditor.beat() == ""
    outside.close()
    assert len(outside.beats) == 2


def test_pages_show_the_auditor_and_its_silence(plant, auditor, case):
    client = plant.app.test_client()
    assert client.get("/readyz").json["degraded"] == []
    page = client.get("/metrics").text
    assert "anshao_audit_age_seconds 0.0" in page and "anshao_first_notice_on_time_share 1.0" in page
    add_inbox(plant, state="failed", handled_at=plant.now, error="ValueError")
    auditor.look()
    assert 'anshao_audit_findings{kind="inbox.failed"} 1.0' in client.get("/metrics").text
    assert "auditor: 1 open inbox.failed" in client.get("/readyz").json["degraded"]
    plant.now += timedelta(seconds=120)
    assert not any("silent" in line for line in client.get("/readyz").json["degraded"])
    plant.now += timedelta(seconds=1)
    assert any("auditor: silent for 121 s" in line for line in client.get("/readyz").json["degraded"])
